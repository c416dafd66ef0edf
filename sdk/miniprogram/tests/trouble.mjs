// What goes wrong between a phone and the server, and what the mini program makes of it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Between, serve } from "./between.mjs";
import { BASE, Wx, control, failing, open, revoke, same, signIns } from "./phone.mjs";

const LOGIN = "/v1/user/login";
const ME = "/v1/user/me";
const HOUR = 3_600_000;
const times = (wx, path) => wx.sent.filter((sent) => sent === path).length;
const asked = async (code) => (await control("calls")).codes[code];

test("a sign-in whose reply is lost is repeated with the same code", async () => {
  const between = await Between.start();
  const { menjin, wx } = open({ baseURL: between.url });
  between.lose(LOGIN, 1);
  const session = await menjin.login();
  assert.equal(between.lost, 1);
  assert.equal(wx.codes.length, 1);
  assert.equal(await asked(wx.codes[0]), 1, "WeChat was asked once");
  assert.equal((await menjin.me()).openid, session.openid);
});

test("a sign-in whose reply is lost twice is given up, and the next has a code of its own", async () => {
  const between = await Between.start();
  const { menjin, wx } = open({ baseURL: between.url });
  between.lose(LOGIN, 2);
  const errors = await Promise.all([failing(menjin.me()), failing(menjin.me()), failing(menjin.login())]);
  for (const { code, status, retryable } of errors) assert.deepEqual([code, status, retryable], ["network", 0, true]);
  assert.deepEqual([wx.codes.length, times(wx, LOGIN), times(wx, ME)], [1, 2, 0]);
  await menjin.me();
  assert.equal(wx.codes.length, 2);
});

test("a page that somebody else serves in Menjin's place is not a sign-in", async () => {
  let count = 0;
  const portal = await serve((_, response) => {
    count += 1;
    response.end("<html>Welcome to this hotel</html>");
  });
  const { menjin, wx } = open({ baseURL: portal });
  const error = await failing(menjin.me());
  assert.deepEqual([error.code, error.status, error.retryable], ["bad_reply", 200, true]);
  assert.deepEqual([count, wx.codes.length, wx.stored.size], [2, 1, 0]);
});

test("a request whose reply is lost is not repeated", async () => {
  const between = await Between.start();
  const { menjin, wx } = open({ baseURL: between.url });
  await menjin.login();
  between.lose("/v1/user/setuser", 1);
  assert.equal((await failing(menjin.update({ nickname: "x" }))).code, "network");
  assert.equal(times(wx, "/v1/user/setuser"), 1);
});

test("without a network everything fails once and at once", async () => {
  const { menjin, wx } = open({ baseURL: "http://127.0.0.1:1" });
  const error = await failing(menjin.me());
  assert.deepEqual([error.code, error.status, error.retryable], ["network", 0, true]);
  assert.match(error.message, /ECONNREFUSED/);
  assert.deepEqual(wx.sent, [LOGIN, LOGIN]);
  assert.equal(menjin.session, null);

  const signedIn = open();
  await signedIn.menjin.login();
  const later = open({}, { wx: Object.assign(new Wx(), { stored: signedIn.wx.stored, request: offline }) });
  assert.equal((await failing(later.menjin.me())).code, "network");
  assert.ok(later.menjin.session, "what is known stays known");
});

function offline({ fail }) {
  fail({ errMsg: "request:fail net::ERR_INTERNET_DISCONNECTED" });
}

test("WeChat may not give a code", async () => {
  const wx = new Wx();
  wx.login = ({ fail }) => fail({ errMsg: "login:fail interrupted", errno: 600 });
  const { menjin } = open({}, { wx });
  const error = await failing(menjin.me());
  assert.deepEqual([error.code, error.message, error.retryable], ["login_failed", "login:fail interrupted", true]);
  wx.login = () => {};
  assert.equal((await failing(open({ timeout: 50 }, { wx }).menjin.me())).code, "timeout");
  assert.deepEqual(wx.sent, []);
});

test("a service that does not answer costs its time and no place", async () => {
  const silent = await serve(() => {});
  const { menjin, wx } = open({ services: [silent] });
  await menjin.login();
  const errors = await Promise.all(Array.from({ length: 20 }, () => failing(menjin.request({ url: `${silent}/`, timeout: 50 }))));
  for (const { code, retryable } of errors) assert.deepEqual([code, retryable], ["timeout", true]);
  assert.equal(wx.open, 0);
  await menjin.me();
});

