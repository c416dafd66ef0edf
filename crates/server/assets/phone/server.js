// Whether the server answers: the lamp in the head of the page, and what to do when it is silent.

import { byId } from "./dom.js";
import { exchange } from "./wire.js";
import { say } from "./words.js";

const ASK_AGAIN_MS = 2000;

let answering = true;
let askTimer = 0;
let look = async () => {};

/** Hears how to look whether the server is back. */
export function onSilence(action) {
  look = action;
}

/** Sends one request, as `exchange` does, and keeps the lamp true. */
export async function ask(method, path, options) {
  const said = await exchange(method, path, options);
  showServer(!said.gone);
  return said;
}

/** Shows whether the server answered last. */
export function showServer(up = answering) {
  byId("server").className = up ? "server up" : "server down";
  byId("server-words").textContent = say(up ? "server.up" : "server.gone", { host: location.host });
  byId("gone-title").textContent = say("gone.title", { host: location.host });
  byId("gone").hidden = up;
  answering = up;
  clearTimeout(askTimer);
  if (!up) askTimer = setTimeout(() => look(), ASK_AGAIN_MS);
}
