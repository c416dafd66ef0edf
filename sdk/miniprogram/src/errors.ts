// What goes wrong, in one shape whoever said it: Menjin, another service, the network, or the person.

/** A reply as the platform hands it over, whatever its status. */
export interface Reply {
  status: number;
  header: Record<string, unknown>;
  /** Parsed if it is JSON; `undefined` if there is none. */
  body: unknown;
}

interface Details {
  status?: number | undefined;
  errcode?: number | undefined;
  requestId?: string | undefined;
  retryable?: boolean | undefined;
  retryAfter?: number | undefined;
}

/** Everything that a method of the client rejects with. */
export class MenjinError extends Error {
  /**
   * The stable word to switch on: Menjin's own `status` or `error` (`verification_failed`, `invalid_token`, ...), a word
   * for a sign-in that was refused (`account_disabled`, `high_risk_user`, `invalid_login_code`, ...), or one of this
   * package: `network`, `timeout`, `login_failed`, `cancelled`, `phone_unavailable`, `logged_out`, `queue_full`,
   * `bad_reply`, `bad_url`, `bad_option`.
   */
  readonly code: string;
  /** The HTTP status; 0 if there was no reply. */
  readonly status: number;
  /** WeChat's number, or Menjin's for what WeChat has none for. */
  readonly errcode?: number;
  /** What to tell those who run the server: its log has the request under this id. */
  readonly requestId?: string;
  /** Whether the same call may succeed later, without anybody changing anything. */
  readonly retryable: boolean;
  /** After how many seconds, if the server said so. */
  readonly retryAfter?: number;

  constructor(code: string, message: string, details: Details = {}) {
    super(message);
    // A mini program may be compiled to ES5, where a subclass of Error forgets what it is.
    Object.setPrototypeOf(this, MenjinError.prototype);
    this.name = "MenjinError";
    this.code = code;
    this.status = details.status || 0;
    this.retryable = !!details.retryable;
    if (details.errcode !== undefined) this.errcode = details.errcode;
    if (details.requestId !== undefined) this.requestId = details.requestId;
    if (details.retryAfter !== undefined) this.retryAfter = details.retryAfter;
  }
}

const SIGN_IN: Record<number, string> = {
  40029: "invalid_login_code",
  40163: "invalid_login_code",
  40226: "high_risk_user",
  40013: "unknown_appid",
  45009: "quota_exceeded",
  7700001: "account_disabled",
};
const STATUS: Record<number, string> = {
  400: "bad_request",
  401: "unauthorized",
  403: "forbidden",
  404: "not_found",
  413: "too_large",
  429: "too_many_requests",
};
const LATER = [408, 429, 502, 503, 504];

/** An object with whatever members, or an empty one. */
export function members(something: unknown): Record<string, unknown> {
  return something !== null && typeof something === "object" ? (something as Record<string, unknown>) : {};
}

const text = (something: unknown): string => (typeof something === "string" ? something : "");

/** The value of a header, whose name platforms spell as they like. */
export function header(reply: Reply, name: string): string {
  const found = Object.keys(reply.header).find((key) => key.toLowerCase() === name);
  return found === undefined ? "" : String(reply.header[found]);
}

/** Whether another token could make a difference. A proxy in front says it in the header alone. */
export function tokenFailed(reply: Reply): boolean {
  if (reply.status !== 401) return false;
  const { error } = members(reply.body);
  return (
    error === "token_expired" ||
    error === "invalid_token" ||
    /\berror="?invalid_token\b/.test(header(reply, "www-authenticate"))
  );
}

/** The error that a reply other than 2xx is. */
export function failure(reply: Reply): MenjinError {
  const { status } = reply;
  const body = members(reply.body);
  const wechat = members(body.error);
  const errcode = typeof wechat.errcode === "number" ? wechat.errcode : undefined;
  const code =
    text(body.status) ||
    text(body.error) ||
    (errcode !== undefined && SIGN_IN[errcode]) ||
    STATUS[status] ||
    (status >= 500 ? "unavailable" : `http_${status}`);
  const wait = parseInt(header(reply, "retry-after"), 10);
  const message = text(body.message) || text(wechat.errmsg) || text(body.data) || `${code} (HTTP ${status})`;
  return new MenjinError(code, message, {
    status,
    errcode,
    requestId: header(reply, "x-request-id") || undefined,
    retryable: LATER.includes(status) || code === "invalid_login_code" || errcode === -1,
    retryAfter: wait >= 0 ? wait : undefined,
  });
}

/** The person logged out while something was under way for them. */
export const loggedOut = (): MenjinError => new MenjinError("logged_out", "logged out in the meantime");

/** A 2xx that does not say what it has to. */
export const badReply = (reply: Reply): MenjinError =>
  new MenjinError("bad_reply", "the reply is not Menjin's: look at baseURL and what stands between", {
    status: reply.status,
    retryable: true,
  });
