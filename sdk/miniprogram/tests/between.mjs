// What stands between the phone and the server, and servers of others.

import http from "node:http";
import { after } from "node:test";
import { BASE, ask } from "./phone.mjs";

/** Serves on a port of the system's choice until the tests are over. */
export async function serve(answer) {
  const server = http.createServer((request, response) => {
    const parts = [];
    request.on("data", (part) => parts.push(part));
    request.on("end", () => answer(request, response, Buffer.concat(parts)));
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${server.address().port}`;
}

/** Passes requests on, loses replies, and holds requests and replies up. */
export class Between {
  lost = 0;
  #lose = new Map();
  #hold = new Map();

  static async start() {
    const between = new Between();
    between.url = await serve((request, response, body) => between.#pass(request, response, body));
    return between;
  }

  /** The next replies of this path do not arrive, though the server has done its work. */
  lose(path, times) {
    this.#lose.set(path, times);
  }

  /** Holds the next request of this path before the server sees it, or the reply after: who waits for `here` knows that it is there. */
  hold(path, what) {
    const held = { what };
    held.here = new Promise((resolve) => (held.arrived = resolve));
    held.released = new Promise((resolve) => (held.release = resolve));
    this.#hold.set(path, held);
    return held;
  }

  async #pass(request, response, body) {
    const held = this.#hold.get(request.url);
    this.#hold.delete(request.url);
    const wait = async (what) => {
      if (held?.what !== what) return;
      held.arrived();
      await held.released;
    };
    await wait("request");
    const { method, headers } = request;
    const reply = await ask(BASE + request.url, { method, headers: { ...headers, connection: "close" }, body });
    await wait("reply");
    const left = this.#lose.get(request.url) ?? 0;
    if (left > 0) {
      this.#lose.set(request.url, left - 1);
      this.lost += 1;
      request.socket.destroy();
      return;
    }
    const { "transfer-encoding": _, ...header } = reply.header;
    response.writeHead(reply.status, header).end(reply.text);
  }
}
