//! One question to WeChat and its answer: what every call shares, whatever it asks.
//!
//! Each call passes its app's circuit, has a time limit, and reads a bounded body. Nothing here asks
//! twice.

use std::{error::Error as StdError, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, Method, Request, StatusCode, Uri,
    header::{CONTENT_TYPE, HOST},
    uri::{Parts, PathAndQuery},
};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::{Body, Incoming};
use hyper_util::client::legacy;
use menjin_core::Appid;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC};
use serde_json::Value;
use tokio::time::{error::Elapsed, timeout};

use crate::{
    circuit::Change,
    client::{AppState, Inner},
    error::Error,
    reply,
};

/// Bytes of a reply's body that are read. A real one has a few hundred.
const BODY_LIMIT: usize = 64 * 1024;
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
            .ok_or_else(|| unreachable(NotConfigured))
    }

    /// A GET. `target` is path and query, the base URL's own path included.
    ///
    /// # Errors
    ///
    /// [`Error::Unreachable`]; never in practice.
    pub(crate) fn get(&self, target: String) -> Result<Request<Full<Bytes>>, Error> {
        let mut parts = Parts::default();
        parts.scheme = Some(self.origin.scheme.clone());
        parts.authority = Some(self.origin.authority.clone());
        parts.path_and_query =
            Some(PathAndQuery::from_maybe_shared(Bytes::from(target)).map_err(unreachable)?);
        let mut request = Request::new(Full::default());
        *request.uri_mut() = Uri::from_parts(parts).map_err(unreachable)?;
        *request.headers_mut() = HeaderMap::from_iter([(HOST, self.origin.host.clone())]);
        Ok(request)
    }

    /// A POST of JSON. Its length is known, so it is declared: WeChat answers 412 to a body in
    /// chunks (<https://developers.weixin.qq.com/community/develop/doc/000a08cb9705a05965919300b61800>,
    /// seen 2026-11-22).
    ///
    /// # Errors
    ///
    /// [`Error::Unreachable`]; never in practice.
    pub(crate) fn post(&self, target: String, json: &Value) -> Result<Request<Full<Bytes>>, Error> {
        let mut request = self.get(target)?;
        *request.method_mut() = Method::POST;
        let json_type = HeaderValue::from_static("application/json");
        request.headers_mut().insert(CONTENT_TYPE, json_type);
        *request.body_mut() = Full::from(json.to_string());
        Ok(request)
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
        request: Request<Full<Bytes>>,
        limit: Duration,
        read: impl FnOnce(StatusCode, &[u8]) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let pass = app.circuit.enter(self.clock.uptime())?;
        let outcome = timeout(limit, self.exchange(request, read))
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

    async fn exchange<T>(
        &self,
        request: Request<Full<Bytes>>,
        read: impl FnOnce(StatusCode, &[u8]) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let response = self.http.request(request).await.map_err(broken)?;
        let status = response.status();
        match body(response.into_body()).await {
            Ok(body) => read(status, &body),
            Err(_) if status != 200 => Err(Error::Garbled(reply::words_of(status))),
            Err(error) => Err(error),
        }
    }
}

async fn body(body: Incoming) -> Result<Bytes, Error> {
    const TOO_LONG: Error = Error::Garbled("a body over 64 KiB");
    if body.size_hint().lower() > BODY_LIMIT as u64 {
        return Err(TOO_LONG);
    }
    match Limited::new(body, BODY_LIMIT).collect().await {
        Ok(whole) => Ok(whole.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(TOO_LONG),
        Err(error) => Err(Error::Unreachable(error.into())),
    }
}

#[derive(Debug, thiserror::Error)]
#[error("the client was not made for this app")]
struct NotConfigured;

fn unreachable(cause: impl StdError + Send + Sync + 'static) -> Error {
    Error::Unreachable(Arc::new(cause))
}

/// What became of a call that brought no response.
fn broken(error: legacy::Error) -> Error {
    let cause = error.source();
    if cause.is_some_and(<dyn StdError>::is::<Elapsed>) {
        return Error::TimedOut;
    }
    if cause
        .and_then(|cause| cause.downcast_ref())
        .is_some_and(hyper::Error::is_parse)
    {
        return Error::Garbled("not HTTP");
    }
    unreachable(error)
}
