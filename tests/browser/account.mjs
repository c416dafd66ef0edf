// The account on the phone page: registering, looking after it, and leaving, each by clicking.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { openPage, quiet, replyOf } from "./browser.mjs";
import {
  ME, delivered, done, idle, invent, newestRun, picture, register, shownStep, signIn, somebody, tokenIsOpened,
} from "./steps.mjs";

const REGISTER = "/v1/user/register";
const HOSTILE = "<img src=x onerror=alert(1)>";

const failure = (page, id) => page.waitForSelector(`#${id}:not(:empty)`).then((place) => place.textContent());

async function registersBySms(browser, base) {
  const { context, page, seen } = await openPage(browser, base);
  await invent(page, somebody("Ada"));
  const guest = await signIn(page);
  await page.click("#to-register");
  assert.equal(await page.textContent("#view-title"), "Register");
  const number = await page.inputValue("#register-phone");
  assert.match(number, /^1\d{10}$/, "the person's own number is there already");

  await page.fill("#register-phone", "12345");
  assert.equal((await done(page, REGISTER, "#register-send")).status, 400);
  assert.match(await failure(page, "register-number-fail"), /11 digits/);
  assert.equal(await page.isVisible("#register-code"), false);
  await page.click("#register-offer");
  assert.equal(await page.inputValue("#register-phone"), number, "the number can be picked");

  const sent = await done(page, REGISTER, "#register-send");
  assert.equal(sent.body.status, "verification_code_sent");
  assert.equal(await page.textContent("#register-number-fail"), "");
  await tokenIsOpened(page, sent.body.access_token);
  const [{ code, text }] = await delivered(base, "sms", number);
  assert.equal(await page.textContent(".banner-text"), text, "the message lies over the screen");
  assert.equal(await page.textContent("#unread"), "1 new");

  await page.fill("#register-digits", code === "000000" ? "000001" : "000000");
  assert.equal((await done(page, "/v1/user/verify", "#register-prove")).body.status, "verification_failed");
  assert.match(await failure(page, "register-code-fail"), /wrong, or too old/);
  const soon = await done(page, REGISTER, "#register-send");
  assert.equal(soon.status, 429);
  const wait = Number(soon.headers["retry-after"]);
  assert.equal(await failure(page, "register-number-fail"), `Too often. Try again in ${wait} s.`);

  await page.click(".banner-open");
  assert.equal(await page.inputValue("#register-digits"), code, "the code was tapped in");
  assert.equal(await page.isVisible("#unread"), false, "the message is read");
  const proved = await done(page, "/v1/user/verify", "#register-prove");
  assert.equal(proved.body.status, "verified");
  assert.equal(await page.textContent("#badge"), "Registered");
  assert.equal(await page.getAttribute("#scene", "data-door"), "open");
  assert.match(await page.textContent("#lines"), new RegExp(`\\b${proved.body.uid}\\b`));
  const shown = await shownStep(page, 0);
  assert.deepEqual(shown.request, { Authorization: `Bearer ${sent.body.access_token}` });
  assert.deepEqual(shown.reply, proved.body, "the reply as it came");
  assert.equal((await shownStep(page, 1)).reply.phone, `+86${number}`);
  assert.equal((await shownStep(page, 1)).reply.openid, guest.body.openid);
  await tokenIsOpened(page, proved.body.access_token);
  quiet(seen, 3);
  await context.close();
}

async function registersByPhoneButton(browser, base) {
  const { context, page, seen } = await openPage(browser, base);
  await invent(page, somebody("Ben"));
  await signIn(page);
  await page.click("#to-register");
  await fault(base, { path: "/wxa/business/getuserphonenumber", kind: "errcode", errcode: -1 });
  const failed = await done(page, REGISTER, "#register-button");
  await fetch(`${base}/simulator/faults`, { method: "DELETE" });
  assert.deepEqual([failed.status, failed.body.status], [502, "delivery_failed"]);
  assert.match(await failure(page, "register-button-fail"), /Nothing was changed/);

  const reply = await done(page, REGISTER, "#register-button");
  assert.equal(reply.body.status, "verified");
  const tapped = await shownStep(page, 0);
  assert.equal(tapped.request.person, await page.textContent("#name"));
  assert.deepEqual((await shownStep(page, 1)).reply, reply.body);
  assert.match(await newestRun(page).locator(".facts").textContent(), new RegExp(`user ${reply.body.uid} now`));
  await tokenIsOpened(page, reply.body.access_token);
  const { phone } = (await shownStep(page, 2)).reply;

  await invent(page, somebody("Cas"));
  await signIn(page);
  await page.click("#to-register");
  await page.fill("#register-phone", phone);
  assert.equal((await done(page, REGISTER, "#register-send")).body.status, "user_exists");
  assert.match(await failure(page, "register-number-fail"), /already has an account/);
  assert.equal(await page.isVisible("#register-code"), false, "no code is on its way");
  assert.equal(await page.isVisible("#banner .banner-open"), false);
  quiet(seen, 1);
  await context.close();
}

