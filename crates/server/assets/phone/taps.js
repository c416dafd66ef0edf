// What every tap has in common: one at a time, the bearer, and how it ends.

import { reasonOf, friendly } from "./failures.js";
import { byId } from "./dom.js";
import { record } from "./runs.js";
import { reader, toast } from "./screen.js";
import { ask } from "./server.js";
import { learn, session } from "./session.js";
import { say } from "./words.js";

let busy = false;
let drawAll = () => {};

/** Hears how the page is drawn anew; every tap ends with it. */
export function onFinish(draw) {
  drawAll = draw;
}

/** Sends a request with the token of the person who holds the phone. */
export const askAs = (method, path, options = {}) =>
  ask(method, path, { ...options, authorization: `Bearer ${session()?.access ?? ""}` });

/** Asks for the account as it stands now, and gives back the step that shows it. */
export async function lookAgain(title = "step.me-after") {
  const said = await askAs("GET", "/v1/user/me");
  if (said.ok && session()) learn(session(), said.reply);
  return { title, said };
}

/** Sends a request with a token that should count no longer: the step, and the fact that it shows. */
export async function tryOld(access) {
  const said = await ask("GET", "/v1/user/me", { authorization: `Bearer ${access}` });
  const refused = said.status === 401;
  return {
    step: { title: "step.old", said },
    fact: { good: refused, key: refused ? "fact.refused" : "fact.not-refused" },
  };
}

/** What failed, under the field where it belongs; taken away without words. */
export function fail(id, words = "") {
  byId(id).textContent = words;
  if (words) byId(id).scrollIntoView({ block: "nearest" });
}

/**
 * Ends a run: writes it down and lets the phone say how it went. `said` is the reply that counts; `good` is what
 * the phone says if it went well, and `failsAt` the place for what went wrong, where the toast would be too far away.
 */
export function finish(run, said, { good, values, failsAt } = {}) {
  record({ ...run, outcome: said });
  reader(said.gone ? "idle" : said.ok ? "yes" : "no");
  if (failsAt) fail(failsAt, said.ok ? "" : friendly(said));
  if (said.gone) toast(say("toast.gone"), true);
  else if (!said.ok && !failsAt) toast(say("toast.refused", { why: reasonOf(said) }), true);
  else if (said.ok && good) toast(say(good, values));
  drawAll();
}

/** Runs one tap at a time, so that what is shown is in the order in which it happened. */
export async function alone(action) {
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
}

/** Lets a tap on the button do this. */
export const onTap = (button, action) => button.addEventListener("click", () => alone(action));

/** Lets the form do this when it is sent. */
export function onSubmit(form, action) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    alone(action);
  });
  // What was wrong is being put right.
  form.addEventListener("input", () => {
    for (const place of form.querySelectorAll(".fail")) place.textContent = "";
  });
}
