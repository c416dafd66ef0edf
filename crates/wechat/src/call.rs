//! Calls that take the app's access token.
//!
//! A token can die early: somebody reset the AppSecret or asked for a new token by force. WeChat
//! refuses it before it looks at the rest, so nothing is spent, and the call is made once more with
//! a new token. Nothing else is ever repeated.

use std::fmt::Write;

use menjin_core::{Appid, Secret};
use percent_encoding::utf8_percent_encode;
use serde_json::{Map, Value};
use tokio::time::Instant;

use crate::{client::Client, error::Error, exchange::RESERVED, reply};

/// Errcodes that say: this token is not, or no longer, one of this app's.
const TOKEN_REFUSED: [i64; 3] = [40_001, 40_014, 42_001];

/// One question that takes a token.
pub(crate) struct Call<'a> {
    pub(crate) path: &'static str,
    /// Further pairs of the query, not yet encoded.
    pub(crate) query: &'a [(&'static str, &'a str)],
    /// JSON to POST; without it the call is a GET.
    pub(crate) body: Option<Value>,
    /// What no error may quote, besides the token.
    pub(crate) secrets: &'a [&'a str],
}

impl Client {
    /// Makes the call, and once more if WeChat refuses the token. Either time takes the client's
    /// time limit at most, a new token included.
    ///
    /// # Errors
    ///
    /// Every variant of [`Error`].
    pub(crate) async fn call<T>(
        &self,
        appid: &Appid,
        call: &Call<'_>,
        read: impl Fn(&Map<String, Value>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let app = self.inner.app(appid)?;
        let begun = Instant::now();
        let token = self.token(appid).await?;
        match self.attempt(appid, call, (&token, begun), &read).await {
            Err(Error::Answered(rejection)) if TOKEN_REFUSED.contains(&rejection.errcode) => {
                app.token.refuse(&token);
                let begun = Instant::now();
                let token = self.token(appid).await?;
                self.attempt(appid, call, (&token, begun), &read).await
            }
            outcome => outcome,
        }
    }

    async fn attempt<T>(
        &self,
        appid: &Appid,
        call: &Call<'_>,
        (token, begun): (&Secret, Instant),
        read: &impl Fn(&Map<String, Value>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let inner = &*self.inner;
        let app = inner.app(appid)?;
        let token = token.expose();
        let mut target = format!("{}{}?access_token=", inner.origin.path, call.path);
        target.extend(utf8_percent_encode(token, RESERVED));
        for (name, value) in call.query {
            // Writing to a String cannot fail.
            let _ = write!(target, "&{name}={}", utf8_percent_encode(value, RESERVED));
        }
        let request = match &call.body {
            Some(body) => inner.post(&target, body),
            None => inner.get(&target),
        };
        let limit = inner.timeout.saturating_sub(begun.elapsed());
        if limit.is_zero() {
            return Err(Error::TimedOut);
        }
        inner
            .ask(app, &request, limit, |status, body| {
                let secrets = [&[token], call.secrets].concat();
                reply::accept(status, body, &secrets)?;
                read(&reply::object(body)?)
            })
            .await
    }
}
