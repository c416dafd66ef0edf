// Another service of the team, and a line to Menjin that can be cut.

import { createServer } from "node:http";
import { createRequire } from "node:module";
import net from "node:net";

const AUDIENCE = "https://hello.example.com";

const listening = (server) =>
  new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(`http://127.0.0.1:${server.address().port}`)));

/** Starts a service that greets whoever brings a good token of a user. `asked` counts who came; while `away` it hangs up. */
export async function startService(issuer) {
  const { createRemoteJWKSet, jwtVerify } = createRequire(new URL("../../../tests/foreign/package.json", import.meta.url))("jose");
  const keys = createRemoteJWKSet(new URL("/.well-known/jwks.json", issuer));
  const service = { asked: 0, away: false };
  const server = createServer(async (request, response) => {
    service.asked += 1;
    if (service.away) {
      request.socket.destroy();
      return;
    }
    const token = request.headers.authorization?.replace(/^Bearer /, "") ?? "";
    let reply = [401, { error: "invalid_token" }];
    try {
      const { payload } = await jwtVerify(token, keys, { issuer, audience: AUDIENCE, algorithms: ["ES256"], typ: "at+jwt" });
      reply = [200, { hello: payload.uid, role: payload.role }];
    } catch {
      // The reply says so.
    }
    response.writeHead(reply[0], { "Content-Type": "application/json" }).end(JSON.stringify(reply[1]));
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
