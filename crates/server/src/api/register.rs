//! `POST /v1/user/register`, `/v1/user/verify` and `/v1/user/migration`

use axum::{Json, extract::State};
use menjin_core::{
    Identity, Input, Phone, Refusal, User,
    token::Subject,
    verification::{Code, Purpose},
};
use menjin_wechat::PhoneCode;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::{
    app::App,
    bearer::Caller,
    failure::{
        Failure,
        bodies::{AccountFailure, TokenFailure},
    },
    flows::{
        register::{self, Answer, Outcome},
        send_code::Asked,
    },
    http::{address::ClientAddress, body::JsonObject},
};

/// One of `phone` and `phone_code`.
#[derive(utoipa::ToSchema)]
#[expect(
    dead_code,
    reason = "the body is read by hand, since each field has its own word"
)]
pub(crate) struct RegisterRequest {
    /// A phone number in any spelling; a code is sent to it.
    phone: Option<String>,
    /// What WeChat's phone button gave (`e.detail.code`); no message is sent.
    phone_code: Option<String>,
    /// The version of the privacy policy that the person agreed to, where the deployment has one.
    consent: Option<String>,
}

/// A number, and the code that was sent to it.
#[derive(utoipa::ToSchema)]
#[expect(
    dead_code,
    reason = "the body is read by hand, since each field has its own word"
)]
pub(crate) struct CodeRequest {
    /// The phone number in any spelling.
    phone: String,
    /// Six digits; a number is padded with zeros.
    code: String,
}

/// How far the person is.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct RegisterReply {
    success: bool,
    /// `verification_code_sent`, `user_exists`, `user_need_migration`, `verified` or `user_migrated`.
    status: &'static str,
    /// A fresh bearer token: the guest's, or the new user's.
    #[serde(skip_serializing_if = "Option::is_none")]
    access_token: Option<String>,
    /// The account's number, once there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    uid: Option<i64>,
}

impl RegisterReply {
    fn new(status: &'static str, access_token: Option<String>) -> Self {
        Self {
            success: true,
            status,
            access_token,
            uid: None,
        }
    }
}

/// Register with a phone number
///
/// With `phone`, a code is sent to the number, and `verify` (or `migration`, after
/// `user_need_migration`) takes it. With `phone_code`, WeChat tells the number and the person is
/// registered at once.
#[utoipa::path(
    post,
    path = "/v1/user/register",
    operation_id = "register",
    tag = "Mini program",
    security(("bearer" = [])),
    request_body = RegisterRequest,
    responses(
        (status = 200, description = "See `status`", body = RegisterReply),
        (status = 400, description = "A field is not valid, or WeChat refused the phone_code", body = AccountFailure),
        (status = 401, description = "The token is missing or not good", body = TokenFailure),
        (status = 409, description = "The caller is a user already", body = AccountFailure),
        (status = 413, description = "The body is over 64 KiB", body = AccountFailure),
        (status = 415, description = "The body is not declared as JSON", body = AccountFailure),
        (status = 429, description = "Too often; see Retry-After", body = AccountFailure),
        (status = 502, description = "A provider failed; nothing was changed", body = AccountFailure),
        (status = 503, description = "The store cannot be asked now; see Retry-After", body = AccountFailure),
    )
)]
pub(crate) async fn register(
    State(app): State<App>,
    caller: Caller,
    ClientAddress(address): ClientAddress,
    body: Result<JsonObject, Failure>,
) -> Result<Json<RegisterReply>, Failure> {
    let body = body?.0;
    if caller.user.is_some() {
        return Err(Refusal::AlreadyRegistered.into());
    }
    let identity = caller.identity()?;
    let consent = text(&body, "consent")?.map(str::to_owned);
    if let Some(code) = text(&body, "phone_code")? {
        let code = PhoneCode::parse(code).map_err(|_| invalid("phone_code"))?;
        let outcome = register::by_phone_button(&app, identity, &code, consent).await?;
        return done(&app, Some(identity), outcome).map(Json);
    }
    let phone = phone(&app, &body)?;
    let asked = Asked {
        asker: identity.id.to_string(),
        former: caller.former(&app),
        address,
        purpose: Purpose::Register,
        consent,
    };
    let answer = register::ask(&app, asked, &phone).await?;
    let token = || caller.fresh_token(&app, None).map(Some);
    Ok(Json(match answer {
        Answer::CodeSent => RegisterReply::new("verification_code_sent", token()?),
        Answer::NeedsMigration => RegisterReply::new("user_need_migration", token()?),
        Answer::UserExists => RegisterReply::new("user_exists", None),
    }))
}

