//! `GET /auth/verify`, for a reverse proxy that asks before it lets a request through.

use axum::{
    extract::State,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri},
};
use menjin_core::{Openid, Refusal, token::Subject};

use crate::{
    app::App,
    bearer,
    failure::{
        Failure,
        bodies::{GeneralFailure, TokenFailure},
    },
    flows::introspect,
    http::form::Form,
    tokens::Known,
};

const UID: HeaderName = HeaderName::from_static("x-menjin-uid");
const ROLE: HeaderName = HeaderName::from_static("x-menjin-role");
const SCOPE: HeaderName = HeaderName::from_static("x-menjin-scope");
const APPID: HeaderName = HeaderName::from_static("x-menjin-appid");
const OPENID: HeaderName = HeaderName::from_static("x-menjin-openid");

/// May this request pass?
///
/// For a reverse proxy (nginx `auth_request`, Caddy `forward_auth`, Traefik `ForwardAuth`), which hands the
/// headers of the reply to the service behind it. A guest's token is not for other services, and is
/// refused as `invalid_token` unless guests are allowed.
#[utoipa::path(
    get,
    path = "/auth/verify",
    operation_id = "verifyToken",
    tag = "Other services",
    security(("bearer" = [])),
    params(
        ("audience" = Option<String>, Query, description = "A name of `token.audience`: of users, only those whose token was made for that service pass"),
        ("guests" = Option<String>, Query, description = "`allow`: whoever has not registered passes as well, without a uid and a role"),
    ),
    responses(
        (status = 200, description = "It may", headers(
            ("X-Menjin-Uid" = i64, description = "Whose request it is"),
            ("X-Menjin-Role" = String, description = "`user` or `admin`"),
            ("X-Menjin-Scope" = String, description = "`guest`, `user` or `user admin`"),
            ("X-Menjin-Appid" = String, description = "The mini program"),
            ("X-Menjin-Openid" = String, description = "WeChat's id of the person there, if they were ever seen there"),
        )),
        (status = 401, description = "The token is missing or not good", body = TokenFailure),
        (status = 503, description = "It cannot be known now; see Retry-After", body = GeneralFailure),
    )
)]
pub(crate) async fn get(
    State(app): State<App>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<(StatusCode, HeaderMap), Failure> {
    let known = bearer::check(&app, &headers)?;
    let asked = Form::parse(uri.query().unwrap_or_default().as_bytes());
    let mut reply = HeaderMap::with_capacity(5);
    if let Subject::User { uid, role, .. } = known.subject {
        let holder = introspect::holder(&app, &known).await?;
        if let Some(audience) = asked.value("audience") {
            let audience =
                audience.map_err(|_| Refusal::RequestMalformed("audience stands twice"))?;
            introspect::refuse_others(holder, bearer::token_of(&headers)?, audience)?;
        }
        reply.insert(UID, HeaderValue::from(uid.get()));
        reply.insert(ROLE, HeaderValue::from_static(role.as_str()));
        say(&mut reply, &known, holder.openid.as_ref());
        return Ok((StatusCode::OK, reply));
    }
    if asked.field("guests") != Some("allow") {
        return Err(Refusal::TokenInvalid.into());
    }
    let guest = bearer::caller(&app, known.clone()).await?;
    let openid = guest.identity.as_ref().map(|identity| &identity.openid);
    say(&mut reply, &known, openid);
    Ok((StatusCode::OK, reply))
}

fn say(reply: &mut HeaderMap, known: &Known, openid: Option<&Openid>) {
    reply.insert(SCOPE, HeaderValue::from_static(known.subject.scope()));
    let texts = [
        (APPID, Some(known.client_id.as_str())),
        (OPENID, openid.map(Openid::as_str)),
    ];
    for (name, text) in texts {
        if let Some(value) = text.and_then(|text| HeaderValue::from_str(text).ok()) {
            reply.insert(name, value);
        }
    }
}
