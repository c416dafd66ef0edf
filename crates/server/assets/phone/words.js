// Which language the page speaks, and how a sentence gets its values.

import { en } from "./words-en.js";
import { zh } from "./words-zh.js";

const LANGUAGES = { en, zh };
const TAGS = { en: "en", zh: "zh-CN" };
const REMEMBERED = "menjin.language";

let current = "en";

/** The language in use: `en` or `zh`. */
export const language = () => current;

/** The tag that dates and the `lang` attribute take. */
export const languageTag = () => TAGS[current];

/** The sentence of this key, with `{name}` filled in from the values; the key itself if there is none. */
export function say(key, values = {}) {
  const sentence = LANGUAGES[current][key] ?? key;
  return sentence.replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? ""));
}

/** Whether there is a sentence for this key. */
export const hasWords = (key) => key in LANGUAGES[current];

/** The language of the last visit, or else the browser's. */
export function startingLanguage() {
  const remembered = recall();
  if (remembered in LANGUAGES) return remembered;
  return navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en";
}

/** Speaks this language from now on and puts it into everything that stands in the page. */
export function speak(chosen) {
  current = chosen in LANGUAGES ? chosen : "en";
  document.documentElement.lang = TAGS[current];
  document.title = say("page");
  for (const place of document.querySelectorAll("[data-say]")) place.textContent = say(place.dataset.say);
  for (const place of document.querySelectorAll("[data-say-label]")) {
    place.setAttribute("aria-label", say(place.dataset.sayLabel));
  }
  for (const place of document.querySelectorAll("[data-say-placeholder]")) {
    place.placeholder = say(place.dataset.sayPlaceholder);
  }
}

/** Keeps the choice for the next visit. */
export function remember(chosen) {
  try {
    localStorage.setItem(REMEMBERED, chosen);
  } catch {
    // A browser that keeps nothing still gets the language for this visit.
  }
}

function recall() {
  try {
    return localStorage.getItem(REMEMBERED) ?? "";
  } catch {
    return "";
  }
}
