//! One person, as one mini program sees them.

use std::{
    cell::RefCell,
    fmt,
    sync::{Mutex, PoisonError},
};

use aws_lc_rs::rand;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::{
    app::Appid,
    clock::Instant,
    secret::Secret,
    text::{Malformed, is_url_safe, text},
    user::User,
};

/// Names that accounts made by hand tend to carry. No WeChat openid looks like one, so whoever
/// turns up with one of them is not let in.
const RESERVED: [&str; 8] = [
    "admin",
    "administrator",
    "anonymous",
    "guest",
    "menjin",
    "root",
    "system",
    "undefined",
];

/// Bytes for ids that are drawn at once.
const DRAW: usize = 512;

/// WeChat's id of a person within one mini program.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Openid(std::sync::Arc<str>);

impl Openid {
    /// Accepts 1 to 128 characters of `[A-Za-z0-9_-]`, but no name of a system account.
    ///
    /// # Errors
    ///
    /// Anything else.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        if text.is_empty() || text.len() > 128 || !is_url_safe(text) {
            return Err(Malformed(
                "an openid has 1 to 128 characters of [A-Za-z0-9_-]",
            ));
        }
        if RESERVED.iter().any(|name| text.eq_ignore_ascii_case(name)) {
            return Err(Malformed("an openid is never the name of a system account"));
        }
        Ok(Self(text.into()))
    }

    /// The text itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Openid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

text! {
    /// WeChat's id of a person across the apps of one open-platform account.
    Unionid, 128, "a unionid has 1 to 128 characters of [A-Za-z0-9_-]"
}

/// What `wx.login()` gave: single use, five minutes. Never shown in logs.
#[derive(Clone)]
pub struct LoginCode(String);

impl LoginCode {
    /// Accepts 1 to 512 characters of `[A-Za-z0-9_-]`.
    ///
    /// # Errors
    ///
    /// Anything else; the devtools' `the code is a mock one` among it.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        if text.is_empty() || text.len() > 512 || !is_url_safe(text) {
            return Err(Malformed(
                "a login code has 1 to 512 characters of [A-Za-z0-9_-]",
            ));
        }
        Ok(Self(text.to_owned()))
    }

    /// The text, for the one call to WeChat that spends it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for LoginCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LoginCode")
    }
}

/// WeChat's key for what a person's client encrypts. It never leaves the server.
#[derive(Clone, Debug)]
pub struct SessionKey(Secret);

impl SessionKey {
    /// Accepts 1 to 256 visible ASCII characters.
    ///
    /// # Errors
    ///
    /// Anything else.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let fits = (1..=256).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
        if !fits {
            return Err(Malformed(
                "a session key has 1 to 256 visible ASCII characters",
            ));
        }
        Ok(Self(Secret::new(text)))
    }

    /// The text as WeChat sent it, for sealing and for signatures.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}

/// Our own id of an identity: 104 bits of it its own and random, so that it says nothing, and the `sub` of a guest's token.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct IdentityId([u8; 16]);

impl IdentityId {
    /// A new id from the operating system's generator. Its first three bytes are those of the ids
    /// before it, until 256 have shared them: a database keeps ids in order, and can then write
    /// those of one moment together rather than each in a place of its own.
    ///
    /// # Panics
    ///
    /// Never in practice: only if the generator, which was seeded at start, breaks.
    #[must_use]
    pub fn random() -> Self {
        static SHARED: Mutex<(u8, [u8; 3])> = Mutex::new((0, [0; 3]));
        let mut id: [u8; 16] = random_id();
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        let (drawn, first) = &mut *shared;
        if *drawn == 0 {
            first.copy_from_slice(&id[..3]);
        }
        *drawn = drawn.wrapping_add(1);
        id[..3].copy_from_slice(first);
        Self(id)
    }

    /// The id in sixteen bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// Reads what [`fmt::Display`] writes, and nothing else.
    ///
    /// # Errors
    ///
    /// Anything but `g` and 22 characters of canonical base64url.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let complaint = Malformed("not the id of an identity");
        let encoded = text.strip_prefix('g').ok_or(complaint)?;
        let bytes = URL_SAFE_NO_PAD.decode(encoded).map_err(|_| complaint)?;
        Self::from_bytes(&bytes).ok_or(complaint)
    }

    /// The id from its sixteen bytes; `None` for any other number of them.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }
}

