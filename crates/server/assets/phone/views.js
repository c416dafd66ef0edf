// The screens of the phone and the way between them: the tabs below, the arrow back above.

import { byId } from "./dom.js";
import { session, standing } from "./session.js";
import { say } from "./words.js";

/** Where the arrow leads; the three tabs have none. */
const BACK = { register: "home", profile: "account", number: "account", mail: "account", export: "account", delete: "account" };
const OPEN_TO = { home: () => true, messages: () => true, register: (state) => state === "guest" };

const listeners = new Map();
let shown = "home";
let before = "home";
let moved = () => {};

/** The screen that is shown. */
export const view = () => shown;

/** Runs this whenever the screen is opened, before the focus moves there. */
export function onOpen(name, action) {
  listeners.set(name, action);
}

/** Runs this whenever any screen is opened. */
export function onMove(action) {
  moved = action;
}

/** Opens a screen and moves the focus into it: to the place with this id, or to its title. */
export function go(name, focus) {
  const from = shown;
  change(name);
  const target = focus ?? (BACK[from] === name && byId("screen").querySelector(`[data-go="${from}"]`));
  const place = typeof target === "string" ? byId(target) : target;
  (place || byId("view-title")).focus({ preventScroll: true });
}

function change(name) {
  if (name !== shown) before = shown;
  shown = name;
  byId("screen").scrollTop = 0;
  for (const fail of document.querySelectorAll("#screen .fail")) fail.textContent = "";
  moved();
  listeners.get(name)?.();
  showViews();
}

/** Shows the screen that is open, and goes home if the person may not be there any more. */
export function showViews() {
  const state = standing(session());
  const allowed = OPEN_TO[shown] ?? (() => state === "user");
  if (!allowed(state)) shown = "home";
  for (const place of document.querySelectorAll("[data-view]")) place.hidden = place.dataset.view !== shown;
  byId("view-title").textContent = shown === "home" ? say("club") : say(`title.${shown}`);
  byId("back").hidden = !(shown in BACK);
  const account = document.querySelector("[data-tab=account]");
  account.disabled = state !== "guest" && state !== "user";
  byId("tab-account").textContent = say(state === "guest" ? "title.register" : "title.account");
  for (const tab of document.querySelectorAll("[data-tab]")) {
    const current = tab.dataset.tab === tabOf(shown);
    if (current) tab.setAttribute("aria-current", "page");
    else tab.removeAttribute("aria-current");
  }
}

const tabOf = (name) => (name === "home" || name === "messages" ? name : "account");

/** Lets the tabs, the arrow and everything with `data-go` lead somewhere. */
export function startViews() {
  byId("back").addEventListener("click", () => go(BACK[shown] ?? "home"));
  for (const tab of document.querySelectorAll("[data-tab]")) {
    const { tab: name } = tab.dataset;
    const target = () => (name === "account" && standing(session()) === "guest" ? "register" : name);
    tab.addEventListener("click", () => go(target()));
  }
  for (const link of document.querySelectorAll("[data-go]")) link.addEventListener("click", () => go(link.dataset.go));
}

/** The screen from which the present one was opened. */
export const cameFrom = () => before;
