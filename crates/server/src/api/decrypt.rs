//! `POST /v1/wechat/decrypt`

use axum::{Json, extract::State};
use serde::Serialize;
use serde_json::{Map, Value};

use super::register::{invalid, text};
use crate::{
    app::App,
    bearer::Caller,
    failure::{
        Failure,
        bodies::{AccountFailure, TokenFailure},
    },
    flows::session_key::{self, Encrypted},
    http::body::JsonObject,
};

/// What WeChat's client gave the mini program.
#[derive(utoipa::ToSchema)]
#[expect(
    dead_code,
    reason = "the body is read by hand, since each field has its own word"
)]
pub(crate) struct DecryptRequest {
    /// `encryptedData`, in base64.
    encrypted_data: String,
    /// `iv`, in base64.
    iv: String,
    /// `rawData`, checked by `signature`.
    raw_data: Option<String>,
    /// `signature`, of `raw_data`.
    signature: Option<String>,
}

/// What was encrypted.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct DecryptReply {
    success: bool,
    /// WeChat's object, with its `watermark`.
    #[schema(value_type = Object)]
    data: Map<String, Value>,
}

/// Decrypt what WeChat's client encrypted
///
/// With the caller's session key, and with the one before it if that was just changed. The `watermark` was
/// made for this mini program.
#[utoipa::path(
    post,
    path = "/v1/wechat/decrypt",
    operation_id = "decrypt",
    tag = "Mini program",
    security(("bearer" = [])),
    request_body = DecryptRequest,
    responses(
        (status = 200, description = "The object", body = DecryptReply),
        (status = 400, description = "`session_expired`: sign in and encrypt again; `invalid_encrypted_data`: no key opens this", body = AccountFailure),
        (status = 401, description = "The token is missing or not good", body = TokenFailure),
        (status = 413, description = "The body is over 64 KiB", body = AccountFailure),
        (status = 415, description = "The body is not declared as JSON", body = AccountFailure),
        (status = 503, description = "The store cannot be asked now; see Retry-After", body = AccountFailure),
    )
)]
pub(crate) async fn post(
    State(app): State<App>,
    caller: Caller,
    body: Result<JsonObject, Failure>,
) -> Result<Json<DecryptReply>, Failure> {
    let body = body?.0;
    let need = |name| text(&body, name)?.ok_or_else(|| invalid(name));
    let signed = match (text(&body, "raw_data")?, text(&body, "signature")?) {
        (Some(raw_data), Some(signature)) => Some((raw_data, signature)),
        (None, None) => None,
        (Some(_), None) => return Err(invalid("signature").into()),
        (None, Some(_)) => return Err(invalid("raw_data").into()),
    };
    let encrypted = Encrypted {
        sealed: need("encrypted_data")?,
        iv: need("iv")?,
        signed,
    };
    let data = session_key::open(&app, caller.identity()?, encrypted).await?;
    Ok(Json(DecryptReply {
        success: true,
        data,
    }))
}
