//! Session keys: one per person and app, the same over bursts of sign-ins, not for ever.

use crate::recent::Recent;

/// Three days in milliseconds: the longest that a key lasts.
const LIFETIME: i64 = 3 * 24 * 60 * 60 * 1000;
/// Every tenth exchange brings a new key, so that a back end meets the change in ordinary use.
const EXCHANGES: u64 = 10;

/// The current key of each openid.
pub(crate) struct SessionKeys(Recent<String, SessionKey>);

struct SessionKey {
    key: String,
    made_at: i64,
    exchanges: u64,
}

impl SessionKeys {
    pub(crate) fn new(limit: usize) -> Self {
        Self(Recent::new(limit))
    }

    /// The key that an exchange at `now` brings; `make` gives a new one.
    pub(crate) fn exchange(&mut self, openid: &str, now: i64, make: impl Fn() -> String) -> String {
        let new = || SessionKey {
            key: make(),
            made_at: now,
            exchanges: 0,
        };
        let current = self.0.entry(openid.to_owned(), new);
        current.exchanges += 1;
        if current.exchanges.is_multiple_of(EXCHANGES) || now - current.made_at >= LIFETIME {
            current.key = make();
            current.made_at = now;
        }
        current.key.clone()
    }
}
