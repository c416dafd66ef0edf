// The phone page of `menjin dev`: a tap on the phone becomes real requests to this very server, and everything that
// was said is shown beside it. Here everything is put together; each theme of what a tap does has a file of its own.

import { showAccount, startAccount } from "./account.js";
import { showToken, tick } from "./claims.js";
import { forgetContacts, startContacts } from "./contacts.js";
import { byId, element } from "./dom.js";
import { fetchMessages, hideBanner, onCode, showInbox } from "./inbox.js";
import { MISTAKES } from "./mistakes.js";
import { showNumberForms, useCode } from "./number-form.js";
import { everybody, invent, learnPeople } from "./people.js";
import { startProfile } from "./profile.js";
import { forgetRegister, startRegister } from "./register.js";
import { redraw } from "./runs.js";
import { pictureOf, reader, showPeople, showScreen, showTime } from "./screen.js";
import { onSilence, showServer } from "./server.js";
import { hand, onChecked, person, session, standing } from "./session.js";
import { askMe, forget, makeMistake, sendAgain, signIn } from "./sign-in.js";
import { onFinish, onTap } from "./taps.js";
import { go, onMove, onOpen, showViews, startViews, view } from "./views.js";
import { language, remember, say, speak, startingLanguage } from "./words.js";

function draw() {
  showPeople(everybody(), person(), choose, (name) => pictureOf(session(name)?.profile.avatar));
  showScreen(person(), session());
  showAccount();
  showViews();
  showInbox(view() === "messages");
  showToken(session()?.token, session()?.holds);
  tick(session()?.token);
}

function choose(name) {
  hand(name);
  reader("idle");
  hideBanner();
  forgetRegister();
  forgetContacts();
  if (view() !== "home") go("home", document.activeElement);
  draw();
}

/** Puts a code from a message into the form that waits for one; false if none does. */
function takeCode(code) {
  const state = standing(session());
  const name = state === "guest" ? "register" : state === "user" ? "number" : "";
  const waiting = name !== "" && !byId(`${name}-code`).hidden;
  if (!waiting) return false;
  hideBanner();
  if (view() !== name) go(name);
  return useCode(name, code);
}

function changeLanguage(chosen) {
  speak(chosen);
  for (const button of document.querySelectorAll("[data-language]")) {
    button.setAttribute("aria-pressed", String(button.dataset.language === language()));
  }
  showServer();
  showTime();
  showNumberForms();
  redraw();
  draw();
}

/** Once a second: the clock, the countdowns, and the moment when a token is over. */
function everySecond() {
  showTime();
  tick(session()?.token);
  const shown = byId("badge").classList;
  if (standing(session()) === "expired" && !shown.contains("expired")) draw();
}

async function lookAround() {
  await learnPeople();
  draw();
}

async function openMessages() {
  await fetchMessages();
  showInbox(view() === "messages");
}

function listen() {
  onTap(byId("sign-in"), signIn);
  onTap(byId("again"), sendAgain);
  onTap(byId("me"), askMe);
  byId("forget").addEventListener("click", () => forget(draw));
  byId("invent").addEventListener("submit", (event) => {
    const name = invent(event);
    if (name) choose(name);
  });
  byId("gone-again").addEventListener("click", lookAround);
  for (const name of Object.keys(MISTAKES)) {
    const button = element("button", { type: "button", "data-say": `mistake.${name}`, "data-mistake": name });
    onTap(button, () => makeMistake(name));
    byId("mistakes").append(button);
  }
  for (const button of document.querySelectorAll("[data-language]")) {
    button.addEventListener("click", () => {
      remember(button.dataset.language);
      changeLanguage(button.dataset.language);
    });
  }
}

async function start() {
  onFinish(draw);
  onSilence(lookAround);
  onChecked((kept) => {
    if (kept === session()) showToken(kept.token, kept.holds);
  });
  onCode(takeCode);
  onMove(hideBanner);
  onOpen("messages", openMessages);
  listen();
  startViews();
  startRegister();
  startAccount();
  startProfile();
  startContacts();
  changeLanguage(startingLanguage());
  await lookAround();
  await openMessages();
  setInterval(everySecond, 1000);
}

start();
