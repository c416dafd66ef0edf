// What surrounds the phones of a run: Menjin, the simulator in WeChat's place, another service, and people.

import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { Phone } from "./phone.mjs";

// Others than in any run before, so that one server will do for many.
let invented = randomInt(10_000_000, 90_000_000);

/** A name that nobody has had. */
export const name = () => `示例 ${(invented += 1)}`;

export class World {
  constructor(base, service, line) {
    Object.assign(this, { base, service, line });
  }

  /** Asks Menjin or the simulator directly. */
  async ask(path, body, token) {
    const options = { headers: token ? { Authorization: `Bearer ${token}` } : {} };
    if (body) Object.assign(options, { method: "POST", body: JSON.stringify(body) });
    const reply = await fetch(this.base + path, options);
    return { status: reply.status, body: await reply.json() };
  }

  /** Somebody new opens the mini program. `config` changes what config.js says. */
  async somebody(config = {}) {
    const person = name();
    const login = async () => (await this.ask("/simulator/login", { person })).body.code;
    const settings = { menjin: this.line.url, service: this.service.url, person: "", ...config };
    const phone = await new Phone({ config: settings, login }).launch();
    return { phone, person, number: `137${invented}` };
  }

  /** Somebody new who has registered by the phone button. */
  async user() {
    const somebody = await this.somebody();
    await somebody.phone.tap("注册");
    await somebody.phone.tap("手机号一键注册", await this.consent(somebody.person));
    somebody.phone.sees("用户 ");
    return somebody;
  }

  /** What the phone button gives when the person agrees; `number` in place of their own. */
  async consent(person, number) {
    const { body } = await this.ask("/simulator/phone", { person, number });
    return { code: body.code, errMsg: "getPhoneNumber:ok" };
  }

  /** The code of the newest text message to this number. */
  async codeFor(number) {
    const { body } = await this.ask("/simulator/sms");
    const message = body.messages.findLast((one) => one.to.endsWith(number));
    assert.ok(message, `no message went to ${number}`);
    return message.code;
  }
}

/** The token with which the phone last asked Menjin or a service. */
export function tokenOf(phone) {
  const asked = phone.requests.findLast(({ headers }) => headers.Authorization);
  return asked.headers.Authorization.replace(/^Bearer /, "");
}
