//! Sessions: one per person and app, with a key that stays over bursts of sign-ins, not for ever.

use crate::{crypto::hmac_sha256, errcode::Errcode, recent::Recent};

/// Three days in milliseconds: the longest that an exchange leaves a key as it is.
const LIFETIME: i64 = 3 * 24 * 60 * 60 * 1000;
/// Every tenth exchange brings a new key, so that a back end meets the change in ordinary use.
const EXCHANGES: u64 = 10;
/// For so long after a sign-in WeChat checks what a person writes.
const VISIT: i64 = 2 * 60 * 60 * 1000;

/// The session behind each openid.
pub(crate) struct Sessions(Recent<String, Session>);

struct Session {
    appid: String,
    key: String,
    made_at: i64,
    signed_in_at: i64,
    exchanges: u64,
}

impl Sessions {
    pub(crate) fn new(limit: usize) -> Self {
        Self(Recent::new(limit))
    }

    /// The key that an exchange at `now` brings; `make` gives a new one.
    pub(crate) fn exchange(
        &mut self,
        appid: &str,
        openid: &str,
        now: i64,
        make: impl Fn() -> String,
    ) -> String {
        let new = || Session {
            appid: appid.to_owned(),
            key: make(),
            made_at: now,
            signed_in_at: now,
            exchanges: 0,
        };
        let current = self.0.entry(openid.to_owned(), new);
        current.exchanges += 1;
        current.signed_in_at = now;
        if current.exchanges.is_multiple_of(EXCHANGES) || now - current.made_at >= LIFETIME {
            current.key = make();
            current.made_at = now;
        }
        current.key.clone()
    }

    /// The current key; `None` if the openid never signed in.
    pub(crate) fn key(&self, openid: &str) -> Option<&str> {
        self.0.get(openid).map(|session| session.key.as_str())
    }

    /// Whether `signature` was made with the current key.
    pub(crate) fn check(&self, appid: &str, openid: &str, signature: &str) -> Result<(), Errcode> {
        let session = self.0.get(openid).filter(|session| session.appid == appid);
        let session = session.ok_or(Errcode::INVALID_OPENID)?;
        (hmac_sha256(&session.key, "") == signature)
            .then_some(())
            .ok_or(Errcode::INVALID_SIGNATURE)
    }

    /// Gives the session another key, which lasts no longer than the one before would have.
    pub(crate) fn reset(&mut self, openid: &str, key: &str) {
        if let Some(session) = self.0.get_mut(openid) {
            key.clone_into(&mut session.key);
        }
    }

    /// Refuses an openid whose person was not in the app of late.
    pub(crate) fn visited(&self, appid: &str, openid: &str, now: i64) -> Result<(), Errcode> {
        match self.0.get(openid) {
            Some(session) if session.appid != appid => Err(Errcode::OPENID_OF_ANOTHER_APP),
            Some(session) if now - session.signed_in_at < VISIT => Ok(()),
            _ => Err(Errcode::INVALID_OPENID),
        }
    }
}
