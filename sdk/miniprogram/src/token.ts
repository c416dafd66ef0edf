// How long a token is good, by a device whose clock may be wrong.

import { members } from "./errors.js";
import type { Session } from "./types.js";

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const DEFAULT_LIFE_MS = 3_600_000;
const AHEAD_MS = 60_000;

/** What is stored. The times are the device's own, in milliseconds, and only their distance means anything. */
export interface Kept {
  base: string;
  token: string;
  from: number;
  until: number;
  session: Session;
  /** The number of an imported account whose code is on its way. */
  migrating?: string;
}

/** The claims of a token; nothing is checked. There is no `atob` in a mini program. */
function claims(token: string): Record<string, unknown> {
  let text = "";
  let bits = 0;
  let count = 0;
  for (const letter of token.split(".")[1] || "") {
    bits = ((bits << 6) | ALPHABET.indexOf(letter)) & 0xffff;
    count += 6;
    if (count >= 8) text += String.fromCharCode((bits >> (count -= 8)) & 0xff);
  }
  try {
    return members(JSON.parse(text));
  } catch (_) {
    return {};
  }
}

/**
 * From when until when a token that has just come is used. It came with its age and its end by the server's clock, and
 * what lies between is as long by any clock. It is renewed a minute ahead, or a tenth of its life if that is shorter.
 */
export function span(token: string, now: number): { from: number; until: number } {
  const { iat, exp } = claims(token);
  const told = (Number(exp) - Number(iat)) * 1000;
  const life = told > 0 ? told : DEFAULT_LIFE_MS;
  return { from: now, until: now + life - Math.min(AHEAD_MS, life / 10) };
}

/** Whether it can still be used. A clock that was put back in the meantime tells nothing, so it cannot. */
export const fresh = (kept: Kept, now: number): boolean => kept.from <= now && now < kept.until;

/** What was stored, if it is this client's and whole. */
export function restored(stored: unknown, base: string): Kept | null {
  const kept = members(stored);
  const whole =
    kept.base === base &&
    typeof kept.token === "string" &&
    typeof kept.from === "number" &&
    typeof kept.until === "number" &&
    typeof members(kept.session).openid === "string";
  return whole ? (stored as Kept) : null;
}

/** The part of a reply that is a session; what is missing is empty. */
export function sessionOf(reply: Record<string, unknown>): Session {
  const text = (name: string): string => (typeof reply[name] === "string" ? (reply[name] as string) : "");
  const session: Session = {
    registered: reply.registered === true,
    openid: text("openid"),
    nickname: text("nickname"),
    avatar: text("avatar"),
    campus: text("campus"),
    phone: text("phone"),
    email: text("email"),
    role: text("role"),
  };
  if (typeof reply.uid === "number") session.uid = reply.uid;
  return session;
}
