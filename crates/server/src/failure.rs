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
use menjin_messages::SendError;
use menjin_store as store;
use menjin_wechat as wechat;

use crate::errcodes::SYSTEM_ERROR;
use bodies::TokenFailure;
#[cfg(test)]
use outward::table;
use outward::{Outward, by_wechat, delivery, ours, refused};

pub(crate) mod bodies;
mod outward;

type Cause = Arc<dyn StdError + Send + Sync>;

/// Why a request was not carried out.
#[derive(Debug, Clone)]
pub enum Failure {
    /// The caller asked for something that we will not do.
    Refused(Refusal),
    /// WeChat refused, or could not be asked.
    WeChat(wechat::Error),
    /// A message could not be handed over.
    Delivery(SendError),
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
    /// `{"success": false, "status": "<code>", "message": "<words>"}`, and `error` as in a sign-in
    /// where WeChat refused.
    Account,
    /// `{"success": false, "data": "<words>"}`
    Picture,
    /// `{"success": false, "requesttype": "", "data": "<words>"}`
    Search,
    /// `{"error": "<code of RFC 6749>", "error_description": "<words>"}`
    OAuth,
    /// A page for a person in a browser.
    Page,
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

impl From<SendError> for Failure {
    fn from(error: SendError) -> Self {
        Self::Delivery(error)
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
            Self::Delivery(error) => error,
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

    /// Whether another story took away what this one was about to refer to.
    pub(crate) fn is_overtaken(&self) -> bool {
        match self {
            Self::Broken(cause) => cause
                .downcast_ref::<store::Error>()
                .is_some_and(store::Error::is_overtaken),
            _ => false,
        }
    }

    /// Whether a row was there already that no two may be alike with.
    pub(crate) fn is_duplicate(&self) -> bool {
        match self {
            Self::Broken(cause) => cause
                .downcast_ref::<store::Error>()
                .is_some_and(store::Error::is_duplicate),
            _ => false,
        }
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
        let mut outward = self.outward();
        if shape == Shape::Account {
            outward = outward.of_account(self);
        }
        self.log(&outward);
        let (status, retry_after) = (outward.status, outward.retry_after);
        let mut response = match token_failure(self) {
            Some(error) => Json(TokenFailure { error }).into_response(),
            None => outward.shaped(shape),
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
            Self::Delivery(error) => delivery(error),
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
            Self::Delivery(error) => {
                let error = error as &(dyn StdError + 'static);
                tracing::warn!(status, error, "a message could not be handed over");
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
        Refusal::ClientUnknown => Some(r#"Basic realm="menjin""#),
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
