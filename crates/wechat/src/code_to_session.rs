//! `GET /sns/jscode2session`: what a login code stands for.
//!
//! <https://developers.weixin.qq.com/miniprogram/dev/server/API/user-login/api_code2session> (seen
//! 2026-11-22). A code works once, so nothing here asks twice.

use std::{error::Error as StdError, sync::Arc};

use bytes::Bytes;
use http::{
    HeaderMap, Request, Uri,
    header::HOST,
    uri::{Parts, PathAndQuery},
};
use http_body_util::{BodyExt, Empty, LengthLimitError, Limited};
use hyper::body::{Body, Incoming};
use hyper_util::client::legacy;
use menjin_core::{Appid, LoginCode, Openid, Secret, SessionKey, Unionid};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use tokio::time::{error::Elapsed, timeout};

use crate::{
    circuit::Change,
    client::{AppState, Client, Inner},
    error::Error,
    reply,
};

/// Bytes of a reply's body that are read. A real one has about 150.
const BODY_LIMIT: usize = 64 * 1024;
/// What follows the code in the query.
const AFTER_CODE: &str = "&grant_type=authorization_code";
/// All but RFC 3986's unreserved characters, section 2.3.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Who a login code stood for. `Debug` leaves the key out.
#[derive(Clone, Debug)]
pub struct Session {
    /// The person within this mini program.
    pub openid: Openid,
    /// The person across the apps of one open-platform account, if the app is bound to one.
    pub unionid: Option<Unionid>,
    /// What the person's client encrypts with, until WeChat gives it another.
    pub session_key: SessionKey,
}

impl Client {
    /// Spends `code`, which is asked for once at most, whatever happens.
    ///
    /// # Errors
    ///
    /// Every variant of [`Error`]. After [`Error::TimedOut`], [`Error::Unreachable`] and
    /// [`Error::Garbled`] the code may be spent, so a repetition may be told that it was used.
    pub async fn code_to_session(&self, appid: &Appid, code: &LoginCode) -> Result<Session, Error> {
        let inner = &*self.inner;
        let app = inner
            .apps
            .get(appid)
            .ok_or_else(|| unreachable(NotConfigured))?;
        let pass = app.circuit.enter(inner.clock.uptime())?;
        let request = inner.request(app, code)?;
        let call = inner.exchange(request, app.secret.expose());
        let outcome = timeout(inner.timeout, call)
            .await
            .unwrap_or(Err(Error::TimedOut));
        let worked = outcome.as_ref().map_or_else(Error::is_an_answer, |_| true);
        match pass.settle(worked, inner.clock.uptime()) {
            Some(Change::Opened) => tracing::warn!(%appid, "the circuit to WeChat has opened"),
            Some(Change::Closed) => tracing::info!(%appid, "the circuit to WeChat has closed"),
            None => {}
        }
        outcome
    }
}

impl Inner {
    fn request(&self, app: &AppState, code: &LoginCode) -> Result<Request<Empty<Bytes>>, Error> {
        let before = app.before_code.expose();
        // Exact, as a code has no reserved characters: then `Bytes` takes the string without a copy.
        let room = before.len() + code.expose().len() + AFTER_CODE.len();
        let mut target = String::with_capacity(room);
        target.push_str(before);
        target.extend(utf8_percent_encode(code.expose(), RESERVED));
        target.push_str(AFTER_CODE);
        let mut parts = Parts::default();
        parts.scheme = Some(self.origin.scheme.clone());
        parts.authority = Some(self.origin.authority.clone());
        parts.path_and_query =
            Some(PathAndQuery::from_maybe_shared(Bytes::from(target)).map_err(unreachable)?);
        let mut request = Request::new(Empty::new());
        *request.uri_mut() = Uri::from_parts(parts).map_err(unreachable)?;
        *request.headers_mut() = HeaderMap::from_iter([(HOST, self.origin.host.clone())]);
        Ok(request)
    }

    async fn exchange(
        &self,
        request: Request<Empty<Bytes>>,
        secret: &str,
    ) -> Result<Session, Error> {
        let response = self.http.request(request).await.map_err(broken)?;
        let status = response.status();
        match body(response.into_body()).await {
            Ok(body) => reply::read(status, &body, secret),
            Err(_) if status != 200 => Err(Error::Garbled(reply::words_of(status))),
            Err(error) => Err(error),
        }
    }
}

/// Path and query up to the code; secret, because the AppSecret is in it.
pub(crate) fn before_code(path: &str, appid: &Appid, secret: &Secret) -> Secret {
    let appid = utf8_percent_encode(appid.as_str(), RESERVED);
    let secret = utf8_percent_encode(secret.expose(), RESERVED);
    Secret::new(&format!(
        "{path}/sns/jscode2session?appid={appid}&secret={secret}&js_code="
    ))
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
