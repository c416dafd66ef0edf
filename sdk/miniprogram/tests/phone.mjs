// A phone with WeChat on it, as far as a mini program can tell: `wx` over real HTTP, with codes that the simulator gives
// out, at most ten connections, a storage, and a clock and promises of its own. Nothing of Node is there.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import http from "node:http";
import { join } from "node:path";
import vm from "node:vm";

const APPID = "wx1234567890abcdef";
const REFERER = `https://servicewechat.com/${APPID}/0/page-frame.html`;
const MOST = 10;

/** The server under test, and where the simulator's controls are. */
export const BASE = process.env.MENJIN_BASE;
export const SIMULATOR = process.env.MENJIN_SIMULATOR ?? BASE;
const BUILT = process.env.MENJIN_SDK;

/** Asks over HTTP, with nothing of WeChat's in between. */
export function ask(url, { method = "GET", headers = {}, body, watch = () => {} } = {}) {
  return new Promise((resolve, reject) => {
    const request = http.request(url, { method, headers, agent: false }, (response) => {
      const parts = [];
      response.on("data", (part) => parts.push(part));
      response.on("error", reject);
      response.on("aborted", () => reject(new Error("aborted")));
      response.on("end", () => {
        resolve({ status: response.statusCode, header: response.headers, text: Buffer.concat(parts).toString() });
      });
    });
    request.on("error", reject);
    watch(request);
    request.end(body);
  });
}

/** Uses one of the simulator's controls. */
export async function control(path, body, method = body ? "POST" : "GET") {
  const reply = await ask(`${SIMULATOR}/simulator/${path}`, { method, body: body && JSON.stringify(body) });
  assert.equal(reply.status, 200, reply.text);
  return JSON.parse(reply.text);
}

/** How often WeChat was asked who somebody is. */
export const signIns = async () => (await control("calls")).paths["/sns/jscode2session"] ?? 0;

/** Has a token refused from now on, behind the mini program's back. */
export async function revoke(token) {
  const reply = await ask(`${BASE}/v1/user/logout`, { method: "POST", headers: { authorization: `Bearer ${token}` } });
  assert.equal(reply.status, 200, reply.text);
}

/** The name of somebody who was never here. */
export const somebody = () => `person ${randomUUID()}`;

/** What `wx` is; `stored` is the storage, `codes` are those it gave out, `sent` are the addresses it asked. */
export class Wx {
  stored = new Map();
  codes = [];
  sent = [];
  open = 0;
  peak = 0;

  constructor(person = somebody()) {
    this.person = person;
  }

  login({ success, fail }) {
    control("login", { person: this.person }).then(
      ({ code }) => {
        this.codes.push(code);
        success({ code, errMsg: "login:ok" });
      },
      (error) => fail({ errMsg: `login:fail ${error.message}` }),
    );
  }

  request({ url, data, header = {}, method = "GET", success, fail, redirect = "follow", timeout = 60_000 }) {
    const headers = { ...header, referer: REFERER };
    const names = Object.keys(headers).map((name) => name.toLowerCase());
    assert.equal(new Set(names).size, names.length, `a header twice: ${names}`);
    let body = data;
    let address = url;
    if (method === "GET" && data) {
      address += `?${new URLSearchParams(data)}`;
      body = undefined;
    } else if (data && typeof data === "object") {
      body = JSON.stringify(data);
    }
    const finish = (reply) => {
      const { location } = reply.header;
      if (location && redirect === "follow") return this.request({ url: location, header, success, fail });
      return success({ statusCode: reply.status, header: reply.header, data: lenient(reply.text), errMsg: "request:ok" });
    };
    return this.connect(address, { method, headers, body }, timeout, finish, fail);
  }

