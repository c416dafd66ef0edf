// Asks about a token and takes it back, as a service on Node would, with openid-client.
//
// oauth.mjs ISSUER ID SECRET basic|form TOKEN prints what the token is before and after, a line of
// JSON each, or says why not and exits 1.

import { Issuer, errors } from "openid-client";

const [issuer, id, secret, way, token] = process.argv.slice(2);
const method = way === "basic" ? "client_secret_basic" : "client_secret_post";

try {
  const menjin = await Issuer.discover(issuer);
  const client = new menjin.Client({
    client_id: id,
    client_secret: secret,
    introspection_endpoint_auth_method: method,
    revocation_endpoint_auth_method: method,
  });
  console.log(JSON.stringify(await client.introspect(token)));
  await client.revoke(token, "access_token");
  console.log(JSON.stringify(await client.introspect(token, "access_token")));
} catch (error) {
  if (!(error instanceof errors.OPError)) throw error;
  console.error(`${error.error}: ${error.error_description}`);
  process.exitCode = 1;
}
