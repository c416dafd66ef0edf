"""GET /hello for a user of Menjin. PyJWT turns away what is forged, over or for somebody else; of the
rest, Menjin is asked each time whether it still counts (RFC 7662)."""

import json
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlencode
from urllib.request import urlopen

import jwt

URL, AUDIENCE = os.environ["MENJIN_URL"], os.environ["MENJIN_AUDIENCE"]
ISSUER = os.environ.get("MENJIN_ISSUER", URL)
ID, SECRET = os.environ["MENJIN_SERVICE_ID"], os.environ["MENJIN_SERVICE_SECRET"]

# A new key is published ten seconds or more before it signs, so nobody waits for the cooldown.
keys = jwt.PyJWKClient(f"{URL}/.well-known/jwks.json", cooldown_duration=10, timeout=5)


def counts(token):
    form = {"token": token, "client_id": ID, "client_secret": SECRET}
    with urlopen(f"{URL}/oauth/introspect", urlencode(form).encode(), timeout=5) as reply:
        return json.load(reply)["active"]


def hello(authorization):
    scheme, token = [*authorization.split(), "", ""][:2]
    if scheme.lower() != "bearer":
        return 401, {"error": f"Unauthorized for no {'Bearer' if authorization else 'Authorization'}"}
    try:
        key = keys.get_signing_key_from_jwt(token)
        claims = jwt.decode(token, key, algorithms=[key.algorithm_name], audience=AUDIENCE, issuer=ISSUER, leeway=60)
        if jwt.get_unverified_header(token).get("typ") == "at+jwt" and counts(token):
            return 200, {"hello": claims["uid"], "role": claims["role"]}
    except jwt.ExpiredSignatureError:
        return 401, {"error": "token_expired"}
    except (jwt.PyJWKClientConnectionError, OSError):
        return 503, {"success": False, "error": "unavailable"}  # while Menjin is away, nobody is let in
    except (jwt.PyJWTError, KeyError):
        pass
    return 401, {"error": "invalid_token"}


class Service(BaseHTTPRequestHandler):
    def do_GET(self):
        authorization = self.headers.get("Authorization", "")
        status, body = hello(authorization) if self.path == "/hello" else (404, {"success": False, "error": "not_found"})
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", len(json.dumps(body)))
        if status == 401:
            self.send_header("WWW-Authenticate", 'Bearer error="invalid_token"' if "_" in body["error"] else "Bearer")
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())


server = ThreadingHTTPServer(("127.0.0.1", int(os.environ.get("PORT", "0"))), Service)
print(f"listens on http://127.0.0.1:{server.server_port}", flush=True)
server.serve_forever()
