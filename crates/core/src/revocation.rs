//! What counts no more although its time is not over: the table that every check of a token looks at.
//!
//! Whoever keeps one follows a feed of entries whose numbers grow in the order in which they came to
//! hold. Nothing here waits or locks.

use std::collections::HashMap;

use crate::{
    clock::Instant,
    secret::sha256,
    token::{Claims, Subject},
    user::Uid,
};

/// What counts no more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Revocation {
    /// The token of this `jti`.
    Token(String),
    /// The account's tokens whose `ep` is below this epoch.
    Account {
        /// Whose tokens.
        uid: Uid,
        /// The least epoch that still counts.
        epoch: i64,
    },
    /// Whatever the key of this `kid` signed.
    Key(String),
}

/// A revocation in the order of the feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Grows from one entry to the next, without a gap that is filled later.
    pub seq: i64,
    /// What counts no more.
    pub what: Revocation,
    /// From then on it would be over anyway, and the entry may be forgotten.
    pub until: Instant,
}

/// Every revocation that has not become pointless, in memory.
///
/// A million single tokens take about 60 MB, and a lookup one or two probes of a hash table.
#[derive(Debug, Default)]
pub struct Revoked {
    tokens: HashMap<TokenKey, Second>,
    accounts: HashMap<Uid, Account>,
    keys: HashMap<String, Second>,
    last: i64,
}

/// Sixteen bytes, which is how long a `jti` of ours is; of any other, the beginning of its digest.
type TokenKey = [u8; 16];

/// Seconds since 1970, rounded up: good until the year 2106, and half the size of an [`Instant`].
type Second = u32;

#[derive(Debug, Clone, Copy)]
struct Account {
    epoch: i64,
    until: Second,
}

impl Revoked {
    /// Takes an entry of the feed to heart. One that was taken before changes nothing.
    pub fn apply(&mut self, entry: &Entry) {
        let until = second_after(entry.until);
        match &entry.what {
            Revocation::Token(jti) => {
                let kept = self.tokens.entry(token_key(jti)).or_default();
                *kept = until.max(*kept);
            }
            Revocation::Account { uid, epoch } => {
                let least = Account { epoch: 0, until: 0 };
                let kept = self.accounts.entry(*uid).or_insert(least);
                kept.epoch = kept.epoch.max(*epoch);
                kept.until = kept.until.max(until);
            }
            Revocation::Key(kid) => {
                let kept = self.keys.entry(kid.clone()).or_default();
                *kept = until.max(*kept);
            }
        }
        self.last = self.last.max(entry.seq);
    }

    /// The number of the newest entry that was applied; 0 before the first.
    #[must_use]
    pub const fn last(&self) -> i64 {
        self.last
    }

    /// Goes on after `seq`: further on, past entries that are over, or back where the source was set
    /// back. What was revoked stays so.
    pub const fn rewind(&mut self, seq: i64) {
        self.last = seq;
    }

    /// Whether a token, or the account that it is of, was revoked. Of its key it says nothing.
    #[must_use]
    pub fn is_revoked(&self, claims: &Claims) -> bool {
        // Most of the time there is nothing, and then nothing is to be hashed.
        if !self.tokens.is_empty() && self.tokens.contains_key(&token_key(&claims.jti)) {
            return true;
        }
        match claims.subject {
            Subject::User { uid, epoch, .. } => self
                .accounts
                .get(&uid)
                .is_some_and(|account| epoch < account.epoch),
            Subject::Guest(_) => false,
        }
    }

    /// Whether whatever that key signed counts no more.
    #[must_use]
    pub fn is_key_revoked(&self, kid: &str) -> bool {
        !self.keys.is_empty() && self.keys.contains_key(kid)
    }

    /// Forgets what was over before `now`.
    pub fn purge(&mut self, now: Instant) {
        let now = Second::try_from(now.div_euclid(1_000).max(0)).unwrap_or(Second::MAX);
        self.tokens.retain(|_, until| *until >= now);
        self.accounts.retain(|_, account| account.until >= now);
        self.keys.retain(|_, until| *until >= now);
        if self.tokens.len() < self.tokens.capacity() / 4 {
            self.tokens.shrink_to(self.tokens.len() * 2);
        }
    }

