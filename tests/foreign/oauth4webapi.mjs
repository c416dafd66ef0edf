// Checks a token, asks about it and takes it back, as a service on any runtime of JavaScript would,
// with oauth4webapi, which holds to the letter of the standards.
//
// oauth4webapi.mjs ISSUER ID SECRET basic|form TOKEN prints what the token is before and after, a
// line of JSON each, or says why not and exits 1.

import { webcrypto } from "node:crypto";
import * as oauth from "oauth4webapi";

// Node 18 has it under this name alone.
globalThis.crypto ??= webcrypto;
const [issuer, id, secret, way, token] = process.argv.slice(2);
const authenticate =
  way === "basic" ? oauth.ClientSecretBasic(secret) : oauth.ClientSecretPost(secret);
const loopback = { [oauth.allowInsecureRequests]: true };
const client = { client_id: id };

async function discover(algorithm) {
  const url = new URL(issuer);
  const reply = await oauth.discoveryRequest(url, { algorithm, ...loopback });
  return oauth.processDiscoveryResponse(url, reply);
}

async function introspect(menjin) {
  const reply = await oauth.introspectionRequest(menjin, client, authenticate, token, loopback);
  return oauth.processIntrospectionResponse(menjin, client, reply);
}

try {
  const menjin = await discover("oauth2");
  const headers = { authorization: `Bearer ${token}` };
  // RFC 9068, with the key set that the metadata names.
  const claims = await oauth.validateJwtAccessToken(
    await discover("oidc"),
    new Request("https://repairs.test/", { headers }),
    "repairs",
    loopback,
  );
  const before = await introspect(menjin);
  if (before.active && before.sub !== claims.sub) throw new Error("two subjects");
  console.log(JSON.stringify(before));
  const reply = await oauth.revocationRequest(menjin, client, authenticate, token, loopback);
  await oauth.processRevocationResponse(reply);
  console.log(JSON.stringify(await introspect(menjin)));
} catch (error) {
  const { ResponseBodyError, WWWAuthenticateChallengeError } = oauth;
  const refused = [ResponseBodyError, WWWAuthenticateChallengeError];
  if (!refused.some((kind) => error instanceof kind)) throw error;
  console.error(`${error.status}: ${error.message}`);
  process.exitCode = 1;
}
