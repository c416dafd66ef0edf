//! The controls that play the phone: signing in, the phone button, a person's own in cipher, and
//! what a person does to the account in WeChat itself.

use axum::{
    Json,
    body::Bytes,
    extract::{State, rejection::BytesRejection},
    http::StatusCode,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Mistake, parse};
use crate::{
    EncryptError, Encrypted, Simulator, people,
    post::{Said, Target},
    push::Order,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Login {
    person: String,
    appid: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Tap {
    person: String,
    number: Option<String>,
    appid: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Seal {
    person: String,
    #[serde(rename = "data")]
    object: Value,
    appid: Option<String>,
}

#[derive(Serialize)]
pub(super) struct Code {
    code: String,
}

impl From<EncryptError> for Mistake {
    fn from(error: EncryptError) -> Self {
        error.to_string().into()
    }
}

pub(super) async fn login(
    State(simulator): State<Simulator>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Code>, Mistake> {
    let Login { person, appid } = parse(body, r#"{"person": "小王"}"#)?;
    let code = simulator.login(&person, appid.as_deref())?;
    Ok(Json(Code { code }))
}

pub(super) async fn tap(
    State(simulator): State<Simulator>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Code>, Mistake> {
    let tap: Tap = parse(body, r#"{"person": "小王"}"#)?;
    let (number, appid) = (tap.number.as_deref(), tap.appid.as_deref());
    let code = simulator.phone_code(&tap.person, number, appid)?;
    Ok(Json(Code { code }))
}

pub(super) async fn encrypt(
    State(simulator): State<Simulator>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Encrypted>, Mistake> {
    let example = r#"{"person": "小王", "data": {"nickName": "小王"}}"#;
    let seal: Seal = parse(body, example)?;
    let encrypted = simulator.encrypt(&seal.person, seal.appid.as_deref(), seal.object)?;
    Ok(Json(encrypted))
}

pub(super) async fn event(
    State(simulator): State<Simulator>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Said>, Mistake> {
    let example = r#"{"person": "小王", "event": "user_authorization_revoke", "revoke_info": ["8"], "url": "http://127.0.0.1:8080/wechat/events/wx0123456789abcdef", "token": "..."}"#;
    let order: Order = parse(body, example)?;
    people::check_name(&order.person)?;
    let target = Target::parse(&order.url)?;
    let appid = simulator.app_of(&order.person, order.appid.as_deref())?;
    let appid = appid.ok_or_else(|| "say which app the event is of: add `appid`".to_owned())?;
    let now = simulator.world().now();
    let push = order.compose(&appid, now, &simulator.inner.dice)?;
    let said = target.send(push).await;
    said.map(Json)
        .map_err(|silence| Mistake(StatusCode::BAD_GATEWAY, silence.to_string()))
}
