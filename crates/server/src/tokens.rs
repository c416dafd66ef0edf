//! Access tokens in memory: the keys, what was verified already, and a clock that may jump.

use std::{
    collections::HashMap,
    ops::Deref,
    sync::{Arc, Mutex, OnceLock, PoisonError, RwLock},
    time::Duration,
};

use axum::http::HeaderValue;
use bytes::Bytes;
use menjin_core::{
    Appid, Clock, Openid, Refusal,
    clock::{Instant, millis},
    jws::Compact,
    keyring::Keyring,
    secret::sha256,
    token::{Claims, Issuer, LEEWAY_SECONDS, Subject, TYPE},
};

use crate::failure::Failure;

/// Verified tokens that are remembered, in two generations: a check of a signature costs fifty
/// times what a look into memory does.
const REMEMBERED: usize = 16 * 1024;
/// How long a verified signature is believed without another look.
const BELIEVED: Duration = Duration::from_mins(1);

/// Makes and checks access tokens.
pub(crate) struct Tokens {
    issuer: Issuer,
    clock: Arc<dyn Clock>,
    keys: RwLock<Keys>,
    cache_control: HeaderValue,
    seen: Mutex<Seen>,
    floor: Mutex<Floor>,
}

/// The keys, and the set of their public halves as it is sent.
#[derive(Default)]
struct Keys {
    ring: Arc<Keyring>,
    jwks: Bytes,
}

#[derive(Default)]
struct Seen {
    young: HashMap<[u8; 32], Verified>,
    old: HashMap<[u8; 32], Verified>,
}

#[derive(Clone)]
struct Verified {
    known: Arc<Known>,
    until: Duration,
}

/// What is known of a token whose signature was checked.
#[derive(Debug)]
pub(crate) struct Known {
    claims: Claims,
    /// Which key signed it.
    pub(crate) kid: String,
    /// Whose it is, for other services: looked up when one of them asks.
    pub(crate) holder: OnceLock<Holder>,
}

/// What other services learn of a user's token beside what it says.
#[derive(Debug)]
pub(crate) struct Holder {
    /// WeChat's id of the person in the token's mini program; `None` if they were never seen there.
    pub(crate) openid: Option<Openid>,
    /// For whom the token was made.
    pub(crate) audience: OnceLock<Vec<String>>,
    /// The reply to a question about the token, as long as it counts.
    pub(crate) introspection: OnceLock<Bytes>,
}

impl Deref for Known {
    type Target = Claims;

    fn deref(&self) -> &Claims {
        &self.claims
    }
}

/// What is known of a wall clock that was set back: a token that was over before must stay over.
#[derive(Clone, Copy, Default)]
pub(crate) struct Floor {
    last: Instant,
    /// Tokens that end before this second are over, whatever the clock says now.
    over_before: i64,
    /// No token is made as from an earlier second than this.
    made_from: i64,
}

impl Tokens {
    /// Verifiers are told to cache the key set for `max_age`.
    pub(crate) fn new(issuer: Issuer, clock: Arc<dyn Clock>, max_age: Duration) -> Self {
        let cache_control = format!("public, max-age={}", max_age.as_secs());
        Self {
            issuer,
            clock,
            keys: RwLock::default(),
            cache_control: HeaderValue::try_from(cache_control)
                .unwrap_or(HeaderValue::from_static("public")),
            seen: Mutex::default(),
            floor: Mutex::default(),
        }
    }

    /// The keys that count now.
    pub(crate) fn keyring(&self) -> Arc<Keyring> {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        keys.ring.clone()
    }

    /// The key set as it is sent, and how long it may be cached.
    pub(crate) fn jwks(&self) -> (Bytes, HeaderValue) {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        (keys.jwks.clone(), self.cache_control.clone())
    }

    /// Puts other keys in place. Nothing that was verified under the former ones is remembered, so
    /// that a removed key is refused from here on.
    pub(crate) fn replace_keyring(&self, ring: Keyring) {
        let jwks = Bytes::from(ring.jwks().to_string());
        let ring = Arc::new(ring);
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Keys { ring, jwks };
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Seen::default();
    }

