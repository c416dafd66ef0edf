//! `POST /v1/user/consent`

use axum::{Json, extract::State};
use menjin_core::{Instant, user::Consent};
use serde::Serialize;
use serde_json::{Map, Value};

use super::register::{invalid, text};
use crate::{
    app::App,
    bearer::Caller,
    failure::{
        Failure,
        bodies::{AccountFailure, GeneralFailure, TokenFailure},
    },
    flows,
    http::body::JsonObject,
};

/// One of `version` and `withdraw`.
#[derive(utoipa::ToSchema)]
#[expect(
    dead_code,
    reason = "the body is read by hand, since each field has its own word"
)]
pub(crate) struct ConsentRequest {
    /// The version of the privacy policy that the person agrees to: the current one.
    version: Option<String>,
    /// `true` takes the consent back.
    withdraw: Option<bool>,
}

/// What the person agrees to now.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct ConsentReply {
    success: bool,
    /// `consent_given` or `consent_withdrawn`.
    status: &'static str,
    consent: Option<Agreed>,
}

/// A person's agreement to a version of the privacy policy.
#[derive(Debug, PartialEq, Serialize, utoipa::ToSchema)]
#[schema(as = Consent)]
pub(crate) struct Agreed {
    /// As the deployment names it.
    version: String,
    /// Since when, RFC 3339, UTC.
    at: String,
}

impl Agreed {
    pub(super) fn of(consent: Consent) -> Self {
        Self {
            version: consent.version,
            at: rfc3339(consent.at),
        }
    }
}

/// An instant as everything new shows it.
fn rfc3339(instant: Instant) -> String {
    let at = jiff::Timestamp::from_millisecond(instant).unwrap_or_default();
    format!("{at:.3}")
}

/// Agree to the privacy policy, or take that back
#[utoipa::path(
    post,
    path = "/v1/user/consent",
    operation_id = "consent",
    tag = "Mini program",
    security(("bearer" = [])),
    request_body = ConsentRequest,
    responses(
        (status = 200, description = "See `status`", body = ConsentReply),
        (status = 400, description = "`invalid_version`: not the current policy. `invalid_withdraw`", body = AccountFailure),
        (status = 401, description = "The token is missing or not good", body = TokenFailure),
        (status = 403, description = "The caller has not registered", body = GeneralFailure),
        (status = 413, description = "The body is over 64 KiB", body = AccountFailure),
        (status = 415, description = "The body is not declared as JSON", body = AccountFailure),
        (status = 503, description = "The store cannot be asked now; see Retry-After", body = AccountFailure),
    )
)]
pub(crate) async fn post(
    State(app): State<App>,
    caller: Caller,
    body: Result<JsonObject, Failure>,
) -> Result<Json<ConsentReply>, Failure> {
    let body = body?.0;
    let uid = caller.user()?.uid;
    let version = asked(&app, &body)?;
    let status = match &version {
        Some(_) => "consent_given",
        None => "consent_withdrawn",
    };
    let holds = flows::consent::consent(&app, uid, version).await?;
    Ok(Json(ConsentReply {
        success: true,
        status,
        consent: holds.map(Agreed::of),
    }))
}

/// The version that is agreed to; `None` to take consent back.
fn asked(app: &App, body: &Map<String, Value>) -> Result<Option<String>, Failure> {
    let version = text(body, "version")?;
    let withdraw = match body.get("withdraw") {
        None | Some(Value::Null | Value::Bool(false)) => false,
        Some(Value::Bool(true)) => true,
        Some(_) => return Err(invalid("withdraw").into()),
    };
    match (version, withdraw) {
        (None, true) => Ok(None),
        (Some(_), true) => Err(invalid("withdraw").into()),
        (version, false) => {
            let current = app.options.registration.policy.as_deref();
            let agreed = version.filter(|version| Some(*version) == current);
            Ok(Some(agreed.ok_or_else(|| invalid("version"))?.to_owned()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_rfc_3339() {
        assert_eq!(rfc3339(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(rfc3339(1_795_312_800_120), "2026-11-22T02:00:00.120Z");
    }
}