test("fifty requests at once go out ten at a time, also from two clients", async () => {
  for (const old of [false, true]) {
    const { menjin, another, wx } = open({}, { old });
    const other = another({ storageKey: "other" });
    const replies = await Promise.all(Array.from({ length: 50 }, (_, index) => (index % 5 ? menjin : other).me()));
    assert.equal(new Set(replies.map(({ openid }) => openid)).size, 1);
    assert.ok(wx.peak <= 10, wx.peak);
    assert.equal(times(wx, ME), 50);
  }
});

test("a line that is too long refuses, and is open again when it is shorter", async () => {
  const held = [];
  const slow = await serve((_, response) => held.push(response));
  const { menjin, wx } = open({ services: [slow] });
  await menjin.login();
  const url = `${slow}/`;
  const fine = Array.from({ length: 210 }, () => menjin.request({ url }));
  const error = await failing(menjin.request({ url }));
  assert.deepEqual([error.code, error.retryable, wx.open], ["queue_full", true, 10]);
  const answering = setInterval(() => held.splice(0).forEach((response) => response.end()), 1);
  await Promise.all(fine);
  await menjin.request({ url });
  clearInterval(answering);
});

test("a service that never takes the token is asked twice", async () => {
  const seen = [];
  const service = await serve((request, response) => {
    seen.push(request.headers.authorization);
    response.writeHead(401, { "content-type": "application/json" }).end('{"error":"invalid_token"}');
  });
  const { menjin } = open({ services: [service] });
  const before = await signIns();
  const error = await failing(menjin.request({ url: `${service}/tickets`, method: "POST", data: { a: 1 } }));
  assert.deepEqual([error.code, error.status, error.retryable], ["invalid_token", 401, false]);
  assert.equal(seen.length, 2);
  assert.notEqual(seen[0], seen[1]);
  assert.equal((await signIns()) - before, 2, "one for the first, one for the second");
});

test("a proxy that says in a header alone that the token is over is understood", async () => {
  let count = 0;
  const service = await serve((_, response) => {
    count += 1;
    if (count > 1) response.writeHead(204).end();
    else response.writeHead(401, { "WWW-Authenticate": 'Bearer error="invalid_token"' }).end("<html>401</html>");
  });
  const { menjin } = open({ services: [service] });
  assert.equal(await menjin.request({ url: service }), undefined);
  assert.equal(count, 2);
});

test("any other 401 is an answer", async () => {
  let count = 0;
  const service = await serve((_, response) => {
    count += 1;
    response.writeHead(401, { "X-Request-Id": "r-1" }).end('{"error":"wrong_pin","message":"No."}');
  });
  const { menjin } = open({ services: [service] });
  const { code, status, message, requestId } = await failing(menjin.request({ url: `${service}/door` }));
  assert.deepEqual([code, status, message, requestId, count], ["wrong_pin", 401, "No.", "r-1", 1]);
});

test("the token goes nowhere else", async () => {
  let strangers = 0;
  const stranger = await serve((_, response) => {
    strangers += 1;
    response.end();
  });
  const friend = await serve((_, response) => response.writeHead(302, { location: `${stranger}/` }).end());
  const { menjin } = open({ services: [friend] });
  const { port } = new URL(friend);
  const { host } = new URL(stranger);
  const urls = [
    `${stranger}/`, `//127.0.0.1:${port}/`, `http://127.0.0.1:${port}@${host}/`, `http://${host}\\@127.0.0.1:${port}/`,
    `http://127.0.0.1:${port}.example.com/`, "v1/user/me", ".example.com/", "", "javascript:1",
    `${BASE}.example.com/`, `${BASE}0/`,
  ];
  for (const url of urls) assert.equal((await failing(menjin.request({ url }))).code, "bad_url", url);
  const redirected = await failing(menjin.request({ url: `${friend}/` }));
  assert.deepEqual([redirected.code, redirected.status], ["http_302", 302]);
  assert.equal(strangers, 0);
  await menjin.request({ url: `${BASE.toUpperCase()}${ME}`, header: { authorization: "Bearer mine", AUTHORIZATION: "x" } });
});

test("options that cannot be are refused at once", () => {
  for (const options of [{ baseURL: undefined }, { baseURL: "id.example.com" }, { services: ["repairs.example"] }]) {
    assert.throws(() => open(options), { name: "MenjinError", code: "bad_option" });
  }
});

