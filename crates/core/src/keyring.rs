//! The signing keys as a whole: which one signs now, which are shown, and what is to be done next.
//!
//! There is always a next key, published long before it signs, so that whoever caches the key set
//! knows it in time, and so that an emergency never waits for caches.

use std::{fmt, time::Duration};

use serde_json::{Map, Value, json};

use crate::{
    clock::{Instant, millis},
    jwk::VerifyingKey,
    jws::{Algorithm, Refused},
    key::{SigningAlgorithm, SigningKey},
    token::LEEWAY_SECONDS,
};

/// A key that is never to sign by itself starts this far away: a hundred years.
const NEVER: Instant = 100 * 365 * 86_400_000;

/// When a key came, when it signs, and whether it was taken away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyTimes {
    /// Its place in the order of keys; the newest is the greatest.
    pub number: i64,
    /// How it signs; `None` if this program does not know the algorithm.
    pub algorithm: Option<SigningAlgorithm>,
    /// When it was made and published.
    pub created_at: Instant,
    /// From when on it signs, until a newer one does.
    pub signs_from: Instant,
    /// When it was removed in an emergency.
    pub removed_at: Option<Instant>,
}

/// How keys follow one another.
#[derive(Debug, Clone, Copy)]
pub struct Rotation {
    /// How long a key signs; zero: until somebody rotates by hand.
    pub every: Duration,
    /// How long verifiers may cache the key set. A key is published longer than this before it signs.
    pub cache: Duration,
    /// How long a token lasts. A key is shown longer than this after its last signature.
    pub token_ttl: Duration,
    /// How new keys sign.
    pub algorithm: SigningAlgorithm,
}

/// One thing to do about the keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Make a key.
    Create {
        /// Its number.
        number: i64,
        /// When it is to sign.
        signs_from: Instant,
    },
    /// Let a key sign from another moment on.
    Schedule {
        /// Which one.
        number: i64,
        /// When it is to sign.
        signs_from: Instant,
    },
    /// Forget a key whose tokens are over, or that never signed and never will.
    Delete {
        /// Which one.
        number: i64,
    },
}

impl Rotation {
    /// What is to be done now, given all keys in the order of their numbers. Done again after its
    /// steps were carried out, it has no more to say.
    #[must_use]
    pub fn plan(&self, keys: &[KeyTimes], now: Instant) -> Vec<Step> {
        let live: Vec<_> = keys.iter().filter(|key| key.removed_at.is_none()).collect();
        let next_number = keys.last().map_or(1, |key| key.number + 1);
        let mut steps: Vec<_> = self.over(keys, &live, now);
        let Some(newest) = live.last() else {
            let signs_from = now;
            steps.push(Step::Create {
                number: next_number,
                signs_from,
            });
            return steps;
        };
        let started = live.iter().any(|key| key.signs_from <= now);
        if !started && let Some(first) = live.first() {
            // The one that signed was removed: the next has been published for long.
            steps.push(Step::Schedule {
                number: first.number,
                signs_from: now,
            });
        }
        let newest_from = if started || live.len() > 1 {
            newest.signs_from
        } else {
            now
        };
        let signs_from = if newest.algorithm != Some(self.algorithm) {
            self.changeover(&live, now)
        } else if newest_from <= now {
            let earliest = now.saturating_add(self.lead());
            Some(self.successor_of(newest_from).max(earliest))
        } else {
            None
        };
        steps.extend(signs_from.map(|signs_from| Step::Create {
            number: next_number,
            signs_from,
        }));
        steps
    }

    /// When a key of the configured algorithm is to take over from one of another. `None` if such a
    /// key was made lately: replicas whose configurations differ must not outbid each other.
    fn changeover(&self, live: &[&KeyTimes], now: Instant) -> Option<Instant> {
        let lately = live.iter().any(|key| {
            let known_at = key.created_at.saturating_add(self.lead());
            key.algorithm == Some(self.algorithm) && known_at > now
        });
        (!lately).then(|| now.saturating_add(self.lead()))
    }

    /// When the next key may sign if somebody rotates by hand now. `None` if there is no next key.
    #[must_use]
    pub fn rotate(&self, keys: &[KeyTimes], now: Instant) -> Option<Step> {
        let next = keys
            .iter()
            .find(|key| key.removed_at.is_none() && key.signs_from > now)?;
        let earliest = next.created_at.saturating_add(self.lead());
        let signs_from = next.signs_from.min(now.max(earliest));
        Some(Step::Schedule {
            number: next.number,
            signs_from,
        })
    }

