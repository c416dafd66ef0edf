//! Whether the process lives, whether it can serve, and what it has counted.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::{HeaderValue, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use crate::{
    app::App,
    failure::{Failure, bodies::GeneralFailure},
};

/// Whether the process lives
///
/// Depends on nothing: who restarts on it must not do so when a database is away.
#[utoipa::path(
    get,
    path = "/healthz",
    tag = "Operation",
    responses((status = 200, description = "It lives", body = Value))
)]
pub(crate) async fn live() -> Json<Value> {
    Json(json!({ "status": "ok" }))
}

/// Whether the server can serve: the store answers, the keys are loaded, and it is not going away
#[utoipa::path(
    get,
    path = "/readyz",
    tag = "Operation",
    responses(
        (status = 200, description = "Send requests", body = Value),
        (status = 503, description = "Send none now", body = GeneralFailure),
    )
)]
pub(crate) async fn ready(State(app): State<App>) -> Result<Json<Value>, Failure> {
    if app.is_draining() {
        return Err(Failure::Unavailable(Arc::new(Why("going away"))));
    }
    if !app.is_started() || app.tokens.keyring().is_empty() {
        return Err(Failure::Unavailable(Arc::new(Why(
            "the store was not reached yet",
        ))));
    }
    app.store.check().await?;
    Ok(Json(json!({ "status": "ready" })))
}

/// What was counted, for Prometheus
#[utoipa::path(
    get,
    path = "/metrics",
    tag = "Operation",
    responses((status = 200, description = "OpenMetrics text", body = String, content_type = "application/openmetrics-text"))
)]
pub(crate) async fn metrics(State(app): State<App>) -> Response {
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    let kind = HeaderValue::from_static(kind);
    ([(CONTENT_TYPE, kind)], app.metrics.text(&app)).into_response()
}

/// Why the server is not ready.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Why(&'static str);
