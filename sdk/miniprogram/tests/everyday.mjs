// What a person does with a mini program every day.

import assert from "node:assert/strict";
import { test } from "node:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { BASE, Wx, ask, control, failing, load, open, same, signIns, somebody } from "./phone.mjs";

const IMPORTED = process.env.IMPORTED;
const PICTURE = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M/wHwAEBgIApD5fRAAAAABJRU5ErkJggg==";

let numbers = 13_700_000_000 + Math.floor(Math.random() * 90_000_000);
const number = () => String((numbers += 1));
const { TMPDIR } = process.env;

/** The text message that came last to a number. */
async function message(phone) {
  const { messages } = await control("sms");
  return messages.find(({ to }) => to === `+86${phone}`).code;
}

/** What the phone button gives. */
async function tapped(wx, phone) {
  const { code } = await control("phone", { person: wx.person, number: phone });
  return { type: "getphonenumber", detail: { code, errMsg: "getPhoneNumber:ok" } };
}

test("the first request signs in by itself, and the next ones do not", async () => {
  const { menjin, wx } = open();
  assert.equal(menjin.session, null);
  const me = await menjin.me();
  same(me, { success: true, registered: false, openid: me.openid });
  assert.equal(wx.codes.length, 1);
  await menjin.me();
  same(await menjin.request({ url: "/v1/user/me" }), { success: true, registered: false, openid: me.openid });
  assert.equal(wx.codes.length, 1);
  same(menjin.session, {
    registered: false, openid: me.openid, nickname: "", avatar: "", campus: "", phone: "", email: "", role: "",
  });
});

test("the token outlives the mini program", async () => {
  const { menjin, wx } = open();
  const session = await menjin.login();
  const later = open({}, { wx });
  same(later.menjin.session, { ...session });
  await later.menjin.me();
  assert.equal(wx.codes.length, 1);
  await later.menjin.login();
  assert.equal(wx.codes.length, 2, "login() always signs in anew");
});

test("a token of another server is not used", async () => {
  const { menjin, wx } = open();
  await menjin.login();
  const other = open({ baseURL: BASE.replace("127.0.0.1", "localhost") }, { wx });
  assert.equal(other.menjin.session, null);
  await other.menjin.me();
  assert.equal(wx.codes.length, 2);
});

test("all who need a token wait for one sign-in", async () => {
  for (const old of [false, true]) {
    const { menjin, wx } = open({}, { old });
    const before = await signIns();
    const [session, ...replies] = await Promise.all([
      menjin.login(), menjin.login(), menjin.me(), menjin.me(), menjin.request({ url: "/v1/user/me" }),
    ]);
    for (const reply of replies) assert.equal(reply.openid ?? session.openid, session.openid);
    assert.equal(wx.codes.length, 1);
    assert.equal((await signIns()) - before, 1);
  }
});

test("a person registers by a text message", async () => {
  const { menjin, wx } = open();
  const phone = number();
  same(await menjin.register(phone), { status: "verification_code_sent" });
  const code = await message(phone);
  const wrong = await failing(menjin.verify(phone, code === "000000" ? "000001" : "000000"));
  assert.deepEqual([wrong.code, wrong.status, wrong.retryable], ["verification_failed", 400, false]);
  assert.match(wrong.requestId, /./);
  const soon = await failing(menjin.register(phone));
  assert.deepEqual([soon.code, soon.status, soon.retryable], ["too_many_requests", 429, true]);
  assert.ok(soon.retryAfter > 0 && soon.retryAfter <= 60, soon.retryAfter);

  const { uid, ...rest } = await menjin.verify(phone, code);
  same(rest, { status: "verified", migrated: false });
  assert.ok(Number.isInteger(uid));
  const { openid } = menjin.session;
  same(menjin.session, {
    registered: true, openid, uid, nickname: "", avatar: "", campus: "", phone: `+86${phone}`, email: "", role: "user",
  });
  const me = await menjin.me();
  assert.deepEqual([me.registered, me.uid, me.phone], [true, uid, `+86${phone}`]);
  assert.equal(wx.codes.length, 1, "the token came with the registration");
  const again = await failing(menjin.register(number()));
  assert.deepEqual([again.code, again.status], ["already_registered", 409]);

  const stranger = open();
  same(await stranger.menjin.register(phone), { status: "user_exists" });
});