  uploadFile({ url, filePath, name, header = {}, success, fail, timeout = 60_000 }) {
    const edge = "----phone";
    const file = `Content-Disposition: form-data; name="${name}"; filename="tmp.png"\r\nContent-Type: image/png\r\n\r\n`;
    const body = Buffer.concat([Buffer.from(`--${edge}\r\n${file}`), readFileSync(filePath), Buffer.from(`\r\n--${edge}--\r\n`)]);
    const headers = { ...header, referer: REFERER, "content-type": `multipart/form-data; boundary=${edge}` };
    const finish = (reply) => success({ statusCode: reply.status, data: reply.text, errMsg: "uploadFile:ok" });
    return this.connect(url, { method: "POST", headers, body }, timeout, finish, fail);
  }

  getStorageSync(key) {
    return this.stored.has(key) ? JSON.parse(this.stored.get(key)) : "";
  }

  setStorageSync(key, value) {
    this.stored.set(key, JSON.stringify(value));
  }

  removeStorageSync(key) {
    this.stored.delete(key);
  }

  /** The token that the mini program keeps. */
  get token() {
    return this.getStorageSync("menjin").token;
  }

  connect(url, options, timeout, finish, fail) {
    assert.ok(this.open < MOST, "request:fail exceed max task count");
    this.open += 1;
    this.peak = Math.max(this.peak, this.open);
    this.sent.push(new URL(url).pathname);
    let over = false;
    let request;
    const end = (then) => {
      if (over) return;
      over = true;
      clearTimeout(timer);
      this.open -= 1;
      then();
    };
    const abort = (why) => {
      end(() => fail({ errMsg: `request:fail ${why}` }));
      request.destroy();
    };
    const timer = setTimeout(() => abort("timeout"), timeout);
    ask(url, { ...options, watch: (started) => (request = started) }).then(
      (reply) => end(() => finish(reply)),
      (error) => end(() => fail({ errMsg: `request:fail ${error.message}` })),
    );
    return { abort: () => abort("abort") };
  }
}

/** What wx.request makes of a body: JSON if it can be read as that, text otherwise. */
function lenient(text) {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** As on iOS up to 15: what waits for a promise runs in a task of its own, in no order to rely on. */
const LATE = `{
  const then = Promise.prototype.then;
  Promise.prototype.then = function (kept, broken) {
    return new Promise((resolve, reject) => {
      const late = (run, otherwise) => (value) => setTimeout(() => {
        if (typeof run !== "function") return otherwise(value);
        try { resolve(run(value)); } catch (error) { reject(error); }
      }, Math.random() * 4);
      then.call(this, late(kept, resolve), late(broken, reject));
    });
  };
}`;

/**
 * Loads the built package where there is nothing but the language, `wx`, `console` and timers, and where text cannot
 * become code. `skew` is how far the phone's clock is off, in milliseconds, and may be moved.
 */
export function load(wx, { old = false } = {}) {
  const clock = { skew: 0 };
  const module = { exports: {} };
  const globals = { module, exports: module.exports, console, setTimeout, clearTimeout };
  if (wx) globals.wx = wx;
  const context = vm.createContext(globals, { codeGeneration: { strings: false, wasm: false } });
  if (old) vm.runInContext(LATE, context);
  const now = vm.runInContext("Date", context);
  now.now = () => Date.now() + clock.skew;
  const file = join(BUILT, old ? "es2015" : "es2017", "miniprogram_dist/index.js");
  vm.runInContext(readFileSync(file, "utf8"), context, { filename: file });
  return { ...module.exports, clock, globals };
}

/** Somebody new with the mini program open; `another` makes a second client in it. */
export function open(options = {}, { wx = new Wx(), old } = {}) {
  const { createMenjin, clock } = load(wx, { old });
  const another = (more) => createMenjin({ baseURL: BASE, ...options, ...more });
  return { menjin: another(), another, clock, wx };
}

/** The error of something that has to fail. */
export async function failing(promise) {
  try {
    await promise;
  } catch (error) {
    assert.equal(error.name, "MenjinError", error.stack);
    return error;
  }
  return assert.fail("it did not fail");
}

/** The objects of the mini program are of another realm; this compares what is in them. */
export const same = (actual, expected, message) =>
  assert.deepEqual(actual === undefined ? actual : JSON.parse(JSON.stringify(actual)), expected, message);
