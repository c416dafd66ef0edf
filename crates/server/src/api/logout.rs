//! `POST /v1/user/logout` and `/v1/user/logout_all`

use axum::{Json, extract::State};
use serde::Serialize;

use crate::{
    app::App,
    bearer::Caller,
    failure::{
        Failure,
        bodies::{AccountFailure, GeneralFailure, TokenFailure},
    },
    flows::logout,
};

/// It is done.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Done {
    success: bool,
}

impl Done {
    pub(super) const fn yes() -> Json<Self> {
        Json(Self { success: true })
    }
}

/// Every older token of the account is refused from now on.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct LogoutAllReply {
    success: bool,
    /// A fresh bearer token, made after the others ended.
    access_token: String,
}

/// Sign out
///
/// This token is refused everywhere from now on.
#[utoipa::path(
    post,
    path = "/v1/user/logout",
    operation_id = "logout",
    tag = "Mini program",
    security(("bearer" = [])),
    responses(
        (status = 200, description = "The token is worth nothing now", body = Done),
        (status = 401, description = "The token is missing or not good", body = TokenFailure),
        (status = 503, description = "The store cannot be asked now; see Retry-After", body = AccountFailure),
    )
)]
pub(crate) async fn this(State(app): State<App>, caller: Caller) -> Result<Json<Done>, Failure> {
    logout::logout(&app, &caller).await?;
    Ok(Done::yes())
}

/// Sign out everywhere
///
/// Every older token of the account is refused; the caller gets a fresh one.
#[utoipa::path(
    post,
    path = "/v1/user/logout_all",
    operation_id = "logoutAll",
    tag = "Mini program",
    security(("bearer" = [])),
    responses(
        (status = 200, description = "Only the token that comes along is good now", body = LogoutAllReply),
        (status = 401, description = "The token is missing or not good", body = TokenFailure),
        (status = 403, description = "A guest has no account", body = GeneralFailure),
        (status = 503, description = "The store cannot be asked now; see Retry-After", body = AccountFailure),
    )
)]
pub(crate) async fn everywhere(
    State(app): State<App>,
    caller: Caller,
) -> Result<Json<LogoutAllReply>, Failure> {
    let user = logout::logout_all(&app, &caller).await?;
    Ok(Json(LogoutAllReply {
        success: true,
        access_token: caller.fresh_token(&app, Some(&user))?,
    }))
}
