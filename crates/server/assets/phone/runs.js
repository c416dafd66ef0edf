// The record of what went over the wire: one run for each tap, the newest on top, each with its requests and replies.

import { byId, copy, element } from "./dom.js";
import { jsonBlock, textBlock } from "./json.js";
import { languageTag, say } from "./words.js";
import { asCurl } from "./wire.js";

const KEPT = 24;
const runs = [];

/** Adds a run: `{title, person, outcome, steps: [{title, note, said}], facts: [{good, key, values}], why}`. */
export function record(run) {
  run.at = new Date();
  runs.unshift(run);
  runs.splice(KEPT);
  byId("before").hidden = true;
  const list = byId("runs");
  list.querySelector("details[open]")?.removeAttribute("open");
  list.prepend(card(run, true));
  while (list.children.length > KEPT) list.lastElementChild.remove();
}

/** Shows all runs anew, in the language now spoken. */
export function redraw() {
  byId("runs").replaceChildren(...runs.map((run, index) => card(run, index === 0)));
}

function card(run, open) {
  const time = run.at.toLocaleTimeString(languageTag(), { hour12: false });
  return element("details", { class: "run", open },
    element("summary", {},
      element("span", { class: "run-title" }, say(run.title)),
      run.person ? element("bdi", { class: "run-person" }, run.person) : null,
      status(run.outcome),
      element("time", { datetime: run.at.toISOString() }, time)),
    run.why ? element("p", { class: "why" }, say(run.why)) : null,
    run.facts?.length ? element("ul", { class: "facts" }, ...run.facts.map(factOf)) : null,
    element("ol", { class: "steps" }, ...run.steps.map(stepOf)));
}

function factOf({ good, key, values }) {
  return element("li", { class: good ? "good" : "bad" }, say(key, values));
}

function status(said) {
  if (said.gone) return element("span", { class: "status bad" }, "—");
  return element("span", { class: `status ${said.ok ? "good" : "bad"}` }, String(said.status));
}

function stepOf({ title, note, said }) {
  return element("li", { class: said.ok ? "step" : "step refused" },
    element("div", { class: "step-head" },
      element("h3", {}, say(title)),
      note ? element("span", { class: "note" }, say(note)) : null),
    element("div", { class: "line" },
      element("code", {}, element("b", {}, said.method), ` ${said.path}`),
      status(said),
      said.ms === undefined ? null : element("span", { class: "ms" }, milliseconds(said.ms)),
      curlButton(said)),
    sideOf("side.request", request(said)),
    sideOf("side.reply", reply(said), said.requestId));
}

const milliseconds = (ms) => `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;

function sideOf(title, content, requestId) {
  const id = requestId
    ? element("span", { class: "request-id" }, `${say("side.request-id")} `, element("code", {}, requestId))
    : null;
  return element("div", { class: "side" }, element("div", { class: "side-head" }, element("span", {}, say(title)), id), content);
}

function request(said) {
  const parts = [];
  if (said.headers.Authorization !== undefined) parts.push(jsonBlock({ Authorization: said.headers.Authorization }));
  if (said.body !== undefined) parts.push(jsonBlock(said.body));
  if (said.form !== undefined) parts.push(textBlock(Object.entries(said.form).map(partOf).join("\n")));
  if (parts.length === 0) parts.push(element("p", { class: "nothing" }, say("side.no-body")));
  return element("div", {}, ...parts);
}

const partOf = ([name, file]) => `${name}: ${file.name} (${file.type || "?"}, ${say("side.bytes", { count: file.size })})`;

function reply(said) {
  if (said.gone) return element("p", { class: "nothing" }, say("side.none"));
  return said.reply === undefined ? textBlock(said.text) : jsonBlock(said.reply);
}

function curlButton(said) {
  const label = say("copy.curl-of", { method: said.method, path: said.path });
  const button = element("button", { type: "button", class: "curl", "aria-label": label }, say("copy.curl"));
  button.addEventListener("click", async () => {
    const done = await copy(asCurl(said));
    button.textContent = say(done ? "copy.done" : "copy.failed");
    button.classList.toggle("done", done);
    setTimeout(() => {
      button.textContent = say("copy.curl");
      button.classList.remove("done");
    }, 1600);
  });
  return button;
}
