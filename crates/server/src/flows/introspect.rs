//! What a token is worth to other services.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use menjin_core::{Openid, Refusal, json, jws::Compact, token::Subject};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::{
    app::App,
    bearer,
    failure::Failure,
    flows::follow,
    tokens::{Holder, Known},
};

/// What is answered about a token that counts for nothing, whatever the reason.
const INACTIVE: &[u8] = br#"{"active":false}"#;

/// A token that counts (RFC 7662 §2.2).
#[derive(Serialize)]
struct Worth<'a> {
    active: bool,
    #[serde(flatten)]
    says: &'a Map<String, Value>,
    token_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    openid: Option<&'a str>,
}

/// The reply to the question what a token is worth.
pub(crate) async fn introspect(app: &App, token: &str) -> Result<Bytes, Failure> {
    match active(app, token).await {
        Err(Failure::Refused(_)) => Ok(Bytes::from_static(INACTIVE)),
        reply => reply,
    }
}

async fn active(app: &App, token: &str) -> Result<Bytes, Failure> {
    let known = bearer::check_counted(app, Ok(token))?;
    if let Subject::Guest(_) = known.subject {
        let guest = bearer::caller(app, known).await?;
        return describe(token, guest.identity.as_ref().map(|guest| &guest.openid));
    }
    let holder = holder(app, &known).await?;
    if let Some(reply) = holder.introspection.get() {
        return Ok(reply.clone());
    }
    let reply = describe(token, holder.openid.as_ref())?;
    Ok(holder.introspection.get_or_init(|| reply).clone())
}

/// Whose token it is, if it counts. The account is looked at when the token is seen for the first time,
/// and after that in memory what was revoked since.
pub(crate) async fn holder<'k>(app: &App, known: &'k Arc<Known>) -> Result<&'k Holder, Failure> {
    follow::refuse_revoked(app, known).await?;
    if let Some(holder) = known.holder.get() {
        return Ok(holder);
    }
    let caller = Box::pin(bearer::caller(app, known.clone())).await?;
    Ok(known.holder.get_or_init(|| Holder {
        openid: caller.identity.map(|identity| identity.openid),
        audience: OnceLock::new(),
        introspection: OnceLock::new(),
    }))
}

/// Refuses a user's token that was not made for this service. The token is the holder's.
pub(crate) fn refuse_others(holder: &Holder, token: &str, audience: &str) -> Result<(), Refusal> {
    let names = if let Some(names) = holder.audience.get() {
        names
    } else {
        let names = audience_of(&says(token)?);
        holder.audience.get_or_init(|| names)
    };
    let is_named = names.iter().any(|name| name == audience);
    is_named.then_some(()).ok_or(Refusal::TokenInvalid)
}

fn audience_of(says: &Map<String, Value>) -> Vec<String> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    match says.get("aud") {
        Some(Value::Array(names)) => names.iter().filter_map(text).collect(),
        Some(name) => text(name).into_iter().collect(),
        None => vec![],
    }
}

/// What a token says whose signature was checked before.
fn says(token: &str) -> Result<Map<String, Value>, Refusal> {
    let compact = Compact::parse(token).map_err(|_| Refusal::TokenInvalid)?;
    json::parse_object(&compact.into_payload()).map_err(|_| Refusal::TokenInvalid)
}

/// What the token says, and whose it is.
fn describe(token: &str, openid: Option<&Openid>) -> Result<Bytes, Failure> {
    let says = says(token)?;
    let reply = Worth {
        active: true,
        says: &says,
        token_type: "Bearer",
        openid: openid.map(Openid::as_str),
    };
    let reply = serde_json::to_vec(&reply).map_err(Failure::broken)?;
    Ok(reply.into())
}
