//! What other services need to check a token by themselves: the keys, and where they are.

use axum::{
    Json,
    extract::State,
    http::{
        HeaderName, HeaderValue,
        header::{CACHE_CONTROL, CONTENT_TYPE},
    },
};
use serde::Serialize;
use serde_json::Value;

use crate::{app::App, failure::bodies::GeneralFailure};

/// Both of RFC 6749 §2.3.1.
const CLIENT_AUTHENTICATION: [&str; 2] = ["client_secret_basic", "client_secret_post"];

/// A set of public keys (RFC 7517 §5).
#[derive(utoipa::ToSchema)]
#[expect(
    dead_code,
    reason = "the set is made of what the keys themselves show; this documents it"
)]
pub(crate) struct JwkSet {
    /// Public keys with `kid`, `use` and `alg`: the one that signs, the next, and former ones.
    keys: Vec<Value>,
}

/// Where everything is (RFC 8414; OpenID Connect Discovery 1.0 §3).
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Metadata {
    /// `iss` of every token.
    issuer: String,
    /// The key set.
    jwks_uri: String,
    /// Where a service asks what a token is worth.
    introspection_endpoint: String,
    /// How it proves who it is.
    introspection_endpoint_auth_methods_supported: [&'static str; 2],
    /// Where a service ends a token.
    revocation_endpoint: String,
    /// How it proves who it is.
    revocation_endpoint_auth_methods_supported: [&'static str; 2],
    /// The API as OpenAPI 3.1.
    service_documentation: String,
    /// What a token may carry in `scope`.
    scopes_supported: Vec<&'static str>,
    /// Where clients look for grants. There are none.
    token_endpoint: String,
    /// `none`: there is no authorization endpoint. Clients take an empty list for a missing one.
    response_types_supported: [&'static str; 1],
    /// A login code from WeChat is not a grant of OAuth's. Left out, this would mean two of them.
    grant_types_supported: Vec<&'static str>,
    /// `sub` is the same for every service.
    subject_types_supported: Vec<&'static str>,
    /// How access tokens are signed.
    id_token_signing_alg_values_supported: Vec<&'static str>,
    /// The claims of an access token.
    claims_supported: Vec<&'static str>,
}

/// The public keys that check access tokens
#[utoipa::path(
    get,
    path = "/.well-known/jwks.json",
    tag = "Other services",
    responses(
        (status = 200, description = "The keys; cache them as long as Cache-Control says", body = JwkSet, content_type = "application/jwk-set+json"),
        (status = 503, description = "The keys are not loaded yet; see Retry-After", body = GeneralFailure),
    )
)]
pub(crate) async fn jwks(State(app): State<App>) -> ([(HeaderName, HeaderValue); 2], bytes::Bytes) {
    let (body, cache) = app.tokens.jwks();
    let kind = HeaderValue::from_static("application/jwk-set+json");
    ([(CONTENT_TYPE, kind), (CACHE_CONTROL, cache)], body)
}

/// Where everything is, for OAuth 2.0 clients
#[utoipa::path(
    get,
    path = "/.well-known/oauth-authorization-server",
    tag = "Other services",
    responses((status = 200, description = "RFC 8414 metadata", body = Metadata))
)]
pub(crate) async fn oauth(State(app): State<App>) -> Json<Metadata> {
    Json(metadata(&app))
}

/// Where everything is, for clients that ask the way of OpenID Connect
#[utoipa::path(
    get,
    path = "/.well-known/openid-configuration",
    tag = "Other services",
    responses((status = 200, description = "The same metadata", body = Metadata))
)]
pub(crate) async fn openid(State(app): State<App>) -> Json<Metadata> {
    Json(metadata(&app))
}

fn metadata(app: &App) -> Metadata {
    let base = &app.options.public_url;
    let algorithms = app.tokens.keyring().algorithms();
    Metadata {
        issuer: app.options.issuer.clone(),
        jwks_uri: format!("{base}/.well-known/jwks.json"),
        introspection_endpoint: format!("{base}/oauth/introspect"),
        introspection_endpoint_auth_methods_supported: CLIENT_AUTHENTICATION,
        revocation_endpoint: format!("{base}/oauth/revoke"),
        revocation_endpoint_auth_methods_supported: CLIENT_AUTHENTICATION,
        service_documentation: format!("{base}/openapi.json"),
        scopes_supported: vec!["guest", "user", "admin"],
        token_endpoint: format!("{base}/oauth/token"),
        response_types_supported: ["none"],
        grant_types_supported: vec![],
        subject_types_supported: vec!["public"],
        id_token_signing_alg_values_supported: algorithms
            .into_iter()
            .map(menjin_core::jws::Algorithm::as_str)
            .collect(),
        claims_supported: vec![
            "iss",
            "sub",
            "aud",
            "exp",
            "iat",
            "jti",
            "client_id",
            "scope",
            "uid",
            "role",
            "ep",
        ],
    }
}
