// Loads the mini program's scripts as WeChat does: CommonJS, in a world of their own that has none of Node's
// globals, without eval, and with npm packages where "构建 npm" puts what their `miniprogram` field names. `MENJIN_SDK`
// is a folder that another build of the package was put into.

import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import vm from "node:vm";

export const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** A loader over `globals`; `instead` maps paths below the root to what they export in place of the file. */
export function loader(globals, instead) {
  const world = vm.createContext({ ...globals }, { codeGeneration: { strings: false, wasm: false } });
  const loaded = new Map();
  const load = (path) => {
    if (!loaded.has(path)) {
      const module = { exports: {} };
      loaded.set(path, module);
      const given = instead[path.slice(ROOT.length)];
      if (given) module.exports = given;
      else run(world, path, module, (wanted) => load(found(wanted, dirname(path))));
    }
    return loaded.get(path).exports;
  };
  return (path) => load(join(ROOT, path));
}

function run(world, path, module, require) {
  const text = `(function (require, module, exports) {${readFileSync(path, "utf8")}\n})`;
  new vm.Script(text, { filename: path }).runInContext(world)(require, module, module.exports);
}

function found(wanted, from) {
  if (!wanted.startsWith(".")) return packed(wanted);
  const path = resolve(from, wanted.endsWith(".js") ? wanted : `${wanted}.js`);
  assert.ok(existsSync(path), `${wanted} is not there from ${from}`);
  return path;
}

function packed(name) {
  const folder = join(ROOT, "node_modules", name);
  assert.ok(existsSync(folder), `${name} is not installed: npm ci in examples/miniprogram`);
  const { miniprogram } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const path = join(process.env.MENJIN_SDK ?? folder, miniprogram, "index.js");
  assert.ok(existsSync(path), `${name} is not built: npm run build in sdk/miniprogram`);
  return path;
}