/// Prove a phone number with the code that was sent to it
///
/// The person who asked for the code becomes a user, whoever sends it. A token comes along if their
/// bearer is sent.
#[utoipa::path(
    post,
    path = "/v1/user/verify",
    operation_id = "verify",
    tag = "Mini program",
    security((), ("bearer" = [])),
    request_body = CodeRequest,
    responses(
        (status = 200, description = "`verified`", body = RegisterReply),
        (status = 400, description = "The code is not good, or a field is not valid", body = AccountFailure),
        (status = 401, description = "A token was sent and is not good", body = TokenFailure),
        (status = 409, description = "The number belongs to an account by now, or the caller is a user already", body = AccountFailure),
        (status = 413, description = "The body is over 64 KiB", body = AccountFailure),
        (status = 415, description = "The body is not declared as JSON", body = AccountFailure),
        (status = 429, description = "Too many wrong codes; see Retry-After", body = AccountFailure),
        (status = 503, description = "The store cannot be asked now; see Retry-After", body = AccountFailure),
    )
)]
pub(crate) async fn verify(
    State(app): State<App>,
    ClientAddress(address): ClientAddress,
    caller: Option<Caller>,
    body: Result<JsonObject, Failure>,
) -> Result<Json<RegisterReply>, Failure> {
    app.code_limit.take(address, app.clock.uptime())?;
    by_code(&app, Purpose::Register, caller, &body?.0).await
}

/// Take over an imported account with the code that was sent to its number
#[utoipa::path(
    post,
    path = "/v1/user/migration",
    operation_id = "migration",
    tag = "Mini program",
    security((), ("bearer" = [])),
    request_body = CodeRequest,
    responses(
        (status = 200, description = "`user_migrated`", body = RegisterReply),
        (status = 400, description = "The code is not good, or a field is not valid", body = AccountFailure),
        (status = 401, description = "A token was sent and is not good", body = TokenFailure),
        (status = 409, description = "The account is somebody's by now, or the caller is a user already", body = AccountFailure),
        (status = 413, description = "The body is over 64 KiB", body = AccountFailure),
        (status = 415, description = "The body is not declared as JSON", body = AccountFailure),
        (status = 429, description = "Too many wrong codes; see Retry-After", body = AccountFailure),
        (status = 503, description = "The store cannot be asked now; see Retry-After", body = AccountFailure),
    )
)]
pub(crate) async fn migration(
    State(app): State<App>,
    ClientAddress(address): ClientAddress,
    caller: Option<Caller>,
    body: Result<JsonObject, Failure>,
) -> Result<Json<RegisterReply>, Failure> {
    app.code_limit.take(address, app.clock.uptime())?;
    by_code(&app, Purpose::Migrate, caller, &body?.0).await
}

async fn by_code(
    app: &App,
    purpose: Purpose,
    caller: Option<Caller>,
    body: &Map<String, Value>,
) -> Result<Json<RegisterReply>, Failure> {
    if caller.as_ref().is_some_and(|caller| caller.user.is_some()) {
        return Err(Refusal::AlreadyRegistered.into());
    }
    let phone = phone(app, body)?;
    let code = code(body)?;
    let identity = match &caller {
        Some(caller) => Some(caller.identity()?),
        None => None,
    };
    let asker = identity.map(|identity| identity.id.to_string());
    let proved = register::by_code(app, purpose, &phone, &code, asker.as_deref()).await?;
    let (_, outcome) = proved;
    if matches!(outcome, Outcome::UserExists) {
        return Err(Refusal::PhoneInUse.into());
    }
    done(app, identity, outcome).map(Json)
}

/// The reply to a number that was proved; only whoever is known to be the person gets a token.
fn done(
    app: &App,
    identity: Option<&Identity>,
    outcome: Outcome,
) -> Result<RegisterReply, Failure> {
    let (status, user) = match outcome {
        Outcome::Registered(user) => ("verified", user),
        Outcome::Migrated(user) => ("user_migrated", user),
        Outcome::UserExists => return Ok(RegisterReply::new("user_exists", None)),
    };
    let Some(identity) = identity else {
        return Ok(RegisterReply::new(status, None));
    };
    let access_token = app.tokens.mint(&Subject::of(&user), &identity.appid)?;
    Ok(RegisterReply {
        uid: Some(uid(&user)),
        ..RegisterReply::new(status, Some(access_token))
    })
}

fn uid(user: &User) -> i64 {
    user.uid.get()
}

/// The number in a body.
pub(super) fn phone(app: &App, body: &Map<String, Value>) -> Result<Phone, Refusal> {
    let text = text(body, "phone")?.ok_or_else(|| invalid("phone"))?;
    let allowed = &app.options.registration.calling_codes;
    Phone::parse(text, allowed).map_err(|_| invalid("phone"))
}

/// The six digits in a body.
pub(super) fn code(body: &Map<String, Value>) -> Result<Code, Refusal> {
    let code = body.get("code").ok_or_else(|| invalid("code"))?;
    Code::of_json(code).map_err(|_| invalid("code"))
}

/// A field of text in a body; `None` if it is not there.
pub(super) fn text<'b>(
    body: &'b Map<String, Value>,
    name: &'static str,
) -> Result<Option<&'b str>, Refusal> {
    match body.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(invalid(name)),
    }
}

pub(super) const fn invalid(field: &'static str) -> Refusal {
    Refusal::Invalid(Input(field))
}
