// The calls of a mini program: each waits for a token, for a place in the line, and for its reply.

import { originIn, resolve } from "./address.js";
import { MenjinError, type Reply, badReply, failure, members, tokenFailed } from "./errors.js";
import { Identity } from "./identity.js";
import { Platform } from "./platform.js";
import { sessionOf } from "./token.js";
import type {
  Fields,
  Me,
  Menjin,
  MenjinOptions,
  Method,
  PhoneButtonEvent,
  RegisterOptions,
  Registered,
  Registering,
  RequestOptions,
  Schemas,
  Session,
} from "./types.js";

const TIMEOUT_MS = 15_000;

type Headers = Record<string, string>;

/** The body of a 2xx. */
function opened(reply: Reply): unknown {
  if (reply.status >= 200 && reply.status < 300) return reply.body;
  throw failure(reply);
}

/** The body of a 2xx of Menjin, which is an object that says that it worked. */
function done<T>(reply: Reply): T {
  const body = opened(reply);
  if (members(body).success === true) return body as T;
  throw badReply(reply);
}

/** The caller's headers with ours. A header that was given in another spelling would go out twice. */
function headers(given: Headers, token: string, json: boolean): Headers {
  const all: Headers = {};
  let typed = false;
  for (const name of Object.keys(given)) {
    if (/^content-type$/i.test(name)) typed = true;
    if (!/^authorization$/i.test(name)) all[name] = String(given[name]);
  }
  if (json && !typed) all["content-type"] = "application/json";
  all.Authorization = `Bearer ${token}`;
  return all;
}

/** The code of the phone button, or why there is none. */
function phoneCode(event: PhoneButtonEvent): string {
  const { code, errMsg, errno } = members(members(event).detail);
  if (typeof code === "string" && code) return code;
  const words = String(errMsg || "no phone number was given");
  // The quota that was paid for is used up, or the mini program may not ask.
  const unavailable = errno === 1400001 || /permission|quota/i.test(words);
  throw new MenjinError(unavailable ? "phone_unavailable" : "cancelled", words);
}

class Client implements Menjin {
  private readonly platform: Platform;
  private readonly identity: Identity;
  private readonly base: string;
  private readonly origins: string[];
  private readonly timeout: number;

  constructor(options: MenjinOptions) {
    const { baseURL, appid, adapter, storageKey = "menjin", timeout = TIMEOUT_MS, services = [] } = options;
    this.origins = [originIn("baseURL", baseURL)].concat(services.map((service) => originIn("services", service)));
    this.base = baseURL.replace(/\/+$/, "");
    this.timeout = timeout;
    this.platform = new Platform(adapter);
    this.identity = new Identity({ platform: this.platform, base: this.base, appid, key: storageKey, timeout });
  }

  get session(): Session | null {
    const { kept } = this.identity;
    return kept && kept.session;
  }

  login(): Promise<Session> {
    return this.identity.signIn();
  }

  me(): Promise<Me> {
    return this.look(this.identity.outs);
  }

  async request<T = unknown>(options: RequestOptions): Promise<T> {
    const { url, method = "GET", data, header = {}, timeout } = options;
    const reply = await this.send(this.identity.outs, url, method, data, header, timeout);
    return opened(reply) as T;
  }

  async register(phone: string, options: RegisterOptions = {}): Promise<Registering> {
    const { outs } = this.identity;
    const data = Object.assign({ phone }, options.consent ? { consent: options.consent } : null);
    const reply = await this.send(outs, "/v1/user/register", "POST", data);
    const { status, access_token } = done<Schemas["RegisterReply"]>(reply);
    this.identity.take(outs, access_token, {}, status === "user_need_migration" ? phone : "");
    return { status: status as Registering["status"] };
  }

  async verify(phone: string, code: string): Promise<Registered> {
    const { outs, kept } = this.identity;
    const path = kept && kept.migrating && kept.migrating === phone ? "migration" : "verify";
    return this.registered(outs, await this.send(outs, `/v1/user/${path}`, "POST", { phone, code }));
  }

