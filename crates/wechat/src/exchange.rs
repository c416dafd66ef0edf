//! One question to WeChat and its answer: what every call shares, whatever it asks.
//!
//! Each call passes its app's circuit, has a time limit, and reads a bounded body. Nothing here asks
//! twice.

use std::time::Duration;

use http::StatusCode;
use menjin_core::Appid;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC};
use serde_json::Value;
use tokio::time::timeout;

use crate::{
    circuit::Change,
    client::{AppState, Inner},
    error::Error,
};

/// All but RFC 3986's unreserved characters, section 2.3.
pub(crate) const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

impl Inner {
    /// What is kept for an app.
    ///
    /// # Errors
    ///
    /// [`Error::Unreachable`] if the client was not made for it.
    pub(crate) fn app(&self, appid: &Appid) -> Result<&AppState, Error> {
        self.apps
            .get(appid)
            .ok_or_else(|| Error::unreachable(NotConfigured))
    }

    /// A GET. `target` is path and query, the base URL's own path included.
    pub(crate) fn get(&self, target: &str) -> Vec<u8> {
        let host = &self.origin.host;
        ["GET ", target, " HTTP/1.1\r\nhost: ", host, "\r\n\r\n"]
            .concat()
            .into_bytes()
    }

    /// A POST of JSON. Its length is known, so it is declared: WeChat answers 412 to a body in
    /// chunks (<https://developers.weixin.qq.com/community/develop/doc/000a08cb9705a05965919300b61800>,
    /// seen 2026-11-22).
    pub(crate) fn post(&self, target: &str, json: &Value) -> Vec<u8> {
        let (host, body) = (&self.origin.host, json.to_string());
        let length = body.len();
        format!(
            "POST {target} HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/json\r\n\
             content-length: {length}\r\n\r\n{body}"
        )
        .into_bytes()
    }

    /// Asks, through the app's circuit and for `limit` at most, and lets `read` make sense of a
    /// reply that came whole.
    ///
    /// # Errors
    ///
    /// Every variant of [`Error`].
    pub(crate) async fn ask<T>(
        &self,
        app: &AppState,
        request: &[u8],
        limit: Duration,
        read: impl FnOnce(StatusCode, &[u8]) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let pass = app.circuit.enter(self.clock.uptime())?;
        let outcome = timeout(limit, self.http.exchange(request, read))
            .await
            .unwrap_or(Err(Error::TimedOut));
        let worked = outcome.as_ref().map_or_else(Error::is_an_answer, |_| true);
        let appid = &app.appid;
        match pass.settle(worked, self.clock.uptime()) {
            Some(Change::Opened) => tracing::warn!(%appid, "the circuit to WeChat has opened"),
            Some(Change::Closed) => tracing::info!(%appid, "the circuit to WeChat has closed"),
            None => {}
        }
        outcome
    }
}

#[derive(Debug, thiserror::Error)]
#[error("the client was not made for this app")]
struct NotConfigured;
