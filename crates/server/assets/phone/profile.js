// What people say of themselves: nickname, campus, and whatever fields of its own the deployment shows.

import { byId, element } from "./dom.js";
import { person, session } from "./session.js";
import { alone, askAs, finish, lookAgain, onSubmit } from "./taps.js";
import { go, onOpen } from "./views.js";
import { hasWords, say } from "./words.js";

// What everybody has, also while it has no value.
const SHARED = ["nickname", "campus"];

/** Lets the screen work. */
export function startProfile() {
  onOpen("profile", open);
  onSubmit(byId("profile"), save);
}

/** The reply to a sign-in tells nothing of the deployment's own fields, so the account is asked for them. */
function open() {
  fill();
  if (session()?.profile.profile === undefined) alone(look);
}

async function look() {
  const step = await lookAgain();
  finish({ title: "run.look", person: person(), steps: [step] }, step.said, { failsAt: "profile-fail" });
  fill();
}

/** What the person says of themselves now, by the names that requests have for it. */
function valuesOf({ nickname = "", campus = "", profile = {} }) {
  return { nickname, campus, ...profile };
}

function fill() {
  const values = valuesOf(session()?.profile ?? {});
  byId("profile-fields").replaceChildren(...Object.entries(values).map(([name, value]) => fieldOf(name, value)));
}

/** A field fits what it holds; what it is called comes from the sentences, or is its own name. */
function fieldOf(name, value) {
  const id = `field-${name}`;
  const key = `field.${name}`;
  const label = element("span", hasWords(key) ? { "data-say": key } : {}, hasWords(key) ? say(key) : name);
  if (typeof value === "boolean") {
    const box = element("input", { type: "checkbox", id, name });
    box.checked = value;
    return element("label", { class: "check", for: id }, box, label);
  }
  const number = typeof value === "number";
  const input = element("input", { id, name, type: number ? "number" : "text", step: number ? 1 : undefined, maxlength: number ? undefined : 2000, dir: "auto" });
  input.value = String(value);
  return element("label", { class: "field", for: id }, label, input);
}

/** What was changed; the nickname as it is if nothing was, so that there is something to send. */
function changes() {
  const values = valuesOf(session()?.profile ?? {});
  const changed = {};
  for (const input of byId("profile-fields").querySelectorAll("input")) {
    const value = valueOf(input);
    if (value !== values[input.name]) changed[input.name] = value;
  }
  return Object.keys(changed).length > 0 ? changed : { nickname: values.nickname };
}

function valueOf(input) {
  if (input.type === "checkbox") return input.checked;
  return input.type === "number" && input.value !== "" ? Number(input.value) : input.value;
}

async function save() {
  const kept = session();
  const said = await askAs("POST", "/v1/user/setuser", { body: changes() });
  const changed = said.reply?.changedFields ?? {};
  if (said.ok) apply(changed, kept.profile);
  const names = Object.keys(changed).join(", ");
  const facts = said.ok ? [{ good: true, key: names ? "fact.changed" : "fact.unchanged", values: { names } }] : [];
  const run = { title: "run.profile", person: person(), steps: [{ title: "step.setuser", said }], facts };
  finish(run, said, { failsAt: "profile-fail", good: names ? "toast.saved" : "toast.unchanged" });
  if (said.ok) go("account", document.querySelector("[data-go=profile]"));
}

function apply(changed, profile) {
  for (const [name, value] of Object.entries(changed)) {
    if (SHARED.includes(name)) profile[name] = value;
    else profile.profile = { ...profile.profile, [name]: value };
  }
}
