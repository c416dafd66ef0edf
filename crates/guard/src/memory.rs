//! What the guard knows: keys, tokens that were verified, what was revoked, and how new that is. The
//! check of a token touches nothing else, and takes one lock if the token was seen before.

use std::{
    collections::HashMap,
    sync::{
        Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use menjin_core::{
    Instant, Refusal,
    clock::millis,
    jws::{Compact, MAX_TOKEN},
    revocation::{Entry, Revoked},
    secret::sha256,
    token::{Claims, Expected, LEEWAY_SECONDS, Subject, TYPE},
};

use crate::{
    caller::{Caller, Verified},
    keys::{Fetches, Keys},
    refused::Refused,
    time::Time,
};

/// Verified tokens that are remembered, in two generations: a check of a signature costs fifty
/// times what a look into memory does.
const REMEMBERED: usize = 16 * 1024;
/// How long a verified signature is believed without another look.
const BELIEVED: Duration = Duration::from_mins(1);
/// What is over is forgotten this much later, for a clock that is set back a little.
const FORGOTTEN_AFTER: Duration = Duration::from_mins(5);

/// What to do with a good token when the feed is older than allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WhenStale {
    /// Answer 503 with `Retry-After`: nobody whose token may have been revoked gets in.
    #[default]
    Refuse,
    /// Go on with what is known, once the feed was read: a token that was revoked since then is taken
    /// until it is over, an hour at most.
    Accept,
}

/// Which tokens are taken.
pub(crate) struct Rules {
    pub(crate) issuer: String,
    pub(crate) audience: String,
    pub(crate) guests: bool,
    /// Whether the feed is followed.
    pub(crate) follows: bool,
    /// How old the feed may be.
    pub(crate) stale_after: Duration,
    /// And what to do when it is older.
    pub(crate) when_stale: WhenStale,
}

/// All that is known, shared by the requests and the background tasks.
pub(crate) struct Memory {
    pub(crate) rules: Rules,
    pub(crate) time: Arc<dyn Time>,
    pub(crate) fetches: Fetches,
    known: RwLock<Known>,
    /// As of when the feed is known: milliseconds since the start, and one more; 0 is never.
    fresh: AtomicU64,
}

#[derive(Default)]
struct Known {
    keys: Arc<Keys>,
    seen: Seen,
    revoked: Revoked,
}

#[derive(Default)]
struct Seen {
    young: HashMap<[u8; 32], Arc<Verified>>,
    old: HashMap<[u8; 32], Arc<Verified>>,
}

/// What a look at a token came to.
pub(crate) enum Verdict {
    Good(Caller),
    Refused(Refused),
    /// It may be good: the key that it names is not known.
    KeyUnknown,
}

impl From<Refused> for Verdict {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

impl Memory {
    pub(crate) fn new(rules: Rules, time: Arc<dyn Time>) -> Self {
        Self {
            rules,
            time,
            fetches: Fetches::new(),
            known: RwLock::default(),
            fresh: AtomicU64::new(0),
        }
    }

    /// What is to be thought of a token. Never waits for anybody.
    pub(crate) fn check(&self, token: &str) -> Verdict {
        if token.len() > MAX_TOKEN {
            return Refused::Invalid.into();
        }
        let digest = sha256(token.as_bytes());
        let (now, uptime) = (self.time.now(), self.time.uptime());
        let verified = match self.recall(&digest, uptime) {
            Some(recalled) => recalled.map_err(Verdict::from),
            None => self.verify(token, &digest, now, uptime),
        };
        match verified.map(|verified| self.judge(verified, now, uptime)) {
            Ok(Ok(caller)) => Verdict::Good(caller),
            Ok(Err(refused)) => refused.into(),
            Err(verdict) => verdict,
        }
    }

    /// A token that was verified within the last minute, or that it was revoked since then.
    fn recall(
        &self,
        digest: &[u8; 32],
        uptime: Duration,
    ) -> Option<Result<Arc<Verified>, Refused>> {
        let known = self.read();
        let (verified, is_old) = match known.seen.young.get(digest) {
            Some(verified) => (verified, false),
            None => (known.seen.old.get(digest)?, true),
        };
        if uptime >= verified.until {
            return None;
        }
        if !is_old {
            return Some(known.admit(verified).map(|()| verified.clone()));
        }
        let (keys, verified) = (known.keys.clone(), verified.clone());
        drop(known);
        Some(self.remember(&keys, digest, verified))
    }

    /// Everything that has to be looked at each time.
    fn judge(
        &self,
        verified: Arc<Verified>,
        now: Instant,
        uptime: Duration,
    ) -> Result<Caller, Refused> {
        let second = now.div_euclid(1000);
        if verified.claims.exp <= second {
            return Err(Refused::Expired);
        }
        if verified.claims.iat > second + LEEWAY_SECONDS {
            return Err(Refused::Invalid);
        }
        if self.is_stale(uptime) {
            return Err(Refused::Unavailable);
        }
        Ok(Caller(verified))
    }

    fn verify(
        &self,
        token: &str,
        digest: &[u8; 32],
        now: Instant,
        uptime: Duration,
    ) -> Result<Arc<Verified>, Verdict> {
        let refused = |why: &dyn std::fmt::Display| {
            tracing::debug!(%why, "a token was refused");
            Verdict::Refused(Refused::Invalid)
        };
        let compact = Compact::parse(token).map_err(|why| refused(&why))?;
        // RFC 9068 §2.1: what else this key may sign one day is no access token.
        if compact.header.typ.as_deref() != Some(TYPE) {
            return Err(refused(&"its typ is not at+jwt"));
        }
        let kid = compact.header.kid.clone();
        let kid = kid.ok_or_else(|| refused(&"it names no key"))?;
        let keys = self.keys_but(&kid)?;
        let key = keys.get(&kid).ok_or(Verdict::KeyUnknown)?;
        key.verify(&compact).map_err(|why| refused(&why))?;
        let claims = match self.claims(&compact.into_payload(), now) {
            Ok(claims) => claims,
            Err(Refusal::TokenExpired) => return Err(Refused::Expired.into()),
            Err(_) => return Err(refused(&"not of this issuer, or not for this service")),
        };
        let verified = Arc::new(Verified {
            subject: subject(&claims),
            claims,
            kid,
            until: uptime + BELIEVED,
        });
        Ok(self.remember(&keys, digest, verified)?)
    }

    /// The keys, unless this one was revoked, or none were ever had: then nobody is to wait for them.
    fn keys_but(&self, kid: &str) -> Result<Arc<Keys>, Refused> {
        let known = self.read();
        if known.revoked.is_key_revoked(kid) {
            return Err(Refused::Invalid);
        }
        if known.keys.is_empty() {
            return Err(Refused::Unavailable);
        }
        Ok(known.keys.clone())
    }

    fn claims(&self, payload: &[u8], now: Instant) -> Result<Claims, Refusal> {
        let Rules {
            issuer, audience, ..
        } = &self.rules;
        let read = |audience| Expected { issuer, audience }.read(payload, now);
        let claims = match read(audience) {
            // A guest's token is for Menjin alone.
            Err(Refusal::TokenInvalid) if self.rules.guests => {
                read(issuer).and_then(|claims| match claims.subject {
                    Subject::Guest(_) => Ok(claims),
                    Subject::User { .. } => Err(Refusal::TokenInvalid),
                })?
            }
            read => read?,
        };
        match claims.subject {
            Subject::Guest(_) if !self.rules.guests => Err(Refusal::TokenInvalid),
            _ => Ok(claims),
        }
    }

    /// Keeps what was verified, unless it was revoked, or other keys than those that it was verified
    /// under are in place by now: they would not be asked again.
    fn remember(
        &self,
        keys: &Arc<Keys>,
        digest: &[u8; 32],
        verified: Arc<Verified>,
    ) -> Result<Arc<Verified>, Refused> {
        let mut known = self.write();
        known.admit(&verified)?;
        if Arc::ptr_eq(keys, &known.keys) {
            known.seen.remember(*digest, verified.clone());
        }
        Ok(verified)
    }

    /// Puts other keys in place. Nothing that was verified under the former ones is remembered, so
    /// that a removed key is refused from here on.
    pub(crate) fn replace_keys(&self, keys: Keys) {
        let mut known = self.write();
        if !known.keys.is_same(&keys) {
            known.keys = Arc::new(keys);
            known.seen = Seen::default();
        }
    }

    /// Takes a page of the feed to heart.
    pub(crate) fn revoke(&self, entries: &[Entry]) {
        if entries.is_empty() {
            return;
        }
        let mut known = self.write();
        for entry in entries {
            known.revoked.apply(entry);
        }
    }

    /// Forgets revocations of what is over anyway.
    pub(crate) fn purge(&self) {
        let now = self.time.now().saturating_sub(millis(FORGOTTEN_AFTER));
        self.write().revoked.purge(now);
    }

    /// The feed is known as it was at that time since the start.
    pub(crate) fn set_fresh(&self, uptime: Duration) {
        let since = u64::try_from(uptime.as_millis()).unwrap_or(u64::MAX - 1);
        self.fresh.store(since + 1, Ordering::Release);
    }

    /// How old the feed is; `None` before it was read to its end for the first time.
    pub(crate) fn feed_age(&self, uptime: Duration) -> Option<Duration> {
        let fresh = self.fresh.load(Ordering::Acquire).checked_sub(1)?;
        Some(uptime.saturating_sub(Duration::from_millis(fresh)))
    }

    /// Whether good tokens are refused because of what may have been missed. What was never read
    /// counts as missed whatever the operator chose.
    fn is_stale(&self, uptime: Duration) -> bool {
        let rules = &self.rules;
        rules.follows
            && self
                .feed_age(uptime)
                .is_none_or(|age| age > rules.stale_after && rules.when_stale == WhenStale::Refuse)
    }

    /// Whether a good token would be taken now.
    pub(crate) fn is_ready(&self) -> bool {
        let has_keys = !self.read().keys.is_empty();
        has_keys && !self.is_stale(self.time.uptime())
    }

    fn read(&self) -> RwLockReadGuard<'_, Known> {
        self.known.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Known> {
        self.known.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    /// Refuses what was revoked: the token, its account's older ones, or the key.
    fn admit(&self, verified: &Verified) -> Result<(), Refused> {
        let is_revoked =
            self.revoked.is_revoked(&verified.claims) || self.revoked.is_key_revoked(&verified.kid);
        if is_revoked {
            return Err(Refused::Invalid);
        }
        Ok(())
    }
}

impl Seen {
    /// Two generations bound the memory and never need a search for what is oldest.
    fn remember(&mut self, digest: [u8; 32], verified: Arc<Verified>) {
        if self.young.len() >= REMEMBERED / 2 {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(digest, verified);
    }
}

/// `sub` as the token said it, of which the claims hold the meaning.
fn subject(claims: &Claims) -> String {
    match claims.subject {
        Subject::User { uid, .. } => uid.to_string(),
        Subject::Guest(id) => id.to_string(),
    }
}

#[cfg(test)]
mod tests;