    /// A fresh token for `subject` in the mini program `client_id`.
    pub(crate) fn mint(&self, subject: &Subject, client_id: &Appid) -> Result<String, Failure> {
        let now = self.clock.now();
        // A jump back that is noticed only after this would end the new token with the old ones.
        let now = now.max(self.look(now).made_from.saturating_mul(1000));
        let keyring = self.keyring();
        let key = keyring
            .signing(now)
            .ok_or_else(|| Failure::Unavailable(Arc::new(NoKey)))?;
        self.issuer
            .mint(key, subject, client_id, now)
            .map_err(Failure::broken)
    }

    /// What a token says, if it is ours, whole, and not over. Touches memory alone.
    pub(crate) fn check(&self, token: &str) -> Result<Arc<Known>, Refusal> {
        let (now, uptime) = (self.clock.now(), self.clock.uptime());
        let over_before = self.look(now).over_before;
        let digest = sha256(token.as_bytes());
        let known = match self.recall(&digest, uptime) {
            Some(known) => known,
            None => self.verify(token, &digest, now, uptime)?,
        };
        let second = now.div_euclid(1000);
        if known.exp <= second || known.exp < over_before {
            return Err(Refusal::TokenExpired);
        }
        if known.iat > second + LEEWAY_SECONDS {
            return Err(Refusal::TokenInvalid);
        }
        Ok(known)
    }

    fn recall(&self, digest: &[u8; 32], uptime: Duration) -> Option<Arc<Known>> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let verified = if let Some(verified) = seen.young.get(digest) {
            verified.clone()
        } else {
            let verified = seen.old.remove(digest)?;
            seen.remember(*digest, verified.clone());
            verified
        };
        (uptime < verified.until).then_some(verified.known)
    }

    fn verify(
        &self,
        token: &str,
        digest: &[u8; 32],
        now: Instant,
        uptime: Duration,
    ) -> Result<Arc<Known>, Refusal> {
        let compact = Compact::parse(token).map_err(|_| Refusal::TokenInvalid)?;
        // RFC 9068 §2.1: what else this key may sign one day is no access token.
        if compact.header.typ.as_deref() != Some(TYPE) {
            return Err(Refusal::TokenInvalid);
        }
        let keyring = self.keyring();
        let kid = compact.header.kid.clone().ok_or(Refusal::TokenInvalid)?;
        let key = keyring.verifying(&kid).ok_or(Refusal::TokenInvalid)?;
        key.verify(&compact).map_err(|_| Refusal::TokenInvalid)?;
        let claims = self.issuer.read(&compact.into_payload(), now)?;
        let known = Arc::new(Known {
            claims,
            kid,
            holder: OnceLock::new(),
        });
        self.remember(&keyring, *digest, known.clone(), uptime);
        Ok(known)
    }

    /// Keeps what was verified under `keyring`, unless other keys are in place by now: they would
    /// not be asked again, and one of the former may have been removed.
    fn remember(
        &self,
        keyring: &Arc<Keyring>,
        digest: [u8; 32],
        known: Arc<Known>,
        uptime: Duration,
    ) {
        let until = uptime + BELIEVED;
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if Arc::ptr_eq(keyring, &self.keyring()) {
            seen.remember(digest, Verified { known, until });
        }
    }

    /// Looks at the wall clock. When it was set back, whatever had ended by its former time stays
    /// ended; but no token that is made from now on may be taken for one of those, so the floor is
    /// never above the end of the next token, and that one is made as from the next second: nothing
    /// told it from one that was made in this second the first time.
    ///
    /// Set back by more than a token lasts, the clock passes once more through the time in which
    /// tokens that are over were made, and those are good again then: they say nothing else.
    pub(crate) fn look(&self, now: Instant) -> Floor {
        let mut floor = self.floor.lock().unwrap_or_else(PoisonError::into_inner);
        if now + millis(Duration::from_secs(1)) < floor.last {
            floor.made_from = now.div_euclid(1000) + 1;
            let ends = floor.made_from + self.issuer.ttl_seconds;
            let over = floor.last.div_euclid(1000) + 1;
            floor.over_before = floor.over_before.max(over).min(ends);
        }
        floor.last = now;
        *floor
    }
}

impl Seen {
    /// Two generations bound the memory and never need a search for what is oldest.
    fn remember(&mut self, digest: [u8; 32], verified: Verified) {
        if self.young.len() >= REMEMBERED / 2 {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(digest, verified);
    }
}

/// No signing key has been loaded yet.
#[derive(Debug, thiserror::Error)]
#[error("no signing key has been loaded yet")]
struct NoKey;

#[cfg(test)]
mod tests;
