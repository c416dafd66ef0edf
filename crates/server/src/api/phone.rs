//! `POST /v1/user/newphone` and `/v1/user/phonechange_verify`

use axum::{Json, extract::State};
use menjin_core::verification::Purpose;
use menjin_wechat::PhoneCode;
use serde::Serialize;

use super::register::{code, invalid, phone, text};
use crate::{
    app::App,
    bearer::Caller,
    failure::{
        Failure,
        bodies::{AccountFailure, GeneralFailure, TokenFailure},
    },
    flows::{change_phone, send_code::Asked},
    http::{address::ClientAddress, body::JsonObject},
};

/// One of `phone` and `phone_code`.
#[derive(utoipa::ToSchema)]
#[expect(
    dead_code,
    reason = "the body is read by hand, since each field has its own word"
)]
pub(crate) struct NewPhoneRequest {
    /// The new number in any spelling; a code is sent to it.
    phone: Option<String>,
    /// What WeChat's phone button gave (`e.detail.code`); the number is changed at once.
    phone_code: Option<String>,
}

/// The code that was sent to the new number.
#[derive(utoipa::ToSchema)]
#[expect(
    dead_code,
    reason = "the body is read by hand, since each field has its own word"
)]
pub(crate) struct PhoneChangeRequest {
    /// Six digits; a number is padded with zeros.
    code: String,
}

/// How far the change of the number is.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct PhoneChangeReply {
    success: bool,
    /// `verification_code_sent` or `phone_updated`.
    status: &'static str,
    /// A fresh bearer token, once the number is changed: every older one of the account is refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    access_token: Option<String>,
}

impl PhoneChangeReply {
    fn sent() -> Self {
        Self {
            success: true,
            status: "verification_code_sent",
            access_token: None,
        }
    }

    fn updated(access_token: String) -> Self {
        Self {
            success: true,
            status: "phone_updated",
            access_token: Some(access_token),
        }
    }
}

/// Change the phone number
///
/// With `phone`, a code is sent to the new number, and `phonechange_verify` takes it. With `phone_code`,
/// WeChat tells the number and it is changed at once. The former number hears of the change.
#[utoipa::path(
    post,
    path = "/v1/user/newphone",
    operation_id = "newphone",
    tag = "Mini program",
    security(("bearer" = [])),
    request_body = NewPhoneRequest,
    responses(
        (status = 200, description = "`verification_code_sent`, or `phone_updated` with a token", body = PhoneChangeReply),
        (status = 400, description = "`same_phone`, a field is not valid, or WeChat refused the phone_code", body = AccountFailure),
        (status = 401, description = "The token is missing or not good", body = TokenFailure),
        (status = 403, description = "The caller is a guest", body = GeneralFailure),
        (status = 409, description = "`phone_in_use`: the number is another account's", body = AccountFailure),
        (status = 413, description = "The body is over 64 KiB", body = AccountFailure),
        (status = 415, description = "The body is not declared as JSON", body = AccountFailure),
        (status = 429, description = "Too often; see Retry-After", body = AccountFailure),
        (status = 502, description = "A provider failed; nothing was changed", body = AccountFailure),
        (status = 503, description = "The store cannot be asked now; see Retry-After", body = AccountFailure),
    )
)]
pub(crate) async fn new(
    State(app): State<App>,
    caller: Caller,
    ClientAddress(address): ClientAddress,
    body: Result<JsonObject, Failure>,
) -> Result<Json<PhoneChangeReply>, Failure> {
    let user = caller.user()?;
    let body = body?.0;
    if let Some(code) = text(&body, "phone_code")? {
        let code = PhoneCode::parse(code).map_err(|_| invalid("phone_code"))?;
        let user = change_phone::by_phone_button(&app, &caller, &code).await?;
        let token = caller.fresh_token(&app, Some(&user))?;
        return Ok(Json(PhoneChangeReply::updated(token)));
    }
    let phone = phone(&app, &body)?;
    let asked = Asked {
        asker: caller.name(),
        former: caller.former(&app),
        address,
        purpose: Purpose::NewPhone,
        consent: None,
    };
    change_phone::ask(&app, &asked, user, &phone).await?;
    Ok(Json(PhoneChangeReply::sent()))
}

/// Prove the new phone number with the code that was sent to it
#[utoipa::path(
    post,
    path = "/v1/user/phonechange_verify",
    operation_id = "phonechange_verify",
    tag = "Mini program",
    security(("bearer" = [])),
    request_body = PhoneChangeRequest,
    responses(
        (status = 200, description = "`phone_updated`, with a token", body = PhoneChangeReply),
        (status = 400, description = "`bad_code`, or a field is not valid", body = AccountFailure),
        (status = 401, description = "The token is missing or not good", body = TokenFailure),
        (status = 403, description = "The caller is a guest", body = GeneralFailure),
        (status = 409, description = "`phone_in_use`: the number is another account's by now", body = AccountFailure),
        (status = 413, description = "The body is over 64 KiB", body = AccountFailure),
        (status = 415, description = "The body is not declared as JSON", body = AccountFailure),
        (status = 429, description = "Too many wrong codes; see Retry-After", body = AccountFailure),
        (status = 503, description = "The store cannot be asked now; see Retry-After", body = AccountFailure),
    )
)]
pub(crate) async fn verify(
    State(app): State<App>,
    caller: Caller,
    body: Result<JsonObject, Failure>,
) -> Result<Json<PhoneChangeReply>, Failure> {
    caller.user()?;
    let code = code(&body?.0)?;
    let user = change_phone::by_code(&app, &caller, &code).await?;
    let token = caller.fresh_token(&app, Some(&user))?;
    Ok(Json(PhoneChangeReply::updated(token)))
}
