// Registration by text message and by the phone button.

import assert from "node:assert/strict";

const other = (code) => String((Number(code) + 1) % 1_000_000).padStart(6, "0");

async function registersByTextMessage(world) {
  const { phone, number } = await world.somebody();
  await phone.tap("注册");
  await phone.type("phone", "1380013");
  await phone.tap("获取验证码");
  phone.sees("手机号不对");

  await phone.type("phone", number);
  await phone.tap("获取验证码");
  phone.sees("验证码已发送");
  const code = await world.codeFor(number);
  await phone.type("code", other(code));
  await phone.tap("注册");
  phone.sees("验证码不对或者过期了");

  await phone.type("code", code);
  assert.ok(!phone.button("注册").attributes.disabled);
  await phone.tap("注册");
  assert.equal(phone.page.route, "pages/home/home", "back on the home page");
  phone.sees(/用户 \d+/);
  assert.deepEqual(phone.toasts, ["注册好了"]);
  assert.equal(phone.timers.size, 0, "no timer is left of a page that is closed");
}

async function countsDownToTheNextMessage(world) {
  const { phone, number } = await world.somebody();
  await phone.tap("注册");
  await phone.type("phone", number);
  await phone.tap("获取验证码");
  assert.ok(phone.button("60 秒后可重发").attributes.disabled);
  phone.pass(59);
  assert.ok(phone.button("1 秒后可重发").attributes.disabled);
  phone.pass(1);
  // The phone's clock runs ahead: Menjin's minute is not over.
  await phone.tap("重新获取验证码");
  phone.sees(/操作太频繁了，请 \d+ 秒后再试/);
  await phone.type("code", await world.codeFor(number));
  await phone.tap("注册");
  phone.sees("用户 ");
}

async function registersByThePhoneButton(world) {
  const { phone, person } = await world.somebody();
  await phone.tap("注册");
  await phone.tap("手机号一键注册", { errMsg: "getPhoneNumber:fail user deny" });
  phone.sees("没有拿到手机号");
  await phone.tap("手机号一键注册", { errMsg: "getPhoneNumber:fail no quota", errno: 1400001 });
  phone.sees("请用下面的短信验证码");
  await phone.tap("手机号一键注册", { code: "ab".repeat(32), errMsg: "getPhoneNumber:ok" });
  phone.sees("再点一次");
  await phone.tap("手机号一键注册", await world.consent(person));
  assert.equal(phone.page.route, "pages/home/home");
  phone.sees("用户 ");
}

async function oneNumberIsOneAccount(world) {
  const { phone: first, number } = await world.somebody();
  await first.tap("注册");
  await first.type("phone", number);
  await first.tap("获取验证码");
  await first.type("code", await world.codeFor(number));
  await first.tap("注册");
  first.sees("用户 ");

  const { phone: second, person } = await world.somebody();
  await second.tap("注册");
  await second.type("phone", `+86 ${number}`);
  await second.tap("获取验证码");
  second.sees("这个手机号已经有账号了");
  assert.ok(!second.text.includes("验证码已发送"));
  await second.tap("手机号一键注册", await world.consent(person, number));
  second.sees("这个手机号已经有账号了");
  await second.back();
  second.sees("访客，还没有注册");
}

async function anImportedAccountIsTakenOver(world) {
  const number = process.env.IMPORTED;
  if (!number) return;
  const { phone } = await world.somebody();
  await phone.tap("注册");
  await phone.type("phone", number);
  await phone.tap("获取验证码");
  const code = await world.codeFor(number);
  await phone.type("code", other(code));
  await phone.tap("注册");
  phone.sees("验证码不对或者过期了");
  await phone.type("code", code);
  await phone.tap("注册");
  phone.sees("老陈");
}

async function aSecondTapIsNoSecondMessage(world) {
  const { phone, number } = await world.somebody();
  await phone.tap("注册");
  await phone.type("phone", number);
  const tap = phone.aim("获取验证码");
  tap();
  // It came before the page was shown anew, and the next finds the button closed.
  tap();
  assert.throws(() => phone.press("获取验证码"), /cannot be tapped now/);
  await phone.settled();
  phone.sees("验证码已发送");
  assert.equal(phone.requests.filter(({ url }) => url.endsWith("/v1/user/register")).length, 1);
}

export const REGISTER_CHECKS = [registersByTextMessage, countsDownToTheNextMessage, registersByThePhoneButton,
  oneNumberIsOneAccount, anImportedAccountIsTakenOver, aSecondTapIsNoSecondMessage];
