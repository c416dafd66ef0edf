//! What happens to every request: an id, a shape for its failures, a count, headers, and no panic
//! gets out.

use std::{
    panic::AssertUnwindSafe,
    sync::{
        Arc, LazyLock,
        atomic::{AtomicU64, Ordering},
    },
};

use axum::{
    extract::{Request, State},
    http::{
        HeaderName, HeaderValue,
        header::{CACHE_CONTROL, X_CONTENT_TYPE_OPTIONS},
    },
    middleware::Next,
    response::{IntoResponse, Response},
};
use futures_util::FutureExt;
use menjin_core::identity::random_bytes;
use tracing::{Instrument, Level};

use crate::{app::App, failure::Failure, routes};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Wraps every route.
///
/// The span is a debug one, since most requests have nothing to tell and a span costs more than the
/// key set does; a failure, which is logged, gets one in any case, so that its line has the id.
pub(crate) async fn front(State(app): State<App>, request: Request, next: Next) -> Response {
    let route = routes::of(request.uri().path());
    let id = request_id(&request);
    let method = request.method().clone();
    let fields = || (id.to_str().unwrap_or_default(), method.as_str(), route.path);
    let mut span = tracing::Span::none();
    if tracing::enabled!(Level::DEBUG) {
        let (id, method, route) = fields();
        span = tracing::debug_span!("request", id, method, route);
        let agent = request
            .headers()
            .get("user-agent")
            .map(HeaderValue::as_bytes);
        let agent = agent.map(String::from_utf8_lossy);
        tracing::debug!(parent: &span, user_agent = agent.as_deref(), "asked");
    }
    let mut response = if route.early || app.is_started() {
        let answered = AssertUnwindSafe(next.run(request)).catch_unwind();
        let answered = answered.instrument(span.clone()).await;
        // The panic hook has said where; the payload may hold anything, so it is not looked at.
        answered.unwrap_or_else(|_| Failure::broken(Panicked).into_response())
    } else {
        Failure::Unavailable(Arc::new(NotStarted)).into_response()
    };
    if let Some(failure) = response.extensions_mut().remove::<Failure>() {
        if span.is_disabled() {
            let (id, method, route) = fields();
            span = tracing::info_span!("request", id, method, route);
        }
        response = span.in_scope(|| failure.render(route.shape));
    }
    let status = response.status().as_u16();
    tracing::debug!(parent: &span, status, "answered");
    app.metrics.answered(route.path, status);
    let headers = response.headers_mut();
    headers.insert(REQUEST_ID, id);
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if !headers.contains_key(CACHE_CONTROL) {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    response
}

/// The caller's own id, if it is a sane one, or a new one.
fn request_id(request: &Request) -> HeaderValue {
    let sane = |value: &&HeaderValue| {
        (1..=128).contains(&value.len())
            && value
                .as_bytes()
                .iter()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(byte))
    };
    if let Some(own) = request.headers().get(REQUEST_ID).filter(sane) {
        return own.clone();
    }
    HeaderValue::from_bytes(&next_id()).unwrap_or(HeaderValue::from_static("-"))
}

/// Unlike any other: this process's own random half, and a number. It is no secret.
fn next_id() -> [u8; 32] {
    static PROCESS: LazyLock<u64> = LazyLock::new(|| u64::from_be_bytes(random_bytes()));
    static NUMBER: AtomicU64 = AtomicU64::new(1);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let id = (u128::from(*PROCESS) << 64) | u128::from(number);
    let mut digits = [0; 32];
    for (two, byte) in digits.chunks_mut(2).zip(id.to_be_bytes()) {
        two.copy_from_slice(&[byte >> 4, byte & 0xf].map(hex));
    }
    digits
}

const fn hex(digit: u8) -> u8 {
    match digit {
        0..10 => b'0' + digit,
        _ => b'a' - 10 + digit,
    }
}

/// A handler panicked.
#[derive(Debug, thiserror::Error)]
#[error("a handler panicked")]
struct Panicked;

/// The store was not reached yet.
#[derive(Debug, thiserror::Error)]
#[error("the store was not reached yet")]
struct NotStarted;
