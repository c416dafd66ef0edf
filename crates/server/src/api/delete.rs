//! `POST /v1/user/delete`

use axum::{Json, extract::State};
use menjin_core::Openid;
use serde::Serialize;

use super::register::{invalid, text};
use crate::{
    app::App,
    bearer::Caller,
    failure::{
        Failure,
        bodies::{AccountFailure, GeneralFailure, TokenFailure},
    },
    flows::delete,
    http::body::JsonObject,
};

/// Who is to be deleted.
#[derive(utoipa::ToSchema)]
#[expect(
    dead_code,
    reason = "the body is read by hand, since each field has its own word"
)]
pub(crate) struct DeleteRequest {
    /// One's own openid in any of the mini programs, or anybody's for an administrator.
    openid: String,
}

/// They are gone.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct DeleteReply {
    success: bool,
    message: &'static str,
}

/// Delete an account
///
/// The account, its identities in every mini program and all that is stored of the person go at once,
/// and their tokens are refused. A guest may delete themselves, too. Whoever comes back is new here.
#[utoipa::path(
    post,
    path = "/v1/user/delete",
    operation_id = "deleteUser",
    tag = "Mini program",
    security(("bearer" = [])),
    request_body = DeleteRequest,
    responses(
        (status = 200, description = "Gone", body = DeleteReply),
        (status = 400, description = "`openid` is missing or cannot be one", body = AccountFailure),
        (status = 401, description = "The token is missing or not good", body = TokenFailure),
        (status = 403, description = "Somebody else's, and the caller is no administrator", body = GeneralFailure),
        (status = 404, description = "An administrator asked, and nobody has this openid", body = AccountFailure),
        (status = 413, description = "The body is over 64 KiB", body = AccountFailure),
        (status = 415, description = "The body is not declared as JSON", body = AccountFailure),
        (status = 503, description = "The store cannot be asked now; see Retry-After", body = AccountFailure),
    )
)]
pub(crate) async fn post(
    State(app): State<App>,
    caller: Caller,
    body: Result<JsonObject, Failure>,
) -> Result<Json<DeleteReply>, Failure> {
    let body = body?.0;
    let openid = text(&body, "openid")?.ok_or_else(|| invalid("openid"))?;
    let openid = Openid::parse(openid).map_err(|_| invalid("openid"))?;
    delete::delete(&app, &caller, &openid).await?;
    Ok(Json(DeleteReply {
        success: true,
        message: "用户删除成功",
    }))
}
