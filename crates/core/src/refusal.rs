//! Everything that Menjin declines to do, for reasons known in advance.

use std::time::Duration;

/// A reason, known in advance, for not doing what was asked. Its wording is safe to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The request's body is not what the endpoint reads.
    #[error("data format error")]
    MalformedBody,
    /// The request's body is not declared as JSON.
    #[error("the Content-Type must be application/json")]
    UnsupportedMediaType,
    /// The request's body is over the limit.
    #[error("the body is larger than 64 KiB")]
    BodyTooLarge,
    /// The request's body took too long to arrive.
    #[error("the body took too long to arrive")]
    BodyTooSlow,
    /// There is nothing at this path.
    #[error("there is nothing at this path")]
    NotFound,
    /// The path does not know this method.
    #[error("the path does not know this method")]
    MethodNotAllowed,
    /// No login code was sent.
    #[error("missing code")]
    CodeMissing,
    /// What was sent cannot be a login code.
    #[error("invalid code")]
    CodeMalformed,
    /// The deployment does not serve this mini program.
    #[error("invalid appid")]
    AppUnknown,
    /// An administrator has switched the account off.
    #[error("the account is disabled")]
    AccountDisabled,
    /// The caller must wait.
    #[error("too many requests, try again later")]
    TooManyRequests {
        /// How long to wait.
        retry_after: Duration,
    },
    /// No `Authorization` header came.
    #[error("no Authorization header")]
    NoAuthorization,
    /// The `Authorization` header is not of the scheme `Bearer`.
    #[error("the Authorization header is not Bearer")]
    NoBearer,
    /// The access token is past its end.
    #[error("the access token has expired")]
    TokenExpired,
    /// The access token is malformed, forged, revoked, or not for us.
    #[error("the access token is not valid")]
    TokenInvalid,
    /// The access token is good, but not for this.
    #[error("not allowed")]
    Forbidden,
}