const fault = (base, body) =>
  fetch(`${base}/simulator/faults`, { method: "POST", body: JSON.stringify(body), headers: { "Content-Type": "application/json" } });

async function takesOverAnImportedAccount(browser, base) {
  const number = process.env.IMPORTED;
  if (!number) return;
  const { context, page, seen } = await openPage(browser, base);
  await invent(page, somebody("Dan"));
  await signIn(page);
  await page.click("#to-register");
  await page.fill("#register-phone", number);
  assert.equal((await done(page, REGISTER, "#register-send")).body.status, "user_need_migration");
  await page.click("#register-fill");
  const reply = await done(page, "/v1/user/migration", "#register-prove");
  assert.equal(reply.body.status, "user_migrated");
  assert.match(await newestRun(page).locator(".facts").textContent(), /imported account/);
  assert.equal(await page.textContent("#name"), "老陈", "the nickname came along");
  quiet(seen);
  await context.close();
}

async function editsTheProfile(browser, base) {
  const { context, page, seen } = await openPage(browser, base);
  await register(page, somebody("Eva"));
  await page.click("[data-tab=account]");
  await page.click("[data-go=profile]");
  await page.fill("#field-nickname", HOSTILE);
  await page.fill("#field-campus", "East");
  const saved = await done(page, "/v1/user/setuser", "#profile [type=submit]");
  assert.deepEqual(saved.body, { success: true, changedFields: { nickname: HOSTILE, campus: "East" } });
  assert.equal(await page.textContent("#owner-name"), HOSTILE);
  assert.equal(await page.locator(".avatar img").count(), 0, "no element came of a name");
  assert.equal(await page.evaluate(() => document.activeElement.dataset.go), "profile", "the focus is back");
  await page.click("[data-go=profile]");
  assert.deepEqual((await done(page, "/v1/user/setuser", "#profile [type=submit]")).body.changedFields, {});
  assert.match(await newestRun(page).locator(".facts").textContent(), /Nothing was different/);
  await page.click("[data-go=profile]");
  await page.fill("#field-nickname", "x".repeat(300));
  assert.equal((await done(page, "/v1/user/setuser", "#profile [type=submit]")).body.status, "invalid_nickname");
  assert.equal(await failure(page, "profile-fail"), "Nickname: this value is not allowed.");
  await page.click("#back");

  const upload = (name, buffer) => replyOf(page, "/v1/user/avatar", () =>
    page.setInputFiles("#picture", { name, mimeType: "image/png", buffer }));
  const sent = await upload(`it's a "face".png`, await picture(page));
  await idle(page);
  assert.equal(sent.status, 200);
  for (const circle of ["#picture-circle", ".person:has(:checked) .avatar"]) {
    await page.waitForFunction((where) => document.querySelector(`${where} img`)?.naturalWidth > 0, circle);
  }
  assert.match(await newestRun(page).textContent(), /file: it's a "face"\.png \(image\/png/);
  await newestRun(page).locator(".curl").first().click();
  const line = await page.evaluate(() => navigator.clipboard.readText());
  assert.ok(line.endsWith(String.raw`-F 'file=@"it'\''s a \"face\".png";type=image/png'`), line);
  assert.equal((await upload("face.png", Buffer.from("no picture at all"))).status, 400);
  await idle(page);
  assert.match(await failure(page, "account-fail"), /^It was refused: /);
  quiet(seen, 2);
  await context.close();
}

async function changesNumberAndAddress(browser, base) {
  const { context, page, seen } = await openPage(browser, base);
  const { access_token: before } = await register(page, somebody("Fay"));
  await page.click("[data-tab=account]");
  const old = await page.textContent("#row-phone");
  await page.click("[data-go=number]");
  await page.fill("#number-phone", old);
  assert.equal((await done(page, "/v1/user/newphone", "#number-send")).body.status, "same_phone");
  assert.match(await failure(page, "number-number-fail"), /the number you have/);
  await page.click("#number-offer");
  const number = await page.inputValue("#number-phone");
  assert.equal((await done(page, "/v1/user/newphone", "#number-send")).body.status, "verification_code_sent");
  const [{ code }] = await delivered(base, "sms", number);
  await page.fill("#number-digits", code === "000000" ? "000001" : "000000");
  assert.equal((await done(page, "/v1/user/phonechange_verify", "#number-prove")).body.status, "bad_code");
  await failure(page, "number-code-fail");
  // By way of the messages this time; the form is as it was left.
  await page.click("[data-tab=messages]");
  await page.getByRole("button", { name: `Use ${code}` }).click();
  assert.equal(await page.inputValue("#number-digits"), code);
  const updated = await done(page, "/v1/user/phonechange_verify", "#number-prove");
  assert.equal(updated.body.status, "phone_updated");
  const tried = await shownStep(page, 1);
  assert.deepEqual(tried.request, { Authorization: `Bearer ${before}` });
  assert.deepEqual(tried.reply, { error: "invalid_token" }, "the old token counts no longer");
  assert.equal(await page.textContent("#row-phone"), `+86${number}`);
  await tokenIsOpened(page, updated.body.access_token);

  await page.click("[data-go=number]");
  await page.fill("#number-phone", number.replace(/^199/, "198"));
  assert.equal((await done(page, "/v1/user/newphone", "#number-button")).body.status, "phone_updated");
  await setsAddress(page, context, base);
  quiet(seen, 5);
  await context.close();
}

async function setsAddress(page, context, base) {
  await page.click("[data-go=mail]");
  await page.fill("#mail-address", "nobody");
  assert.equal((await done(page, "/v1/user/newemail", "#mail [type=submit]")).body.status, "invalid_email");
  assert.equal(await failure(page, "mail-fail"), "That is no mail address.");
  const address = `fay.${Date.now()}@example.com`;
  await page.fill("#mail-address", address);
  await done(page, "/v1/user/newemail", "#mail [type=submit]");
  await done(page, ME, "#mail-look");
  assert.match(await newestRun(page).locator(".facts").textContent(), /Not confirmed yet/);
  const [{ link, subject }] = await delivered(base, "mails", address);
  await page.click("#mail-sent [data-go=messages]");
  assert.equal(await page.textContent(".message.mail h3"), subject);
  const [confirmation] = await Promise.all([context.waitForEvent("page"), page.click(".message.mail a")]);
  assert.equal(confirmation.url(), link);
  await confirmation.click("button");
  await confirmation.waitForLoadState();
  await confirmation.close();
  await page.click("[data-tab=account]");
  await page.click("[data-go=mail]");
  await done(page, ME, "#mail-look");
  assert.equal(await page.textContent("#row-email"), address);
}

async function signsOutAndLeaves(browser, base) {
  const { context, page, seen } = await openPage(browser, base);
  const first = await register(page, somebody("Gus"));
  await page.click("[data-tab=account]");
  await page.click("[data-go=export]");
  const all = (await done(page, "/v1/user/export", "#export")).body;
  assert.deepEqual((await shownStep(page, 0)).reply, all);
  const [file] = await Promise.all([page.waitForEvent("download"), page.click("#export-save")]);
  assert.deepEqual(JSON.parse(readFileSync(await file.path(), "utf8")), all, "the file holds all of it");
  await page.click("#back");

  const { body } = await done(page, "/v1/user/logout_all", "#logout-all");
  assert.deepEqual((await shownStep(page, 1)).request, { Authorization: `Bearer ${first.access_token}` });
  assert.match(await newestRun(page).locator(".facts").textContent(), /refused now/);
  await tokenIsOpened(page, body.access_token);

  await done(page, "/v1/user/logout", "#logout");
  assert.equal(await page.textContent("#badge"), "Signed out");
  assert.equal(await page.evaluate(() => document.activeElement.id), "sign-in");
  assert.match(await newestRun(page).locator(".facts").textContent(), /refused now/);
  assert.equal((await signIn(page)).body.uid, first.uid);

  await page.click("[data-tab=account]");
  await page.click("[data-go=delete]");
  assert.equal(await page.isDisabled("#delete-now"), true, "not before it was said twice");
  await page.check("#delete-sure");
  assert.equal((await done(page, "/v1/user/delete", "#delete-now")).status, 200);
  assert.equal(await page.textContent("#badge"), "Signed out");
  assert.match(await newestRun(page).locator(".facts").textContent(), /refused now/);
  assert.equal((await signIn(page)).body.registered, false);
  assert.equal(await page.textContent("#badge"), "Guest");
  quiet(seen, 3);
  await context.close();
}

async function worksInChineseByKeyboardOnAPhone(browser, base) {
  const { context, page, seen } = await openPage(browser, base, { locale: "zh-CN", width: 390, height: 844 });
  await invent(page, somebody("小荷"));
  await signIn(page);
  await fits(page, "home");
  await page.focus("#to-register");
  await page.keyboard.press("Enter");
  assert.equal(await page.evaluate(() => document.activeElement.id), "view-title");
  await fits(page, "register");
  await page.focus("#register-phone");
  await replyOf(page, REGISTER, () => page.keyboard.press("Enter"));
  await idle(page);
  assert.equal(await page.evaluate(() => document.activeElement.id), "register-digits");
  await page.focus("#register-fill");
  await page.keyboard.press("Enter");
  const proved = await replyOf(page, "/v1/user/verify", () => page.keyboard.press("Enter"));
  await idle(page);
  assert.equal(proved.body.status, "verified");
  assert.equal(await page.textContent("#badge"), "已注册");
  await page.click("[data-tab=account]");
  await fits(page, "account");
  for (const name of ["profile", "number", "mail", "export", "delete"]) {
    await page.focus(`[data-go=${name}]`);
    await page.keyboard.press("Enter");
    assert.match(await page.textContent("#view-title"), /^[\u4e00-\u9fff]+$/);
    await idle(page);
    await fits(page, name);
    await page.focus("#back");
    await page.keyboard.press("Enter");
    assert.equal(await page.evaluate(() => document.activeElement.dataset.go), name, "the focus is back");
  }
  await page.click("[data-tab=messages]");
  await fits(page, "messages");
  quiet(seen);
  await context.close();
}

/** Fails unless everything on the phone can be hit with a finger, has a name, and lies within the screen. */
async function fits(page, name) {
  const wrong = await page.evaluate(() => {
    const screen = document.querySelector(".glass").getBoundingClientRect();
    const controls = [...document.querySelectorAll(".glass :is(button, a, input)")].filter((control) => control.checkVisibility());
    return controls.flatMap((control) => {
      const target = control.closest("label") ?? control;
      const { height, width, left, right } = target.getBoundingClientRect();
      const named = control.labels?.length > 0 || control.ariaLabel || control.textContent.trim() !== "";
      const fine = height >= 44 && width >= 44 && left >= screen.left && right <= screen.right && named;
      return fine ? [] : [`${control.id || control.className} ${width}x${height}`];
    });
  });
  assert.deepEqual(wrong, [], `targets of ${name}`);
}

async function hasWordsForEverything(browser, base) {
  const { context, page } = await openPage(browser, base);
  const missing = await page.evaluate(async () => {
    const { en } = await import("/words-en.js");
    const files = performance.getEntriesByType("resource").filter(({ name }) => name.endsWith(".js") && !name.includes("words"));
    const texts = await Promise.all(files.map(async ({ name }) => (await fetch(name)).text()));
    const used = texts.flatMap((text) => [...text.matchAll(/"((?:run|step|fact|toast|fail|field|title|number|account|messages|banner|wait|side|copy|token|delete)\.[a-z_.-]+)"/g)]);
    return used.map(([, key]) => key).filter((key) => !(key in en));
  });
  assert.deepEqual(missing, [], "keys without a sentence");
  await context.close();
}

/** Each takes the browser and the address of the server. */
export const ACCOUNT_CHECKS = [
  registersBySms, registersByPhoneButton, takesOverAnImportedAccount, editsTheProfile, changesNumberAndAddress,
  signsOutAndLeaves, worksInChineseByKeyboardOnAPhone, hasWordsForEverything,
];
