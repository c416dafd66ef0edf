// Talks to the server and keeps what was said. Every request that the page shows is one that was really sent.

const PATIENCE_MS = 20_000;

/**
 * Sends one request and gives back both sides of it. `body` goes as JSON, `form` as multipart, each of its files under
 * its name; `retryAfter` is how many seconds the server asks to wait.
 * `gone` is true when nobody answered; then there is no status and no reply.
 */
export async function exchange(method, path, { body, form, authorization } = {}) {
  const headers = {};
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (authorization !== undefined) headers.Authorization = authorization;
  const sent = body === undefined ? undefined : JSON.stringify(body);
  const said = { method, path, headers: { ...headers }, body, form, sent, at: new Date(), gone: false };
  // The browser adds the boundary, so it has to name the type itself.
  if (form !== undefined) said.headers["Content-Type"] = "multipart/form-data";
  const started = performance.now();
  try {
    const reply = await fetch(path, {
      method,
      headers,
      body: form === undefined ? sent : multipart(form),
      cache: "no-store",
      credentials: "omit",
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    said.text = await reply.text();
    said.ms = performance.now() - started;
    said.status = reply.status;
    said.ok = reply.ok;
    said.retryAfter = Number.parseInt(reply.headers.get("Retry-After") ?? "", 10);
    said.requestId = reply.headers.get("X-Request-Id") ?? "";
    said.reply = parse(said.text);
  } catch {
    said.gone = true;
    said.ok = false;
  }
  return said;
}

function multipart(form) {
  const parts = new FormData();
  for (const [name, file] of Object.entries(form)) parts.append(name, file);
  return parts;
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

/** The same request as a line for a POSIX shell. */
export function asCurl(said) {
  const words = ["curl", "-sS", "-i"];
  const files = Object.entries(said.form ?? {});
  if (said.method !== (said.sent === undefined && files.length === 0 ? "GET" : "POST")) words.push("-X", said.method);
  words.push(quoted(location.origin + said.path));
  // curl, too, names the type of a form itself.
  const headers = Object.entries(said.headers).filter(([name]) => files.length === 0 || name !== "Content-Type");
  for (const [name, value] of headers) words.push("-H", quoted(`${name}: ${value}`));
  if (said.sent !== undefined) words.push("--data-raw", quoted(said.sent));
  for (const [name, file] of files) words.push("-F", quoted(`${name}=@"${file.name.replace(/["\\]/g, "\\$&")}";type=${file.type}`));
  return words.join(" ");
}
