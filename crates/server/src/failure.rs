//! Why a request was not carried out, and what that looks like from outside.
//!
//! A handler returns a [`Failure`]; the table of routes chooses the [`Shape`] of the body, so that no
//! handler does.

use std::{error::Error as StdError, fmt, sync::Arc, time::Duration};

use axum::{
    Json,
    http::{
        HeaderValue, StatusCode,
        header::{RETRY_AFTER, WWW_AUTHENTICATE},
    },
    response::{IntoResponse, Response},
};
use menjin_core::Refusal;
use menjin_store as store;
use menjin_wechat::{self as wechat, Rejection};

use crate::errcodes::SYSTEM_ERROR;
use bodies::{GeneralFailure, SignInError, SignInFailure, TokenFailure};

pub(crate) mod bodies;

type Cause = Arc<dyn StdError + Send + Sync>;

/// Why a request was not carried out.
#[derive(Debug, Clone)]
pub enum Failure {
    /// The caller asked for something that we will not do.
    Refused(Refusal),
    /// WeChat refused, or could not be asked.
    WeChat(wechat::Error),
    /// Something of ours cannot be asked now. The cause goes to the log and nowhere else.
    Unavailable(Cause),
    /// We could not do it. The cause goes to the log and nowhere else.
    Broken(Cause),
}

/// The body that a group of routes gives to its failures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// `{"success": false, "error": {"errcode", "errmsg"}, "registered": false}`
    SignIn,
    /// `{"success": false, "error": "<code>", "message": "<words>"}`
    General,
}

/// What a failure looks like, before it has a shape.
#[derive(Debug)]
struct Outward {
    status: StatusCode,
    /// The stable word of the general shape.
    word: &'static str,
    /// The number of the sign-in shape.
    errcode: i64,
    errmsg: String,
    rid: Option<String>,
    retry_after: Option<Duration>,
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<store::Error> for Failure {
    fn from(error: store::Error) -> Self {
        if error.is_unavailable() {
            Self::Unavailable(Arc::new(error))
        } else {
            Self::Broken(Arc::new(error))
        }
    }
}

impl From<wechat::Error> for Failure {
    fn from(error: wechat::Error) -> Self {
        Self::WeChat(error)
    }
}

/// For the log and the operator, with every cause; a caller sees `Failure::render`.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut error: &(dyn StdError + 'static) = match self {
            Self::Refused(refusal) => refusal,
            Self::WeChat(error) => error,
            Self::Unavailable(cause) | Self::Broken(cause) => &**cause,
        };
        write!(f, "{error}")?;
        while let Some(cause) = error.source() {
            write!(f, ": {cause}")?;
            error = cause;
        }
        Ok(())
    }
}

impl StdError for Failure {}

impl Failure {
    /// Something broke that is neither the store nor WeChat.
    pub(crate) fn broken(cause: impl StdError + Send + Sync + 'static) -> Self {
        Self::Broken(Arc::new(cause))
    }

    /// The number that the sign-in shape shows, for metrics.
    pub(crate) fn errcode(&self) -> i64 {
        self.outward().errcode
    }

    /// Whether nothing is broken, here or at WeChat: the request was not one to carry out.
    pub(crate) fn is_the_callers(&self) -> bool {
        self.outward().status.is_client_error()
    }

    /// The reply that `shape` gives to this failure; logs it, once.
    pub(crate) fn render(&self, shape: Shape) -> Response {
        let outward = self.outward();
        self.log(&outward);
        let (status, retry_after) = (outward.status, outward.retry_after);
        let mut response = match (token_failure(self), shape) {
            (Some(error), _) => Json(TokenFailure { error }).into_response(),
            (None, Shape::SignIn) => Json(outward.sign_in()).into_response(),
            (None, Shape::General) => Json(outward.general()).into_response(),
        };
        *response.status_mut() = status;
        let headers = response.headers_mut();
        if let Some(wait) = retry_after {
            // The header has no fractions, and who comes back too early is refused again.
            let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            headers.insert(RETRY_AFTER, seconds.max(1).into());
        }
        if let Some(challenge) = challenge(self) {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        }
        response
    }

