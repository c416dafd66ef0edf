//! The bodies of failures, each with its members in the order in which they are documented.

use serde::Serialize;

/// A sign-in that did not happen.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct SignInFailure {
    pub(super) success: bool,
    pub(super) error: SignInError,
    pub(super) registered: bool,
}

/// WeChat's own number and words, or ours.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct SignInError {
    /// See the reference of error codes.
    pub(super) errcode: i64,
    pub(super) errmsg: String,
    /// WeChat's id of its own request, which its support asks for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) rid: Option<String>,
}

/// The failure of a route that has no shape of its own.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct GeneralFailure {
    pub(super) success: bool,
    /// A stable word; see the reference of error codes.
    pub(super) error: &'static str,
    /// Words for a person; may change.
    pub(super) message: String,
}

/// The four ways in which a token fails.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct TokenFailure {
    /// `Unauthorized for no Authorization`, `Unauthorized for no Bearer`, `token_expired` or
    /// `invalid_token`.
    pub(super) error: &'static str,
}
