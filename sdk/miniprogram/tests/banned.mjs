// Somebody is not let in any more: by WeChat, and by an administrator. `node banned.mjs` prints the uid of a user whose storage it
// leaves behind; with MENJIN_DISABLED that user's account is disabled by now.

import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { Between } from "./between.mjs";
import { Wx, control, failing, open, revoke, signIns } from "./phone.mjs";

const LEFT = join(process.env.TMPDIR, "storage.json");
const LATER = Boolean(process.env.MENJIN_DISABLED);
const all = (menjin) => Promise.all(Array.from({ length: 20 }, () => failing(menjin.me())));
const block = () => control("faults", { path: "/sns/jscode2session", kind: "errcode", errcode: 40226 });

/** Everybody heard of the ban, and WeChat was asked so often. */
async function banned(errors, before, count) {
  for (const { code, errcode, status, retryable } of errors) {
    assert.deepEqual([code, errcode, status, retryable], ["high_risk_user", 40226, 403, false]);
  }
  assert.equal((await signIns()) - before, count);
}

for (const old of [false, true]) {
  test(`WeChat blocks somebody (${old ? "old" : "new"} phone)`, { skip: LATER }, async () => {
    const fresh = open({}, { old });
    const known = open({}, { old });
    await known.menjin.login();
    await block();
    try {
      let before = await signIns();
      await banned(await all(fresh.menjin), before, 1);
      assert.equal(fresh.wx.stored.size, 0);
      await known.menjin.me();
      await revoke(known.wx.token);
      before = await signIns();
      await banned(await all(known.menjin), before, 1);
      assert.ok(known.wx.sent.length <= 24, "nobody asks again");
      before = await signIns();
      await banned([await failing(known.menjin.login())], before, 1);
    } finally {
      await control("faults", undefined, "DELETE");
    }
    await known.menjin.me();
  });
}

test("a refusal that comes when others have heard of the ban already asks no more", { skip: LATER }, async () => {
  const between = await Between.start();
  const { menjin, wx } = open({ baseURL: between.url });
  await menjin.login();
  await revoke(wx.token);
  await block();
  try {
    const held = between.hold("/v1/user/me", "reply");
    const late = failing(menjin.me());
    await held.here;
    const before = await signIns();
    const first = await failing(menjin.me());
    held.release();
    await banned([first, await late], before, 1);
  } finally {
    await control("faults", undefined, "DELETE");
  }
});

test("somebody becomes a user", { skip: LATER }, async () => {
  const { menjin, wx } = open();
  const { code } = await control("phone", { person: wx.person });
  const { uid } = await menjin.registerByPhoneButton({ detail: { code } });
  writeFileSync(LEFT, JSON.stringify({ person: wx.person, stored: [...wx.stored] }));
  console.log(`uid ${uid}.`);
});

test("an account is disabled", { skip: !LATER }, async () => {
  const { person, stored } = JSON.parse(readFileSync(LEFT, "utf8"));
  const wx = Object.assign(new Wx(person), { stored: new Map(stored) });
  const { menjin } = open({}, { wx });
  assert.equal(menjin.session.registered, true);
  const before = await signIns();
  for (const { code, errcode, status, retryable } of await all(menjin)) {
    assert.deepEqual([code, errcode, status, retryable], ["account_disabled", 7700001, 403, false]);
  }
  assert.equal((await signIns()) - before, 1);
  assert.ok(wx.sent.filter((path) => path === "/v1/user/me").length <= 20, "nobody asks again");
});
