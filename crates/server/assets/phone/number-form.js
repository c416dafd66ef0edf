// A phone number, and the code that is sent to it: the same two forms for registering and for a new number.

import { byId, element } from "./dom.js";
import { expect, receive } from "./inbox.js";
import { onSubmit } from "./taps.js";
import { say } from "./words.js";

const forms = [];

/**
 * Builds both forms into the place `<name>-forms`. `send(number)` asks for a code and gives back whether one is on
 * its way; `prove(number, code)` hands the code in; `offer()` is a number to pick; `done` is the key of the last button.
 */
export function numberForm(name, { send, prove, offer, done }) {
  byId(`${name}-forms`).append(numberPart(name), codePart(name, done));
  const form = { name, sentTo: "", offer };
  forms.push(form);
  byId(`${name}-offer`).addEventListener("click", () => {
    byId(`${name}-phone`).value = form.offer();
    byId(`${name}-send`).focus();
  });
  onSubmit(byId(`${name}-number`), async () => {
    const number = byId(`${name}-phone`).value.trim();
    expect({ number });
    if (await send(number)) wait(form, number);
  });
  onSubmit(byId(`${name}-code`), () => prove(form.sentTo, byId(`${name}-digits`).value.trim()));
}

const numberPart = (name) =>
  element("form", { class: "form", id: `${name}-number`, novalidate: true },
    element("label", { for: `${name}-phone`, "data-say": "field.phone" }),
    element("div", { class: "joined" },
      element("input", { id: `${name}-phone`, type: "tel", inputmode: "tel", autocomplete: "tel", maxlength: 32, "aria-describedby": `${name}-number-fail` }),
      element("button", { type: "submit", id: `${name}-send`, class: "tap", "data-say": "number.send" })),
    element("p", { class: "fail", id: `${name}-number-fail`, role: "alert" }),
    element("button", { type: "button", class: "pick", id: `${name}-offer` }));

const codePart = (name, done) =>
  element("form", { class: "form", id: `${name}-code`, novalidate: true, hidden: true },
    element("label", { for: `${name}-digits`, id: `${name}-sent` }),
    element("div", { class: "joined" },
      element("input", { id: `${name}-digits`, class: "digits", type: "text", inputmode: "numeric", autocomplete: "one-time-code", maxlength: 6, placeholder: "······", "aria-describedby": `${name}-code-fail` }),
      element("button", { type: "submit", id: `${name}-prove`, class: "tap strong", "data-say": done })),
    element("p", { class: "fail", id: `${name}-code-fail`, role: "alert" }),
    element("button", { type: "button", class: "pick", id: `${name}-fill`, hidden: true, click: () => fill(name, byId(`${name}-fill`).dataset.code) }));

/** Opens the second form and lets the message appear. */
async function wait(form, number) {
  const { name } = form;
  form.sentTo = number;
  const again = byId(`${name}-digits`);
  again.value = "";
  byId(`${name}-code`).hidden = false;
  byId(`${name}-code-fail`).textContent = "";
  const message = await receive("sms", number);
  const pick = byId(`${name}-fill`);
  pick.dataset.code = message?.code ?? "";
  showNumberForms();
  again.focus({ preventScroll: true });
  byId(`${name}-code`).scrollIntoView({ block: "nearest" });
}

function fill(name, code) {
  byId(`${name}-digits`).value = code;
  byId(`${name}-code-fail`).textContent = "";
  byId(`${name}-prove`).focus({ preventScroll: true });
}

/** Puts a code from a message into this form; false if it waits for none. */
export function useCode(name, code) {
  if (byId(`${name}-code`).hidden) return false;
  fill(name, code);
  return true;
}

/** Begins anew, with this number in the field. */
export function clearNumberForm(name, number = "") {
  const form = forms.find((candidate) => candidate.name === name);
  form.sentTo = "";
  byId(`${name}-phone`).value = number;
  byId(`${name}-digits`).value = "";
  byId(`${name}-code`).hidden = true;
  byId(`${name}-fill`).dataset.code = "";
  byId(`${name}-number-fail`).textContent = "";
  byId(`${name}-code-fail`).textContent = "";
  showNumberForms();
}

/** Puts the values into the sentences, in the language now spoken. */
export function showNumberForms() {
  for (const { name, sentTo, offer } of forms) {
    byId(`${name}-sent`).textContent = say("number.sent", { number: sentTo });
    const offered = offer();
    byId(`${name}-offer`).textContent = say("number.offer", { number: offered });
    byId(`${name}-offer`).hidden = offered === "";
    const { code } = byId(`${name}-fill`).dataset;
    byId(`${name}-fill`).textContent = say("number.fill", { code });
    byId(`${name}-fill`).hidden = !code;
  }
}
