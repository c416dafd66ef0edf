// Tries the phone page of a running `menjin dev` as a newcomer would, in a real browser.
//
//     node phone.mjs <base-url> [screenshot-dir]
//
// With `IMPORTED` set to the number of an imported account, that account is taken over too.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { ACCOUNT_CHECKS } from "./account.mjs";
import { openPage, quiet, replyOf, startBrowser } from "./browser.mjs";
import { takePictures } from "./pictures.mjs";
import { LOGIN, ME, invent, newestRun, shownStep, signIn, somebody, tap, tokenIsOpened } from "./steps.mjs";

const LONGEST_MS = 280_000;
const HOSTILE = "<img src=x onerror=alert(1)>";
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

async function opensAndSignsIn(browser, base) {
  const { context, page, seen, answer } = await openPage(browser, base);
  assert.equal(answer.headers()["content-security-policy"], POLICY, "the content policy");
  assert.equal(await page.getAttribute("html", "lang"), "en");
  assert.equal(await page.textContent("#badge"), "Signed out");
  quiet(seen);

  await page.locator(".person").last().click();
  const person = await page.textContent("#name");
  const { status, headers, body } = await signIn(page);
  assert.equal(status, 200);
  assert.equal(body.registered, false);
  assert.equal(await page.textContent("#badge"), "Guest");

  const asked = await shownStep(page, 0);
  assert.deepEqual(asked.request, { person }, "the request to the simulator");
  const told = await shownStep(page, 1);
  assert.deepEqual(told.request, { code: asked.reply.code }, "the request to Menjin");
  assert.deepEqual(told.reply, body, "the reply as it came");
  assert.match(await newestRun(page).textContent(), new RegExp(headers["x-request-id"]));
  await tokenIsOpened(page, body.access_token);
  quiet(seen);
  await context.close();
}

async function sameCodeAgain(browser, base) {
  const { context, page, seen } = await openPage(browser, base);
  await invent(page, somebody("Hal"));
  const first = await signIn(page);
  const { code } = (await shownStep(page, 1)).request;
  const second = await tap(page, LOGIN, "#again");
  assert.equal(second.status, 200);
  await newestRun(page).locator(".facts li").nth(2).waitFor();
  assert.deepEqual((await shownStep(page, 0)).request, { code }, "the same code");
  assert.equal(second.body.openid, first.body.openid);
  assert.notEqual(second.body.access_token, first.body.access_token);
  assert.deepEqual(await newestRun(page).locator(".facts li").allTextContents(), [
    "Same identity: openid and sub have not changed",
    "Fresh token: its jti is a new one",
    "WeChat was asked about this code: 1 time",
  ]);
  assert.equal(await newestRun(page).locator(".facts li.bad").count(), 0);
  const calls = await (await fetch(`${base}/simulator/calls`)).json();
  assert.equal(calls.codes[code], 1, "one call to WeChat");

  const me = await tap(page, ME, "#me");
  assert.deepEqual(me.body, { success: true, registered: false, openid: first.body.openid });
  await newestRun(page).getByText("The token speaks for the person").waitFor();
  const shown = await shownStep(page, 0);
  assert.deepEqual(shown.request, { Authorization: `Bearer ${second.body.access_token}` });
  assert.deepEqual(shown.reply, me.body);

  await page.click("#forget");
  assert.equal(await page.textContent("#badge"), "Signed out");
  assert.equal(await page.locator("#token .claim").count(), 0);
  quiet(seen);
  await context.close();
}

async function hostileNamesAreText(browser, base) {
  const { context, page, seen } = await openPage(browser, base);
  await invent(page, HOSTILE);
  await signIn(page);
  assert.equal(await page.textContent("#name"), HOSTILE);
  assert.equal(await page.textContent(".person:has(:checked) bdi"), HOSTILE);
  assert.equal(await newestRun(page).locator(".run-person").textContent(), HOSTILE);
  assert.deepEqual((await shownStep(page, 0)).request, { person: HOSTILE });
  assert.equal(await page.locator("img, script:not([src])").count(), 0, "no element came of a name");

  const quoting = `it's "$(id)" \`id\` \\ é`;
  await invent(page, quoting);
  await signIn(page);
  await newestRun(page).locator(".curl").first().click();
  await page.locator(".curl.done").waitFor();
  const line = await page.evaluate(() => navigator.clipboard.readText());
  const words = execFileSync("sh", ["-c", line.replace(/^curl /, "printf '%s\\n' ")], { encoding: "utf8" });
  assert.deepEqual(words.trimEnd().split("\n"), ["-sS", "-i", `${base}/simulator/login`, "-H",
    "Content-Type: application/json", "--data-raw", JSON.stringify({ person: quoting })], "the curl line");
  quiet(seen);
  await context.close();
}

