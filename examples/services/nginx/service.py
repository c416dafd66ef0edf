"""GET /hello behind nginx, which lets nobody through whom Menjin does not know. It believes X-Menjin-*,
so it must not be reached in any other way: it listens on this machine alone."""

import json
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Service(BaseHTTPRequestHandler):
    def do_GET(self):
        status, body = 404, {"success": False, "error": "not_found"}
        if self.path.partition("?")[0] == "/hello":
            status, body = 200, {"hello": int(self.headers["X-Menjin-Uid"]), "role": self.headers["X-Menjin-Role"]}
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", len(json.dumps(body)))
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())


server = ThreadingHTTPServer(("127.0.0.1", int(os.environ.get("PORT", "8091"))), Service)
print(f"listens on http://127.0.0.1:{server.server_port}", flush=True)
server.serve_forever()