test("bodies of every kind arrive as what they are", async () => {
  const bodies = {
    "/json": [200, "application/json", '{"a":1}', { a: 1 }],
    "/marked": [200, "text/plain", '\uFEFF{"a":[2]}', { a: [2] }],
    "/list": [201, "text/plain", "[1,2]", [1, 2]],
    "/text": [200, "text/plain", "hello", "hello"],
    "/brace": [200, "text/plain", "{not json", "{not json"],
    "/nothing": [204, "text/plain", "", undefined],
    "/empty": [200, "text/plain", "", undefined],
  };
  const service = await serve((request, response) => {
    const [status, type, body] = bodies[request.url];
    response.writeHead(status, { "content-type": type }).end(body);
  });
  const { menjin } = open({ services: [service] });
  for (const [path, [, , , wanted]] of Object.entries(bodies)) {
    same(await menjin.request({ url: service + path }), wanted, path);
  }
});

test("a request is sent as it was given", async () => {
  const seen = [];
  const service = await serve((request, response, body) => {
    const { authorization, "content-type": type, "x-mine": mine } = request.headers;
    seen.push([request.method, request.url, type, mine, String(body), typeof authorization]);
    response.end("{}");
  });
  const { menjin } = open({ services: [`${service}/`] });
  await menjin.request({ url: `${service}/a`, data: { q: "小荷" } });
  await menjin.request({ url: `${service}/b`, method: "PUT", data: { b: 1 }, header: { "X-Mine": "1" } });
  await menjin.request({ url: `${service}/c`, method: "POST", data: "a=b", header: { "Content-Type": "text/x" } });
  assert.deepEqual(seen, [
    ["GET", "/a?q=%E5%B0%8F%E8%8D%B7", undefined, undefined, "", "string"],
    ["PUT", "/b", "application/json", "1", '{"b":1}', "string"],
    ["POST", "/c", "text/x", undefined, "a=b", "string"],
  ]);
});

test("a token that was revoked elsewhere is replaced once", async () => {
  for (const old of [false, true]) {
    const { menjin, wx } = open({}, { old });
    await menjin.login();
    await revoke(wx.token);
    const before = await signIns();
    await Promise.all(Array.from({ length: 20 }, () => menjin.me()));
    assert.equal((await signIns()) - before, 1);
    assert.equal(wx.codes.length, 2);
    assert.ok(times(wx, ME) <= 40, "nothing is sent more than twice");
  }
});

test("a refusal that comes when others have a new token already costs nothing", async () => {
  const between = await Between.start();
  const { menjin, wx } = open({ baseURL: between.url });
  await menjin.login();
  await revoke(wx.token);
  const held = between.hold(ME, "reply");
  const late = menjin.me();
  await held.here;
  await menjin.me();
  held.release();
  await late;
  assert.deepEqual([wx.codes.length, times(wx, ME)], [2, 4]);
});

test("a token is renewed ahead of its end, by a clock that is ten years behind", async () => {
  const { menjin, wx, clock } = open();
  clock.skew = -87_600 * HOUR;
  await menjin.login();
  clock.skew += HOUR / 2;
  await menjin.me();
  assert.equal(wx.codes.length, 1);
  clock.skew += HOUR / 2 - 59_000;
  await menjin.me();
  assert.equal(wx.codes.length, 2, "with most of a minute left");
  clock.skew -= HOUR / 2;
  await menjin.me();
  assert.equal(wx.codes.length, 3, "a clock that was put back says nothing of the end");
  assert.deepEqual(wx.sent, [LOGIN, ME, LOGIN, ME, LOGIN, ME]);
});

test("a storage that fails is done without", async () => {
  const wx = new Wx();
  const full = () => {
    throw new Error("setStorageSync:fail exceed storage max size");
  };
  Object.assign(wx, { getStorageSync: full, setStorageSync: full, removeStorageSync: full });
  const { menjin } = open({}, { wx });
  await menjin.me();
  await menjin.me();
  assert.equal(wx.codes.length, 1);
  await menjin.logout();
  assert.equal(menjin.session, null);
});

test("a storage that holds nonsense is not believed", async () => {
  for (const stored of ['"x"', "[]", "{}", '{"token":7}', `{"base":"${BASE}","token":"x","from":0,"until":9e99}`]) {
    const wx = new Wx();
    wx.stored.set("menjin", stored);
    const { menjin } = open({}, { wx });
    assert.equal(menjin.session, null);
    await menjin.me();
  }
});
