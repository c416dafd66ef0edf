// Another service of the team, and a line to Menjin that can be cut.

import { createServer } from "node:http";
import { createRequire } from "node:module";
import net from "node:net";

const foreign = createRequire(new URL("../../../tests/foreign/package.json", import.meta.url));
const AUDIENCE = "repairs";

const listening = (server) =>
  new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(`http://127.0.0.1:${server.address().port}`)));

/** Starts a service that greets whoever brings a good token of a user; while `away` it hangs up on everybody. */
export async function startService(issuer) {
  const { createRemoteJWKSet, jwtVerify } = foreign("jose");
  const keys = createRemoteJWKSet(new URL("/.well-known/jwks.json", issuer));
  const rules = { issuer, audience: AUDIENCE, algorithms: ["ES256"], typ: "at+jwt" };
  const service = { away: false };
  const server = createServer(async (request, response) => {
    if (service.away) {
      request.socket.destroy();
      return;
    }
    const token = request.headers.authorization?.replace(/^Bearer /, "") ?? "";
    const [status, body] = await jwtVerify(token, keys, rules).then(
      ({ payload }) => [200, { hello: payload.uid, role: payload.role }],
      () => [401, { error: "invalid_token" }],
    );
    response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(body));
  });
  service.url = await listening(server);
  service.stop = () => server.close();
  return service;
}

/** Starts what passes every byte on to Menjin and back; while `away` it hangs up on everybody. */
export async function startLine(base) {
  const { hostname, port } = new URL(base);
  const line = { away: false };
  const server = net.createServer((near) => {
    if (line.away) {
      near.destroy();
      return;
    }
    const far = net.connect(port, hostname);
    for (const [one, other] of [[near, far], [far, near]]) {
      one.pipe(other);
      one.on("error", () => other.destroy());
      one.on("close", () => other.destroy());
    }
  });
  line.url = await listening(server);
  line.stop = () => server.close();
  return line;
}
