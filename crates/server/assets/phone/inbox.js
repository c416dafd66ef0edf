// The messages on the phone: what Menjin sent to the numbers and addresses that are this person's here.

import { byId, element } from "./dom.js";
import { numberOf } from "./people.js";
import { ask } from "./server.js";
import { person, session } from "./session.js";
import { languageTag, say } from "./words.js";

const BANNER_MS = 9_000;

const boxes = new Map();
let arrived = { sms: [], mails: [] };
let bannerTimer = 0;
let use = () => false;

/** Hears how a code is put where it is wanted; `use(code)` says whether somebody wanted it. */
export function onCode(action) {
  use = action;
}

/** One spelling for every way to write a number: 11 digits for the mainland. */
export const spelled = (number) =>
  number.normalize("NFKC").replace(/\D/g, "").replace(/^(00)?86(?=1\d{10}$)/, "");

function boxOf(name) {
  if (!boxes.has(name)) boxes.set(name, { numbers: new Set(), addresses: new Set(), seen: null });
  return boxes.get(name);
}

/** Lets messages to this number or address appear on the phone that the person holds. */
export function expect({ number, address }) {
  const box = boxOf(person());
  if (number) box.numbers.add(spelled(number));
  if (address) box.addresses.add(address.trim().toLowerCase());
}

/** Asks the simulator what it was given to deliver. */
export async function fetchMessages() {
  const [sms, mails] = await Promise.all([ask("GET", "/simulator/sms"), ask("GET", "/simulator/mails")]);
  arrived = { sms: sms.reply?.messages ?? [], mails: mails.reply?.messages ?? [] };
}

/** The messages of whoever holds the phone, the newest first. */
function mine() {
  const box = boxOf(person());
  const profile = session()?.profile ?? {};
  const numbers = new Set([...box.numbers, spelled(numberOf(person())), spelled(profile.phone ?? "")]);
  const addresses = new Set([...box.addresses, (profile.email ?? "").toLowerCase()]);
  const sms = arrived.sms.filter((message) => numbers.has(spelled(message.to)));
  const mails = arrived.mails.filter((message) => addresses.has(message.to.toLowerCase()));
  const all = [...sms.map((message) => ({ kind: "sms", ...message })), ...mails.map((message) => ({ kind: "mail", ...message }))];
  return all.sort((one, other) => timeOf(other) - timeOf(one));
}

const timeOf = (message) => new Date(message.at).getTime();

/** Lets what was just sent appear: the newest message of that kind, shown over the screen. Null if none came. */
export async function receive(kind, to) {
  await fetchMessages();
  const plain = kind === "sms" ? spelled : (address) => address.trim().toLowerCase();
  const wanted = (message) => message.kind === kind && plain(message.to) === plain(to);
  const message = mine().find(wanted) ?? null;
  showInbox(false);
  if (message) showBanner(message);
  return message;
}

/** Shows the messages, and how many are new; `open` says that they are being read. */
export function showInbox(open) {
  const messages = mine();
  const box = boxOf(person());
  // Whoever has just taken up the phone has read what lay there.
  if (open || box.seen === null) box.seen = messages.length;
  const unread = Math.max(0, messages.length - box.seen);
  byId("unread").hidden = unread === 0;
  byId("unread").replaceChildren(String(unread), element("span", { class: "off-screen" }, ` ${say("messages.unread")}`));
  if (!open) return;
  byId("messages").replaceChildren(...(messages.length > 0 ? messages.map(card) : [nothing()]));
}

const nothing = () => element("li", { class: "no-messages" }, say("messages.none"));

function card(message) {
  const mail = message.kind === "mail";
  const time = new Date(message.at).toLocaleTimeString(languageTag(), { hour: "2-digit", minute: "2-digit", hour12: false });
  return element("li", { class: `message ${message.kind}` },
    element("div", { class: "message-head" },
      element("b", {}, say(mail ? "messages.mail" : "messages.sms")),
      element("bdi", { class: "message-to" }, message.to),
      element("time", {}, time)),
    mail ? element("h3", {}, message.subject) : null,
    element("p", { class: "message-text", lang: mail ? undefined : "zh-CN" }, message.text.trim()),
    mail ? linkOf(message.link) : codeOf(message.code));
}

function linkOf(link) {
  if (typeof link !== "string" || !/^https?:\/\//.test(link)) return null;
  return element("a", { class: "tap", href: link, target: "_blank", rel: "noopener noreferrer" }, say("messages.link"));
}

function codeOf(code) {
  if (!code) return null;
  return element("button", { type: "button", class: "tap", click: () => use(code) }, say("messages.use", { code }));
}

function showBanner(message) {
  const mail = message.kind === "mail";
  const close = element("button", { type: "button", class: "banner-close", "aria-label": say("banner.close"), click: hideBanner }, "×");
  byId("banner").replaceChildren(
    element("button", { type: "button", class: "banner-open", click: () => openBanner(message) },
      element("b", {}, say(mail ? "messages.mail" : "messages.sms")),
      element("span", { class: "banner-text", lang: mail ? undefined : "zh-CN" }, mail ? message.subject : message.text),
      element("span", { class: "banner-hint" }, mail ? say("banner.mail") : say("banner.code", { code: message.code }))),
    close);
  byId("banner").classList.add("shown");
  hideLater();
}

function openBanner(message) {
  hideBanner();
  // Whoever taps it has read it, and all before it.
  boxOf(person()).seen = mine().length;
  showInbox(false);
  if (message.kind === "sms" && message.code && use(message.code)) return;
  document.querySelector("[data-tab=messages]").click();
}

function hideLater() {
  clearTimeout(bannerTimer);
  bannerTimer = setTimeout(() => {
    // Nobody's finger or focus is to lose what it is on.
    if (byId("banner").matches(":hover, :focus-within")) hideLater();
    else hideBanner();
  }, BANNER_MS);
}

/** Takes the message away that lies over the screen; it stays among the others. */
export function hideBanner() {
  clearTimeout(bannerTimer);
  byId("banner").classList.remove("shown");
  byId("banner").replaceChildren();
}
