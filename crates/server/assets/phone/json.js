// Shows JSON as people read it: indented, coloured, long strings folded, every value as text.

import { element } from "./dom.js";
import { say } from "./words.js";

const LONG = 96;
const ONE_LINE = 44;

/** A block with this value in it. */
export function jsonBlock(value) {
  const code = element("code");
  write(code, value, 0);
  return element("pre", { class: "json" }, code);
}

/** A block for a body that is not JSON. */
export const textBlock = (text) => element("pre", { class: "json" }, element("code", {}, plain(text)));

function write(into, value, depth) {
  if (Array.isArray(value)) {
    writeAll(into, depth, "[", "]", value.map((item) => [null, item]));
  } else if (value !== null && typeof value === "object") {
    writeAll(into, depth, "{", "}", Object.entries(value));
  } else if (typeof value === "string") {
    into.append(stringOf(value));
  } else {
    into.append(element("span", { class: `j-${value === null ? "null" : typeof value}` }, String(value)));
  }
}

function writeAll(into, depth, opening, closing, entries) {
  if (entries.length === 0) {
    into.append(opening + closing);
    return;
  }
  const short = JSON.stringify(entries).length <= ONE_LINE;
  const before = short ? " " : `\n${"  ".repeat(depth + 1)}`;
  into.append(opening);
  entries.forEach(([key, item], index) => {
    into.append(before);
    if (key !== null) into.append(element("span", { class: "j-key" }, plain(JSON.stringify(key))), ": ");
    write(into, item, depth + 1);
    if (index < entries.length - 1) into.append(",");
  });
  into.append(short ? ` ${closing}` : `\n${"  ".repeat(depth)}${closing}`);
}

function stringOf(value) {
  const whole = plain(JSON.stringify(value));
  if (whole.length <= LONG) return element("span", { class: "j-string" }, whole);
  const text = element("span", { class: "j-string" });
  const button = element("button", { type: "button", class: "fold", click: () => turn(!opened) });
  let opened = true;
  const turn = (open) => {
    opened = open;
    text.textContent = open ? whole : `${whole.slice(0, 34)}…${whole.slice(-12)}`;
    button.textContent = open ? say("fold.less") : say("fold.more", { count: value.length });
    button.setAttribute("aria-expanded", String(open));
  };
  turn(false);
  return element("span", {}, text, " ", button);
}

/** Writes out what would turn the reading direction or hide, as JSON allows, so that nothing can pose as something else. */
const plain = (text) =>
  text.replace(/[\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g, (character) =>
    `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
