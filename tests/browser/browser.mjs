// Starts a real browser and listens for what must not happen on a page: an error, a breach of the content policy,
// a request to somewhere else, a dialog.

import assert from "node:assert/strict";
import { chromium } from "playwright-core";

const PATIENCE_MS = 15_000;
const ARGUMENTS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** The browser of the system, or the one that `CHROMIUM` names. */
export const startBrowser = () =>
  chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ARGUMENTS });

/**
 * Opens the page as somebody with this locale, screen and colour scheme would.
 * `seen` collects what happened; `quiet(seen)` fails if any of it should not have.
 */
export async function openPage(browser, base, { locale = "en-GB", width = 1280, height = 860, colorScheme = "light" } = {}) {
  const context = await browser.newContext({ locale, colorScheme, viewport: { width, height } });
  await context.grantPermissions(["clipboard-read", "clipboard-write"], { origin: base });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  const seen = { errors: [], breaches: [], elsewhere: [], dialogs: [], refused: [] };
  await listen(page, base, seen);
  const answer = await page.goto(`${base}/`);
  await page.waitForSelector(".person");
  return { context, page, seen, answer };
}

async function listen(page, base, seen) {
  page.on("console", (message) => {
    if (message.type() !== "error") return;
    const { url } = message.location();
    // The browser reports a refusal that was asked for on purpose as an error of its own.
    const refused = /^Failed to load resource: the server responded with a status of [45]\d\d/.test(message.text());
    if (refused && url.startsWith(`${base}/v1/user/`)) seen.refused.push(url);
    else seen.errors.push(`${message.text()} (${url})`);
  });
  page.on("pageerror", (error) => seen.errors.push(error.message));
  page.on("dialog", (dialog) => {
    seen.dialogs.push(dialog.message());
    dialog.dismiss();
  });
  page.on("request", (request) => {
    const url = request.url();
    if (!url.startsWith("data:") && new URL(url).origin !== base) seen.elsewhere.push(url);
  });
  await page.exposeFunction("reportBreach", (directive, what) => seen.breaches.push(`${directive}: ${what}`));
  await page.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", (event) =>
      window.reportBreach(event.violatedDirective, event.blockedURI || event.sourceFile));
  });
}

/** Fails unless nothing happened that should not; `refusals` is how many refusals were asked for. */
export function quiet(seen, refusals = 0) {
  assert.deepEqual(seen.errors, [], "errors on the console");
  assert.deepEqual(seen.breaches, [], "breaches of the content policy");
  assert.deepEqual(seen.elsewhere, [], "requests to other origins");
  assert.deepEqual(seen.dialogs, [], "dialogs");
  assert.equal(seen.refused.length, refusals, "refused requests");
}

/** The reply of this path that the coming action brings about. */
export async function replyOf(page, path, action) {
  const [response] = await Promise.all([
    page.waitForResponse((candidate) => new URL(candidate.url()).pathname === path),
    action(),
  ]);
  return { status: response.status(), headers: response.headers(), body: await response.json() };
}
