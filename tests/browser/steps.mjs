// What a person does on the phone page again and again, and what it then shows.

import assert from "node:assert/strict";
import { replyOf } from "./browser.mjs";

export const LOGIN = "/v1/user/login";
export const ME = "/v1/user/me";

/** The run on top. */
export const newestRun = (page) => page.locator(".run").first();

/** Clicks, and gives back the reply of this path that comes of it. */
export const tap = (page, path, selector) => replyOf(page, path, () => page.click(selector));

/** Invents somebody and gives them the phone. */
export async function invent(page, name) {
  await page.fill("#invent-name", name);
  await page.press("#invent-name", "Enter");
  await page.waitForFunction((wanted) => document.querySelector("#name").textContent === wanted, name);
}

/** The JSON of a block as it stands on the page, with what was folded opened. */
async function shownJson(block) {
  for (const fold of await block.locator(".fold[aria-expanded=false]").all()) await fold.click();
  const text = await block.evaluate((pre) => {
    const copy = pre.cloneNode(true);
    for (const button of copy.querySelectorAll("button")) button.remove();
    return copy.textContent;
  });
  return JSON.parse(text);
}

/** What the newest run shows for its n-th step: the request and the reply. */
export async function shownStep(page, index) {
  const step = newestRun(page).locator(".step").nth(index);
  const blocks = step.locator(".json");
  return { request: await shownJson(blocks.first()), reply: await shownJson(blocks.last()) };
}

/** Signs the holder of the phone in, and waits until the page shows it. */
export async function signIn(page) {
  const before = await page.locator(".run").count();
  const reply = await tap(page, LOGIN, "#sign-in");
  await page.waitForFunction((count) => document.querySelectorAll(".run").length > count, before);
  return reply;
}

/** Fails unless the page takes this token apart, every claim of it, and finds its signature good. */
export async function tokenIsOpened(page, token) {
  const [header, payload] = token.split(".").slice(0, 2).map((part) => JSON.parse(Buffer.from(part, "base64url")));
  const shown = await page.locator("#token .claim").evaluateAll((rows) =>
    rows.map((row) => [row.querySelector("dt").textContent, row.querySelector(".value").textContent]));
  const expected = [...Object.entries(header), ...Object.entries(payload)]
    .map(([name, value]) => [name, typeof value === "string" ? value : JSON.stringify(value)]);
  assert.deepEqual(shown, expected, "the token, opened");
  assert.equal(await page.locator("#token .meaning").count(), expected.length, "every claim is explained");
  await page.waitForSelector("#token .holds.good");
  const countdown = page.locator("#token [data-countdown]");
  const first = await countdown.textContent();
  assert.match(first, /^(\d+:)?\d\d:\d\d$/);
  await page.waitForFunction(
    (before) => document.querySelector("#token [data-countdown]").textContent !== before, first);
  assert.match(await countdown.textContent(), /^(\d+:)?\d\d:\d\d$/);
}

let invented = 0;

/** A name that nobody has had before. */
export const somebody = (name) => `${name} ${(invented += 1)}`;

/** Clicks, waits for the reply of this path, and then until the tap is over. */
export async function done(page, path, selector) {
  const reply = await tap(page, path, selector);
  await idle(page);
  return reply;
}

/** Waits until no tap is under way. */
export const idle = (page) => page.waitForFunction(() => !document.body.classList.contains("busy"));

/** What the simulator was given to deliver to this number or address, the newest last. */
export async function delivered(base, kind, to) {
  const { messages } = await (await fetch(`${base}/simulator/${kind}`)).json();
  return messages.filter((message) => message.to.endsWith(to));
}

/** Somebody new who has just been registered by the phone button. */
export async function register(page, name) {
  await invent(page, name);
  await signIn(page);
  await page.click("#to-register");
  const reply = await done(page, "/v1/user/register", "#register-button");
  assert.equal(reply.body.status, "verified");
  return reply.body;
}

/** A picture to upload: what the browser shows just now. */
export const picture = (page) => page.screenshot({ clip: { x: 0, y: 0, width: 96, height: 96 } });
