// Where a request goes, and whether the token may go there. There is no URL in a mini program.

import { MenjinError } from "./errors.js";

// Strict on purpose: no user information, no backslash, nothing that two parsers could read in two ways.
const ADDRESS = /^(https?):\/\/([a-z0-9.-]+|\[[0-9a-f:.]+\])(?::(\d{1,5}))?(?=[/?#]|$)/i;

/** Scheme, host and port of an absolute address, in one spelling; empty if it is none. */
export function originOf(address: string): string {
  const found = ADDRESS.exec(address);
  if (!found) return "";
  const scheme = String(found[1]).toLowerCase();
  const port = found[3] && Number(found[3]) !== (scheme === "https" ? 443 : 80) ? `:${Number(found[3])}` : "";
  return `${scheme}://${String(found[2]).toLowerCase()}${port}`;
}

/** An origin of the options, or an error that names the option. */
export function originIn(option: string, address: unknown): string {
  const origin = typeof address === "string" ? originOf(address) : "";
  if (!origin) throw new MenjinError("bad_option", `${option}: ${String(address)} is not an address like https://example.com`);
  return origin;
}

/** The whole address of a path below `base`, or of a service that is listed. */
export function resolve(base: string, origins: string[], url: string): string {
  if (/^\/(?!\/)/.test(url)) return base + url;
  const origin = originOf(url);
  if (origin && origins.includes(origin)) return url;
  throw new MenjinError(
    "bad_url",
    origin
      ? `${origin} does not get the token: list it in createMenjin({ services: ["${origin}"] }) if it is yours`
      : `${url} is neither a path like /v1/user/me nor an address like https://example.com/path`,
  );
}
