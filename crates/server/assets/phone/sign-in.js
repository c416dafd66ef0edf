// Signing in, asking who one is, and the mistakes that people make with both.

import { byId } from "./dom.js";
import { MISTAKES } from "./mistakes.js";
import { learnPeople } from "./people.js";
import { reader, toast } from "./screen.js";
import { ask } from "./server.js";
import { admit, drop, person, session } from "./session.js";
import { askAs, finish } from "./taps.js";
import { exchange } from "./wire.js";
import { say } from "./words.js";

/** Signs the holder of the phone in with a new code. */
export async function signIn() {
  const holder = person();
  const asked = await ask("POST", "/simulator/login", { body: { person: holder } });
  const steps = [{ title: "step.code", note: "step.plays", said: asked }];
  const code = asked.reply?.code;
  if (typeof code !== "string") return finish({ title: "run.sign-in", person: holder, steps }, asked);
  const said = await ask("POST", "/v1/user/login", { body: { code } });
  steps.push({ title: "step.login", said });
  const run = { title: "run.sign-in", person: holder, steps, facts: await callsFact(code) };
  if (said.ok) await welcome(holder, code, said.reply);
  finish(run, said, { good: "toast.in", values: { who: said.reply?.nickname || holder } });
}

/** Sends the code of the last sign-in once more. */
export async function sendAgain() {
  const holder = person();
  const before = { ...session() };
  const said = await ask("POST", "/v1/user/login", { body: { code: before.code } });
  const facts = [];
  if (said.ok) {
    await welcome(holder, before.code, said.reply);
    facts.push(...comparison(before, session(holder)));
  } else if (said.reply?.error?.errcode === 40163) {
    facts.push({ good: false, key: "fact.window" });
  }
  facts.push(...await callsFact(before.code));
  finish({ title: "run.again", person: holder, steps: [{ title: "step.again", said }], facts }, said,
    { good: "toast.again" });
}

async function welcome(holder, code, reply) {
  admit(holder, code, reply);
  await learnPeople();
}

function comparison(before, after) {
  const same = before.openid === after.openid && before.token?.payload.sub === after.token?.payload.sub;
  const fresh = before.token?.payload.jti !== after.token?.payload.jti;
  return [
    { good: same, key: same ? "fact.same-person" : "fact.other-person" },
    { good: fresh, key: fresh ? "fact.fresh" : "fact.stale" },
  ];
}

/** Asks Menjin whom the token speaks for. */
export async function askMe() {
  const said = await askAs("GET", "/v1/user/me");
  finish({ title: "run.me", person: person(), steps: [{ title: "step.me", said }] }, said, { good: "toast.me" });
}

/** Sends a request with this mistake in it. */
export async function makeMistake(name) {
  const { method, path, options } = MISTAKES[name](session()?.access);
  const said = await ask(method, path, options);
  const facts = options.body?.code ? await callsFact(options.body.code) : [];
  finish({ title: `mistake.${name}`, steps: [{ title: "step.mistake", said }], why: `why.${name}`, facts }, said);
}

/** Loses the token without a word to the server; `redraw` shows it. */
export function forget(redraw) {
  drop(person());
  reader("idle");
  redraw();
  toast(say("toast.forgot"));
  byId("sign-in").focus();
}

/** How often the simulator was asked about a code: what shows that a code sent twice is spent once. */
async function callsFact(code) {
  const { ok, reply } = await exchange("GET", "/simulator/calls");
  if (!ok) return [];
  const count = Object.hasOwn(reply?.codes ?? {}, code) ? reply.codes[code] : 0;
  const key = count === 0 ? "fact.calls.none" : count === 1 ? "fact.calls" : "fact.calls.many";
  return [{ good: count <= 1, key, values: { count } }];
}
