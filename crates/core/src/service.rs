//! The team's other services: how they are named, what they may ask, how they prove who they are.

use std::fmt;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::{
    clock::Instant,
    identity::random_bytes,
    secret::{Secret, same, sha256},
    text::Malformed,
};

/// Characters of a service's name, at most.
const LONGEST_ID: usize = 64;
/// What a secret that was made here begins with, so that one that leaked is known for what it is.
const PREFIX: &str = "mjs_";

/// The name of a service: 1 to 64 of `A-Z a-z 0-9 . _ -`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ServiceId(String);

impl ServiceId {
    /// Reads a name.
    ///
    /// # Errors
    ///
    /// [`Malformed`] if it is empty, too long, or has other characters.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let fits = (1..=LONGEST_ID).contains(&text.len())
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
        if fits {
            Ok(Self(text.to_owned()))
        } else {
            Err(Malformed(
                "a service is named by 1 to 64 letters, digits, dots, hyphens and underscores",
            ))
        }
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ServiceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Something that a service may ask of Menjin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Permission {
    /// What a token says, and whether it counts.
    Introspect,
    /// That a token counts no more.
    Revoke,
    /// The feed of what counts no more.
    Follow,
    /// WeChat's access token of a mini program.
    WechatToken,
}

impl Permission {
    /// Each of them.
    pub const ALL: [Self; 4] = [
        Self::Introspect,
        Self::Revoke,
        Self::Follow,
        Self::WechatToken,
    ];

    /// The word for it in configuration, store and command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Introspect => "introspect",
            Self::Revoke => "revoke",
            Self::Follow => "follow",
            Self::WechatToken => "wechat_token",
        }
    }

    /// The permission of that word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|permission| permission.as_str() == word)
    }
}

/// A service, with what proves that somebody is it.
#[derive(Clone, PartialEq, Eq)]
pub struct Service {
    /// Its name.
    pub id: ServiceId,
    /// SHA-256 of its secret.
    pub secret_digest: [u8; 32],
    /// SHA-256 of the secret before that one, and how long it still counts.
    pub former: Option<([u8; 32], Instant)>,
    /// What it may ask.
    pub may: Vec<Permission>,
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Service")
            .field("id", &self.id)
            .field("may", &self.may)
            .finish_non_exhaustive()
    }
}

impl Service {
    /// A secret of 256 random bits for a service, and its digest.
    #[must_use]
    pub fn fresh_secret() -> (Secret, [u8; 32]) {
        let text = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(random_bytes::<32>()));
        let digest = sha256(text.as_bytes());
        (Secret::new(&text), digest)
    }

    /// Whether that is this service's secret, or the one before while it still counts.
    #[must_use]
    pub fn has_secret(&self, secret: &str, now: Instant) -> bool {
        let digest = sha256(secret.as_bytes());
        let is_former =
            |(former, until): &([u8; 32], Instant)| now < *until && same(former, &digest);
        same(&self.secret_digest, &digest) || self.former.as_ref().is_some_and(is_former)
    }

    /// Whether it may ask that.
    #[must_use]
    pub fn may(&self, permission: Permission) -> bool {
        self.may.contains(&permission)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_short_and_plain() {
        for good in ["a", "repairs", "shop-2.test_x", &"a".repeat(64)] {
            assert_eq!(ServiceId::parse(good).unwrap().as_str(), good);
        }
        for bad in ["", "a b", "维修", "a:b", "a/b", "a\n", &"a".repeat(65)] {
            assert!(ServiceId::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_permission_has_one_word() {
        for permission in Permission::ALL {
            assert_eq!(Permission::parse(permission.as_str()), Some(permission));
        }
        assert_eq!(Permission::parse("everything"), None);
    }

    /// Proves INT-1: a service has its secret, for a while the one before, and no other.
    #[test]
    fn a_secret_is_known_by_its_digest() {
        let (secret, secret_digest) = Service::fresh_secret();
        let (former, former_digest) = Service::fresh_secret();
        assert_eq!(secret.expose().len(), 47);
        assert!(secret.expose().starts_with("mjs_"));
        let service = Service {
            id: ServiceId::parse("repairs").unwrap(),
            secret_digest,
            former: Some((former_digest, 1_000)),
            may: vec![Permission::Introspect],
        };
        assert!(service.has_secret(secret.expose(), 2_000));
        assert!(service.has_secret(former.expose(), 999));
        assert!(!service.has_secret(former.expose(), 1_000));
        assert!(!service.has_secret("", 0) && !service.has_secret("mjs_", 0));
        assert!(service.may(Permission::Introspect) && !service.may(Permission::Revoke));
        assert!(!format!("{service:?}").contains("digest"));
    }
}
