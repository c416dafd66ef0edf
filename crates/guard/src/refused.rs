//! Why a request gets no answer, and what that looks like: as Menjin's own endpoints say it.

use bytes::Bytes;
use http::{
    HeaderValue, Response, StatusCode,
    header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE},
};

/// Why a token, or whoever holds it, was refused. What it says is safe to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refused {
    /// 401: no `Authorization` header came.
    #[error("no Authorization header")]
    NoAuthorization,
    /// 401: the `Authorization` header is not of the scheme `Bearer`.
    #[error("the Authorization header is not Bearer")]
    NoBearer,
    /// 401: the token was good, and its time is over. The mini program signs in again.
    #[error("the access token has expired")]
    Expired,
    /// 401: malformed, forged, revoked, from another issuer, or not for this service.
    #[error("the access token is not valid")]
    Invalid,
    /// 403: the token is good, but not for this.
    #[error("not allowed")]
    Forbidden,
    /// 503: whether the token is good cannot be told now, since Menjin has been away for too long or
    /// was never reached.
    #[error("the access token cannot be checked now")]
    Unavailable,
    /// 500: an extractor ran where no [`layer`](crate::Guard::layer) had.
    #[error("no guard stands before this route")]
    NoLayer,
}

impl Refused {
    /// The status of the response.
    #[must_use]
    pub const fn status(self) -> StatusCode {
        match self {
            Self::NoAuthorization | Self::NoBearer | Self::Expired | Self::Invalid => {
                StatusCode::UNAUTHORIZED
            }
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::NoLayer => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The body of the response, JSON.
    #[must_use]
    pub const fn body(self) -> &'static str {
        match self {
            Self::NoAuthorization => r#"{"error":"Unauthorized for no Authorization"}"#,
            Self::NoBearer => r#"{"error":"Unauthorized for no Bearer"}"#,
            Self::Expired => r#"{"error":"token_expired"}"#,
            Self::Invalid => r#"{"error":"invalid_token"}"#,
            Self::Forbidden => r#"{"success":false,"error":"forbidden","message":"not allowed"}"#,
            Self::Unavailable => {
                r#"{"success":false,"error":"unavailable","message":"system error"}"#
            }
            Self::NoLayer => r#"{"success":false,"error":"internal","message":"system error"}"#,
        }
    }

    /// `WWW-Authenticate` (RFC 6750 §3), where there is one: whoever sent no token learns the scheme
    /// alone, others learn what was wrong.
    #[must_use]
    pub const fn challenge(self) -> Option<&'static str> {
        match self {
            Self::NoAuthorization | Self::NoBearer => Some(r#"Bearer realm="menjin""#),
            Self::Expired => Some(
                r#"Bearer realm="menjin", error="invalid_token", error_description="the access token expired""#,
            ),
            Self::Invalid => Some(r#"Bearer realm="menjin", error="invalid_token""#),
            Self::Forbidden => Some(r#"Bearer realm="menjin", error="insufficient_scope""#),
            Self::Unavailable | Self::NoLayer => None,
        }
    }

    /// The whole response, in whatever body the service answers with.
    #[must_use]
    pub fn response<B: From<Bytes>>(self) -> Response<B> {
        let body = Bytes::from_static(self.body().as_bytes());
        let mut response = Response::new(B::from(body));
        *response.status_mut() = self.status();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(challenge) = self.challenge() {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        }
        if self == Self::Unavailable {
            // As long as the guard itself waits at most before it asks again.
            headers.insert(RETRY_AFTER, HeaderValue::from_static("5"));
        }
        response
    }
}
