// The mistakes that people make when they call the API, each as a request that can be sent on purpose.

const encode = (value) =>
  btoa(JSON.stringify(value)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

function inventedCode() {
  const letters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  const drawn = crypto.getRandomValues(new Uint32Array(31));
  return `0${Array.from(drawn, (number) => letters[number % letters.length]).join("")}`;
}

function madeUpToken() {
  const now = Math.floor(Date.now() / 1000);
  const payload = { iss: location.origin, sub: "1", scope: "user admin", iat: now, exp: now + 3600 };
  return `${encode({ alg: "none", typ: "at+jwt" })}.${encode(payload)}.`;
}

const login = (body) => ({ method: "POST", path: "/v1/user/login", options: { body } });
const me = (authorization) => ({ method: "GET", path: "/v1/user/me", options: { authorization } });

/** Each mistake by name, with the request that makes it; `token` is the one at hand, if any. */
export const MISTAKES = {
  "invented": () => login({ code: inventedCode() }),
  "mock": () => login({ code: "the code is a mock one" }),
  "empty": () => login({}),
  "no-header": () => me(undefined),
  "no-bearer": (token) => me(token ?? madeUpToken()),
  "made-up": () => me(`Bearer ${madeUpToken()}`),
};

/** What a reply gives as its reason, in few words. */
export function reasonOf(said) {
  const error = said.reply?.error;
  if (typeof error === "string") return error;
  if (error?.errcode !== undefined) return `${error.errcode} ${error.errmsg ?? ""}`.trim();
  return String(said.status);
}
