//! Made-up people: who a login code stands for, and when WeChat gives that person a new session
//! key. The code carries all of it, so that the stub of WeChat remembers nothing.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};

use crate::numbers::mix;

/// One sign-in in this many brings a person a new session key.
const SIGN_INS_PER_KEY: u32 = 10;
/// Characters of a login code, as many as a real one has.
pub(crate) const CODE_LENGTH: usize = 32;

/// The people of one database: the first `known` have signed in before, the rest have yet to come.
pub(crate) struct People {
    /// How often each known person has signed in.
    sign_ins: Vec<AtomicU32>,
    /// How many have been let in for the first time.
    arrived: AtomicU64,
    /// How many codes have been made. No code is made twice.
    codes: AtomicU64,
}

impl People {
    /// A crowd of `known` people, of whom none has signed in yet.
    pub(crate) fn new(known: usize) -> Self {
        Self {
            sign_ins: (0..known).map(|_| AtomicU32::new(0)).collect(),
            arrived: AtomicU64::new(0),
            codes: AtomicU64::new(0),
        }
    }

    /// A code of somebody who has never signed in.
    pub(crate) fn newcomer(&self) -> LoginCode {
        self.code(self.arrived.fetch_add(1, Ordering::Relaxed), 0)
    }

    /// A code of somebody who has never signed in, as long as there are fewer than `limit` people.
    pub(crate) fn newcomer_below(&self, limit: u64) -> Option<LoginCode> {
        let taken = self
            .arrived
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |arrived| {
                (arrived < limit).then_some(arrived + 1)
            });
        taken.ok().map(|number| self.code(number, 0))
    }

    /// A code of one of the known people, each of them equally likely.
    pub(crate) fn returning(&self) -> LoginCode {
        let drawn = mix(self.codes.load(Ordering::Relaxed)) % (self.sign_ins.len() as u64).max(1);
        let index = usize::try_from(drawn).unwrap_or_default();
        let before = self
            .sign_ins
            .get(index)
            .map_or(0, |sign_ins| sign_ins.fetch_add(1, Ordering::Relaxed));
        // The person's number staggers the changes, or the first would come all together.
        let stagger = u32::try_from(drawn % u64::from(SIGN_INS_PER_KEY)).unwrap_or_default();
        self.code(drawn, (before + 1 + stagger) / SIGN_INS_PER_KEY)
    }

    /// How many have been let in for the first time.
    pub(crate) fn arrived(&self) -> u64 {
        self.arrived.load(Ordering::Relaxed)
    }

    /// How many codes have been made.
    pub(crate) fn codes(&self) -> u64 {
        self.codes.load(Ordering::Relaxed)
    }

    fn code(&self, number: u64, key: u32) -> LoginCode {
        let nonce = self.codes.fetch_add(1, Ordering::Relaxed);
        LoginCode { number, key, nonce }
    }
}

/// What `wx.login()` would give.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LoginCode {
    /// Which person.
    number: u64,
    /// Which of the person's session keys.
    key: u32,
    /// What sets it apart from all other codes.
    nonce: u64,
}

impl LoginCode {
    /// Reads back what [`Display`](std::fmt::Display) wrote.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.strip_prefix('p')?.split('-');
        let code = Self {
            number: parts.next()?.parse().ok()?,
            key: parts.next()?.parse().ok()?,
            nonce: parts.next()?.parse().ok()?,
        };
        parts.next().is_none().then_some(code)
    }

    /// The person in this mini program. Without order, as WeChat's are: neighbours in time are none
    /// in an index.
    pub(crate) fn openid(self) -> String {
        self.id(1)
    }

    /// The person across mini programs.
    pub(crate) fn unionid(self) -> String {
        self.id(2)
    }

    /// What the person's client encrypts with at the time.
    pub(crate) fn session_key(self) -> String {
        let seed = mix(mix(self.number) ^ u64::from(self.key));
        let bytes = [seed, mix(seed)].map(u64::to_be_bytes);
        STANDARD.encode(bytes.as_flattened())
    }

    /// The person's phone number, as people write it: eleven digits.
    pub(crate) fn phone(self) -> String {
        format!("139{:08}", self.number % 100_000_000)
    }

    fn id(self, kind: u64) -> String {
        let seed = mix(self.number ^ (kind << 60));
        let bytes = [seed, mix(seed), mix(seed ^ kind)].map(u64::to_be_bytes);
        let mut id = URL_SAFE_NO_PAD.encode(bytes.as_flattened());
        id.replace_range(..1, "o");
        id.truncate(28);
        id
    }
}

impl std::fmt::Display for LoginCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "p{:09}-{:06}-{:014}", self.number, self.key, self.nonce)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn a_code_says_who_and_looks_like_wechats() {
        let people = People::new(3);
        for code in [people.newcomer(), people.returning()] {
            let text = code.to_string();
            assert_eq!(text.len(), CODE_LENGTH);
            assert_eq!(LoginCode::parse(&text), Some(code));
        }
        for wrong in ["", "p1-2", "p1-2-3-4", "p-1-2", "1-2-3", "pone-2-3"] {
            assert_eq!(LoginCode::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn ids_have_wechats_form_and_are_one_persons_own() {
        let people = People::new(0);
        let codes: Vec<_> = (0..1000).map(|_| people.newcomer()).collect();
        let ids = codes
            .iter()
            .flat_map(|code| [code.openid(), code.unionid()]);
        let ids: HashSet<_> = ids
            .inspect(|id| assert!(id.len() == 28 && id.starts_with('o')))
            .collect();
        assert_eq!(ids.len(), 2000);
        let keys: HashSet<_> = codes.iter().map(|code| code.session_key()).collect();
        assert_eq!(keys.len(), 1000);
        assert!(
            keys.iter()
                .all(|key| key.len() == 24 && key.ends_with("=="))
        );
    }

    #[test]
    fn one_sign_in_in_ten_brings_a_new_session_key() {
        let people = People::new(50);
        let mut keys = std::collections::HashMap::new();
        let mut changes = 0;
        for _ in 0..100_000 {
            let code = people.returning();
            let before = keys.insert(code.openid(), code.session_key());
            changes += usize::from(before.is_some_and(|before| before != code.session_key()));
        }
        assert_eq!(keys.len(), 50);
        assert!((9_900..=10_100).contains(&changes), "{changes}");
    }

    #[test]
    fn a_first_sign_in_and_the_next_ones_are_the_same_person() {
        let people = People::new(1);
        let first = people.newcomer_below(1).unwrap();
        assert_eq!(people.newcomer_below(1), None);
        let next = people.returning();
        assert_eq!(next.openid(), first.openid());
        assert_eq!(next.session_key(), first.session_key());
        assert_ne!(next.to_string(), first.to_string());
        assert_ne!(people.newcomer().openid(), first.openid());
    }
}
