//! `POST /oauth/introspect` (RFC 7662) and `POST /oauth/revoke` (RFC 7009)

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, HeaderName, HeaderValue, header::CONTENT_TYPE},
};
use bytes::Bytes;
use menjin_core::{Permission, Refusal};
use serde::Serialize;

use crate::{
    app::App,
    client::client,
    failure::{Failure, bodies::OAuthFailure},
    flows::{introspect, revoke},
    http::form::Form,
};

const NO_TOKEN: Refusal =
    Refusal::RequestMalformed("a form with token=... is wanted, once and not empty");

/// A token, and if it is not in the header who asks.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "forms are read by hand; this documents them")]
pub(crate) struct TokenForm {
    /// The access token.
    token: String,
    /// There is one kind of token, so this changes nothing.
    token_type_hint: Option<String>,
    /// The service's name, if it does not authenticate by Basic.
    client_id: Option<String>,
    /// The service's secret, if it does not authenticate by Basic.
    client_secret: Option<String>,
}

/// What a token is worth. Of one that counts for nothing, `active` alone, and it is false.
#[derive(utoipa::ToSchema)]
#[expect(
    dead_code,
    reason = "the reply is what the token says; this documents it"
)]
pub(crate) struct Introspection {
    active: bool,
    /// The uid in decimal, or a guest's own id in one mini program.
    sub: Option<String>,
    /// `guest`, `user` or `user admin`.
    scope: Option<String>,
    /// The mini program's appid.
    client_id: Option<String>,
    /// `Bearer`
    token_type: Option<String>,
    /// Seconds since 1970.
    exp: Option<i64>,
    /// Seconds since 1970.
    iat: Option<i64>,
    /// The issuer, and for a user the team's services.
    aud: Option<Vec<String>>,
    iss: Option<String>,
    jti: Option<String>,
    /// Of a user.
    uid: Option<i64>,
    /// `user` or `admin`, of a user.
    role: Option<String>,
    /// The account's epoch, of a user.
    ep: Option<i64>,
    /// WeChat's id of the person in that mini program.
    openid: Option<String>,
}

/// Nothing: the status says it. Some clients want JSON all the same.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct Revoked {}

/// What a token is worth
///
/// RFC 7662, for services that may `introspect`.
#[utoipa::path(
    post,
    path = "/oauth/introspect",
    operation_id = "introspect",
    tag = "Other services",
    security(("service" = [])),
    request_body(content = TokenForm, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, description = "What the token says, or that it counts for nothing", body = Introspection),
        (status = 400, description = "No token, or two", body = OAuthFailure),
        (status = 401, description = "The service is not known", body = OAuthFailure),
        (status = 403, description = "The service may not ask this", body = OAuthFailure),
        (status = 413, description = "The body is over 64 KiB", body = OAuthFailure),
        (status = 415, description = "The body is no form", body = OAuthFailure),
        (status = 503, description = "It cannot be known now; see Retry-After", body = OAuthFailure),
    )
)]
pub(crate) async fn introspect(
    State(app): State<App>,
    headers: HeaderMap,
    form: Form,
) -> Result<([(HeaderName, HeaderValue); 1], Bytes), Failure> {
    client(&app, &headers, Some(&form), Permission::Introspect).await?;
    let reply = introspect::introspect(&app, token(&form)?).await?;
    let kind = HeaderValue::from_static("application/json");
    Ok(([(CONTENT_TYPE, kind)], reply))
}

/// End a token
///
/// RFC 7009, for services that may `revoke`. A token that counts for nothing anyway is no failure.
#[utoipa::path(
    post,
    path = "/oauth/revoke",
    operation_id = "revoke",
    tag = "Other services",
    security(("service" = [])),
    request_body(content = TokenForm, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, description = "The token counts no more, and that is written down", body = Revoked),
        (status = 400, description = "No token, or two", body = OAuthFailure),
        (status = 401, description = "The service is not known", body = OAuthFailure),
        (status = 403, description = "The service may not ask this", body = OAuthFailure),
        (status = 413, description = "The body is over 64 KiB", body = OAuthFailure),
        (status = 415, description = "The body is no form", body = OAuthFailure),
        (status = 503, description = "It cannot be written down now; see Retry-After", body = OAuthFailure),
    )
)]
pub(crate) async fn revoke(
    State(app): State<App>,
    headers: HeaderMap,
    form: Form,
) -> Result<Json<Revoked>, Failure> {
    let service = client(&app, &headers, Some(&form), Permission::Revoke).await?;
    revoke::revoke(&app, &service, token(&form)?).await?;
    Ok(Json(Revoked {}))
}

fn token(form: &Form) -> Result<&str, Refusal> {
    let token = form.field("token").filter(|token| !token.is_empty());
    token.ok_or(NO_TOKEN)
}

/// No token
///
/// There are no OAuth grants: a mini program signs in at `POST /v1/user/login`. RFC 8414 asks for the
/// address, and some clients read no metadata without it.
#[utoipa::path(
    post,
    path = "/oauth/token",
    operation_id = "token",
    tag = "Other services",
    responses((status = 400, description = "`unsupported_grant_type`, always", body = OAuthFailure))
)]
pub(crate) async fn grant() -> Failure {
    Refusal::GrantUnsupported.into()
}
