// Signing in at launch, out by hand and in again, and a server that is away.

import assert from "node:assert/strict";
import { name, tokenOf } from "./world.mjs";

const signIns = (phone) => phone.requests.filter(({ url }) => url.endsWith("/v1/user/login")).length;

async function theFirstLaunchSignsIn(world) {
  const { phone } = await world.somebody();
  phone.sees("访客，还没有注册");
  assert.equal(phone.logins, 1, "wx.login was called once");
  assert.equal(signIns(phone), 1, "one sign-in for the app and its first page");
}

async function signsOutAndBackIn(world) {
  const { phone } = await world.user();
  const uid = /用户 \d+/.exec(phone.text)[0];
  await phone.tap("退出登录");
  phone.sees("已退出登录");
  const refused = await world.ask("/v1/user/me", undefined, tokenOf(phone));
  assert.equal(refused.status, 401, "the token that was in use is refused");

  const opened = await phone.again();
  opened.sees("已退出登录");
  assert.equal(opened.logins, 0, "whoever signed out stays out");
  await opened.tap("登录");
  opened.sees(uid);
  const later = await opened.again();
  later.sees(uid);
  assert.equal(later.logins, 1, "whoever signed in again is signed in at the next launch");
}

async function saysThatTheServerIsAway(world) {
  world.line.away = true;
  const { phone, number } = await world.somebody();
  phone.sees("连不上服务器");
  await phone.tap("再试一次");
  phone.sees("连不上服务器");
  world.line.away = false;
  await phone.tap("再试一次");
  phone.sees("访客，还没有注册");

  await phone.tap("注册");
  await phone.type("phone", number);
  world.line.away = true;
  await phone.tap("获取验证码");
  phone.sees("连不上服务器");
  world.line.away = false;
  await phone.tap("获取验证码");
  phone.sees("验证码已发送");
  assert.ok(!phone.text.includes("连不上服务器"), "what failed is not shown any longer");
}

async function aKnownPersonIsShownWithoutTheServer(world) {
  const { phone } = await world.user();
  world.line.away = true;
  const opened = await phone.again();
  opened.sees("用户 ");
  opened.sees("连不上服务器");
  world.line.away = false;
  await opened.tap("再试一次");
  assert.ok(!opened.text.includes("连不上服务器"));
}

async function signsOutWithoutTheServer(world) {
  const { phone } = await world.user();
  world.line.away = true;
  await phone.tap("退出登录");
  world.line.away = false;
  phone.sees("已退出登录");
  phone.sees("没能通知服务器");
  await phone.tap("登录");
  phone.sees("用户 ");
}

async function theSimulatorStandsInForWechat(world) {
  world.line.away = true;
  const { phone } = await world.somebody({ person: name() });
  phone.sees("先运行 script/server");
  world.line.away = false;
  await phone.tap("再试一次");
  assert.equal(phone.logins, 0, "wx.login is not asked");
  phone.sees("访客，还没有注册");
  await phone.tap("注册");
  await phone.tap("手机号一键注册（模拟）");
  phone.sees("用户 ");
}

export const SIGN_IN_CHECKS = [theFirstLaunchSignsIn, signsOutAndBackIn, saysThatTheServerIsAway,
  aKnownPersonIsShownWithoutTheServer,   signsOutWithoutTheServer, theSimulatorStandsInForWechat];
