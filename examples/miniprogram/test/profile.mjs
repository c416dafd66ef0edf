// The profile, the picture, and another service.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { png } from "./png.mjs";
import { tokenOf } from "./world.mjs";

async function keepsTheProfile(world) {
  const { phone } = await world.user();
  await phone.tap("我的资料");
  phone.sees(/\d{3}\*{6}\d{2}/);
  await phone.type("nickname", "小王");
  await phone.type("campus", "东区");
  await phone.tap("保存");
  phone.sees("已保存：");
  phone.sees("昵称");
  phone.sees("校区");
  await phone.tap("保存");
  phone.sees("没有变化");
  const { body } = await world.ask("/v1/user/me", undefined, tokenOf(phone));
  assert.deepEqual([body.nickname, body.campus], ["小王", "东区"]);

  await phone.type("nickname", "长".repeat(65));
  await phone.type("campus", "西区");
  await phone.tap("保存");
  phone.sees("昵称最多 64 个字");
  const after = await world.ask("/v1/user/me", undefined, tokenOf(phone));
  assert.equal(after.body.campus, "东区", "all of it or nothing");
  await phone.back();
  phone.sees("小王");
}

async function uploadsAPicture(world) {
  const folder = mkdtempSync(join(tmpdir(), "menjin-example-"));
  try {
    const { phone } = await world.user();
    await phone.tap("我的资料");
    const [good, bad] = [join(folder, "face.png"), join(folder, "words.png")];
    writeFileSync(good, png(64, 64));
    writeFileSync(bad, "no picture");
    await phone.tap("头像", { errMsg: "chooseAvatar:fail cancel" });
    assert.equal(phone.page.data.failure, "", "to choose none is no failure");
    await phone.tap("头像", { avatarUrl: bad });
    phone.sees("这张图片用不了");
    await phone.tap("头像", { avatarUrl: good });
    phone.sees("头像换好了");
    const { avatar } = phone.page.data;
    assert.equal((await fetch(avatar)).headers.get("content-type"), "image/jpeg");
    await phone.back();
    assert.equal(phone.page.data.avatar, avatar, "the home page shows it too");
    const opened = await phone.again();
    assert.equal(opened.page.data.avatar, avatar);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function callsAnotherService(world) {
  const { phone } = await world.user();
  const uid = /用户 (\d+)/.exec(phone.text)[1];
  await phone.tap("调用另一个服务");
  await phone.tap("调用");
  phone.sees(`"hello": ${uid}`);
}

async function aGuestIsNotServed(world) {
  const { phone } = await world.somebody();
  await phone.open("/pages/service/service");
  await phone.tap("调用");
  phone.sees(/注册之后才能用|请先注册/);
  const asked = phone.requests.filter(({ url }) => url.startsWith(world.service.url)).length;
  assert.ok(asked >= 1 && asked <= 2, "it does not ask on and on");
  await phone.open("/pages/profile/profile");
  phone.sees("注册之后才能用");
}

async function aServiceThatIsAwayIsSaidToBe(world) {
  const { phone } = await world.user();
  await phone.tap("调用另一个服务");
  world.service.away = true;
  await phone.tap("调用");
  phone.sees("连不上服务器");
  world.service.away = false;
  await phone.tap("再试一次");
  phone.sees('"hello": ');
}

export const PROFILE_CHECKS = [keepsTheProfile, uploadsAPicture, callsAnotherService,
  aGuestIsNotServed, aServiceThatIsAwayIsSaidToBe];
