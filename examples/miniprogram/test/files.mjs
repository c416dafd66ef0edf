// What WeChat's developer tools would complain about when the project is opened.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./modules.mjs";
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
  for (const theme of Object.values(json(app.themeLocation))) assert.deepEqual(Object.keys(theme).sort(), colours.sort());
  for (const page of app.pages) pageIsWhole(page, app.pages);
  const folders = names.filter((name) => name.startsWith("pages/") && name.endsWith(".js")).map((name) => name.slice(0, -3));
  assert.deepEqual(folders.sort(), [...app.pages].sort(), "pages that app.json names, and pages that are there");
}

function pageIsWhole(page, pages) {
  for (const kind of ["js", "json", "wxml", "wxss"]) assert.ok(existsSync(join(ROOT, `${page}.${kind}`)), `${page}.${kind}`);
  const script = read(`${page}.js`);
  for (const { tag, attributes } of elements(parse(read(`${page}.wxml`), `${page}.wxml`))) {
    for (const [name, handler] of Object.entries(attributes)) {
      if (!/^(bind|catch)/.test(name)) continue;
      assert.match(script, new RegExp(`^  (async )?${handler}\\(`, "m"), `${page}.js has no ${handler}, which <${tag} ${name}> names`);
    }
    if (attributes.url) assert.ok(pages.includes(attributes.url.slice(1)), `${page}.wxml leads to ${attributes.url}`);
  }
}

function bracesClose(name) {
  const text = read(name);
  const count = (mark) => text.split(mark).length;
  assert.equal(count("{"), count("}"), name);
}

/** Opened as it is, it asks the server that script/server starts, as WeChat's test account. */
export async function itOpensAsItIs() {
  const project = json("project.config.json");
  assert.equal(project.appid, "touristappid");
  assert.equal(project.setting.urlCheck, false);
  const config = execFileSync(process.execPath, ["-p", 'JSON.stringify(require("./config.js"))'], { cwd: ROOT, encoding: "utf8" });
  assert.equal(JSON.parse(config).menjin, "http://127.0.0.1:8080");
}
