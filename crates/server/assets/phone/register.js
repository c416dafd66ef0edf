// Becoming a user: by text message, by WeChat's phone button, or by taking over an imported account.

import { byId } from "./dom.js";
import { hideBanner } from "./inbox.js";
import { clearNumberForm, numberForm, showNumberForms } from "./number-form.js";
import { learnPeople, numberOf } from "./people.js";
import { ask } from "./server.js";
import { person, renew, session } from "./session.js";
import { askAs, fail, finish, lookAgain, onTap } from "./taps.js";
import { go, onOpen } from "./views.js";
import { say } from "./words.js";

// Whether the number that was asked about belongs to an imported account.
let imported = false;
let openedFor = "";

/** Lets the screen work. */
export function startRegister() {
  numberForm("register", { send, prove, offer: () => offered(), done: "register.done" });
  onTap(byId("register-button"), byButton);
  byId("to-register").addEventListener("click", () => go("register"));
  onOpen("register", () => {
    if (openedFor === person()) return;
    openedFor = person();
    clearNumberForm("register", numberOf(person()));
  });
}

/** Forgets what belongs to whoever held the phone before. */
export function forgetRegister() {
  openedFor = "";
  clearNumberForm("register");
}

/** The person's own number, as long as another one stands in the field. */
function offered() {
  const own = numberOf(person());
  return byId("register-phone").value.trim() === own ? "" : own;
}

async function send(phone) {
  const said = await askAs("POST", "/v1/user/register", { body: { phone } });
  const status = said.reply?.status;
  imported = status === "user_need_migration";
  if (said.ok) renew(session(), said.reply.access_token);
  const sent = said.ok && status !== "user_exists";
  const facts = sent ? [{ good: true, key: imported ? "fact.imported" : "fact.message" }] : [];
  const run = { title: "run.ask-code", person: person(), steps: [{ title: "step.ask-code", said }], facts };
  finish(run, said, { failsAt: "register-number-fail" });
  if (said.ok && !sent) fail("register-number-fail", say("fail.user_exists"));
  showNumberForms();
  return sent;
}

async function prove(phone, code) {
  const path = imported ? "/v1/user/migration" : "/v1/user/verify";
  const said = await askAs("POST", path, { body: { phone, code } });
  await done([{ title: "step.prove", said }], "run.prove", said, "register-code-fail");
}

async function byButton() {
  const tapped = await ask("POST", "/simulator/phone", { body: { person: person() } });
  const steps = [{ title: "step.button", note: "step.plays-button", said: tapped }];
  const code = tapped.reply?.code;
  const run = { title: "run.button", person: person(), steps };
  if (typeof code !== "string") return finish(run, tapped, { failsAt: "register-button-fail" });
  const said = await askAs("POST", "/v1/user/register", { body: { phone_code: code } });
  steps.push({ title: "step.hand-button", said });
  if (said.reply?.status === "user_exists") {
    finish(run, said, { failsAt: "register-button-fail" });
    return fail("register-button-fail", say("fail.user_exists"));
  }
  await done(steps, "run.button", said, "register-button-fail");
}

/** Whoever is registered by now walks through the door. */
async function done(steps, title, said, failsAt) {
  const kept = session();
  if (said.ok) {
    renew(kept, said.reply.access_token);
    steps.push(await lookAgain());
    await learnPeople();
  }
  const migrated = said.reply?.status === "user_migrated";
  const facts = said.ok ? [{ good: true, key: migrated ? "fact.migrated" : "fact.registered", values: { uid: said.reply.uid } }] : [];
  finish({ title, person: person(), steps, facts }, said, { failsAt, good: migrated ? "toast.migrated" : "toast.registered" });
  if (!said.ok) return;
  forgetRegister();
  hideBanner();
  go("home");
}
