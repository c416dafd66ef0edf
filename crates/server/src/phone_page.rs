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
    img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; \
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
            kind: concat!("text/", $kind, "; charset=utf-8"),
            text: include_str!(concat!("../assets/phone/", $file)),
        }),+]
    };
}

const ASSETS: &[Asset] = assets![
    "/", "html", "index.html";
    "/phone.css", "css", "phone.css";
    "/wire.css", "css", "wire.css";
    "/phone.js", "javascript", "phone.js";
    "/claims.js", "javascript", "claims.js";
    "/dom.js", "javascript", "dom.js";
    "/json.js", "javascript", "json.js";
    "/mistakes.js", "javascript", "mistakes.js";
    "/runs.js", "javascript", "runs.js";
    "/screen.js", "javascript", "screen.js";
    "/token.js", "javascript", "token.js";
    "/wire.js", "javascript", "wire.js";
    "/words.js", "javascript", "words.js";
    "/words-en.js", "javascript", "words-en.js";
    "/words-zh.js", "javascript", "words-zh.js";
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
