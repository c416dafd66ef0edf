// A new phone number and a new mail address; neither counts before it is proved.

import { byId } from "./dom.js";
import { expect, hideBanner, receive } from "./inbox.js";
import { clearNumberForm, numberForm } from "./number-form.js";
import { ask } from "./server.js";
import { learnPeople } from "./people.js";
import { person, renew, session } from "./session.js";
import { askAs, finish, lookAgain, onSubmit, onTap, tryOld } from "./taps.js";
import { cameFrom, go, onOpen, view } from "./views.js";

let offered = "";
let mailSentTo = "";

/** Lets both screens work. */
export function startContacts() {
  numberForm("number", { send, prove, offer: () => offered, done: "number.done" });
  onTap(byId("number-button"), byButton);
  onOpen("number", () => {
    byId("number-now").textContent = session()?.profile.phone ?? "";
    // Whoever was only reading the message finds the form as it was.
    if (cameFrom() === "messages") return;
    offered = newNumber();
    clearNumberForm("number");
  });
  onSubmit(byId("mail"), sendMail);
  onTap(byId("mail-look"), confirmed);
  onOpen("mail", showMail);
  // Whoever comes back from the page behind the link wants to see what it did.
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible" && view() === "mail" && mailSentTo !== "") byId("mail-look").click();
  });
}

/** A number that nobody is likely to have; 199 is given out by China Telecom. */
function newNumber() {
  const [drawn] = crypto.getRandomValues(new Uint32Array(1));
  return `199${String(drawn % 100_000_000).padStart(8, "0")}`;
}

async function send(phone) {
  const said = await askAs("POST", "/v1/user/newphone", { body: { phone } });
  const facts = said.ok ? [{ good: true, key: "fact.message" }] : [];
  const run = { title: "run.new-phone", person: person(), steps: [{ title: "step.ask-code", said }], facts };
  finish(run, said, { failsAt: "number-number-fail" });
  return said.ok;
}

async function prove(_, code) {
  const before = session().access;
  const said = await askAs("POST", "/v1/user/phonechange_verify", { body: { code } });
  await changed("run.new-phone-code", [{ title: "step.prove", said }], said, before, "number-code-fail");
}

/** The phone button gives the number in the field, or a new one: WeChat lets people add a number there. */
async function byButton() {
  const before = session().access;
  const number = byId("number-phone").value.trim() || offered;
  const tapped = await ask("POST", "/simulator/phone", { body: { person: person(), number } });
  const steps = [{ title: "step.button", note: "step.plays-button", said: tapped }];
  const code = tapped.reply?.code;
  if (typeof code !== "string") {
    return finish({ title: "run.new-phone", person: person(), steps }, tapped, { failsAt: "number-number-fail" });
  }
  const said = await askAs("POST", "/v1/user/newphone", { body: { phone_code: code } });
  steps.push({ title: "step.hand-button", said });
  await changed("run.new-phone", steps, said, before, "number-number-fail");
}

/** A new number ends every older token: the page shows both the fresh one and what became of the other. */
async function changed(title, steps, said, before, failsAt) {
  const facts = [];
  if (said.ok) {
    renew(session(), said.reply.access_token);
    const old = await tryOld(before);
    steps.push(old.step, await lookAgain());
    facts.push(old.fact);
    await learnPeople();
  }
  finish({ title, person: person(), steps, facts }, said, { failsAt, good: "toast.new-phone" });
  if (!said.ok) return;
  hideBanner();
  go("account", document.querySelector("[data-go=number]"));
}

async function sendMail() {
  const email = byId("mail-address").value.trim();
  expect({ address: email });
  const said = await askAs("POST", "/v1/user/newemail", { body: { email } });
  const facts = said.ok ? [{ good: true, key: "fact.mail" }] : [];
  const run = { title: "run.new-mail", person: person(), steps: [{ title: "step.new-mail", said }], facts };
  if (said.ok) mailSentTo = email;
  finish(run, said, { failsAt: "mail-fail" });
  if (!said.ok) return;
  await receive("mail", email);
  byId("mail-sent").hidden = false;
  byId("mail-sent").querySelector("button").focus({ preventScroll: true });
}

async function confirmed() {
  const step = await lookAgain();
  const email = session()?.profile.email ?? "";
  const done = email !== "" && email.toLowerCase() === mailSentTo.toLowerCase();
  const facts = step.said.ok ? [{ good: done, key: done ? "fact.confirmed" : "fact.unconfirmed" }] : [];
  const good = done ? "toast.confirmed" : "fact.unconfirmed";
  finish({ title: "run.look", person: person(), steps: [step], facts }, step.said, { failsAt: "mail-fail", good });
  if (!done) return;
  mailSentTo = "";
  go("account", document.querySelector("[data-go=mail]"));
}

function showMail() {
  const email = session()?.profile.email ?? "";
  byId("mail-now").textContent = email || "—";
  if (mailSentTo === "") byId("mail-address").value = "";
  byId("mail-sent").hidden = mailSentTo === "";
}

/** Forgets what belongs to whoever held the phone before. */
export function forgetContacts() {
  mailSentTo = "";
  clearNumberForm("number");
}
