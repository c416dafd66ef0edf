// Drives the example as a person would, against a running `menjin dev` and its simulator.
//
//     node test/run.mjs <base-url>
//
// Menjin has to name repairs as an audience (MENJIN_TOKEN__AUDIENCE). With `IMPORTED` set to the
// number of an imported account, that account is taken over too.

import { everyFailureIsSaidInChinese, everyFileIsInOrder, itOpensAsItIs } from "./files.mjs";
import { PROFILE_CHECKS } from "./profile.mjs";
import { REGISTER_CHECKS } from "./register.mjs";
import { startLine, startService } from "./service.mjs";
import { SIGN_IN_CHECKS } from "./signing.mjs";
import { World } from "./world.mjs";

const CHECKS = [everyFileIsInOrder, itOpensAsItIs, everyFailureIsSaidInChinese, ...SIGN_IN_CHECKS, ...REGISTER_CHECKS,
  ...PROFILE_CHECKS];
const LONGEST_MS = 120_000;

async function main() {
  const [given] = process.argv.slice(2);
  if (!given) throw new Error("usage: node test/run.mjs <base-url>");
  const base = new URL(given).origin;
  const watchdog = setTimeout(() => {
    console.error(`mini program: not done after ${LONGEST_MS / 1000} s`);
    process.exit(1);
  }, LONGEST_MS);
  const [service, line] = [await startService(base), await startLine(base)];
  const world = new World(base, service, line);
  try {
    for (const check of CHECKS) {
      await check(world).catch((error) => {
        throw new Error(`${check.name}: ${error.message}`, { cause: error });
      });
      console.log(`${check.name}: ok`);
    }
  } finally {
    clearTimeout(watchdog);
    service.stop();
    line.stop();
  }
  console.log("mini program: ok");
}

main().catch((error) => {
  console.error(error.stack, error.cause?.stack ?? "");
  process.exitCode = 1;
});
