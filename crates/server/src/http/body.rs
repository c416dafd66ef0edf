//! Request bodies: JSON, bounded in size, depth and time, each key once.

use std::time::Duration;

use axum::{
    body::Body,
    extract::{FromRequest, Request},
    http::{HeaderMap, header::CONTENT_TYPE},
};
use http_body_util::BodyExt;
use menjin_core::{Refusal, json};
use serde_json::{Map, Value};

use crate::{app::App, failure::Failure};

/// No request needs more.
const MAX_BODY: usize = 64 * 1024;
/// Nothing that is nested deeper is read as JSON anyway.
const MAX_DEPTH: usize = 128;
/// Whoever sends slower than this is not waiting for an answer.
const MAX_TIME: Duration = Duration::from_secs(30);

/// A JSON object from the body of a request.
#[derive(Debug)]
pub(crate) struct JsonObject(pub(crate) Map<String, Value>);

impl FromRequest<App> for JsonObject {
    type Rejection = Failure;

    async fn from_request(request: Request, _: &App) -> Result<Self, Failure> {
        if !is_declared(request.headers(), "application/json") {
            return Err(Refusal::UnsupportedMediaType.into());
        }
        let bytes = read(request.into_body()).await?;
        let object = json::parse_object(&bytes).map_err(|_| Refusal::MalformedBody)?;
        Ok(Self(object))
    }
}

/// Whether a body is declared as of this kind, whatever parameters follow it.
pub(super) fn is_declared(headers: &HeaderMap, kind: &str) -> bool {
    let mut all = headers.get_all(CONTENT_TYPE).iter();
    let (Some(value), None) = (all.next(), all.next()) else {
        return false;
    };
    let text = value.to_str().unwrap_or_default();
    let essence = text.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case(kind)
}

/// Reads a body whole, within the limits.
pub(super) async fn read(body: Body) -> Result<Vec<u8>, Refusal> {
    let read = tokio::time::timeout(MAX_TIME, gather(body)).await;
    read.unwrap_or(Err(Refusal::BodyTooSlow))
}

/// Reads to the end, or to the first thing that is wrong: a hundred thousand brackets are malformed
/// long before they are too large.
async fn gather(mut body: Body) -> Result<Vec<u8>, Refusal> {
    let (mut bytes, mut nesting) = (Vec::new(), Nesting::default());
    while let Some(frame) = body.frame().await {
        // The client stopped half-way, or its chunks are no chunks.
        let frame = frame.map_err(|_| Refusal::MalformedBody)?;
        let Ok(part) = frame.into_data() else {
            continue;
        };
        if nesting.is_too_deep_in(&part) {
            return Err(Refusal::MalformedBody);
        }
        if bytes.len() + part.len() > MAX_BODY {
            return Err(Refusal::BodyTooLarge);
        }
        bytes.extend_from_slice(&part);
    }
    Ok(bytes)
}

/// How deep what was read so far is nested, if it is JSON at all.
#[derive(Default)]
struct Nesting {
    depth: usize,
    in_text: bool,
    escaped: bool,
}

impl Nesting {
    /// Reads on; `true` as soon as it is deeper than it may be.
    fn is_too_deep_in(&mut self, bytes: &[u8]) -> bool {
        bytes.iter().any(|byte| {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' => self.escaped = self.in_text,
                b'"' => self.in_text = !self.in_text,
                b'[' | b'{' if !self.in_text => self.depth += 1,
                b']' | b'}' if !self.in_text => self.depth = self.depth.saturating_sub(1),
                _ => {}
            }
            self.depth > MAX_DEPTH
        })
    }
}
