//! `GET /sns/jscode2session`: what a login code stands for.
//!
//! <https://developers.weixin.qq.com/miniprogram/dev/server/API/user-login/api_code2session> (seen
//! 2026-11-22). A code works once, so nothing here asks twice.

use menjin_core::{Appid, LoginCode, Openid, Secret, SessionKey, Unionid};
use percent_encoding::utf8_percent_encode;
use serde::Deserialize;

use crate::{
    client::{AppState, Client},
    error::Error,
    exchange::RESERVED,
    reply::{self, Value},
};

/// What follows the code in the query.
const AFTER_CODE: &str = "&grant_type=authorization_code";

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
        let app = inner.app(appid)?;
        let request = inner.get(&target(app, code));
        inner
            .ask(app, &request, inner.timeout, |status, body| {
                reply::accept(status, body, &[app.secret.expose()])?;
                reply::members::<Reply<'_>>(body)?.session()
            })
            .await
    }
}

fn target(app: &AppState, code: &LoginCode) -> String {
    let before = app.before_code.expose();
    let room = before.len() + code.expose().len() + AFTER_CODE.len();
    let mut target = String::with_capacity(room);
    target.push_str(before);
    target.extend(utf8_percent_encode(code.expose(), RESERVED));
    target.push_str(AFTER_CODE);
    target
}

/// Path and query up to the code; secret, because the AppSecret is in it.
pub(crate) fn before_code(path: &str, appid: &Appid, secret: &Secret) -> Secret {
    let appid = utf8_percent_encode(appid.as_str(), RESERVED);
    let secret = utf8_percent_encode(secret.expose(), RESERVED);
    Secret::new(&format!(
        "{path}/sns/jscode2session?appid={appid}&secret={secret}&js_code="
    ))
}

/// What is read of the reply; `expires_in`, which old accounts get and which means nothing, is not.
#[derive(Deserialize)]
struct Reply<'a> {
    #[serde(borrow, default)]
    openid: Value<'a>,
    #[serde(borrow, default)]
    session_key: Value<'a>,
    #[serde(borrow, default)]
    unionid: Value<'a>,
}

impl Reply<'_> {
    fn session(&self) -> Result<Session, Error> {
        let openid = self.openid.text().ok_or(Error::Garbled("no openid"))?;
        let session_key = self
            .session_key
            .text()
            .ok_or(Error::Garbled("no session_key"))?;
        Ok(Session {
            openid: Openid::parse(openid).map_err(|_| Error::Garbled("an impossible openid"))?,
            unionid: self.unionid()?,
            session_key: SessionKey::parse(session_key)
                .map_err(|_| Error::Garbled("an impossible session_key"))?,
        })
    }

    fn unionid(&self) -> Result<Option<Unionid>, Error> {
        match &self.unionid {
            Value::Absent => Ok(None),
            Value::Text(text) if text.is_empty() => Ok(None),
            Value::Text(text) => Unionid::parse(text)
                .map(Some)
                .map_err(|_| Error::Garbled("an impossible unionid")),
            Value::Number(_) | Value::Other => Err(Error::Garbled("a unionid that is no text")),
        }
    }
}