  async registerByPhoneButton(event: PhoneButtonEvent, options: RegisterOptions = {}): Promise<Registered> {
    const { outs } = this.identity;
    const data = Object.assign({ phone_code: phoneCode(event) }, options.consent ? { consent: options.consent } : null);
    return this.registered(outs, await this.send(outs, "/v1/user/register", "POST", data));
  }

  async update(fields: Fields): Promise<Record<string, unknown>> {
    const { outs, kept } = this.identity;
    const reply = done<Schemas["SetUserReply"]>(await this.send(outs, "/v1/user/setuser", "POST", fields));
    const changed = members(reply.changedFields);
    const told: Record<string, unknown> = {};
    for (const name of Object.keys(changed)) if (kept && name in kept.session) told[name] = changed[name];
    this.identity.take(outs, reply.access_token, told);
    return changed;
  }

  async uploadAvatar(tempFilePath: string): Promise<string> {
    const { outs } = this.identity;
    const url = resolve(this.base, this.origins, "/v1/user/avatar");
    const reply = await this.authorized(outs, (token) =>
      this.platform.upload(url, tempFilePath, headers({}, token, false), 4 * this.timeout),
    );
    const avatar = done<Schemas["AvatarReply"]>(reply).data;
    this.identity.take(outs, undefined, { avatar });
    return avatar;
  }

  async logout(): Promise<void> {
    const token = this.identity.forget();
    if (!token) return;
    const reply = await this.placed(() => this.transmit("/v1/user/logout", "POST", undefined, {}, this.timeout)(token), true);
    if (!tokenFailed(reply)) opened(reply);
  }

  private async look(outs: number): Promise<Me> {
    const me = done<Me>(await this.send(outs, "/v1/user/me", "GET"));
    this.identity.take(outs, undefined, sessionOf(me as unknown as Record<string, unknown>));
    return me;
  }

  /** The person is a user now; what is not known of them is asked for. */
  private async registered(outs: number, reply: Reply): Promise<Registered> {
    const { status, uid, access_token } = done<Schemas["RegisterReply"]>(reply);
    if (status === "user_exists") {
      throw new MenjinError(status, "the phone number belongs to another account", { status: reply.status });
    }
    const told: Partial<Session> = { registered: true, role: "user" };
    if (typeof uid === "number") told.uid = uid;
    this.identity.take(outs, access_token, told, "");
    try {
      this.identity.mind(outs);
      // Without a token of the person's own it was somebody else who asked for the code.
      await (access_token ? this.look(outs) : this.login());
    } catch (_) {
      // It worked all the same; the next sign-in tells the rest.
    }
    const { session } = this;
    return { status: "verified", uid: uid || (session && session.uid) || 0, migrated: status === "user_migrated" };
  }

  private send(outs: number, url: string, method: Method, data?: unknown, header: Headers = {}, timeout = this.timeout) {
    return this.authorized(outs, this.transmit(url, method, data, header, timeout));
  }

  private transmit(url: string, method: Method, data: unknown, header: Headers, timeout: number) {
    const whole = resolve(this.base, this.origins, url);
    const json = method !== "GET" && method !== "HEAD";
    return (token: string): Promise<Reply> =>
      this.platform.request({ url: whole, method, data, header: headers(header, token, json), timeout });
  }

  /** Sends with a token, and once more with another if the first is refused. */
  private async authorized(outs: number, send: (token: string) => Promise<Reply>): Promise<Reply> {
    const { identity } = this;
    identity.mind(outs);
    await identity.ready();
    let used = "";
    let turns = 0;
    const go = (): Promise<Reply> =>
      this.placed(() => {
        identity.mind(outs);
        const { kept } = identity;
        used = kept ? kept.token : "";
        turns = identity.turns;
        return send(used);
      });
    const reply = await go();
    if (!tokenFailed(reply)) return reply;
    identity.mind(outs);
    await identity.renew(used, turns);
    return go();
  }

  private async placed<T>(send: () => Promise<T>, first = false): Promise<T> {
    const { line } = this.platform;
    await line.enter(first);
    try {
      return await send();
    } finally {
      line.leave();
    }
  }
}

/** A client of one Menjin. Make one for the whole mini program. */
export const createMenjin = (options: MenjinOptions): Menjin => new Client(options);
