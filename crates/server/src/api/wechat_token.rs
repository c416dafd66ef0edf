//! `GET /v1/wechat/token`, since one place alone should hold the AppSecret.

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, Uri},
};
use menjin_core::{Appid, Permission, Refusal};
use serde::Serialize;

use crate::{
    app::App,
    client::client,
    failure::{Failure, bodies::OAuthFailure},
    http::form::Form,
    metrics::BrokerOutcome,
};

const TWO_APPIDS: Refusal = Refusal::RequestMalformed("appid stands there twice");

/// WeChat's access token of a mini program.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct WechatToken {
    /// What WeChat wants as `access_token`. Whoever holds it can call WeChat in the mini program's name.
    access_token: String,
    /// Seconds for which WeChat takes it; ask again before they are over.
    expires_in: u64,
}

/// WeChat's server access token
///
/// For services that may have `wechat_token`. It is the same for all, and renewed before its end.
#[utoipa::path(
    get,
    path = "/v1/wechat/token",
    operation_id = "wechatToken",
    tag = "Other services",
    security(("service" = [])),
    params(
        ("appid" = Option<String>, Query, description = "Of which mini program; of the default one if it is not said"),
    ),
    responses(
        (status = 200, description = "The token", body = WechatToken),
        (status = 400, description = "That mini program is not served here", body = OAuthFailure),
        (status = 401, description = "The service is not known", body = OAuthFailure),
        (status = 403, description = "The service may not ask this", body = OAuthFailure),
        (status = 502, description = "WeChat refused, or could not be asked", body = OAuthFailure),
        (status = 503, description = "WeChat cannot be asked now; see Retry-After", body = OAuthFailure),
    )
)]
pub(crate) async fn get(
    State(app): State<App>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Json<WechatToken>, Failure> {
    let service = client(&app, &headers, None, Permission::WechatToken).await?;
    let appid = asked(&app, &uri)?;
    let token = app.wechat.access_token(appid).await;
    let outcome = match &token {
        Ok(_) => BrokerOutcome::Given,
        Err(_) => BrokerOutcome::Failed,
    };
    app.metrics.wechat_token(appid, outcome);
    let token = token?;
    tracing::debug!(service = %service.id, %appid, "WeChat's token handed over");
    Ok(Json(WechatToken {
        access_token: token.value.expose().to_owned(),
        expires_in: token.expires_in.as_secs(),
    }))
}

fn asked<'a>(app: &'a App, uri: &Uri) -> Result<&'a Appid, Refusal> {
    let query = uri.query().unwrap_or_default();
    let form = Form::parse(query.as_bytes());
    let appid = match form.value("appid") {
        Some(appid) => app.served(appid.map_err(|_| TWO_APPIDS)?),
        None => app.default_app(),
    };
    appid.ok_or(Refusal::AppUnknown)
}
