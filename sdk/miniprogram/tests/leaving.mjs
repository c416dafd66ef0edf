// Somebody logs out, or becomes a user, while something else is on its way.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Between } from "./between.mjs";
import { control, failing, open, revoke, signIns } from "./phone.mjs";

const LOGIN = "/v1/user/login";
const LOGOUT = "/v1/user/logout";
const ME = "/v1/user/me";

/** Does it on a phone of today and on an old one. */
function each(name, run) {
  for (const old of [false, true]) {
    test(`${name} (${old ? "old" : "new"} phone)`, async () => {
      const between = await Between.start();
      await run({ between, ...open({ baseURL: between.url }, { old }) });
    });
  }
}

const left = (menjin, wx) => assert.deepEqual([menjin.session, wx.stored.size], [null, 0]);

each("a request on its way when somebody logs out does not sign in again", async ({ between, menjin, wx }) => {
  await menjin.login();
  const before = await signIns();
  const held = between.hold(ME, "request");
  const under = failing(menjin.me());
  await held.here;
  await menjin.logout();
  held.release();
  assert.equal((await under).code, "logged_out");
  assert.equal((await signIns()) - before, 0);
  left(menjin, wx);
});

each("a reply that comes after somebody logged out is given and not kept", async ({ between, menjin, wx }) => {
  await menjin.login();
  const held = between.hold(ME, "reply");
  const under = menjin.me();
  await held.here;
  await menjin.logout();
  held.release();
  assert.equal((await under).registered, false);
  left(menjin, wx);
});

each("a sign-in on its way when somebody logs out signs nobody in", async ({ between, menjin, wx }) => {
  const held = between.hold(LOGIN, "reply");
  const under = [failing(menjin.login()), failing(menjin.me())];
  await held.here;
  await menjin.logout();
  held.release();
  for (const error of await Promise.all(under)) assert.equal(error.code, "logged_out");
  left(menjin, wx);
  await menjin.me();
  assert.equal(wx.codes.length, 2);
});

each("a sign-in that begins after the logout does not wait for the one before", async ({ between, menjin, wx }) => {
  const held = between.hold(LOGIN, "reply");
  const first = failing(menjin.login());
  await held.here;
  await menjin.logout();
  const session = await menjin.login();
  const { token } = wx;
  held.release();
  assert.equal((await first).code, "logged_out");
  assert.equal(menjin.session, session);
  assert.equal(wx.token, token);
});

each("those in the line when somebody logs out are not sent", async ({ between, menjin, wx }) => {
  await menjin.login();
  const held = between.hold(ME, "reply");
  const all = Array.from({ length: 30 }, () => menjin.me().then(() => "came", ({ code }) => code));
  await held.here;
  const out = menjin.logout();
  held.release();
  await out;
  const ends = await Promise.all(all);
  assert.ok(ends.every((end) => end === "came" || end === "logged_out"), ends.join());
  assert.ok(ends.includes("came") && ends.includes("logged_out"), ends.join());
  const sent = wx.sent.filter((path) => path === ME).length;
  assert.ok(sent <= 10, `${sent} were sent`);
  left(menjin, wx);
});

each("a logout that the server does not hear of forgets the token all the same", async ({ between, menjin, wx }) => {
  await menjin.login();
  between.lose(LOGOUT, 1);
  assert.equal((await failing(menjin.logout())).code, "network");
  left(menjin, wx);
});

each("a sign-in that comes late does not take a new user's token away", async ({ between, menjin, wx }) => {
  await menjin.login();
  const held = between.hold(LOGIN, "reply");
  const late = menjin.login();
  await held.here;
  const { code } = await control("phone", { person: wx.person });
  const { uid } = await menjin.registerByPhoneButton({ detail: { code } });
  const { token } = wx;
  held.release();
  assert.equal((await late).uid, uid);
  assert.deepEqual([menjin.session.uid, wx.token], [uid, token]);
});

each("a token that comes for whoever logged out is not the next one's", async ({ between, menjin, wx }) => {
  await menjin.login();
  const { code } = await control("phone", { person: wx.person });
  const held = between.hold("/v1/user/register", "reply");
  const late = menjin.registerByPhoneButton({ detail: { code } });
  await held.here;
  await menjin.logout();
  const { uid } = await menjin.login();
  const { token } = wx;
  held.release();
  assert.equal((await late).uid, uid);
  assert.equal(wx.token, token);
});

each("whoever logs out with a token that is refused already is out", async ({ menjin, wx }) => {
  await menjin.login();
  await revoke(wx.token);
  await menjin.logout();
  left(menjin, wx);
});
