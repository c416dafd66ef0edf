// The platform below: wx, uni or Taro, made to answer with promises that always end.

import { MenjinError, type Reply, members } from "./errors.js";
import { Line } from "./line.js";
import type { Adapter, Method } from "./types.js";

declare const wx: unknown;
declare const uni: unknown;
declare const setTimeout: (run: () => void, milliseconds: number) => unknown;
declare const clearTimeout: (timer: unknown) => void;

/** A request, complete with its headers. */
export interface Call {
  url: string;
  method: Method;
  data?: unknown;
  header: Record<string, string>;
  timeout: number;
}

// All clients of one platform stand in one line: the ten places are the mini program's.
const lines = new WeakMap<object, Line>();

const usable = (platform: unknown): platform is Adapter => typeof members(platform).request === "function";

/** Looked for when it is needed: a framework may bring it after this module was loaded. */
function detect(): Adapter {
  // On a web page inside WeChat there is a wx that cannot send requests.
  if (typeof wx !== "undefined" && usable(wx)) return wx;
  if (typeof uni !== "undefined" && usable(uni)) return uni;
  throw new MenjinError("bad_option", "adapter: neither wx nor uni is there; with Taro, createMenjin({ adapter: Taro })");
}

/** The error behind what a platform calls a failure. */
function broken(cause: unknown, code: string): MenjinError {
  const { errMsg, message } = members(cause);
  const words = String(errMsg || message || "no reply");
  return new MenjinError(/time\s?-?out/i.test(words) ? "timeout" : code, words, { retryable: true });
}

function attempt(run: () => unknown): void {
  try {
    run();
  } catch (_) {
    // It was to be tried, no more.
  }
}

/**
 * Waits for one of two callbacks, and no longer than `timeout` milliseconds: not every platform keeps to the time
 * that it is told.
 */
function once<T>(
  timeout: number,
  code: string,
  start: (succeed: (value: T) => void, fail: (cause: unknown) => void) => unknown,
): Promise<T> {
  return new Promise((resolve, reject) => {
    let task: unknown;
    const timer = setTimeout(() => {
      reject(new MenjinError("timeout", `no reply within ${timeout} ms`, { retryable: true }));
      attempt(() => (members(task).abort as () => void).call(task));
    }, timeout);
    const succeed = (value: T): void => {
      clearTimeout(timer);
      resolve(value);
    };
    const fail = (cause: unknown): void => {
      clearTimeout(timer);
      reject(broken(cause, code));
    };
    try {
      task = start(succeed, fail);
      // Taro's is a promise besides, whose rejection nobody would look at.
      if (typeof members(task).then === "function") (task as Promise<unknown>).then(undefined, () => undefined);
    } catch (cause) {
      fail(cause);
    }
  });
}

/** Parses what looks like JSON and was left as text, as after every upload. */
function parsed(data: unknown): unknown {
  if (data === "" || data === null) return undefined;
  if (typeof data !== "string" || !/^\uFEFF?\s*[[{]/.test(data)) return data;
  try {
    return JSON.parse(data.replace(/^\uFEFF/, ""));
  } catch (_) {
    return data;
  }
}

function replyOf(result: unknown): Reply {
  const { statusCode, header, data } = members(result);
  const status = Number(statusCode);
  return { status, header: members(header), body: status === 204 ? undefined : parsed(data) };
}

export class Platform {
  constructor(private readonly given: Adapter | undefined) {}

  get adapter(): Adapter {
    return this.given || detect();
  }

  /** The line of this platform. */
  get line(): Line {
    const { adapter } = this;
    let line = lines.get(adapter);
    if (!line) lines.set(adapter, (line = new Line()));
    return line;
  }

  /** A code of `wx.login()`, a new one each time. */
  async code(timeout: number): Promise<string> {
    const { adapter } = this;
    const result = await once<unknown>(timeout, "login_failed", (success, fail) =>
      adapter.login({ timeout, success, fail }),
    );
    const { code } = members(result);
    if (typeof code === "string" && code) return code;
    throw new MenjinError("login_failed", "wx.login() gave no code", { retryable: true });
  }

  /** Sends a request. A redirect is not followed: the token would go along. */
  async request(call: Call): Promise<Reply> {
    const { adapter } = this;
    const { url, method, data, header, timeout } = call;
    const options = { url, method, header, timeout, dataType: "json", redirect: "manual" };
    return replyOf(
      await once(timeout, "network", (success, fail) =>
        adapter.request(Object.assign(options, data === undefined ? {} : { data }, { success, fail })),
      ),
    );
  }

  /** Sends a file as the part `file`. */
  async upload(url: string, filePath: string, header: Record<string, string>, timeout: number): Promise<Reply> {
    const { adapter } = this;
    return replyOf(
      await once(timeout, "network", (success, fail) =>
        adapter.uploadFile({ url, filePath, name: "file", header, timeout, success, fail }),
      ),
    );
  }

  /** What was stored under the key; a storage that fails holds nothing. */
  load(key: string): unknown {
    let found: unknown;
    attempt(() => {
      found = this.adapter.getStorageSync(key);
    });
    return found;
  }

  /** Stores it, or removes the key. If that fails, it is kept as long as the mini program runs. */
  save(key: string, value: unknown): void {
    attempt(() => (value ? this.adapter.setStorageSync(key, value) : this.adapter.removeStorageSync(key)));
  }
}
