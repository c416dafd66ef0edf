//! A registered account.

use std::fmt;

use serde_json::{Map, Value};

use crate::{clock::Instant, refusal::Refusal};

/// The number of an account: from 100001, never given again, never above 2^53 - 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Uid(i64);

impl Uid {
    /// The greatest uid; JavaScript must hold it exactly.
    const MAX: i64 = (1 << 53) - 1;

    /// `None` outside 1 to 2^53 - 1.
    #[must_use]
    pub fn new(number: i64) -> Option<Self> {
        (1..=Self::MAX).contains(&number).then_some(Self(number))
    }

    /// The number itself.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }

    /// Reads the decimal form that [`fmt::Display`] writes, and no other spelling of it.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let uid = Self::new(text.parse().ok()?)?;
        (uid.to_string() == text).then_some(uid)
    }
}

impl fmt::Display for Uid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What an account may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Its own things.
    User,
    /// Everybody's.
    Admin,
}

impl Role {
    /// The word in replies, tokens and the store.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Admin => "admin",
        }
    }

    /// Reads what [`Role::as_str`] writes.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::User, Self::Admin]
            .into_iter()
            .find(|role| role.as_str() == text)
    }
}

/// An account. A profile field without a value is empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Its number.
    pub uid: Uid,
    /// E.164, unique; empty while none is known.
    pub phone: String,
    /// When the phone number was verified; an account without is not registered yet.
    pub phone_verified_at: Option<Instant>,
    /// Mail address.
    pub email: String,
    /// What the person is called.
    pub nickname: String,
    /// The address of a picture.
    pub avatar: String,
    /// Where the person belongs.
    pub campus: String,
    /// The deployment's own fields, as they were stored; not all of them need be declared today.
    pub profile: Map<String, Value>,
    /// Which version of the privacy policy the person agreed to, and when.
    pub consent: Option<Consent>,
    /// What the account may do.
    pub role: Role,
    /// Raised by whatever makes older tokens worthless; tokens carry it.
    pub epoch: i64,
    /// When an administrator switched the account off.
    pub disabled_at: Option<Instant>,
}

/// A person's agreement to a privacy policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consent {
    /// The policy's version, as the deployment names it.
    pub version: String,
    /// When the person agreed.
    pub at: Instant,
}

impl User {
    /// Lets the account in, or says why not.
    ///
    /// # Errors
    ///
    /// [`Refusal::AccountDisabled`] if an administrator has switched it off.
    pub fn admit(&self) -> Result<(), Refusal> {
        match self.disabled_at {
            Some(_) => Err(Refusal::AccountDisabled),
            None => Ok(()),
        }
    }

    /// Whether the account counts as registered: its phone number has been verified.
    #[must_use]
    pub fn is_registered(&self) -> bool {
        self.phone_verified_at.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uid_has_one_spelling() {
        assert_eq!(Uid::parse("100001"), Uid::new(100_001));
        for odd in [
            "0100001",
            "+100001",
            "-1",
            "0",
            "",
            "9007199254740992",
            "1e5",
            " 1",
        ] {
            assert_eq!(Uid::parse(odd), None, "{odd}");
        }
        assert!(Uid::parse("9007199254740991").is_some());
    }
}
