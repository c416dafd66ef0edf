"""Asks about a token and takes it back, as a service in Python would, with Authlib.

oauth.py ISSUER ID SECRET basic|form TOKEN prints what the token is before and after, a line of JSON
each, or says why not and exits 1.
"""

import json
import sys

import requests
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata, get_well_known_url

issuer, client_id, secret, way, token = sys.argv[1:]
method = "client_secret_basic" if way == "basic" else "client_secret_post"

document = requests.get(get_well_known_url(issuer, external=True), timeout=20).json()
menjin = AuthorizationServerMetadata(document)
assert menjin.issuer == issuer, menjin.issuer
for endpoint in ("introspection", "revocation"):
    getattr(menjin, f"validate_{endpoint}_endpoint_auth_methods_supported")()
    assert method in menjin[f"{endpoint}_endpoint_auth_methods_supported"], endpoint

session = OAuth2Session(
    client_id,
    secret,
    token_endpoint_auth_method=method,
    revocation_endpoint_auth_method=method,
)


def introspect():
    reply = session.introspect_token(menjin.introspection_endpoint, token=token)
    body = reply.json()
    if reply.status_code != 200:
        sys.exit(f"{body['error']}: {body['error_description']}")
    return body


print(json.dumps(introspect()))
session.revoke_token(
    menjin.revocation_endpoint, token=token, token_type_hint="access_token"
).raise_for_status()
print(json.dumps(introspect()))