    fn outward(&self) -> Outward {
        match self {
            Self::Refused(refusal) => refused(*refusal),
            Self::WeChat(error) => by_wechat(error),
            Self::Unavailable(_) => Outward {
                retry_after: Some(Duration::from_secs(1)),
                ..ours(StatusCode::SERVICE_UNAVAILABLE, "unavailable", SYSTEM_ERROR)
            },
            Self::Broken(_) => ours(StatusCode::INTERNAL_SERVER_ERROR, "internal", SYSTEM_ERROR),
        }
    }

    fn log(&self, outward: &Outward) {
        let (status, errcode) = (outward.status.as_u16(), outward.errcode);
        match self {
            Self::Refused(refusal) => tracing::info!(status, %refusal, "refused"),
            Self::WeChat(wechat::Error::Answered(rejection)) if outward.status == 502 => {
                let rid = rejection.rid.as_deref();
                tracing::error!(
                    status,
                    errcode,
                    rid,
                    errmsg = rejection.errmsg,
                    "WeChat refused us"
                );
            }
            Self::WeChat(wechat::Error::Answered(_)) => {
                let rid = outward.rid.as_deref();
                tracing::info!(
                    status,
                    errcode,
                    rid,
                    errmsg = outward.errmsg,
                    "WeChat refused"
                );
            }
            Self::WeChat(error) => {
                let error = error as &(dyn StdError + 'static);
                tracing::warn!(status, error, "WeChat could not be asked");
            }
            Self::Unavailable(cause) => {
                let error = &**cause as &(dyn StdError + 'static);
                tracing::warn!(status, error, "unavailable");
            }
            Self::Broken(cause) => {
                let error = &**cause as &(dyn StdError + 'static);
                tracing::error!(status, error, "broken");
            }
        }
    }
}

/// Carries the failure to the front, which gives it the shape of its route.
impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut response = StatusCode::INTERNAL_SERVER_ERROR.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

fn ours(status: StatusCode, word: &'static str, errcode: i64) -> Outward {
    let errmsg = "system error".to_owned();
    Outward {
        status,
        word,
        errcode,
        errmsg,
        rid: None,
        retry_after: None,
    }
}

/// The one table of what each refusal looks like from outside.
pub(crate) fn table(refusal: Refusal) -> (StatusCode, &'static str, i64) {
    match refusal {
        Refusal::MalformedBody => (StatusCode::BAD_REQUEST, "malformed_body", 47_001),
        Refusal::UnsupportedMediaType => (
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported_media_type",
            7_700_002,
        ),
        Refusal::BodyTooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", 45_002),
        Refusal::BodyTooSlow => (StatusCode::REQUEST_TIMEOUT, "body_too_slow", 7_700_003),
        Refusal::NotFound => (StatusCode::NOT_FOUND, "not_found", 7_700_004),
        Refusal::MethodNotAllowed => (StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", 43_002),
        Refusal::CodeMissing => (StatusCode::BAD_REQUEST, "code_missing", 41_008),
        Refusal::CodeMalformed => (StatusCode::BAD_REQUEST, "code_malformed", 40_029),
        Refusal::AppUnknown => (StatusCode::BAD_REQUEST, "app_unknown", 40_013),
        Refusal::AccountDisabled => (StatusCode::FORBIDDEN, "account_disabled", 7_700_001),
        Refusal::TooManyRequests { .. } => {
            (StatusCode::TOO_MANY_REQUESTS, "too_many_requests", 45_011)
        }
        Refusal::NoAuthorization => (StatusCode::UNAUTHORIZED, "no_authorization", 7_700_006),
        Refusal::NoBearer => (StatusCode::UNAUTHORIZED, "no_bearer", 7_700_007),
        Refusal::TokenExpired => (StatusCode::UNAUTHORIZED, "token_expired", 7_700_008),
        Refusal::TokenInvalid => (StatusCode::UNAUTHORIZED, "invalid_token", 7_700_009),
        Refusal::Forbidden => (StatusCode::FORBIDDEN, "forbidden", 7_700_005),
    }
}

fn refused(refusal: Refusal) -> Outward {
    let (status, word, errcode) = table(refusal);
    let errmsg = refusal.to_string();
    let retry_after = match refusal {
        Refusal::TooManyRequests { retry_after } => Some(retry_after),
        _ => None,
    };
    Outward {
        status,
        word,
        errcode,
        errmsg,
        rid: None,
        retry_after,
    }
}

fn by_wechat(error: &wechat::Error) -> Outward {
    let soon = Some(Duration::from_secs(1));
    let failed = |status, retry_after| Outward {
        retry_after,
        ..ours(status, "wechat_failed", SYSTEM_ERROR)
    };
    match error {
        wechat::Error::Answered(rejection) => answered(rejection),
        wechat::Error::TimedOut => failed(StatusCode::GATEWAY_TIMEOUT, soon),
        wechat::Error::CircuitOpen { retry_after } => {
            failed(StatusCode::SERVICE_UNAVAILABLE, Some(*retry_after))
        }
        wechat::Error::Busy => failed(StatusCode::SERVICE_UNAVAILABLE, soon),
        wechat::Error::Unreachable(_) | wechat::Error::Garbled(_) => {
            failed(StatusCode::BAD_GATEWAY, None)
        }
    }
}

/// WeChat's own number and words, under the status that contract gives them.
fn answered(rejection: &Rejection) -> Outward {
    let (status, retry_after) = match rejection.errcode {
        40_029 | 40_163 => (StatusCode::BAD_REQUEST, None),
        40_226 => (StatusCode::FORBIDDEN, None),
        // WeChat counts these by the minute,
        45_011 => (StatusCode::TOO_MANY_REQUESTS, Some(Duration::from_mins(1))),
        // and these by the day; an hour is soon enough to look again.
        45_009 => (StatusCode::TOO_MANY_REQUESTS, Some(Duration::from_hours(1))),
        _ => (StatusCode::BAD_GATEWAY, None),
    };
    Outward {
        status,
        word: "wechat_refused",
        errcode: rejection.errcode,
        errmsg: rejection.errmsg.clone(),
        rid: rejection.rid.clone(),
        retry_after,
    }
}

impl Outward {
    fn sign_in(self) -> SignInFailure {
        let error = SignInError {
            errcode: self.errcode,
            errmsg: self.errmsg,
            rid: self.rid,
        };
        SignInFailure {
            success: false,
            error,
            registered: false,
        }
    }

    fn general(self) -> GeneralFailure {
        GeneralFailure {
            success: false,
            error: self.word,
            message: self.errmsg,
        }
    }
}

/// The failures of a token look the same at every endpoint.
fn token_failure(failure: &Failure) -> Option<&'static str> {
    let Failure::Refused(refusal) = failure else {
        return None;
    };
    match refusal {
        Refusal::NoAuthorization => Some("Unauthorized for no Authorization"),
        Refusal::NoBearer => Some("Unauthorized for no Bearer"),
        Refusal::TokenExpired => Some("token_expired"),
        Refusal::TokenInvalid => Some("invalid_token"),
        _ => None,
    }
}

/// RFC 6750 §3: whoever sent no token learns the scheme alone, others learn what was wrong.
fn challenge(failure: &Failure) -> Option<&'static str> {
    let Failure::Refused(refusal) = failure else {
        return None;
    };
    match refusal {
        Refusal::NoAuthorization | Refusal::NoBearer => Some(r#"Bearer realm="menjin""#),
        Refusal::TokenExpired => Some(
            r#"Bearer realm="menjin", error="invalid_token", error_description="the access token expired""#,
        ),
        Refusal::TokenInvalid => Some(r#"Bearer realm="menjin", error="invalid_token""#),
        Refusal::Forbidden => Some(r#"Bearer realm="menjin", error="insufficient_scope""#),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
