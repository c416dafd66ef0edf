// The package as npm makes it, installed into a mini program, and what WeChat's developer tools then do with it.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { before, test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import vm from "node:vm";

const NAME = "menjin-miniprogram";
const source = join(dirname(fileURLToPath(import.meta.url)), "..");
const copy = join(process.env.TMPDIR, "source");
const app = join(process.env.TMPDIR, "app");
const installed = join(app, "node_modules", NAME);
const read = (...path) => readFileSync(join(...path), "utf8");

function run(program, args, cwd) {
  const env = { ...process.env, npm_config_cache: join(process.env.TMPDIR, "npm"), npm_config_update_notifier: "false" };
  try {
    return execFileSync(program, args, { cwd, env, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  } catch ({ stdout, stderr }) {
    return assert.fail(`${program} ${args.join(" ")}: ${stdout}${stderr}`);
  }
}

before(() => {
  // Packed where nothing was built before.
  cpSync(source, copy, { recursive: true, filter: (path) => !/(node_modules|dist|miniprogram_dist)$/.test(path) });
  symlinkSync(join(source, "node_modules"), join(copy, "node_modules"));
  const [{ filename }] = JSON.parse(run("npm", ["pack", "--json", "--silent"], copy));
  mkdirSync(app);
  writeFileSync(join(app, "package.json"), '{"name": "app", "private": true}');
  run("npm", ["install", "--offline", "--no-audit", "--no-fund", join(copy, filename)], app);
});

test("what is installed is what is needed, and nothing comes along", () => {
  assert.deepEqual(readdirSync(join(app, "node_modules")).filter((name) => !name.startsWith(".")), [NAME]);
  assert.deepEqual(readdirSync(installed).sort(), [
    "LICENSE", "README.md", "dist", "miniprogram_dist", "package.json",
  ]);
  assert.equal(JSON.parse(read(installed, "package.json")).dependencies, undefined);
});

test("it is built as a package for mini programs", () => {
  const { dependencies } = JSON.parse(read(app, "package.json"));
  assert.deepEqual(Object.keys(dependencies), [NAME], "what is built is what the dependencies name");
  const { miniprogram } = JSON.parse(read(installed, "package.json"));
  const built = join(app, "miniprogram_npm", NAME);
  cpSync(join(installed, miniprogram), built, { recursive: true });
  for (const name of readdirSync(built)) assert.match(name, /^\w+(\.d\.ts|\.js)$/);

  const code = read(built, "index.js");
  assert.doesNotMatch(code, /\b(require|eval|Function|Proxy|process|Buffer|URL|fetch|atob)\s*\(|\bimport\b/);
  const module = { exports: {} };
  vm.runInNewContext(code, { module, exports: module.exports }, { contextCodeGeneration: { strings: false } });
  assert.deepEqual(Object.keys(module.exports).sort(), ["MenjinError", "createMenjin"]);
});

test("uni-app and Taro find it by every entry", async () => {
  const manifest = JSON.parse(read(installed, "package.json"));
  for (const entry of ["main", "module", "types"]) assert.ok(read(installed, manifest[entry]), entry);
  assert.match(manifest.main, /\.js$/);
  const required = createRequire(join(app, "app.js"))(NAME);
  const imported = await import(pathToFileURL(join(installed, manifest.exports["."].import)));
  for (const { createMenjin, MenjinError } of [required, imported]) {
    assert.equal(createMenjin({ baseURL: "https://id.example.com" }).session, null);
    assert.ok(new MenjinError("timeout", "late") instanceof Error);
  }
});

const SAMPLE = `
import { createMenjin, MenjinError, type Me, type Schemas, type Session } from "${NAME}";
const menjin = createMenjin({ baseURL: "https://id.example.com", services: ["https://repairs.example.com"] });
export async function run(event: { detail: { code: string } }): Promise<number | undefined> {
  const session: Session = await menjin.login();
  const me: Me = await menjin.me();
  const tickets = await menjin.request<{ id: number }[]>({ url: "https://repairs.example.com/tickets" });
  const { status } = await menjin.register("13800138000", { consent: "2026-01" });
  if (status === "user_exists") return tickets[0]?.id;
  await menjin.registerByPhoneButton(event);
  await menjin.update({ nickname: "x", dormitory: "7" });
  // @ts-expect-error A guest has no number.
  me.uid;
  // @ts-expect-error There is no such option.
  createMenjin({ baseUrl: "https://id.example.com" });
  const account: Schemas["Account"] | false = me.registered && me;
  return account ? account.uid : session.uid;
}
export const wait = (error: unknown): number => (error instanceof MenjinError && error.retryable && error.retryAfter) || 0;
`;

test("its types are right, however they are looked for", () => {
  writeFileSync(join(app, "sample.ts"), SAMPLE);
  const tsc = join(source, "node_modules/typescript/bin/tsc");
  const ways = [["esnext", "bundler"], ["node16", "node16"], ["commonjs", "node10"]];
  for (const [module, resolution] of ways) {
    const options = ["--module", module, "--moduleResolution", resolution];
    run("node", [tsc, "sample.ts", "--noEmit", "--strict", "--target", "es2017", "--lib", "es2017", ...options], app);
  }
});
