//! Every URL of the service.

use axum::{Router, middleware};
use menjin_core::Refusal;
use utoipa::OpenApi;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    api::{
        avatar, check_session, consent, decrypt, delete, discovery, email, events, export, health,
        logout, me, oauth, phone, profile, reference, register, revocations, sign_in, status,
        verify, wechat_token,
    },
    app::App,
    failure::{Failure, Shape},
    http::front::front,
    phone_page,
};

/// What holds for all of a path, whichever handler stands behind it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Route {
    /// The path, and the label that counts it.
    pub(crate) path: &'static str,
    /// What its failures look like.
    pub(crate) shape: Shape,
    /// Whether it answers before the store was reached once and the keys are loaded.
    pub(crate) early: bool,
}

const fn route(path: &'static str, shape: Shape, early: bool) -> Route {
    Route { path, shape, early }
}

/// Every path but those of the phone page and the simulator's controls.
pub(crate) const ROUTES: &[Route] = &[
    route("/v1/user/login", Shape::SignIn, false),
    route("/v1/user/me", Shape::General, false),
    route("/v1/user/register", Shape::Account, false),
    route("/v1/user/verify", Shape::Account, false),
    route("/v1/user/migration", Shape::Account, false),
    route("/v1/user/newphone", Shape::Account, false),
    route("/v1/user/phonechange_verify", Shape::Account, false),
    route("/v1/user/newemail", Shape::Account, false),
    route("/v1/user/email/confirm", Shape::Page, false),
    route("/v1/user/setuser", Shape::Account, false),
    route("/v1/user/avatar", Shape::Picture, false),
    route("/v1/user/consent", Shape::Account, false),
    route("/avatars/{name}", Shape::General, false),
    route("/v1/user/logout", Shape::Account, false),
    route("/v1/user/logout_all", Shape::Account, false),
    route("/v1/user/delete", Shape::Account, false),
    route("/v1/user/export", Shape::General, false),
    route("/v1/user/checksession", Shape::Account, false),
    route("/v1/status/getUser", Shape::Search, false),
    route("/v1/wechat/decrypt", Shape::Account, false),
    route("/wechat/events/{appid}", Shape::General, false),
    route("/oauth/introspect", Shape::OAuth, false),
    route("/oauth/revoke", Shape::OAuth, false),
    route("/oauth/token", Shape::OAuth, false),
    route("/auth/verify", Shape::General, false),
    route("/auth/revocations", Shape::OAuth, false),
    route("/v1/wechat/token", Shape::OAuth, false),
    route("/.well-known/jwks.json", Shape::General, false),
    route(
        "/.well-known/oauth-authorization-server",
        Shape::General,
        false,
    ),
    route("/.well-known/openid-configuration", Shape::General, false),
    route("/healthz", Shape::General, true),
    route("/readyz", Shape::General, true),
    route("/metrics", Shape::General, true),
    route("/openapi.json", Shape::General, true),
];

/// All other paths, under one label: no caller can make new ones.
const ELSEWHERE: Route = route("other", Shape::General, true);

/// What holds for a path.
pub(crate) fn of(path: &str) -> &'static Route {
    let known = ROUTES.iter().find(|route| is_at(route.path, path));
    known.unwrap_or(&ELSEWHERE)
}

/// Whether a path is that of a route, in which a part in braces stands for any.
fn is_at(route: &str, path: &str) -> bool {
    if !route.contains('{') {
        return route == path;
    }
    let (mut parts, mut told) = (route.split('/'), path.split('/'));
    loop {
        match (parts.next(), told.next()) {
            (None, None) => return true,
            (Some(part), Some(told)) if part == told => {}
            (Some(part), Some(told)) if part.starts_with('{') && !told.is_empty() => {}
            _ => return false,
        }
    }
}

/// The public listener of a deployment.
pub fn public(app: &App) -> Router {
    finish(called().merge(plain()).into(), app)
}

/// The management listener: health, readiness, metrics.
pub fn management(app: &App) -> Router {
    finish(plain().merge(measured()).into(), app)
}

/// The one listener of `menjin dev`: everything, the phone page, and the simulator's controls.
pub fn development(app: &App, controls: Router) -> Router {
    let all = called().merge(plain()).merge(measured());
    let router = Router::from(all).merge(phone_page::routes());
    finish(router, app).merge(controls)
}

/// What mini programs and services call.
fn called() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(sign_in::post))
        .routes(routes!(me::get))
        .routes(routes!(register::register))
        .routes(routes!(register::verify))
        .routes(routes!(register::migration))
        .routes(routes!(phone::new))
        .routes(routes!(phone::verify))
        .routes(routes!(email::new))
        .routes(routes!(email::look, email::confirm))
        .routes(routes!(profile::set))
        .routes(routes!(avatar::post))
        .routes(routes!(avatar::get))
        .routes(routes!(consent::post))
        .routes(routes!(logout::this))
        .routes(routes!(logout::everywhere))
        .routes(routes!(delete::post))
        .routes(routes!(export::get))
        .routes(routes!(check_session::post))
        .routes(routes!(status::get))
        .routes(routes!(decrypt::post))
        .routes(routes!(events::check, events::push))
        .routes(routes!(oauth::introspect))
        .routes(routes!(oauth::revoke))
        .routes(routes!(oauth::grant))
        .routes(routes!(verify::get))
        .routes(routes!(revocations::get))
        .routes(routes!(wechat_token::get))
        .routes(routes!(discovery::jwks))
        .routes(routes!(discovery::oauth))
        .routes(routes!(discovery::openid))
}

/// What answers at any time.
fn plain() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(health::live))
        .routes(routes!(health::ready))
        .routes(routes!(reference::get))
}

fn measured() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(health::metrics))
}

fn finish(router: Router<App>, app: &App) -> Router {
    router
        .fallback(async || Failure::from(Refusal::NotFound))
        .method_not_allowed_fallback(method_not_allowed)
        .layer(middleware::from_fn_with_state(app.clone(), front))
        .with_state(app.clone())
}

async fn method_not_allowed() -> Failure {
    Refusal::MethodNotAllowed.into()
}

/// What is documented: every route but the phone page and the simulator's controls.
pub(crate) fn document() -> utoipa::openapi::OpenApi {
    let mut document = reference::Document::openapi();
    for part in [called(), plain(), measured()] {
        document.merge(part.into_openapi());
    }
    document
}
