//! `GET /openapi.json`: the API as OpenAPI 3.1, gathered from the handlers.

use std::sync::OnceLock;

use axum::http::{HeaderName, HeaderValue, header::CONTENT_TYPE};
use utoipa::{
    Modify, OpenApi,
    openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
};

use crate::{errcodes, routes};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Menjin",
        description = "Sign-in for WeChat mini programs: one call, one token.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    tags(
        (name = "Mini program", description = "What a mini program calls"),
        (name = "Other services", description = "What the team's other services need to check a token"),
        (name = "WeChat", description = "What WeChat itself calls"),
        (name = "Operation", description = "Liveness, readiness, metrics; /metrics is on the management listener alone"),
    ),
    modifiers(&Credentials),
)]
pub(crate) struct Document;

struct Credentials;

impl Modify for Credentials {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .bearer_format("JWT")
            .description(Some("The access_token of a sign-in"));
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("bearer", SecurityScheme::Http(scheme.build()));
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Basic)
            .description(Some("The name and secret of one of the team's services"));
        components.add_security_scheme("service", SecurityScheme::Http(scheme.build()));
    }
}

/// The document, as `GET /openapi.json` and `menjin openapi` show it.
#[must_use]
pub fn openapi() -> &'static str {
    static TEXT: OnceLock<String> = OnceLock::new();
    TEXT.get_or_init(|| {
        let mut document = routes::document();
        let table = errcodes::summary();
        let words = document.info.description.take().unwrap_or_default();
        document.info.description = Some(format!("{words}\n\n{table}"));
        document.to_pretty_json().unwrap_or_default() + "\n"
    })
}

/// The API as OpenAPI 3.1
#[utoipa::path(
    get,
    path = "/openapi.json",
    operation_id = "reference",
    tag = "Operation",
    responses((status = 200, description = "This document", body = serde_json::Value))
)]
pub(crate) async fn get() -> ([(HeaderName, HeaderValue); 1], &'static str) {
    let kind = HeaderValue::from_static("application/json");
    ([(CONTENT_TYPE, kind)], openapi())
}

#[cfg(test)]
mod tests;
