//! `GET /v1/user/me`

use axum::{Json, extract::State};
use serde::Serialize;
use serde_json::{Map, Value};

use super::consent::Agreed;
use crate::{
    app::App,
    bearer::Caller,
    failure::bodies::{GeneralFailure, TokenFailure},
};

/// The caller's own account. For a guest, `success`, `registered` and `openid` alone.
#[derive(Debug, Default, Serialize, utoipa::ToSchema)]
pub(crate) struct Me {
    success: bool,
    registered: bool,
    /// WeChat's id of the person in the mini program that the token was made for.
    openid: String,
    #[serde(flatten)]
    account: Option<Account>,
}

/// What a registered account holds.
#[derive(Debug, Default, Serialize, utoipa::ToSchema)]
pub(crate) struct Account {
    /// The account's number, never above 2^53 - 1.
    uid: i64,
    email: String,
    avatar: String,
    campus: String,
    phone: String,
    /// `user` or `admin`.
    role: &'static str,
    nickname: String,
    /// The deployment's own fields that have a value.
    #[schema(value_type = Object)]
    profile: Map<String, Value>,
    /// What privacy policy the person agrees to; `null` if to none.
    consent: Option<Agreed>,
}

/// The caller's own account
#[utoipa::path(
    get,
    path = "/v1/user/me",
    operation_id = "me",
    tag = "Mini program",
    security(("bearer" = [])),
    responses(
        (status = 200, description = "The account, or the openid of a guest", body = Me),
        (status = 401, description = "The token is missing or not good", body = TokenFailure),
        (status = 503, description = "The store cannot be asked now; see Retry-After", body = GeneralFailure),
    )
)]
pub(crate) async fn get(State(app): State<App>, caller: Caller) -> Json<Me> {
    let openid = caller.identity.map(|identity| identity.openid.to_string());
    let account = caller.user.map(|user| Account {
        uid: user.uid.get(),
        email: user.email,
        avatar: user.avatar,
        campus: user.campus,
        phone: user.phone,
        role: user.role.as_str(),
        nickname: user.nickname,
        profile: app.options.profile.fields.shown(&user.profile),
        consent: user.consent.map(Agreed::of),
    });
    Json(Me {
        success: true,
        registered: account.is_some(),
        openid: openid.unwrap_or_default(),
        account,
    })
}