    /// How many revocations are kept.
    #[must_use]
    pub fn len(&self) -> usize {
        self.tokens.len() + self.accounts.len() + self.keys.len()
    }

    /// Whether nothing is revoked.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

fn token_key(jti: &str) -> TokenKey {
    if let Ok(key) = TokenKey::try_from(jti.as_bytes()) {
        return key;
    }
    let mut key = TokenKey::default();
    key.iter_mut()
        .zip(sha256(jti.as_bytes()))
        .for_each(|(to, from)| *to = from);
    key
}

fn second_after(instant: Instant) -> Second {
    Second::try_from(instant.div_euclid(1_000).max(0) + 1).unwrap_or(Second::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{app::Appid, identity::IdentityId, user::Role};

    const NOW: Instant = 1_795_000_000_000;

    fn claims(jti: &str, subject: Subject) -> Claims {
        Claims {
            subject,
            client_id: Appid::parse("wx1234567890abcdef").unwrap(),
            jti: jti.to_owned(),
            iat: NOW / 1000,
            exp: NOW / 1000 + 3600,
        }
    }

    fn user(uid: i64, epoch: i64) -> Subject {
        Subject::User {
            uid: Uid::new(uid).unwrap(),
            role: Role::User,
            epoch,
        }
    }

    fn account(seq: i64, uid: i64, epoch: i64) -> Entry {
        Entry {
            seq,
            what: Revocation::Account {
                uid: Uid::new(uid).unwrap(),
                epoch,
            },
            until: NOW + 3_600_000,
        }
    }

    fn token(seq: i64, jti: &str) -> Entry {
        Entry {
            seq,
            what: Revocation::Token(jti.to_owned()),
            until: NOW + 3_600_000,
        }
    }

    #[test]
    fn a_token_is_revoked_by_its_name_whatever_its_length() {
        let mut revoked = Revoked::default();
        for (seq, jti) in [
            "PVC_zo_V81Y0sa80",
            "short",
            "a name that is longer than ours",
        ]
        .into_iter()
        .enumerate()
        {
            let guest = claims(jti, Subject::Guest(IdentityId::random()));
            assert!(!revoked.is_revoked(&guest));
            revoked.apply(&token(i64::try_from(seq).unwrap() + 1, jti));
            assert!(revoked.is_revoked(&guest));
            assert!(!revoked.is_revoked(&claims("PVC_zo_V81Y0sa81", user(100_001, 0))));
        }
        assert_eq!((revoked.len(), revoked.last()), (3, 3));
    }

    #[test]
    fn an_epoch_ends_those_below_it_and_never_falls() {
        let mut revoked = Revoked::default();
        for entry in [account(1, 100_001, 3), account(2, 100_001, 2)] {
            revoked.apply(&entry);
            for (uid, epoch, is_revoked) in [
                (100_001, 2, true),
                (100_001, 3, false),
                (100_001, 4, false),
                (100_002, 0, false),
            ] {
                let claims = claims("PVC_zo_V81Y0sa80", user(uid, epoch));
                assert_eq!(revoked.is_revoked(&claims), is_revoked, "{uid} {epoch}");
            }
        }
    }

    #[test]
    fn a_key_is_revoked() {
        let mut revoked = Revoked::default();
        revoked.apply(&Entry {
            seq: 9,
            what: Revocation::Key("k1".to_owned()),
            until: NOW,
        });
        assert!(revoked.is_key_revoked("k1") && !revoked.is_key_revoked("k2"));
    }

    /// Proves INT-9: what is over is forgotten, and not before.
    #[test]
    fn what_is_over_is_forgotten() {
        let mut revoked = Revoked::default();
        revoked.apply(&token(1, "PVC_zo_V81Y0sa80"));
        revoked.apply(&account(2, 100_001, 1));
        revoked.purge(NOW + 3_600_000);
        assert_eq!(revoked.len(), 2);
        revoked.purge(NOW + 3_602_000);
        assert!(revoked.is_empty());
        assert_eq!(revoked.last(), 2, "the feed goes on where it was");
        revoked.rewind(1);
        assert_eq!(revoked.last(), 1);
    }
}