    /// How long a key is published before it signs: a cache lifetime, and time for every replica
    /// to hear of it.
    fn lead(&self) -> Instant {
        millis(self.cache).saturating_add(10_000)
    }

    fn successor_of(&self, signs_from: Instant) -> Instant {
        signs_from.saturating_add(if self.every.is_zero() {
            NEVER
        } else {
            millis(self.every)
        })
    }

    /// How long a key is shown after its last signature.
    fn afterlife(&self) -> Instant {
        millis(self.token_ttl).saturating_add(2 * LEEWAY_SECONDS * 1000)
    }

    /// Whether the last token of a key that stopped signing at `stopped_at` is over.
    fn is_over(&self, stopped_at: Instant, now: Instant) -> bool {
        stopped_at.saturating_add(self.afterlife()) < now
    }

    fn over(&self, keys: &[KeyTimes], live: &[&KeyTimes], now: Instant) -> Vec<Step> {
        let replaced = live.windows(2).filter_map(|pair| match pair {
            [key, newer] if self.is_over(newer.signs_from, now) => Some(key.number),
            _ => None,
        });
        let removed = keys
            .iter()
            .filter(|key| key.removed_at.is_some_and(|at| self.is_over(at, now)))
            // The newest keeps its number from being given again.
            .filter(|key| {
                keys.last()
                    .is_some_and(|newest| newest.number != key.number)
            })
            .map(|key| key.number);
        replaced
            .chain(removed)
            .map(|number| Step::Delete { number })
            .collect()
    }
}

/// The keys that count, ready for use.
#[derive(Debug, Default)]
pub struct Keyring {
    keys: Vec<Entry>,
}

struct Entry {
    signs_from: Instant,
    signing: SigningKey,
    verifying: VerifyingKey,
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.signing.fmt(f)
    }
}

impl Keyring {
    /// Gathers keys that were not removed, in the order of their numbers.
    ///
    /// # Errors
    ///
    /// None that a key which could be set up would cause.
    pub fn new(keys: impl IntoIterator<Item = (SigningKey, Instant)>) -> Result<Self, Refused> {
        let entry = |(signing, signs_from): (SigningKey, Instant)| {
            let verifying = signing.verifying_key()?;
            Ok(Entry {
                signs_from,
                signing,
                verifying,
            })
        };
        let keys = keys.into_iter().map(entry).collect::<Result<_, _>>()?;
        Ok(Self { keys })
    }

    /// The key that signs at `now`: the newest whose time has come. A clock that was set back must
    /// not leave us without one, so the oldest stands in.
    #[must_use]
    pub fn signing(&self, now: Instant) -> Option<&SigningKey> {
        let due = self.keys.iter().rev().find(|key| key.signs_from <= now);
        due.or(self.keys.first()).map(|entry| &entry.signing)
    }

    /// The key of that name.
    #[must_use]
    pub fn verifying(&self, kid: &str) -> Option<&VerifyingKey> {
        self.keys
            .iter()
            .find(|entry| entry.signing.kid() == kid)
            .map(|entry| &entry.verifying)
    }

    /// The public halves, as a JWK set (RFC 7517 §5).
    #[must_use]
    pub fn jwks(&self) -> Value {
        let keys: Vec<Map<_, _>> = self
            .keys
            .iter()
            .map(|key| key.signing.public_jwk())
            .collect();
        json!({ "keys": keys })
    }

    /// The algorithms that the keys sign with, each once.
    #[must_use]
    pub fn algorithms(&self) -> Vec<Algorithm> {
        let mut all = Vec::new();
        for key in &self.keys {
            let algorithm = key.signing.algorithm().algorithm();
            if !all.contains(&algorithm) {
                all.push(algorithm);
            }
        }
        all
    }

    /// Whether these, by kid and start and in this order, are the keys.
    #[must_use]
    pub fn is_made_of<'a>(&'a self, keys: impl Iterator<Item = (&'a str, Instant)>) -> bool {
        let own = self
            .keys
            .iter()
            .map(|key| (key.signing.kid(), key.signs_from));
        own.eq(keys)
    }

    /// Whether there is no key at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }
}

#[cfg(test)]
mod tests;
