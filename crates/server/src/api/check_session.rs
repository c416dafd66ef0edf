//! `POST /v1/user/checksession`

use axum::{Json, extract::State};

use super::logout::Done;
use crate::{
    app::App,
    bearer::Caller,
    failure::{
        Failure,
        bodies::{AccountFailure, TokenFailure},
    },
    flows::session_key,
};

/// Ask WeChat whether the session key is still good
///
/// `session_expired` is answered with a new sign-in.
#[utoipa::path(
    post,
    path = "/v1/user/checksession",
    operation_id = "checkSession",
    tag = "Mini program",
    security(("bearer" = [])),
    responses(
        (status = 200, description = "WeChat still honours the session key", body = Done),
        (status = 400, description = "`session_expired`", body = AccountFailure),
        (status = 401, description = "The token is missing or not good", body = TokenFailure),
        (status = 429, description = "WeChat says too often; see Retry-After", body = AccountFailure),
        (status = 502, description = "WeChat cannot be asked", body = AccountFailure),
        (status = 503, description = "The store cannot be asked now; see Retry-After", body = AccountFailure),
    )
)]
pub(crate) async fn post(State(app): State<App>, caller: Caller) -> Result<Json<Done>, Failure> {
    session_key::check(&app, caller.identity()?).await?;
    Ok(Done::yes())
}
