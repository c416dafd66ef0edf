// Who the person is, the token that proves it, and the one sign-in that everybody waits for.
//
// State changes where a reply is read and never in a `then` behind it: the order of those is not the same on every device.

import { type Reply, badReply, failure, loggedOut, members } from "./errors.js";
import type { Platform } from "./platform.js";
import { type Kept, fresh, restored, sessionOf, span } from "./token.js";
import type { Session } from "./types.js";

// Two tries with one code have to fit into the 30 seconds in which the server gives the same answer again.
const MOST_MS = 12_000;

/** What an identity is told by its client. */
export interface Place {
  platform: Platform;
  base: string;
  appid: string | undefined;
  key: string;
  timeout: number;
}

export class Identity {
  /** How often the person logged out. What began before does not go on afterwards. */
  outs = 0;
  /** How many sign-ins have ended, well or not. */
  turns = 0;

  private held: Kept | null | undefined;
  private flight: Promise<Session> | null = null;
  private mishap: unknown = null;
  private changes = 0;

  constructor(private readonly place: Place) {}

  /** What is known, fresh or not. */
  get kept(): Kept | null {
    const { platform, key, base } = this.place;
    if (this.held === undefined) this.held = restored(platform.load(key), base);
    return this.held;
  }

  /** Fails if the person has logged out since `outs` was read. */
  mind(outs: number): void {
    if (outs !== this.outs) throw loggedOut();
  }

  /** Waits until there is a token that should be good. */
  async ready(): Promise<void> {
    const { kept } = this;
    if (!kept || !fresh(kept, Date.now())) await this.signIn();
  }

  /** Waits for another token than the one that was refused; `turns` is from when that was sent. */
  async renew(refused: string, turns: number): Promise<void> {
    const { kept } = this;
    if (kept && kept.token !== refused) return;
    // Others were refused with the same token, and what they tried has failed already.
    if (turns !== this.turns && this.mishap) throw this.mishap;
    await this.signIn();
  }

  /** Signs in, or waits for the sign-in that is under way. */
  signIn(): Promise<Session> {
    if (!this.flight) {
      const flight: Promise<Session> = this.attempt(() => {
        if (this.flight === flight) this.flight = null;
      });
      this.flight = flight;
    }
    return this.flight;
  }

  /** Takes a token and what else a reply told, unless the person has logged out since. */
  take(outs: number, token: unknown, told: Partial<Session>, migrating?: string): void {
    const { kept } = this;
    if (outs !== this.outs || !kept) return;
    const changed = typeof token === "string" && token ? { token } : null;
    const session = Object.assign({}, kept.session, told);
    const times = changed ? span(changed.token, Date.now()) : null;
    if (changed) this.changes += 1;
    this.hold(Object.assign({}, kept, changed, times, { session }, migrating === undefined ? null : { migrating }));
  }

  /** Forgets everything, and gives the token that was there. */
  forget(): string {
    const token = this.kept ? this.kept.token : "";
    this.outs += 1;
    this.changes += 1;
    this.flight = null;
    this.mishap = null;
    this.hold(null);
    return token;
  }

  private hold(kept: Kept | null): void {
    this.held = kept;
    this.place.platform.save(this.place.key, kept);
  }

  private async attempt(ended: () => void): Promise<Session> {
    const { outs, changes } = this;
    try {
      const session = this.arrived(await this.exchange(outs), outs, changes);
      this.mishap = null;
      return session;
    } catch (error) {
      if (outs === this.outs) this.mishap = error;
      throw error;
    } finally {
      if (outs === this.outs) this.turns += 1;
      ended();
    }
  }

  /** One code, shown once more if nobody knows whether it arrived: the server gives the same answer again. */
  private async exchange(outs: number): Promise<Reply> {
    const { platform, appid, timeout } = this.place;
    const code = await platform.code(timeout);
    const data = appid ? { code, appid } : { code };
    try {
      const reply = await this.send(data, outs);
      // Without this, it is not Menjin that spoke.
      if (typeof members(reply.body).success === "boolean") return reply;
    } catch (error) {
      this.mind(outs);
    }
    return this.send(data, outs);
  }

  private async send(data: object, outs: number): Promise<Reply> {
    const { platform, base, timeout } = this.place;
    const { line } = platform;
    await line.enter(true);
    try {
      this.mind(outs);
      return await platform.request({
        url: `${base}/v1/user/login`,
        method: "POST",
        data,
        header: { "content-type": "application/json" },
        timeout: Math.min(timeout, MOST_MS),
      });
    } finally {
      line.leave();
    }
  }

  private arrived(reply: Reply, outs: number, changes: number): Session {
    this.mind(outs);
    // A newer token came with a registration while this one was on its way.
    if (changes !== this.changes && this.kept) return this.kept.session;
    if (reply.status !== 200) throw failure(reply);
    const body = members(reply.body);
    const token = body.access_token;
    if (typeof token !== "string" || !token || typeof body.openid !== "string") throw badReply(reply);
    const session = sessionOf(body);
    const { kept } = this;
    const migrating = kept && kept.migrating ? { migrating: kept.migrating } : null;
    const times = span(token, Date.now());
    this.hold(Object.assign({ base: this.place.base, token, session }, times, migrating));
    return session;
  }
}

