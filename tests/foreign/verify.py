"""Checks an access token as a service written in Python would, with PyJWT.

verify.py JWKS-FILE TOKEN ISSUER AUDIENCE prints the subject, or says why not and exits 1.
"""

import json
import sys

import jwt

keys, token, issuer, audience = sys.argv[1:]
try:
    with open(keys, encoding="utf-8") as file:
        published = jwt.PyJWKSet.from_dict(json.load(file))
    key = published[jwt.get_unverified_header(token).get("kid")]
    claims = jwt.decode(
        token,
        key,
        algorithms=[key.algorithm_name],
        issuer=issuer,
        audience=audience,
        options={"require": ["exp", "iss", "aud", "sub"]},
    )
except (jwt.PyJWTError, KeyError) as error:
    sys.exit(f"{type(error).__name__}: {error}")
print(claims["sub"])
