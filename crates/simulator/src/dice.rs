//! Codes, keys and tokens that nobody could have had before.

use std::{
    hash::{BuildHasher, RandomState},
    sync::atomic::{AtomicU64, Ordering},
};

use aws_lc_rs::digest::{SHA256, SHA256_OUTPUT_LEN, digest};
use base64::{
    Engine,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};

use crate::crypto::hex;

const ALPHANUMERIC: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const CODE_LENGTH: usize = 32;
const TOKEN_LENGTH: usize = 136;

/// A source of new values.
///
/// It hashes a counter under a seed: unlike the system's generator this cannot fail, and what a
/// simulator hands out must be new, not secret.
pub(crate) struct Dice {
    seed: [u8; 16],
    thrown: AtomicU64,
}

impl Dice {
    pub(crate) fn new() -> Self {
        let [first, second] = [(); 2].map(|()| RandomState::new().hash_one("dice"));
        let seed = (u128::from(first) << 64 | u128::from(second)).to_be_bytes();
        Self {
            seed,
            thrown: AtomicU64::new(0),
        }
    }

    /// A login code: 32 letters and digits, the first a `0`, as WeChat's are.
    pub(crate) fn code(&self) -> String {
        let letters = self.throw().into_iter().filter_map(|byte| {
            ALPHANUMERIC
                .get(usize::from(byte) % ALPHANUMERIC.len())
                .map(|&letter| letter.into())
        });
        std::iter::once('0')
            .chain(letters)
            .take(CODE_LENGTH)
            .collect()
    }

    /// A code of the phone button: 64 hex digits.
    pub(crate) fn phone_code(&self) -> String {
        hex(&self.throw())
    }

    /// A session key: 16 bytes in base64.
    pub(crate) fn session_key(&self) -> String {
        BASE64_STANDARD.encode(self.block())
    }

    /// One block of a cipher, to begin with.
    pub(crate) fn block(&self) -> [u8; 16] {
        let throw = self.throw();
        throw.first_chunk().copied().unwrap_or_default()
    }

    /// A server access token: 136 characters, led by a number and a line, as WeChat's are.
    pub(crate) fn token(&self) -> String {
        let bytes = [(); 4].map(|()| self.throw()).concat();
        let mut token = format!("92_{}", BASE64_URL_SAFE_NO_PAD.encode(bytes));
        token.truncate(TOKEN_LENGTH);
        token
    }

    /// Sixteen characters that some of WeChat's error texts have beside the `rid`.
    pub(crate) fn hint(&self) -> String {
        let mut hint = BASE64_URL_SAFE_NO_PAD.encode(self.block());
        hint.truncate(16);
        hint
    }

    /// The decimal number that comes with a pushed message.
    pub(crate) fn nonce(&self) -> String {
        let [a, b, c, d, ..] = self.block();
        u32::from_be_bytes([a, b, c, d]).to_string()
    }

    /// The number that WeChat gives a request: the second it came in, and two more groups.
    pub(crate) fn rid(&self, now: i64) -> String {
        let throw = self.throw();
        let number = throw
            .first_chunk::<8>()
            .map_or(0, |bytes| u64::from_be_bytes(*bytes));
        format!(
            "{:08x}-{:08x}-{:08x}",
            now / 1000,
            number >> 32,
            number & 0xffff_ffff
        )
    }

    /// Bytes that are no JSON and no text.
    pub(crate) fn garbage(&self) -> Vec<u8> {
        let mut bytes = vec![0xff, 0x00];
        bytes.extend(self.throw());
        bytes
    }

    fn throw(&self) -> [u8; SHA256_OUTPUT_LEN] {
        let count = self.thrown.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        sha256(&[&self.seed, &count])
    }
}

/// The openid of a person in an app: the same at every time, on every machine.
pub(crate) fn openid(appid: &str, person: &str) -> String {
    identifier(&["openid", appid, person])
}

/// The unionid of a person: the same in every app.
pub(crate) fn unionid(person: &str) -> String {
    identifier(&["unionid", person])
}

/// Who pushes messages to an app: no person, though it looks like an openid.
pub(crate) fn push_service(appid: &str) -> String {
    identifier(&["push", appid])
}

/// The name that an app goes by in pushed messages.
pub(crate) fn username(appid: &str) -> String {
    let mut name = hex(&sha256(&[b"username\0", appid.as_bytes()]));
    name.truncate(12);
    format!("gh_{name}")
}

/// 28 characters that begin with `o`. Neither appids nor names hold the separator.
fn identifier(parts: &[&str]) -> String {
    let hash = sha256(&[parts.join("\0").as_bytes()]);
    let mut id = format!("o{}", BASE64_URL_SAFE_NO_PAD.encode(hash));
    id.truncate(28);
    id
}

pub(crate) fn sha256(parts: &[&[u8]]) -> [u8; SHA256_OUTPUT_LEN] {
    let mut hash = [0; SHA256_OUTPUT_LEN];
    hash.copy_from_slice(digest(&SHA256, &parts.concat()).as_ref());
    hash
}

#[cfg(test)]
mod tests {
    use super::{Dice, openid, unionid};

    #[test]
    fn everything_has_the_shape_that_wechat_gives_it() {
        let dice = Dice::new();
        let code = dice.code();
        assert!(code.len() == 32 && code.starts_with('0'), "{code}");
        assert!(
            code.bytes().all(|byte| byte.is_ascii_alphanumeric()),
            "{code}"
        );
        assert_eq!(dice.phone_code().len(), 64);
        assert_eq!(dice.hint().len(), 16);
        assert!(dice.nonce().parse::<u32>().is_ok());
        assert_eq!(dice.session_key().len(), 24);
        assert_eq!(dice.token().len(), 136);
        assert!(std::str::from_utf8(&dice.garbage()).is_err());
    }

    #[test]
    fn nothing_comes_twice() {
        let dice = Dice::new();
        assert_ne!(dice.code(), dice.code());
        assert_ne!(Dice::new().code(), Dice::new().code());
    }

    #[test]
    fn people_are_the_same_for_ever() {
        assert_eq!(
            openid("wx0123456789abcdef", "小王"),
            "oidSkJ6nLzSJj_DEUw-qbNnouYeU"
        );
        assert_eq!(unionid("小王"), "oNiF08niKqJ0VbHgWJX8qNsgKSKz");
        assert_ne!(openid("wx1", "小王"), openid("wx2", "小王"));
    }
}
