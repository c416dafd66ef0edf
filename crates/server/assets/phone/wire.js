// Talks to the server and keeps what was said. Every request that the page shows is one that was really sent.

const PATIENCE_MS = 20_000;

/**
 * Sends one request and gives back both sides of it.
 * `gone` is true when nobody answered; then there is no status and no reply.
 */
export async function exchange(method, path, { body, authorization } = {}) {
  const headers = {};
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (authorization !== undefined) headers.Authorization = authorization;
  const sent = body === undefined ? undefined : JSON.stringify(body);
  const said = { method, path, headers, body, sent, at: new Date(), gone: false };
  const started = performance.now();
  try {
    const reply = await fetch(path, {
      method,
      headers,
      body: sent,
      cache: "no-store",
      credentials: "omit",
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    said.text = await reply.text();
    said.ms = performance.now() - started;
    said.status = reply.status;
    said.ok = reply.ok;
    said.requestId = reply.headers.get("X-Request-Id") ?? "";
    said.reply = parse(said.text);
  } catch {
    said.gone = true;
    said.ok = false;
  }
  return said;
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
  if (said.method !== (said.sent === undefined ? "GET" : "POST")) words.push("-X", said.method);
  words.push(quoted(location.origin + said.path));
  for (const [name, value] of Object.entries(said.headers)) words.push("-H", quoted(`${name}: ${value}`));
  if (said.sent !== undefined) words.push("--data-raw", quoted(said.sent));
  return words.join(" ");
}
