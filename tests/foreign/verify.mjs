// Checks an access token as a service on Node would, with jose.
//
// verify.mjs JWKS-FILE TOKEN ISSUER AUDIENCE prints the subject, or says why not and exits 1.

import { readFile } from "node:fs/promises";
import { createLocalJWKSet, errors, jwtVerify } from "jose";

const [keys, token, issuer, audience] = process.argv.slice(2);
const published = createLocalJWKSet(JSON.parse(await readFile(keys, "utf8")));
// Left to itself, jose also takes a token without `kid` if only one key fits its algorithm.
function named(header, jws) {
  if (!header.kid) throw new errors.JWKSNoMatchingKey();
  return published(header, jws);
}

try {
  const { payload } = await jwtVerify(token, named, {
    algorithms: ["ES256", "EdDSA"],
    audience,
    issuer,
    requiredClaims: ["exp", "sub"],
    typ: "at+jwt",
  });
  console.log(payload.sub);
} catch (error) {
  if (!(error instanceof errors.JOSEError)) throw error;
  console.error(`${error.code}: ${error.message}`);
  process.exitCode = 1;
}
