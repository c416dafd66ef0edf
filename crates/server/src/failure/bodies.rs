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
    pub(super) error: String,
    /// Words for a person; may change.
    pub(super) message: String,
}

/// What an account's route did not do.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct AccountFailure {
    pub(super) success: bool,
    /// The stable word that clients switch on; `invalid_<field>` for a field that is not as it should be.
    pub(super) status: String,
    /// Words for a person; may change.
    pub(super) message: String,
    /// WeChat's own number and words, where WeChat refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) error: Option<SignInError>,
}

/// A picture that was not taken.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct PictureFailure {
    pub(super) success: bool,
    /// Why, in words for a person.
    pub(super) data: String,
}

/// A question that was not answered.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct SearchFailure {
    pub(super) success: bool,
    /// Always empty.
    pub(super) requesttype: &'static str,
    /// Why, in words for a person; may change.
    pub(super) data: String,
}

/// What a service asked for in vain (RFC 6749 §5.2).
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct OAuthFailure {
    /// `invalid_client`, `unauthorized_client`, `invalid_request`, `temporarily_unavailable` or
    /// `server_error`.
    pub(super) error: &'static str,
    /// Words for a person; may change.
    pub(super) error_description: String,
    /// WeChat's own number and words, where WeChat refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) wechat: Option<SignInError>,
}

/// The four ways in which a token fails.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct TokenFailure {
    /// `Unauthorized for no Authorization`, `Unauthorized for no Bearer`, `token_expired` or
    /// `invalid_token`.
    pub(super) error: &'static str,
}
