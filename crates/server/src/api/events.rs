//! `GET` and `POST /wechat/events/{appid}`: WeChat's message push.

use axum::extract::{Path, RawQuery, State, rejection::PathRejection};
use menjin_core::{Appid, Refusal};
use menjin_wechat::{PushError, PushKeys, PushQuery};

use crate::{
    app::App,
    failure::{Failure, bodies::GeneralFailure},
    flows::events,
    http::{form::Form, raw::RawBody},
};

/// What WeChat wants to hear; anything else, and it sends again.
const SUCCESS: &str = "success";

/// Check the address
///
/// WeChat asks once, when the address is entered in its console, and wants its own text back.
#[utoipa::path(
    get,
    path = "/wechat/events/{appid}",
    operation_id = "checkEventsAddress",
    tag = "WeChat",
    params(
        ("appid" = String, Path, description = "The mini program"),
        ("signature" = String, Query, description = "WeChat's, of token, timestamp and nonce"),
        ("timestamp" = String, Query, description = "Seconds since 1970"),
        ("nonce" = String, Query, description = "A number of WeChat's choice"),
        ("echostr" = String, Query, description = "The text to answer with"),
    ),
    responses(
        (status = 200, description = "`echostr`", body = String, content_type = "text/plain"),
        (status = 403, description = "The signature is not WeChat's", body = GeneralFailure),
        (status = 404, description = "No push is expected for this mini program", body = GeneralFailure),
    )
)]
pub(crate) async fn check(
    State(app): State<App>,
    appid: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
) -> Result<String, Failure> {
    let (_, keys) = keys(&app, appid)?;
    let query = Form::parse(query.unwrap_or_default().as_bytes());
    let field = |name| query.field(name).ok_or(Refusal::NotSigned);
    if !keys.verify_url(field("signature")?, field("timestamp")?, field("nonce")?) {
        return Err(Refusal::NotSigned.into());
    }
    Ok(field("echostr")?.to_owned())
}

/// Hear what WeChat says about people
///
/// JSON or XML, plain or encrypted, signed within the last five minutes. Events that nobody here needs to
/// know are answered alike.
#[utoipa::path(
    post,
    path = "/wechat/events/{appid}",
    operation_id = "pushEvent",
    tag = "WeChat",
    params(
        ("appid" = String, Path, description = "The mini program"),
        ("signature" = String, Query, description = "WeChat's, of token, timestamp and nonce"),
        ("timestamp" = String, Query, description = "Seconds since 1970"),
        ("nonce" = String, Query, description = "A number of WeChat's choice"),
        ("msg_signature" = Option<String>, Query, description = "WeChat's, of what is encrypted as well"),
    ),
    request_body(content = String, content_type = "text/xml", description = "WeChat's message"),
    responses(
        (status = 200, description = "`success`", body = String, content_type = "text/plain"),
        (status = 400, description = "Not of WeChat's form", body = GeneralFailure),
        (status = 403, description = "Not signed by WeChat, or not just now", body = GeneralFailure),
        (status = 404, description = "No push is expected for this mini program", body = GeneralFailure),
        (status = 413, description = "The body is over 64 KiB", body = GeneralFailure),
        (status = 503, description = "The store cannot be asked now; see Retry-After", body = GeneralFailure),
    )
)]
pub(crate) async fn push(
    State(app): State<App>,
    appid: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
    body: Result<RawBody, Failure>,
) -> Result<&'static str, Failure> {
    let (appid, keys) = keys(&app, appid)?;
    let query = Form::parse(query.unwrap_or_default().as_bytes());
    let field = |name| query.field(name).unwrap_or_default();
    let signed = PushQuery {
        signature: field("signature"),
        timestamp: field("timestamp"),
        nonce: field("nonce"),
        msg_signature: query.field("msg_signature"),
    };
    let event = keys.open(appid, &signed, &body?.0).map_err(|error| {
        tracing::warn!(%appid, %error, "a push was not believed");
        match error {
            PushError::Malformed(_) => Refusal::MalformedBody,
            _ => Refusal::NotSigned,
        }
    })?;
    if !events::is_timely(&app, &event) {
        tracing::warn!(%appid, event = event.name, "a push was signed too long ago, or ahead of time");
        return Err(Refusal::NotSigned.into());
    }
    events::heed(&app, appid, &event).await?;
    Ok(SUCCESS)
}

/// The mini program, if a push is expected for it.
fn keys(
    app: &App,
    appid: Result<Path<String>, PathRejection>,
) -> Result<(&Appid, &PushKeys), Refusal> {
    let Path(appid) = appid.map_err(|_| Refusal::NotFound)?;
    let mut apps = app.options.apps.iter();
    let found = apps.find(|app| app.appid.as_str() == appid);
    let found = found.and_then(|app| Some((&app.appid, app.push.as_ref()?)));
    found.ok_or(Refusal::NotFound)
}