async function mistakesAreRefused(browser, base) {
  const { context, page, seen } = await openPage(browser, base);
  await signIn(page);
  const expected = [
    ["invented", LOGIN, 400, 40029],
    ["mock", LOGIN, 400, 40029],
    ["empty", LOGIN, 400, 41008],
    ["no-header", ME, 401, "Unauthorized for no Authorization"],
    ["no-bearer", ME, 401, "Unauthorized for no Bearer"],
    ["made-up", ME, 401, "invalid_token"],
  ];
  for (const [name, where, status, why] of expected) {
    const reply = await tap(page, where, `[data-mistake="${name}"]`);
    assert.equal(reply.status, status, name);
    assert.equal(reply.body.error.errcode ?? reply.body.error, why, name);
    await newestRun(page).locator(".why").waitFor();
    await page.waitForFunction(() => !document.body.classList.contains("busy"));
    assert.deepEqual((await shownStep(page, 0)).reply, reply.body, name);
    assert.equal(await page.getAttribute("#scene", "data-reader"), "no", name);
  }
  assert.equal(await page.textContent("#badge"), "Guest", "a mistake takes nothing away");
  quiet(seen, expected.length);
  await context.close();
}

async function speaksBothLanguages(browser, base) {
  const { context, page, seen } = await openPage(browser, base, { locale: "zh-CN" });
  assert.equal(await page.getAttribute("html", "lang"), "zh-CN");
  assert.equal(await page.textContent("#sign-in"), "微信登录");
  await signIn(page);
  await page.click("[data-language=en]");
  assert.equal(await page.getAttribute("html", "lang"), "en");
  assert.equal(await page.textContent("#badge"), "Guest");
  assert.equal(await newestRun(page).locator(".run-title").textContent(), "Sign in");
  await page.reload();
  await page.waitForSelector(".person");
  assert.equal(await page.getAttribute("html", "lang"), "en", "the choice is remembered");
  const { missing, unknown } = await page.evaluate(async () => {
    const { en } = await import("/words-en.js");
    const { zh } = await import("/words-zh.js");
    const keys = [...document.querySelectorAll("[data-say], [data-say-label], [data-say-placeholder]")]
      .flatMap(({ dataset }) => [dataset.say, dataset.sayLabel, dataset.sayPlaceholder].filter(Boolean));
    const all = new Set([...Object.keys(en), ...Object.keys(zh)]);
    return { missing: [...all].filter((key) => !en[key] || !zh[key]), unknown: keys.filter((key) => !all.has(key)) };
  });
  assert.deepEqual(missing, [], "sentences that one language lacks");
  assert.deepEqual(unknown, [], "keys without a sentence");
  quiet(seen);
  await context.close();
}

async function worksByKeyboard(browser, base) {
  const { context, page, seen } = await openPage(browser, base);
  const first = await page.textContent("#name");
  await page.focus(".person input:checked");
  await page.keyboard.press("ArrowRight");
  assert.notEqual(await page.textContent("#name"), first, "the arrow keys pick a person");
  for (const id of ["invent-name", null, "sign-in"]) {
    await page.keyboard.press("Tab");
    if (id) assert.equal(await page.evaluate(() => document.activeElement.id), id);
  }
  const { status } = await replyOf(page, LOGIN, () => page.keyboard.press("Enter"));
  assert.equal(status, 200);
  await page.waitForSelector("#badge.guest");
  quiet(seen);
  await context.close();
}

async function fitsEveryWidth(browser, base) {
  for (const width of [320, 390, 768, 1024, 1280, 1920]) {
    const { context, page, seen } = await openPage(browser, base, { width, height: 844 });
    await signIn(page);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(wide <= width, `at ${width} pixels the page is ${wide} wide`);
    quiet(seen);
    await context.close();
  }
}

async function saysThatTheServerIsGone(browser, base) {
  const { context, page } = await openPage(browser, base);
  assert.equal(await page.isVisible("#gone"), false);
  await page.route("**/*", (route) => route.abort());
  await page.click("#sign-in");
  await page.waitForSelector("#gone:not([hidden])");
  assert.match(await page.innerText("#gone"), /script\/server/);
  await page.unroute("**/*");
  await page.click("#gone-again");
  await page.waitForSelector("#gone", { state: "hidden" });
  await context.close();
}

async function linksLeadSomewhere(browser, base) {
  const { context, page } = await openPage(browser, base);
  const links = await page.locator("footer a").evaluateAll((all) => all.map((link) => link.getAttribute("href")));
  assert.deepEqual(links, ["/openapi.json", "/.well-known/jwks.json", "/metrics", "/healthz"]);
  for (const link of links) assert.equal((await fetch(base + link)).status, 200, link);
  await context.close();
}

async function main() {
  const [given, folder] = process.argv.slice(2);
  if (!given) throw new Error("usage: node phone.mjs <base-url> [screenshot-dir]");
  const base = new URL(given).origin;
  const watchdog = setTimeout(() => {
    console.error(`phone page: not done after ${LONGEST_MS / 1000} s`);
    process.exit(1);
  }, LONGEST_MS);
  const browser = await startBrowser();
  try {
    // First, while the simulator knows only the people that it comes with.
    if (folder) await takePictures(browser, base, folder);
    const checks = [opensAndSignsIn, sameCodeAgain, hostileNamesAreText, mistakesAreRefused, speaksBothLanguages,
      worksByKeyboard, fitsEveryWidth, saysThatTheServerIsGone, linksLeadSomewhere, ...ACCOUNT_CHECKS];
    for (const check of checks) {
      await check(browser, base).catch((error) => {
        throw new Error(`${check.name}: ${error.message}`, { cause: error });
      });
      console.log(`${check.name}: ok`);
    }
  } finally {
    clearTimeout(watchdog);
    await browser.close();
  }
  console.log("phone page: ok");
}

main().catch((error) => {
  console.error(`phone page: ${error.message}`);
  process.exitCode = 1;
});
