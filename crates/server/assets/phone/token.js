// Opens an access token without trusting it, and checks its signature with the published key, as any other
// service of the team would.

const bytesOf = (part) => {
  const plain = atob(part.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(plain, (character) => character.charCodeAt(0));
};

const jsonOf = (part) => JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytesOf(part)));

/** The token's three parts and what the first two say, or null when it is no token at all. */
export function open(text) {
  const parts = text.split(".");
  if (parts.length !== 3) return null;
  try {
    return { text, parts, header: jsonOf(parts[0]), payload: jsonOf(parts[1]), receivedAt: Date.now() };
  } catch {
    return null;
  }
}

/**
 * Seconds until the token ends, never below 0. Counted from the moment it came rather than from the
 * time of day, so that a server whose clock differs from this machine's is shown rightly.
 */
export function secondsLeft(token, now = Date.now()) {
  const lifetime = token.payload.exp - token.payload.iat;
  return Math.max(0, lifetime - (now - token.receivedAt) / 1000);
}

/** The part of the token's life that is left, from 1 to 0. */
export function shareLeft(token) {
  const lifetime = token.payload.exp - token.payload.iat;
  return lifetime > 0 ? Math.min(1, secondsLeft(token) / lifetime) : 0;
}

/** Seconds as people read a clock. */
export function clock(seconds) {
  const whole = Math.ceil(seconds);
  const two = (number) => String(number).padStart(2, "0");
  const hours = Math.floor(whole / 3600);
  const rest = `${two(Math.floor((whole % 3600) / 60))}:${two(whole % 60)}`;
  return hours > 0 ? `${hours}:${rest}` : rest;
}

const ALGORITHMS = {
  ES256: [{ name: "ECDSA", namedCurve: "P-256" }, { name: "ECDSA", hash: "SHA-256" }],
  EdDSA: [{ name: "Ed25519" }, { name: "Ed25519" }],
};

/**
 * Whether the signature is that of the published key with the token's `kid`. Null when this browser
 * cannot tell: it knows no such algorithm, or the page did not come over localhost or HTTPS.
 */
export async function signatureHolds(token, keySet) {
  const algorithm = ALGORITHMS[token.header.alg];
  const published = keySet?.keys?.find((key) => key.kid === token.header.kid);
  if (!globalThis.crypto?.subtle || !algorithm || !published) return null;
  const { kty, crv, x, y } = published;
  try {
    const key = await crypto.subtle.importKey("jwk", { kty, crv, x, y }, algorithm[0], false, ["verify"]);
    const signed = new TextEncoder().encode(`${token.parts[0]}.${token.parts[1]}`);
    return await crypto.subtle.verify(algorithm[1], key, bytesOf(token.parts[2]), signed);
  } catch {
    return null;
  }
}
