// What WeChat's developer tools would complain about when the project is opened.

import assert from "node:assert/strict";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { ROOT, loader } from "./modules.mjs";
import { elements, parse } from "./wxml.mjs";

const read = (name) => readFileSync(join(ROOT, name), "utf8");
const json = (name) => JSON.parse(read(name));

function all(folder = "") {
  return readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    const name = folder + entry.name;
    if (["node_modules", "miniprogram_npm", "test"].includes(entry.name)) return [];
    return entry.isDirectory() ? all(`${name}/`) : [name];
  });
}

export async function everyFileIsInOrder() {
  const names = all();
  for (const name of names.filter((one) => one.endsWith(".json"))) json(name);
  for (const name of names.filter((one) => one.endsWith(".wxss"))) bracesClose(name);
  const app = json("app.json");
  for (const name of [app.sitemapLocation, app.themeLocation]) assert.ok(existsSync(join(ROOT, name)), name);
  const colours = Object.values(app.window).filter((value) => value.startsWith("@")).map((value) => value.slice(1));
  for (const theme of Object.values(json(app.themeLocation))) {
    assert.deepEqual(Object.keys(theme).sort(), colours.sort());
  }
  for (const page of app.pages) pageIsWhole(page, app.pages);
  const scripts = names.filter((name) => name.startsWith("pages/") && name.endsWith(".js"));
  const there = scripts.map((name) => name.slice(0, -3)).sort();
  assert.deepEqual(there, [...app.pages].sort(), "pages that are there, and pages that app.json names");
}

function pageIsWhole(page, pages) {
  for (const kind of ["js", "json", "wxml", "wxss"]) {
    assert.ok(existsSync(join(ROOT, `${page}.${kind}`)), `${page}.${kind}`);
  }
  const script = read(`${page}.js`);
  for (const { tag, attributes } of elements(parse(read(`${page}.wxml`), `${page}.wxml`))) {
    for (const [name, handler] of Object.entries(attributes)) {
      if (!/^(bind|catch)/.test(name)) continue;
      const declared = new RegExp(`^  (async )?${handler}\\(`, "m");
      assert.match(script, declared, `${page}.js has no ${handler}, which <${tag} ${name}> names`);
    }
    if (attributes.url) assert.ok(pages.includes(attributes.url.slice(1)), `${page}.wxml leads to ${attributes.url}`);
  }
}

function bracesClose(name) {
  const text = read(name);
  const count = (mark) => text.split(mark).length;
  assert.equal(count("{"), count("}"), name);
}

/** Whatever fails, what the person reads is Chinese, whether or not there are words of its own for it. */
export async function everyFailureIsSaidInChinese() {
  const explain = loader({}, { "config.js": { person: "" } })("words.js");
  const codes = [...read("words.js").matchAll(/^  (\w+): /gm)].map(([, code]) => code);
  assert.ok(codes.length > 20);
  const failures = codes.map((code) => ({ code, status: 400 }));
  for (const status of [0, 400, 404, 429, 500, 503]) {
    failures.push({ code: "something_new", status, message: "something new", requestId: "1-2-3", retryAfter: 90 });
  }
  failures.push({ code: "too_many_requests", status: 429, retryAfter: 3600 }, new TypeError("a slip"));
  for (const failure of failures) {
    const said = explain(failure);
    assert.match(said, /[\u4e00-\u9fff]{4}/, `${failure.code}: ${said}`);
    assert.doesNotMatch(said.replace(/JPG|PNG|WebP|MB/g, ""), /[A-Za-z]/, `${failure.code}: ${said}`);
  }
}

/** Opened as it is, it asks the server that script/server starts, as WeChat's test account. */
export async function itOpensAsItIs() {
  const project = json("project.config.json");
  assert.equal(project.appid, "touristappid");
  assert.equal(project.setting.urlCheck, false);
  assert.equal(loader({}, {})("config.js").menjin, "http://127.0.0.1:8080");
}
