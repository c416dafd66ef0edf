// The phone page of `menjin dev`: a tap on the phone becomes real requests to this very server, and everything that
// was said is shown beside it. Here is what a tap does; the drawing is in screen.js, runs.js and claims.js.

import { byId, element } from "./dom.js";
import { MISTAKES, reasonOf } from "./mistakes.js";
import { record, redraw } from "./runs.js";
import { reader, showPeople, showScreen, showTime, standing, toast } from "./screen.js";
import { showToken, tick } from "./claims.js";
import { open, signatureHolds } from "./token.js";
import { exchange } from "./wire.js";
import { language, remember, say, speak, startingLanguage } from "./words.js";

const MOST_PEOPLE = 40;
const ASK_AGAIN_MS = 2000;

const sessions = new Map();
let people = [];
let person = "";
let answering = true;
let askTimer = 0;
let busy = false;

const session = () => sessions.get(person);

function draw() {
  showPeople(people, person, choose);
  showScreen(person, session());
  showToken(session()?.token, session()?.holds);
  tick(session()?.token);
}

function choose(name) {
  person = name;
  reader("idle");
  draw();
}

async function sendWhole(method, path, options) {
  const said = await exchange(method, path, options);
  showServer(!said.gone);
  return said;
}

async function signIn() {
  const holder = person;
  const asked = await sendWhole("POST", "/simulator/login", { body: { person: holder } });
  const steps = [{ title: "step.code", note: "step.plays", said: asked }];
  const code = asked.reply?.code;
  if (typeof code !== "string") return finish({ title: "run.sign-in", person: holder, steps }, asked);
  const said = await sendWhole("POST", "/v1/user/login", { body: { code } });
  steps.push({ title: "step.login", said });
  const run = { title: "run.sign-in", person: holder, steps, facts: await callsFact(code) };
  if (said.ok) await admit(holder, code, said.reply);
  finish(run, said, "toast.in", { who: said.reply?.nickname || holder });
}

async function sendAgain() {
  const holder = person;
  const before = sessions.get(holder);
  const said = await sendWhole("POST", "/v1/user/login", { body: { code: before.code } });
  const facts = [];
  if (said.ok) {
    await admit(holder, before.code, said.reply);
    facts.push(...comparison(before, sessions.get(holder)));
  } else if (said.reply?.error?.errcode === 40163) {
    facts.push({ good: false, key: "fact.window" });
  }
  facts.push(...await callsFact(before.code));
  finish({ title: "run.again", person: holder, steps: [{ title: "step.again", said }], facts }, said, "toast.again");
}

function comparison(before, after) {
  const same = before.reply.openid === after.reply.openid && before.token?.payload.sub === after.token?.payload.sub;
  const fresh = before.token?.payload.jti !== after.token?.payload.jti;
  return [
    { good: same, key: same ? "fact.same-person" : "fact.other-person" },
    { good: fresh, key: fresh ? "fact.fresh" : "fact.stale" },
  ];
}

async function askMe() {
  const holder = person;
  const said = await sendWhole("GET", "/v1/user/me", { authorization: `Bearer ${session().reply.access_token}` });
  finish({ title: "run.me", person: holder, steps: [{ title: "step.me", said }] }, said, "toast.me");
}

async function makeMistake(name) {
  const { method, path, options } = MISTAKES[name](session()?.reply?.access_token);
  const said = await sendWhole(method, path, options);
  const facts = options.body?.code ? await callsFact(options.body.code) : [];
  finish({ title: `mistake.${name}`, steps: [{ title: "step.mistake", said }], why: `why.${name}`, facts }, said);
}

/** Ends a run: writes it down and lets the phone say how it went. */
function finish(run, said, good, values) {
  record(run);
  reader(said.gone ? "idle" : said.ok ? "yes" : "no");
  if (said.gone) toast(say("toast.gone"), true);
  else if (!said.ok) toast(say("toast.refused", { why: reasonOf(said) }), true);
  else if (good) toast(say(good, values));
  draw();
}

async function admit(holder, code, reply) {
  const token = open(reply.access_token);
  const kept = { code, reply, token, holds: undefined };
  sessions.set(holder, kept);
  await learnPeople();
  if (token) check(kept);
}

/** Checks the signature as another service would; the panel says how it went when it is done. */
async function check(kept) {
  const keys = await exchange("GET", "/.well-known/jwks.json");
  kept.holds = await signatureHolds(kept.token, keys.reply);
  if (session() === kept) showToken(kept.token, kept.holds);
}

/** How often the simulator was asked about a code: what shows that a code sent twice is spent once. */
async function callsFact(code) {
  const { ok, reply } = await exchange("GET", "/simulator/calls");
  if (!ok) return [];
  const count = Object.hasOwn(reply?.codes ?? {}, code) ? reply.codes[code] : 0;
  const key = count === 0 ? "fact.calls.none" : count === 1 ? "fact.calls" : "fact.calls.many";
  return [{ good: count <= 1, key, values: { count } }];
}

async function learnPeople() {
  const said = await exchange("GET", "/simulator/people");
  showServer(!said.gone);
  if (!Array.isArray(said.reply?.people)) return;
  const known = said.reply.people.map((entry) => entry.person).filter((name) => typeof name === "string");
  // Whoever is shown keeps the place, or the circles would move about under the finger.
  people = [...new Set([...people, ...known])].slice(0, MOST_PEOPLE);
  if (person === "") person = people[0] ?? "";
}

function invent(event) {
  event.preventDefault();
  const field = byId("invent-name");
  const name = field.value.trim();
  if (name === "") return;
  if (!people.includes(name)) people = [name, ...people].slice(0, MOST_PEOPLE);
  field.value = "";
  choose(name);
}

function forget() {
  sessions.delete(person);
  reader("idle");
  draw();
  toast(say("toast.forgot"));
  byId("sign-in").focus();
}

function showServer(up) {
  byId("server").className = up ? "server up" : "server down";
  byId("server-words").textContent = say(up ? "server.up" : "server.gone", { host: location.host });
  byId("gone-title").textContent = say("gone.title", { host: location.host });
  byId("gone").hidden = up;
  answering = up;
  clearTimeout(askTimer);
  if (!up) askTimer = setTimeout(askWhetherUp, ASK_AGAIN_MS);
}

async function askWhetherUp() {
  await learnPeople();
  if (answering) draw();
}

/** Runs one tap at a time, so that what is shown is in the order in which it happened. */
function onTap(button, action) {
  button.addEventListener("click", async () => {
    if (busy) return;
    busy = true;
    document.body.classList.add("busy");
    reader("asking");
    try {
      await action();
    } finally {
      busy = false;
      document.body.classList.remove("busy");
    }
  });
}

function changeLanguage(chosen) {
  speak(chosen);
  for (const button of document.querySelectorAll("[data-language]")) {
    button.setAttribute("aria-pressed", String(button.dataset.language === language()));
  }
  showServer(answering);
  showTime();
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

function start() {
  onTap(byId("sign-in"), signIn);
  onTap(byId("again"), sendAgain);
  onTap(byId("me"), askMe);
  byId("forget").addEventListener("click", forget);
  byId("invent").addEventListener("submit", invent);
  byId("gone-again").addEventListener("click", askWhetherUp);
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
  changeLanguage(startingLanguage());
  learnPeople().then(draw);
  setInterval(everySecond, 1000);
}

start();