impl fmt::Display for IdentityId {
    // The letter keeps a guest's `sub` from ever reading as a uid, which is decimal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "g{}", URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl fmt::Debug for IdentityId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Random bytes from the operating system's generator.
///
/// # Panics
///
/// Only if the generator, which was seeded at start, breaks.
#[expect(
    clippy::expect_used,
    reason = "without randomness nothing here may go on"
)]
#[must_use]
pub fn random_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    rand::fill(&mut bytes).expect("the system's random generator works");
    bytes
}

/// Random bytes that only have to be unlike any others: ids and nonces, nothing secret. They are drawn many at a time: the generator takes
/// longer to begin than to go on.
#[must_use]
pub fn random_id<const N: usize>() -> [u8; N] {
    thread_local! {
        static DRAWN: RefCell<([u8; DRAW], usize)> = const { RefCell::new(([0; DRAW], DRAW)) };
    }
    const { assert!(N <= DRAW, "an id is shorter than what is drawn at once") }
    DRAWN.with_borrow_mut(|(drawn, used)| {
        if DRAW - *used < N {
            (*drawn, *used) = (random_bytes(), 0);
        }
        let id = drawn.get(*used..).and_then(<[u8]>::first_chunk);
        *used += N;
        id.copied().unwrap_or_else(random_bytes)
    })
}

/// Which build of a mini program spoke, told by the version in the `Referer` that its client sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Release {
    /// Published; the version is a number above zero.
    Release,
    /// Development, trial, or under review; WeChat's client says version `0` for all of them.
    Trial,
    /// WeChat's devtools.
    Devtools,
}

impl Release {
    /// The word that is stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Release => "release",
            Self::Trial => "trial",
            Self::Devtools => "devtools",
        }
    }

    /// Reads what [`Release::as_str`] writes.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Release, Self::Trial, Self::Devtools]
            .into_iter()
            .find(|release| release.as_str() == text)
    }
}

/// One row of what is known of a person in one mini program.
#[derive(Debug, Clone)]
pub struct Identity {
    /// Our own id; never the openid.
    pub id: IdentityId,
    /// The mini program that this identity belongs to.
    pub appid: Appid,
    /// WeChat's id, unique within one mini program.
    pub openid: Openid,
    /// WeChat's id across linked apps, once WeChat has told it.
    pub unionid: Option<Unionid>,
    /// The account behind it: its own, or the one that its unionid leads to.
    pub user: Option<User>,
    /// Whether the account is written in its own row, or was only reached through the unionid.
    pub linked: bool,
    /// Keyed digest of the session key, to see a change without opening the sealed one.
    pub session_key_digest: [u8; 32],
    /// Which build of the mini program was last seen.
    pub release: Option<Release>,
    /// When this person was last seen, to the hour.
    pub last_seen_at: Instant,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_one_moment_are_neighbours_and_none_is_like_another() {
        let ids: std::collections::BTreeSet<_> = (0..2_000).map(|_| IdentityId::random()).collect();
        assert_eq!(ids.len(), 2_000);
        let starts: std::collections::BTreeSet<_> = ids.iter().map(|id| &id.0[..3]).collect();
        assert!((8..=10).contains(&starts.len()), "{}", starts.len());
        let ends: std::collections::BTreeSet<_> = ids.iter().map(|id| &id.0[3..]).collect();
        assert_eq!(ends.len(), 2_000);
    }

    #[test]
    fn no_id_is_given_twice() {
        let mut ids = std::collections::BTreeSet::new();
        for _ in 0..1_000 {
            assert!(ids.insert(random_id::<12>().to_vec()));
            assert!(ids.insert(random_id::<16>().to_vec()));
        }
    }

    #[test]
    fn ids_survive_a_round_trip() {
        let id = IdentityId::random();
        assert_eq!(IdentityId::parse(&id.to_string()), Ok(id));
        assert!(IdentityId::parse("100001").is_err());
        assert!(IdentityId::parse("gAAAA").is_err());
    }

    #[test]
    fn codes_are_letters_digits_and_two_signs() {
        assert!(LoginCode::parse("0a1B-_").is_ok());
        assert!(LoginCode::parse("").is_err());
        assert!(LoginCode::parse("the code is a mock one").is_err());
        assert!(LoginCode::parse(&"a".repeat(512)).is_ok());
        assert!(LoginCode::parse(&"a".repeat(513)).is_err());
        assert_eq!(
            format!("{:?}", LoginCode::parse("0a").unwrap()),
            "LoginCode"
        );
    }

    /// Proves LGN-13: the name of a system account is no openid.
    #[test]
    fn a_system_account_has_no_openid() {
        assert!(Openid::parse("system").is_err());
        assert!(Openid::parse("System").is_err());
        assert!(Openid::parse("oGZUI0egBJY1zhBYw2KhdUfwVJJE").is_ok());
    }
}
