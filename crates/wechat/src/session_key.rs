//! `GET /wxa/checksession` and `GET /wxa/resetusersessionkey`: is a kept session key still the
//! person's, and give the person another.
//!
//! Both prove the key by a signature and never send it:
//! <https://developers.weixin.qq.com/miniprogram/dev/server/API/user-login/api_checksessionkey>,
//! <https://developers.weixin.qq.com/miniprogram/dev/server/API/user-login/api_resetusersessionkey>
//! (seen 2026-11-22).

use menjin_core::{Appid, Openid, SessionKey};
use serde_json::{Map, Value};

use crate::{call::Call, client::Client, error::Error, signature::hmac_sha256};

/// Errcodes that say: there is no such key, and: the signature was not made with it.
const KEY_REFUSED: [i64; 2] = [87_007, 87_009];

impl Client {
    /// Whether WeChat still honours `key` as one of this person's.
    ///
    /// # Errors
    ///
    /// Every variant of [`Error`], none of which says anything about the key.
    pub async fn check_session(
        &self,
        appid: &Appid,
        openid: &Openid,
        key: &SessionKey,
    ) -> Result<bool, Error> {
        let path = "/wxa/checksession";
        match self.signed(appid, path, (openid, key), |_| Ok(())).await {
            Ok(()) => Ok(true),
            Err(Error::Answered(said)) if KEY_REFUSED.contains(&said.errcode) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Has WeChat put a new key in the place of `key`, which is void from then on. The new one ends
    /// when the old one would have.
    ///
    /// # Errors
    ///
    /// Every variant of [`Error`]; 87007, 87008 or 87009 if `key` is void already. After
    /// [`Error::TimedOut`], [`Error::Unreachable`] and [`Error::Garbled`] it may be.
    pub async fn reset_session_key(
        &self,
        appid: &Appid,
        openid: &Openid,
        key: &SessionKey,
    ) -> Result<SessionKey, Error> {
        let path = "/wxa/resetusersessionkey";
        let read = |reply: &Map<String, Value>| {
            if reply.get("openid").and_then(Value::as_str) != Some(openid.as_str()) {
                return Err(Error::Garbled("a session_key of another person"));
            }
            let key = reply.get("session_key").and_then(Value::as_str);
            SessionKey::parse(key.ok_or(Error::Garbled("no session_key"))?)
                .map_err(|_| Error::Garbled("an impossible session_key"))
        };
        self.signed(appid, path, (openid, key), read).await
    }

    async fn signed<T>(
        &self,
        appid: &Appid,
        path: &'static str,
        (openid, key): (&Openid, &SessionKey),
        read: impl Fn(&Map<String, Value>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        // Of the empty text, with the key as it is written; WeChat's example settles that it is not
        // decoded.
        let signature = hmac_sha256(key.expose(), "");
        let call = Call {
            path,
            query: &[
                ("openid", openid.as_str()),
                ("signature", &signature),
                ("sig_method", "hmac_sha256"),
            ],
            body: None,
            secrets: &[&signature, key.expose()],
        };
        self.call(appid, &call, read).await
    }
}
