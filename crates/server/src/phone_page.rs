//! The page of `menjin dev` where a phone can be tried in the browser.

use axum::{
    Router,
    http::{
        HeaderMap, HeaderName, HeaderValue, StatusCode,
        header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH},
    },
    response::{IntoResponse, Response},
    routing::get,
};
use menjin_core::secret::sha256;

use crate::app::App;

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; \
    frame-ancestors 'none'";

/// One file of the page: its path, its kind, what it holds.
struct Asset {
    path: &'static str,
    kind: &'static str,
    text: &'static str,
}

macro_rules! assets {
    ($($path:literal, $kind:literal, $file:literal;)+) => {
        &[$(Asset {
            path: $path,
            kind: concat!($kind, "; charset=utf-8"),
            text: include_str!(concat!("../assets/phone/", $file)),
        }),+]
    };
}

const ASSETS: &[Asset] = assets![
    "/", "text/html", "index.html";
    "/mark.svg", "image/svg+xml", "mark.svg";
    "/phone.css", "text/css", "phone.css";
    "/views.css", "text/css", "views.css";
    "/wire.css", "text/css", "wire.css";
    "/account.js", "text/javascript", "account.js";
    "/claims.js", "text/javascript", "claims.js";
    "/contacts.js", "text/javascript", "contacts.js";
    "/dom.js", "text/javascript", "dom.js";
    "/failures.js", "text/javascript", "failures.js";
    "/inbox.js", "text/javascript", "inbox.js";
    "/json.js", "text/javascript", "json.js";
    "/mistakes.js", "text/javascript", "mistakes.js";
    "/number-form.js", "text/javascript", "number-form.js";
    "/people.js", "text/javascript", "people.js";
    "/phone.js", "text/javascript", "phone.js";
    "/profile.js", "text/javascript", "profile.js";
    "/register.js", "text/javascript", "register.js";
    "/runs.js", "text/javascript", "runs.js";
    "/screen.js", "text/javascript", "screen.js";
    "/server.js", "text/javascript", "server.js";
    "/session.js", "text/javascript", "session.js";
    "/sign-in.js", "text/javascript", "sign-in.js";
    "/taps.js", "text/javascript", "taps.js";
    "/token.js", "text/javascript", "token.js";
    "/views.js", "text/javascript", "views.js";
    "/wire.js", "text/javascript", "wire.js";
    "/words.js", "text/javascript", "words.js";
    "/words-en.js", "text/javascript", "words-en.js";
    "/words-zh.js", "text/javascript", "words-zh.js";
];

/// The page and what it loads.
pub(crate) fn routes() -> Router<App> {
    ASSETS.iter().fold(Router::new(), |router, asset| {
        router.route(asset.path, get(async |headers| answer(asset, &headers)))
    })
}

fn answer(asset: &Asset, headers: &HeaderMap) -> Response {
    let digest = sha256(asset.text.as_bytes());
    let tag = digest.iter().take(8).map(|byte| format!("{byte:02x}"));
    let tag = format!("\"{}\"", tag.collect::<String>());
    let shared = [
        (CACHE_CONTROL, "no-cache"),
        (CONTENT_SECURITY_POLICY, POLICY),
        (HeaderName::from_static("referrer-policy"), "no-referrer"),
    ];
    let shared = shared.map(|(name, value)| (name, HeaderValue::from_static(value)));
    let known = headers
        .get(IF_NONE_MATCH)
        .is_some_and(|known| known == tag.as_str());
    if known {
        return (StatusCode::NOT_MODIFIED, [(ETAG, tag)], shared).into_response();
    }
    let kind = [(CONTENT_TYPE, asset.kind)];
    (kind, [(ETAG, tag)], shared, asset.text).into_response()
}
