// Takes pictures of the page, as the documentation shows them.

import { mkdirSync } from "node:fs";
import path from "node:path";
import { openPage } from "./browser.mjs";
import { done, idle, invent, register, signIn } from "./steps.mjs";

const WIDE = { width: 1200, height: 836 };
const NARROW = { width: 390, height: 844 };
const CHINESE = { locale: "zh-CN" };
const ENGLISH = { locale: "en-GB" };

/** Registered a moment ago, by the code of a text message. */
async function byMessage(page, name) {
  await invent(page, name);
  await signIn(page);
  await page.click("#to-register");
  await done(page, "/v1/user/register", "#register-send");
  await page.click(".banner-open");
  await done(page, "/v1/user/verify", "#register-prove");
}

/** The message has come, and its code waits to be tapped. */
async function messageCame(page, name) {
  await invent(page, name);
  await signIn(page);
  await page.click("#to-register");
  await done(page, "/v1/user/register", "#register-send");
}

/** The account of somebody with a name of their own. */
async function account(page, name) {
  await register(page, name);
  await page.click("[data-tab=account]");
  await page.click("[data-go=profile]");
  await page.fill("#field-nickname", name);
  await done(page, "/v1/user/setuser", "#profile [type=submit]");
}

const PICTURES = [
  ["phone-page.zh.png", byMessage, "小梅", { ...CHINESE, ...WIDE }],
  ["phone-page.png", byMessage, "Mei", { ...ENGLISH, ...WIDE }],
  ["phone-page.message.png", messageCame, "Ada", { ...ENGLISH, ...WIDE }],
  ["phone-page.account.png", account, "Ben", { ...ENGLISH, ...WIDE }],
  ["phone-page.account.zh.png", account, "小林", { ...CHINESE, ...NARROW }],
  ["phone-page.narrow.png", messageCame, "小安", { ...CHINESE, ...NARROW }],
  ["phone-page.dark.png", account, "Cleo", { ...ENGLISH, ...WIDE, colorScheme: "dark" }],
];

/** Takes every picture and puts it into the folder. */
export async function takePictures(browser, base, folder) {
  mkdirSync(folder, { recursive: true });
  for (const [name, bring, person, options] of PICTURES) {
    const { context, page } = await openPage(browser, base, options);
    await bring(page, person);
    await idle(page);
    await page.waitForSelector("#token .holds.good");
    await page.mouse.move(0, 0);
    await page.evaluate(() => document.activeElement.blur());
    await page.waitForSelector(".toast:not(.shown)", { state: "attached" });
    await page.evaluate(() => Promise.all(document.getAnimations().map((animation) => animation.finished)));
    await page.evaluate(() => window.scrollTo(0, 0));
    await page.screenshot({ path: path.join(folder, name) });
    await context.close();
  }
}
