// What a mini program sees of this package.

import type { components } from "./openapi.js";

/** The types of what travels, by the names of Menjin's OpenAPI document. */
export type Schemas = components["schemas"];

/** The methods that `wx.request` knows. */
export type Method = "GET" | "POST" | "PUT" | "DELETE" | "HEAD" | "OPTIONS";

/**
 * The platform: `wx`, `uni` or `Taro`. Methods are called with `success` and `fail`, whatever they return.
 */
export interface Adapter {
  request(options: any): unknown;
  uploadFile(options: any): unknown;
  login(options: any): unknown;
  getStorageSync(key: string): unknown;
  setStorageSync(key: string, value: any): unknown;
  removeStorageSync(key: string): unknown;
}

export interface MenjinOptions {
  /** Where Menjin is: `https://id.example.com`, with a path in front if there is one. */
  baseURL: string;
  /** This mini program's, if the deployment serves several; WeChat's client names it anyway. */
  appid?: string;
  /** The platform. Without it, `wx` or `uni` is looked for at the first call. Taro has to be given. */
  adapter?: Adapter;
  /** Under which key the token is stored. Default `menjin`. */
  storageKey?: string;
  /** How long a request may take once it is sent, in milliseconds. Default 15,000; an upload has four times as much. */
  timeout?: number;
  /** Origins of the team's other services, which get the token too: `https://repairs.example.com`. Default: none. */
  services?: string[];
}

/** Who the person is. Without an account all but `openid` are empty. */
export interface Session {
  registered: boolean;
  openid: string;
  /** The account's number, once there is one. */
  uid?: number;
  nickname: string;
  avatar: string;
  campus: string;
  phone: string;
  email: string;
  /** `user`, `admin`, or empty. */
  role: string;
}

/** The caller's own account, as `GET /v1/user/me` shows it. */
export type Me = { success: boolean; openid: string } & (
  | ({ registered: true } & Schemas["Account"])
  | { registered: false }
);

export interface RequestOptions {
  /** A path of Menjin, such as `/v1/user/me`, or an address on one of the `services`. */
  url: string;
  method?: Method;
  data?: string | object | ArrayBuffer;
  /** `Authorization` is set by the client. */
  header?: Record<string, string>;
  /** In milliseconds, in place of the client's. */
  timeout?: number;
}

export interface RegisterOptions {
  /** The version of the privacy policy that the person agreed to, if the deployment has one. */
  consent?: string;
}

export interface Registering {
  /**
   * `verification_code_sent` and `user_need_migration`: a code was sent, `verify` takes it. `user_exists`: the number
   * is another account's already, and none was sent.
   */
  status: "verification_code_sent" | "user_exists" | "user_need_migration";
}

export interface Registered {
  status: "verified";
  uid: number;
  /** Whether an account that was imported before the person came is theirs now. */
  migrated: boolean;
}

/** The event of `bindgetphonenumber`. */
export interface PhoneButtonEvent {
  detail: { code?: string; errMsg?: string; errno?: number };
}

/** Any of these, and of the deployment's own fields. */
export type Fields = { nickname?: string; avatar?: string; campus?: string } & Record<string, unknown>;

/** Everything rejects with a `MenjinError`. */
export interface Menjin {
  /** The last known session, from the storage if need be; `null` before the first sign-in and after `logout`. */
  readonly session: Session | null;
  /** Signs in anew. Not needed before the other methods, which sign in by themselves. */
  login(): Promise<Session>;
  /** Asks for the caller's own account. */
  me(): Promise<Me>;
  /**
   * Sends a request with the token, signing in first if there is none. Gives the body of a 2xx, `undefined` if it has
   * none. A token that is refused is renewed, and the request sent once more, no oftener.
   */
  request<T = unknown>(options: RequestOptions): Promise<T>;
  /** Has a code sent to the number. */
  register(phone: string, options?: RegisterOptions): Promise<Registering>;
  /** Hands in the code. Afterwards the person is a user, and `session` says so. */
  verify(phone: string, code: string): Promise<Registered>;
  /** The same without a code, by `<button open-type="getPhoneNumber" bindgetphonenumber="...">`. */
  registerByPhoneButton(event: PhoneButtonEvent, options?: RegisterOptions): Promise<Registered>;
  /** Changes fields of the profile. Gives those that are another value now. */
  update(fields: Fields): Promise<Record<string, unknown>>;
  /** Uploads the file of `<button open-type="chooseAvatar">`, `event.detail.avatarUrl`. Gives the picture's address. */
  uploadAvatar(tempFilePath: string): Promise<string>;
  /**
   * Has the token refused from now on, and forgets it and the session, even if this rejects because the server could not
   * be told. What is under way rejects with `logged_out`. The next call signs in again.
   */
  logout(): Promise<void>;
}
