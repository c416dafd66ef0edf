// The panel that takes a token apart: how long it lasts, what each claim means, whether its signature holds.

import { byId, element } from "./dom.js";
import { clock, secondsLeft, shareLeft } from "./token.js";
import { hasWords, languageTag, say } from "./words.js";

let shown = [];

/** Shows this token, or what will stand here once there is one. `holds` is true, false, null (untold) or undefined (being checked). */
export function showToken(token, holds) {
  const panel = byId("token");
  const wanted = [token, holds, languageTag()];
  if (wanted.every((part, index) => part === shown[index]) && shown.length > 0) return;
  shown = wanted;
  if (!token) {
    panel.replaceChildren(element("p", { class: "token-none" }, say("token.none")), shapeOf());
    return;
  }
  panel.replaceChildren(
    lifeOf(),
    element("h3", {}, say("token.header")),
    claimList(token.header, token),
    element("h3", {}, say("token.payload")),
    claimList(token.payload, token),
    element("h3", {}, say("token.signature")),
    element("p", { class: `holds ${holdsClass(holds)}` }, say(holdsKey(holds))),
    rawOf(token));
  tick(token);
}

/** Moves every countdown of the page to now. */
export function tick(token) {
  const left = token ? secondsLeft(token) : 0;
  const words = left > 0 ? clock(left) : say("token.over");
  for (const place of document.querySelectorAll("[data-countdown]")) place.textContent = words;
  for (const bar of document.querySelectorAll("[data-countdown-bar]")) {
    // The page's policy forbids style attributes; the object model is open.
    bar.style.setProperty("transform", `scaleX(${token ? shareLeft(token) : 0})`);
    bar.classList.toggle("over", left <= 0);
  }
}

const shapeOf = () => inThree({ class: "shape", "aria-hidden": "true" }, "eyJhbGciOi…", "eyJpc3MiOi…", "9mSt4XqLw…");

const inThree = (attributes, header, payload, signature) =>
  element("code", attributes,
    element("span", { class: "raw-header" }, header), ".",
    element("span", { class: "raw-payload" }, payload), ".",
    element("span", { class: "raw-signature" }, signature));

function lifeOf() {
  return element("div", { class: "life" },
    element("div", { class: "life-row" },
      element("span", {}, say("token.valid")),
      element("span", { class: "life-left", role: "timer", "aria-live": "off", "data-countdown": true })),
    element("div", { class: "life-bar" }, element("i", { "data-countdown-bar": true })));
}

function rawOf(token) {
  return element("details", { class: "raw" },
    element("summary", {}, say("token.raw"), " ", element("span", {}, say("token.bytes", { count: token.text.length }))),
    element("pre", {}, inThree({}, ...token.parts)));
}

const holdsClass = (holds) => (holds === true ? "good" : holds === false ? "bad" : "untold");

function holdsKey(holds) {
  if (holds === undefined) return "token.checking";
  if (holds === null) return "token.untold";
  return holds ? "token.holds" : "token.fails";
}

function claimList(claims, token) {
  const rows = Object.entries(claims).map(([name, value]) => {
    const meaning = meaningOf(name, token);
    return element("div", { class: "claim", title: meaning ?? undefined },
      element("dt", {}, name),
      element("dd", {},
        element("span", { class: "value" }, typeof value === "string" ? value : JSON.stringify(value)),
        isInstant(name, value) ? element("time", {}, new Date(value * 1000).toLocaleTimeString(languageTag(), { hour12: false })) : null,
        meaning ? element("span", { class: "meaning" }, meaning) : null));
  });
  return element("dl", { class: "claims" }, ...rows);
}

const isInstant = (name, value) => ["exp", "iat", "nbf"].includes(name) && Number.isFinite(value);

function meaningOf(name, token) {
  const kind = token.payload.scope === "guest" ? "guest" : "user";
  const key = [`claim.${name}.${kind}`, `claim.${name}`].find(hasWords);
  return key ? say(key) : null;
}
