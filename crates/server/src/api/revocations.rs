//! `GET /auth/revocations`, the feed of what counts no more.

use std::time::Duration;

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, Uri},
};
use menjin_core::{
    Permission, Refusal,
    revocation::{self, Revocation},
};
use serde::Serialize;

use super::export::time;
use crate::{
    app::App,
    client::client,
    failure::{Failure, bodies::OAuthFailure},
    flows::follow,
    http::form::Form,
};

/// Seconds that whoever asks may wait for something new.
const LONGEST_WAIT: i64 = 30;
const BAD_AFTER: Refusal = Refusal::RequestMalformed("after has to be a whole number, once");
const BAD_WAIT: Refusal =
    Refusal::RequestMalformed("wait has to be a whole number of seconds, 0 to 30, once");

/// What counts no more, in the order in which it came to hold.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Feed {
    /// After which number to ask next. Below the one that was asked for if the store was set back to an
    /// older one: then ask from 0 again, and forget nothing.
    last: i64,
    items: Vec<RevokedItem>,
}

/// One of `jti`, `uid` with `epoch`, and `kid`.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct RevokedItem {
    seq: i64,
    /// The token of this id counts no more.
    #[serde(skip_serializing_if = "Option::is_none")]
    jti: Option<String>,
    /// Of this account's tokens,
    #[serde(skip_serializing_if = "Option::is_none")]
    uid: Option<i64>,
    /// those whose `ep` is below this one count no more.
    #[serde(skip_serializing_if = "Option::is_none")]
    epoch: Option<i64>,
    /// Whatever this key signed counts no more.
    #[serde(skip_serializing_if = "Option::is_none")]
    kid: Option<String>,
    /// When it would be over anyway, and may be forgotten.
    until: String,
}

/// What counts no more
///
/// For services that may `follow`. Answers at once if there is anything after that number, a thousand
/// items at most, and otherwise as soon as there is, or with none when the wait is over.
#[utoipa::path(
    get,
    path = "/auth/revocations",
    operation_id = "revocations",
    tag = "Other services",
    security(("service" = [])),
    params(
        ("after" = Option<i64>, Query, description = "`last` of the reply before; 0, or nothing, to begin"),
        ("wait" = Option<u64>, Query, description = "How many seconds to wait for something new: 0 to 30, and 30 if it is not said"),
    ),
    responses(
        (status = 200, description = "What is new", body = Feed),
        (status = 400, description = "`after` or `wait` is no such number", body = OAuthFailure),
        (status = 401, description = "The service is not known", body = OAuthFailure),
        (status = 403, description = "The service may not ask this", body = OAuthFailure),
        (status = 503, description = "It cannot be known now; see Retry-After", body = OAuthFailure),
    )
)]
pub(crate) async fn get(
    State(app): State<App>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Json<Feed>, Failure> {
    client(&app, &headers, None, Permission::Follow).await?;
    let (after, wait) = asked(&uri)?;
    let told = follow::feed(&app, after, wait).await?;
    Ok(Json(Feed {
        last: told.last,
        items: told.entries.into_iter().map(item).collect(),
    }))
}

fn asked(uri: &Uri) -> Result<(i64, Duration), Refusal> {
    let query = uri.query().unwrap_or_default();
    let form = Form::parse(query.as_bytes());
    let after = whole(&form, "after", 0, i64::MAX).ok_or(BAD_AFTER)?;
    let wait = whole(&form, "wait", LONGEST_WAIT, LONGEST_WAIT).ok_or(BAD_WAIT)?;
    Ok((after, Duration::from_secs(wait.unsigned_abs())))
}

/// A number from 0 to the most, or the default if none is said. `None` if it is no such number.
fn whole(form: &Form, name: &str, default: i64, most: i64) -> Option<i64> {
    let Some(text) = form.value(name) else {
        return Some(default);
    };
    let number = text.ok()?.parse().ok()?;
    (0..=most).contains(&number).then_some(number)
}

fn item(entry: revocation::Entry) -> RevokedItem {
    let mut item = RevokedItem {
        seq: entry.seq,
        jti: None,
        uid: None,
        epoch: None,
        kid: None,
        until: time(entry.until),
    };
    match entry.what {
        Revocation::Token(jti) => item.jti = Some(jti),
        Revocation::Account { uid, epoch } => {
            (item.uid, item.epoch) = (Some(uid.get()), Some(epoch));
        }
        Revocation::Key(kid) => item.kid = Some(kid),
    }
    item
}
