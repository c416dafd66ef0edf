// wx.request and wx.uploadFile over real connections, as WeChat documents them: any HTTP status is a success,
// the Referer is WeChat's, at most ten at a time.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import http from "node:http";
import { basename } from "node:path";

const AT_ONCE = 10;
const REFERER = "https://servicewechat.com/touristappid/devtools/page-frame.html";

/** The two calls, for a phone that `phone` counts requests of and hands failures to. */
export function network(phone) {
  let busy = 0;
  const send = (options, name, { method, headers, body, url }) => {
    busy += 1;
    assert.ok(busy <= AT_ONCE, "more than ten requests at once");
    phone.requests.push({ url, method, headers });
    let over = false;
    const end = (outcome, answer) => {
      if (over) return;
      over = true;
      busy -= 1;
      phone.calls(() => {
        options[outcome]?.(answer);
        options.complete?.(answer);
      });
    };
    const sent = { method, headers: { ...headers, Referer: REFERER }, agent: false };
    const request = http.request(url, sent, (reply) => {
      const parts = [];
      reply.on("data", (part) => parts.push(part));
      reply.on("error", () => end("fail", { errMsg: `${name}:fail`, errno: 600001 }));
      reply.on("end", () => {
        const data = Buffer.concat(parts).toString();
        end("success", { data, statusCode: reply.statusCode, header: reply.headers, errMsg: `${name}:ok` });
      });
    });
    request.setTimeout(options.timeout ?? 60_000, () => {
      end("fail", { errMsg: `${name}:fail timeout`, errno: 5 });
      request.destroy();
    });
    request.on("error", () => end("fail", { errMsg: `${name}:fail`, errno: 600001 }));
    request.end(body);
    return { abort: () => { end("fail", { errMsg: `${name}:fail abort` }); request.destroy(); } };
  };
  return {
    request: (options) => send(parsing(options), "request", requestOf(options)),
    uploadFile: (options) => send(options, "uploadFile", uploadOf(options)),
  };
}

// Text that is JSON is parsed, whatever its content type says; other text stays text.
function parsing(options) {
  const success = (answer) => {
    try {
      answer.data = JSON.parse(answer.data);
    } catch {
      // It stays as it is.
    }
    options.success?.(answer);
  };
  return { ...options, success };
}

function requestOf({ url, method = "GET", header: given = {}, data }) {
  const header = { ...given };
  if (!Object.keys(header).some((name) => /^content-type$/i.test(name))) header["Content-Type"] = "application/json";
  if (method !== "GET") {
    const body = typeof data === "string" ? data : JSON.stringify(data ?? {});
    return { url, method, headers: { ...header, "Content-Length": Buffer.byteLength(body) }, body };
  }
  const target = new URL(url);
  for (const [name, value] of Object.entries(data ?? {})) target.searchParams.set(name, value);
  return { url: target.href, method, headers: header };
}

function uploadOf({ url, filePath, name, header = {} }) {
  const mark = "----menjin-example";
  const head = `--${mark}\r\nContent-Disposition: form-data; name="${name}"; filename="${basename(filePath)}"\r\n` +
    "Content-Type: application/octet-stream\r\n\r\n";
  const body = Buffer.concat([Buffer.from(head), readFileSync(filePath), Buffer.from(`\r\n--${mark}--\r\n`)]);
  const headers = { ...header, "Content-Type": `multipart/form-data; boundary=${mark}`, "Content-Length": body.length };
  return { url, method: "POST", headers, body };
}
