// The phone: who holds it, what the mini program shows, and the door that opens or stays shut.

import { byId, element, initial, tone } from "./dom.js";
import { languageTag, say } from "./words.js";
import { standing } from "./session.js";

const TOAST_MS = 2600;
const EDGE_PX = 3;
const LOOPBACK = new Set(["127.0.0.1", "localhost", "[::1]"]);
let toastTimer = 0;

/** Shows this person and how they stand. */
export function showScreen(person, session) {
  const state = standing(session);
  const name = session?.profile.nickname || person;
  byId("name").textContent = name;
  paint(byId("avatar"), name, pictureOf(session?.profile.avatar));
  byId("badge").textContent = say(`badge.${state}`);
  byId("badge").className = `badge ${state}`;
  byId("lines").textContent = say(`lines.${state}`, { uid: session?.profile.uid });
  byId("life").hidden = state === "out";
  byId("scene").dataset.standing = state;
  byId("scene").dataset.door = { out: "closed", expired: "closed", guest: "ajar", user: "open" }[state];
  for (const id of ["me", "again", "forget"]) byId(id).hidden = state === "out";
  byId("to-register").hidden = state !== "guest";
  byId("sign-in").classList.toggle("strong", state === "out" || state === "expired");
  byId("me").classList.toggle("strong", state === "user");
  byId("sign-in").disabled = person === "";
  byId("sign-in-words").textContent = say(state === "out" ? "tap.sign-in" : "tap.anew");
}

/** The lamp beside the door: `idle`, `asking`, `yes` or `no`. */
export function reader(lamp) {
  byId("scene").dataset.reader = lamp;
}

/** A short message on the phone, as a mini program would show it; a screen reader reads it out. */
export function toast(words, bad = false) {
  const place = byId("toast");
  place.textContent = words;
  place.className = bad ? "toast shown bad" : "toast shown";
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => place.classList.remove("shown"), TOAST_MS);
}

/** Sets the clock in the phone's corner. */
export function showTime() {
  const now = new Date().toLocaleTimeString(languageTag(), { hour: "2-digit", minute: "2-digit", hour12: false });
  byId("clock").textContent = now;
}

/** Shows who can be picked; `choose` hears the name, and `faceOf` gives the picture of a name, or null. */
export function showPeople(names, chosen, choose, faceOf) {
  const list = byId("people");
  const focused = list.contains(document.activeElement);
  const scrolled = list.scrollLeft;
  list.replaceChildren(...names.map((name) => {
    const circle = element("span", { class: "avatar", "aria-hidden": "true" });
    paint(circle, name, faceOf(name));
    const radio = element("input", { type: "radio", name: "person", value: name, change: () => choose(name) });
    radio.checked = name === chosen;
    return element("label", { class: "person", title: name }, radio, circle, element("bdi", {}, name));
  }));
  const picked = list.querySelector("input:checked");
  if (focused) picked?.focus({ preventScroll: true });
  list.scrollLeft = scrolled;
  if (picked) bringIntoRow(list, picked.parentElement);
}

// Moves the row alone: scrollIntoView would move the page too, away from what is being read further down.
function bringIntoRow(list, label) {
  const [row, circle] = [list.getBoundingClientRect(), label.getBoundingClientRect()];
  if (circle.left < row.left) list.scrollLeft -= row.left - circle.left + EDGE_PX;
  else if (circle.right > row.right) list.scrollLeft += circle.right - row.right + EDGE_PX;
}

/**
 * The address of a picture as this page may load it, or null: the page's policy lets in its own server's alone, by
 * whichever of its names on this machine the page was opened.
 */
export function pictureOf(address) {
  if (!address) return null;
  try {
    const picture = new URL(address, location.href);
    const own = picture.origin === location.origin;
    const alike = picture.port === location.port && [picture, location].every(({ hostname }) => LOOPBACK.has(hostname));
    return own || alike ? picture.pathname : null;
  } catch {
    return null;
  }
}

/** Fills a circle with the picture or, without one, with the beginning of the name. */
export function paint(circle, name, picture = null) {
  const face = picture ? element("img", { src: picture, alt: "", error: () => paint(circle, name) }) : initial(name);
  circle.replaceChildren(face);
  circle.classList.remove("tone-0", "tone-1", "tone-2", "tone-3", "tone-4");
  circle.classList.add(tone(name));
}
