// Who is signed in on the phone, and with what. One session for each person, kept in this page alone.

import { open, secondsLeft, signatureHolds } from "./token.js";
import { exchange } from "./wire.js";

const sessions = new Map();
let holder = "";
let heard = () => {};

/** Who holds the phone; an empty name before anybody is known. */
export const person = () => holder;

/** Gives the phone to somebody. */
export function hand(name) {
  holder = name;
}

/** The session of a person, or undefined: `{code, openid, registered, profile, access, token, holds}`. */
export const session = (name = holder) => sessions.get(name);

/** Hears of it when a signature was checked. */
export function onChecked(listener) {
  heard = listener;
}

/** Begins a session with the reply to a sign-in. */
export function admit(name, code, reply) {
  const { access_token: access, openid, registered, success: _, ...profile } = reply;
  const kept = { code, openid, registered, profile };
  sessions.set(name, kept);
  renew(kept, access);
  return kept;
}

/** Puts a fresh token in the place of the one before; nothing happens without one. */
export function renew(kept, access) {
  if (typeof access !== "string") return;
  kept.access = access;
  kept.token = open(access);
  kept.holds = undefined;
  if (kept.token) check(kept, kept.token);
}

/** Takes over what `GET /v1/user/me` said of the account. */
export function learn(kept, me) {
  const { success: _, openid, registered, ...profile } = me;
  kept.openid = openid || kept.openid;
  kept.registered = registered;
  kept.profile = profile;
}

/** Ends a person's session in this page. */
export function drop(name) {
  sessions.delete(name);
}

/** Where a person stands: `out`, `guest`, `user` or `expired`. */
export function standing(kept) {
  if (!kept?.token) return "out";
  if (secondsLeft(kept.token) <= 0) return "expired";
  return kept.registered ? "user" : "guest";
}

/** Checks the signature as another service would; whoever listens hears how it went when it is done. */
async function check(kept, token) {
  const keys = await exchange("GET", "/.well-known/jwks.json");
  const holds = await signatureHolds(token, keys.reply);
  if (kept.token !== token) return;
  kept.holds = holds;
  heard(kept);
}
