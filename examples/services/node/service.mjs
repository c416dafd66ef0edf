// GET /hello for a user of Menjin. Tokens are checked here, with jose, and what was taken back early
// is heard from Menjin's feed: no request waits for Menjin, and all goes on while it restarts.

import { createServer } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { createRemoteJWKSet, errors, jwtVerify } from "jose";

const { MENJIN_URL: url, MENJIN_AUDIENCE: audience, MENJIN_SERVICE_ID: id } = process.env;
const { MENJIN_ISSUER: issuer = url, MENJIN_SERVICE_SECRET: secret } = process.env;
const { MENJIN_MAX_SILENCE: silence = 60, PORT: port = 0 } = process.env; // seconds

// A new key is published ten seconds or more before it signs, so nobody waits for the cooldown.
const keys = createRemoteJWKSet(new URL(`${url}/.well-known/jwks.json`), { cooldownDuration: 10_000 });
const rules = { algorithms: ["ES256", "EdDSA"], audience, issuer, requiredClaims: ["exp"], typ: "at+jwt" };
const dead = new Map(); // of a jti, a kid or a uid: the epoch below which it counts no more, and until when
let heard = -Infinity; // when all that Menjin had to say was known, by a clock that nobody sets

async function follow(after) {
  const wait = heard < 0 ? 0 : Math.min(30, Math.floor(silence / 2));
  const authorization = "Basic " + btoa(`${encodeURIComponent(id)}:${encodeURIComponent(secret)}`);
  const reply = await fetch(`${url}/auth/revocations?after=${after}&wait=${wait}`, {
    headers: { authorization },
    signal: AbortSignal.timeout(1000 * wait + 5000),
  });
  if (!reply.ok) throw new Error(`the feed says ${reply.status}`);
  const { last, items } = await reply.json();
  for (const { jti, kid, uid, epoch = Infinity, until } of items)
    dead.set(jti ?? kid ?? uid, { epoch, until: Date.parse(until) });
  for (const [name, { until }] of dead) if (until < Date.now()) dead.delete(name);
  if (last < after) return 0; // Menjin's store was restored
  if (items.length < 1000) heard = performance.now(); // as many as that, and there are more
  return last;
}

async function hello({ method, url: path, headers: { authorization } }) {
  if (method !== "GET" || path !== "/hello") return [404, "not_found"];
  if (authorization === undefined) return [401, "Unauthorized for no Authorization"];
  if (!/^bearer( |$)/i.test(authorization)) return [401, "Unauthorized for no Bearer"];
  if (performance.now() - heard > 1000 * silence) return [503, "unavailable"];
  const { payload, protectedHeader } = await jwtVerify(authorization.slice(7).trim(), keys, rules);
  const names = [payload.jti, protectedHeader.kid, payload.uid];
  if (names.some((name) => dead.get(name)?.epoch > (payload.ep ?? 0))) return [401, "invalid_token"];
  return payload.uid ? [200, { hello: payload.uid, role: payload.role }] : [403, "forbidden"];
}

function refusal(error) {
  if (error instanceof errors.JWTExpired) return [401, "token_expired"];
  return /^ERR_(JW[ST]|JWKS_[NM]|JOSE_[AN])/.test(error.code) ? [401, "invalid_token"] : [503, "unavailable"];
}

const server = createServer(async (request, reply) => {
  const [status, said] = await hello(request).catch(refusal);
  const body = status === 200 ? said : { success: status === 401 ? undefined : false, error: said };
  reply.setHeader("Content-Type", "application/json").statusCode = status;
  if (status === 401) reply.setHeader("WWW-Authenticate", /_/.test(said) ? 'Bearer error="invalid_token"' : "Bearer");
  reply.end(JSON.stringify(body));
});
server.listen(port, "127.0.0.1", () => console.log(`listens on http://127.0.0.1:${server.address().port}`));
for (let after = 0; ; ) after = await follow(after).catch((error) => (console.error(error.message), sleep(1000, after)));
