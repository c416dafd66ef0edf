//! `POST /v1/user/login`

use std::{convert::Infallible, sync::Arc};

use axum::{
    extract::{FromRequestParts, State},
    http::{
        HeaderValue,
        header::{CONTENT_TYPE, REFERER},
        request::Parts,
    },
    response::{IntoResponse, Response},
};
use menjin_core::{Appid, Identity, LoginCode, Refusal, Release, User, token::Subject};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::{
    app::App,
    failure::{Failure, bodies::SignInFailure},
    flows::sign_in::{SignIn, Spent, sign_in},
    http::{address::ClientAddress, body::JsonObject},
    metrics::SignInOutcome,
};

/// Bytes that a reply takes, the token among them.
const ROOM: usize = 1024;

/// What `wx.login()` gave, and where.
#[derive(utoipa::ToSchema)]
#[expect(
    dead_code,
    reason = "the body is read by hand, since each way to be wrong has its own errcode"
)]
pub(crate) struct SignInRequest {
    /// The code: 1 to 512 characters of `[A-Za-z0-9_-]`, single use, five minutes.
    #[schema(max_length = 512, pattern = "^[A-Za-z0-9_-]+$")]
    code: String,
    /// The mini program, when one deployment serves several.
    appid: Option<String>,
}

/// Who this is. `uid` and `campus` come once the person has registered.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct SignInReply {
    success: bool,
    /// Whether the person has an account whose phone number was verified.
    registered: bool,
    /// WeChat's id of the person in this mini program.
    openid: String,
    /// The bearer token for this server, and for the team's services once registered.
    access_token: String,
    /// The account's number, never above 2^53 - 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    uid: Option<i64>,
    email: String,
    avatar: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    campus: Option<String>,
    phone: String,
    /// `user` or `admin`; empty for somebody who has not registered.
    role: &'static str,
    nickname: String,
}

/// Sign in with what `wx.login()` gave
///
/// One call tells who this is, whether they have registered, their profile, and an access token.
/// Without `appid`, the one in WeChat's own `Referer` is taken if it is served here, and the
/// default one otherwise. The same code again within the replay window gives the same outcome.
#[utoipa::path(
    post,
    path = "/v1/user/login",
    operation_id = "sign_in",
    tag = "Mini program",
    request_body = SignInRequest,
    responses(
        (status = 200, description = "Signed in", body = SignInReply),
        (status = 400, description = "The code or the request is not valid", body = SignInFailure),
        (status = 403, description = "Blocked by WeChat, or disabled here", body = SignInFailure),
        (status = 408, description = "The body took too long", body = SignInFailure),
        (status = 413, description = "The body is over 64 KiB", body = SignInFailure),
        (status = 415, description = "The body is not declared as JSON", body = SignInFailure),
        (status = 429, description = "Too often; Retry-After says how long to wait", body = SignInFailure),
        (status = 500, description = "A fault of ours", body = SignInFailure),
        (status = 502, description = "WeChat refused this server, or its answer makes no sense", body = SignInFailure),
        (status = 503, description = "WeChat or the store cannot be asked now; see Retry-After", body = SignInFailure),
        (status = 504, description = "WeChat did not answer in time", body = SignInFailure),
    )
)]
pub(crate) async fn post(
    State(app): State<App>,
    ClientAddress(address): ClientAddress,
    Referer(referer): Referer,
    body: Result<JsonObject, Failure>,
) -> Result<SignInReply, Failure> {
    let began = app.clock.uptime();
    let spent = Arc::<Spent>::default();
    let replied = async {
        app.sign_in_limit.take(address, began)?;
        let request = read(&app, referer.as_ref(), &body?.0, spent.clone())?;
        let identity = sign_in(&app, request).await?;
        reply(&app, identity)
    }
    .await;
    let (outcome, errcode) = match &replied {
        Ok(reply) if reply.registered => (SignInOutcome::Registered, 0),
        Ok(_) => (SignInOutcome::Guest, 0),
        Err(failure) if failure.is_the_callers() => (SignInOutcome::Refused, failure.errcode()),
        Err(failure) => (SignInOutcome::Failed, failure.errcode()),
    };
    app.metrics.signed_in(outcome, errcode);
    let whole = app.clock.uptime().saturating_sub(began);
    app.metrics.sign_in_took(whole, spent.parts());
    replied
}

impl IntoResponse for SignInReply {
    fn into_response(self) -> Response {
        let mut json = Vec::with_capacity(ROOM);
        match serde_json::to_writer(&mut json, &self) {
            Ok(()) => ([(CONTENT_TYPE, "application/json")], json).into_response(),
            Err(error) => Failure::broken(error).into_response(),
        }
    }
}

/// Where WeChat's client says that it is.
pub(crate) struct Referer(Option<HeaderValue>);

impl FromRequestParts<App> for Referer {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Infallible> {
        Ok(Self(parts.headers.get(REFERER).cloned()))
    }
}

/// Reads the one or two fields that have an effect.
fn read(
    app: &App,
    referer: Option<&HeaderValue>,
    body: &Map<String, Value>,
    spent: Arc<Spent>,
) -> Result<SignIn, Refusal> {
    let code = match body.get("code") {
        None => return Err(Refusal::CodeMissing),
        Some(Value::String(code)) if code.is_empty() => return Err(Refusal::CodeMissing),
        Some(Value::String(code)) => code,
        Some(_) => return Err(Refusal::MalformedBody),
    };
    let referer = referer.and_then(|value| value.to_str().ok());
    let (referred, release) = referer.and_then(|url| by_referer(app, url)).unzip();
    let appid = match body.get("appid") {
        None | Some(Value::Null) => referred.or(app.default_app()).ok_or(Refusal::AppUnknown)?,
        Some(Value::String(appid)) => app.served(appid).ok_or(Refusal::AppUnknown)?,
        Some(_) => return Err(Refusal::MalformedBody),
    };
    let code = LoginCode::parse(code).map_err(|_| Refusal::CodeMalformed)?;
    let release = release.filter(|_| referred == Some(appid));
    Ok(SignIn {
        appid: appid.clone(),
        code,
        release,
        spent,
    })
}

/// WeChat's client always sends `https://servicewechat.com/<appid>/<version>/page-frame.html`.
fn by_referer<'a>(app: &'a App, url: &str) -> Option<(&'a Appid, Release)> {
    let path = url.strip_prefix("https://servicewechat.com/")?;
    let mut parts = path.split('/');
    let (appid, version) = (parts.next()?, parts.next()?);
    let release = match version {
        "devtools" => Release::Devtools,
        "0" => Release::Trial,
        _ => Release::Release,
    };
    Some((app.served(appid)?, release))
}

fn reply(app: &App, identity: Identity) -> Result<SignInReply, Failure> {
    let user = identity.user.filter(User::is_registered);
    let subject = user
        .as_ref()
        .map_or(Subject::Guest(identity.id), Subject::of);
    let access_token = app.tokens.mint(&subject, &identity.appid)?;
    let openid = identity.openid.to_string();
    let Some(user) = user else {
        return Ok(SignInReply {
            success: true,
            registered: false,
            openid,
            access_token,
            uid: None,
            email: String::new(),
            avatar: String::new(),
            campus: None,
            phone: String::new(),
            role: "",
            nickname: String::new(),
        });
    };
    Ok(SignInReply {
        success: true,
        registered: true,
        openid,
        access_token,
        uid: Some(user.uid.get()),
        email: user.email,
        avatar: user.avatar,
        campus: Some(user.campus),
        phone: user.phone,
        role: user.role.as_str(),
        nickname: user.nickname,
    })
}
