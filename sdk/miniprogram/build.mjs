// Builds what a mini program installs, minified: one CommonJS file that WeChat's developer tools copy as it is, and the
// same as a module for uni-app and Taro. With --check nothing is left behind; --into FOLDER puts it elsewhere.
// Fails if the file has grown past what was promised.

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const MOST_BYTES = 6 * 1024;
const here = dirname(fileURLToPath(import.meta.url));
const { values } = parseArgs({
  options: { check: { type: "boolean" }, into: { type: "string" }, target: { type: "string", default: "es2017" } },
});
const passing = values.check ? mkdtempSync(join(tmpdir(), "menjin-sdk-")) : undefined;
const into = passing ?? resolve(values.into ?? here);

const bundle = (format, file) =>
  build({
    absWorkingDir: here,
    entryPoints: ["src/index.ts"],
    bundle: true,
    minify: true,
    charset: "utf8",
    platform: "neutral",
    target: values.target,
    format,
    outfile: join(into, file),
    logLevel: "warning",
  });

try {
  await Promise.all([bundle("cjs", "miniprogram_dist/index.js"), bundle("esm", "dist/index.mjs")]);
  const bytes = gzipSync(readFileSync(join(into, "miniprogram_dist/index.js")), { level: 9 }).length;
  if (values.target === "es2017" && bytes > MOST_BYTES) {
    console.error(`build.mjs: index.js has ${bytes} bytes gzipped, ${MOST_BYTES} are promised`);
    process.exitCode = 1;
  }
} finally {
  if (passing) rmSync(passing, { recursive: true });
}