test("a person registers by the phone button", async () => {
  const { menjin, wx } = open();
  const declined = await failing(menjin.registerByPhoneButton({ detail: { errMsg: "getPhoneNumber:fail user deny" } }));
  assert.deepEqual([declined.code, declined.status, declined.retryable], ["cancelled", 0, false]);
  const detail = { errno: 1400001, errMsg: "getPhoneNumber:fail" };
  assert.equal((await failing(menjin.registerByPhoneButton({ detail }))).code, "phone_unavailable");
  assert.equal(wx.codes.length, 0, "nothing was asked for that");

  const { status, uid } = await menjin.registerByPhoneButton(await tapped(wx));
  assert.equal(status, "verified");
  assert.deepEqual([menjin.session.registered, menjin.session.uid], [true, uid]);
  assert.match(menjin.session.phone, /^\+861\d{10}$/);
  const other = open();
  const { phone } = menjin.session;
  const taken = await failing(tapped(other.wx, phone).then((event) => other.menjin.registerByPhoneButton(event)));
  assert.deepEqual([taken.code, taken.status, other.menjin.session.registered], ["user_exists", 200, false]);
  const forged = open();
  const refused = await failing(forged.menjin.registerByPhoneButton({ detail: { code: "nonsense" } }));
  assert.deepEqual([refused.code, refused.status, refused.errcode], ["invalid_phone_code", 400, 40029]);
});

test("an imported account is taken over, even if the mini program was closed in between", async () => {
  const { menjin, wx } = open();
  same(await menjin.register(IMPORTED), { status: "user_need_migration" });
  const later = open({}, { wx });
  const { uid, ...rest } = await later.menjin.verify(IMPORTED, await message(IMPORTED));
  same(rest, { status: "verified", migrated: true });
  assert.deepEqual([later.menjin.session.uid, later.menjin.session.nickname], [uid, "老陈"]);
});

test("a person sets up a profile", async () => {
  const { menjin, wx } = open();
  await menjin.registerByPhoneButton(await tapped(wx));
  same(await menjin.update({ nickname: "小荷", campus: "East" }), { nickname: "小荷", campus: "East" });
  same(await menjin.update({ nickname: "小荷" }), {});
  assert.deepEqual([menjin.session.nickname, menjin.session.campus], ["小荷", "East"]);
  const wrong = await failing(menjin.update({ nickname: "x".repeat(300) }));
  assert.deepEqual([wrong.code, wrong.status], ["invalid_nickname", 400]);

  const file = join(TMPDIR, "face.png");
  writeFileSync(file, Buffer.from(PICTURE, "base64"));
  const url = await menjin.uploadAvatar(file);
  assert.equal(menjin.session.avatar, url);
  assert.equal((await ask(url)).status, 200, url);
  writeFileSync(file, "no picture at all");
  const refused = await failing(menjin.uploadAvatar(file));
  assert.deepEqual([refused.code, refused.status], ["bad_request", 400]);
  assert.match(refused.message, /./);
  assert.equal((await open({}, { wx }).menjin.me()).nickname, "小荷");
});

test("a person logs out, and the token is worth nothing", async () => {
  const { menjin, wx } = open();
  await menjin.login();
  const { token } = wx;
  await menjin.logout();
  assert.equal(menjin.session, null);
  assert.equal(wx.stored.size, 0);
  const me = await ask(`${BASE}/v1/user/me`, { headers: { authorization: `Bearer ${token}` } });
  assert.deepEqual([me.status, me.text], [401, '{"error":"invalid_token"}']);
  await menjin.logout();
  assert.equal(wx.codes.length, 1, "there was nothing to log out of");
  await menjin.me();
  assert.equal(wx.codes.length, 2, "the next call signs in again");
});

test("the platform may come after the package, and be uni's or Taro's", async () => {
  const { createMenjin, globals } = load(undefined);
  const menjin = createMenjin({ baseURL: BASE });
  const none = await failing(menjin.me());
  assert.equal(none.code, "bad_option");
  assert.match(none.message, /adapter/);

  // A web page inside WeChat has a wx of another kind.
  globals.wx = { miniProgram: {} };
  globals.uni = new Wx();
  await menjin.me();
  assert.equal(globals.uni.codes.length, 1);

  const unhandled = [];
  const note = (reason) => unhandled.push(reason);
  process.on("unhandledRejection", note);
  const taro = new Taro();
  const given = createMenjin({ baseURL: BASE, adapter: taro, storageKey: "else" });
  await given.me();
  assert.deepEqual([taro.codes.length, globals.uni.codes.length], [1, 1]);
  const away = createMenjin({ baseURL: "http://127.0.0.1:1", adapter: taro });
  assert.equal((await failing(away.me())).code, "network");
  await new Promise(setImmediate);
  process.off("unhandledRejection", note);
  assert.deepEqual(unhandled, []);
});

/** Taro calls back as wx does, and returns a promise besides. */
class Taro extends Wx {
  request({ success, fail, ...options }) {
    return new Promise((resolve, reject) => {
      const both = (first, second) => (result) => {
        first(result);
        second(result);
      };
      super.request({ ...options, success: both(success, resolve), fail: both(fail, reject) });
    });
  }
}

test("a code goes out with the appid that was configured", async () => {
  const { menjin } = open({ appid: "wxffffffffffffffff" }, { wx: new Wx(somebody()) });
  const refused = await failing(menjin.login());
  assert.deepEqual([refused.code, refused.errcode, refused.status], ["unknown_appid", 40013, 400]);
});
