//! Secrets: how they are held, compared, sealed and digested.

use std::fmt;

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    digest,
    hkdf::{self, HKDF_SHA256, Salt},
    hmac,
};
use base64::{
    Engine, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::{
    identity::{random_bytes, random_id},
    text::Malformed,
};

/// A text that nobody may see. `Debug` prints the type's name alone.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes the text into keeping.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(Zeroizing::new(text.to_owned()))
    }

    /// The text, for the one place that needs it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// Whether two secrets or digests are the same, in time that does not depend on where they differ.
/// The only comparison of secrets there is.
#[must_use]
pub fn same(left: &[u8], right: &[u8]) -> bool {
    left.ct_eq(right).into()
}

/// SHA-256.
#[must_use]
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(digest::digest(&digest::SHA256, bytes).as_ref());
    out
}

/// Something sealed cannot be opened: another key sealed it, or it was changed, or it was moved
/// here from another row or column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("sealed under a master key that is not configured, or damaged")]
pub struct Unopenable;

/// The keys that everything secret in the store hangs on: the first one seals and digests, all of
/// them open.
#[derive(Clone)]
pub struct MasterKeys {
    /// Never empty.
    keys: Vec<MasterKey>,
}

#[derive(Clone)]
struct MasterKey {
    /// Which key sealed something: four bytes that stand before it. Derived, so it tells nothing.
    tag: [u8; 4],
    seal: std::sync::Arc<LessSafeKey>,
    digest: hmac::Key,
}

/// The first byte of everything sealed.
const FORMAT: u8 = 1;
/// Format, tag and nonce.
const HEADER: usize = 1 + 4 + NONCE_LEN;

impl MasterKeys {
    /// Derives the keys from what the operator configured, first one active.
    ///
    /// # Errors
    ///
    /// None at all, one that is shorter than 32 bytes (of base64, or of any other text), or one
    /// that was plainly never random.
    pub fn parse<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Self, Malformed> {
        let keys = texts
            .into_iter()
            .map(MasterKey::parse)
            .collect::<Result<Vec<_>, _>>()?;
        if keys.is_empty() {
            return Err(Malformed("at least one master key is needed"));
        }
        Ok(Self { keys })
    }

    /// A new master key, as a person would write it into a configuration.
    #[must_use]
    pub fn generate() -> String {
        base64::engine::general_purpose::STANDARD.encode(random_bytes::<32>())
    }

    /// Seals `plain` for one place: `place` names table, column and row, and the same words open it.
    #[must_use]
    pub fn seal(&self, place: &str, plain: &[u8]) -> Vec<u8> {
        let Some(key) = self.keys.first() else {
            return Vec::new();
        };
        let nonce = random_id::<NONCE_LEN>();
        let mut body = plain.to_vec();
        let sealed = key.seal.seal_in_place_append_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(place.as_bytes()),
            &mut body,
        );
        if sealed.is_err() {
            // Only for more than 64 GiB at once. Nothing is better than the plain text.
            return Vec::new();
        }
        [&[FORMAT][..], &key.tag, &nonce, &body].concat()
    }

    /// Opens what [`MasterKeys::seal`] sealed for the same place.
    ///
    /// # Errors
    ///
    /// [`Unopenable`].
    pub fn open(&self, place: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Unopenable> {
        let (header, body) = sealed.split_at_checked(HEADER).ok_or(Unopenable)?;
        let (format_and_tag, nonce) = header.split_at(HEADER - NONCE_LEN);
        let nonce: [u8; NONCE_LEN] = nonce.try_into().map_err(|_| Unopenable)?;
        let key = self
            .keys
            .iter()
            .find(|key| format_and_tag == [&[FORMAT][..], &key.tag].concat())
            .ok_or(Unopenable)?;
        let mut body = Zeroizing::new(body.to_vec());
        let nonce = Nonce::assume_unique_for_key(nonce);
        let plain = key
            .seal
            .open_in_place(nonce, Aad::from(place.as_bytes()), &mut body)
            .map_err(|_| Unopenable)?
            .len();
        body.truncate(plain);
        Ok(body)
    }

    /// Whether something was sealed under the active key, and needs no sealing anew.
    #[must_use]
    pub fn is_current(&self, sealed: &[u8]) -> bool {
        self.keys
            .first()
            .is_some_and(|key| sealed.get(1..5) == Some(&key.tag[..]))
    }

    /// A keyed digest under the active key. `purpose` keeps digests of different things apart.
    #[must_use]
    pub fn digest(&self, purpose: &str, parts: &[&str]) -> [u8; 32] {
        let mut out = [0; 32];
        if let Some(key) = self.keys.first() {
            let mut context = hmac::Context::with_key(&key.digest);
            for part in std::iter::once(&purpose).chain(parts) {
                // The length keeps ("ab", "c") and ("a", "bc") apart.
                context.update(&(part.len() as u64).to_be_bytes());
                context.update(part.as_bytes());
            }
            out.copy_from_slice(context.sign().as_ref());
        }
        out
    }
}

impl fmt::Debug for MasterKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKeys")
    }
}

impl MasterKey {
    fn parse(text: &str) -> Result<Self, Malformed> {
        let bytes = Zeroizing::new(decode(text));
        if bytes.len() < 32 {
            return Err(Malformed(
                "a master key is at least 32 random bytes in base64 (`menjin init` makes one)",
            ));
        }
        let mut seen = [false; 256];
        for byte in bytes.iter() {
            if let Some(slot) = seen.get_mut(usize::from(*byte)) {
                *slot = true;
            }
        }
        // Thirty-two random bytes hold ten different ones but for one time in 10^24.
        let placeholder = ["example", "change", "replace"]
            .iter()
            .any(|word| text.to_ascii_lowercase().contains(word));
        if placeholder || seen.iter().filter(|seen| **seen).count() < 10 {
            return Err(Malformed(
                "a master key that was never random is no key (`menjin init` makes one)",
            ));
        }
        let master = Salt::new(HKDF_SHA256, b"menjin").extract(&bytes);
        let mut tag = [0; 4];
        tag.copy_from_slice(derive::<32>(&master, b"tag").get(..4).unwrap_or(&[0; 4]));
        let seal = UnboundKey::new(&AES_256_GCM, derive::<32>(&master, b"seal").as_slice())
            .map_err(|_| Malformed("a master key could not be used"))?;
        Ok(Self {
            tag,
            seal: std::sync::Arc::new(LessSafeKey::new(seal)),
            digest: hmac::Key::new(
                hmac::HMAC_SHA256,
                derive::<32>(&master, b"digest").as_slice(),
            ),
        })
    }
}

/// Base64 of either alphabet, padded or not; other text stands for its own bytes.
fn decode(text: &str) -> Vec<u8> {
    const LENIENT: GeneralPurposeConfig =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    [&alphabet::STANDARD, &alphabet::URL_SAFE]
        .into_iter()
        .find_map(|alphabet| GeneralPurpose::new(alphabet, LENIENT).decode(text).ok())
        .unwrap_or_else(|| text.as_bytes().to_vec())
}

fn derive<const N: usize>(master: &hkdf::Prk, purpose: &[u8]) -> Zeroizing<[u8; N]> {
    struct Length(usize);
    impl hkdf::KeyType for Length {
        fn len(&self) -> usize {
            self.0
        }
    }
    let mut out = Zeroizing::new([0; N]);
    let purpose = [purpose];
    let filled = master
        .expand(&purpose, Length(N))
        .and_then(|okm| okm.fill(out.as_mut_slice()));
    debug_assert!(filled.is_ok(), "HKDF gives up to 8160 bytes");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "MDEyMzQ1Njc4OWFiY2RlZmdoaWprbG1ub3BxcnN0dXY=";
    const TWO: &str = "dnV0c3JxcG9ubWxramloZ2ZlZGNiYTk4NzY1NDMyMTA=";

    #[test]
    fn sealed_text_opens_in_its_own_place_alone() {
        let keys = MasterKeys::parse([ONE]).unwrap();
        let sealed = keys.seal("identities/session_key/1", b"plain");
        assert_eq!(
            keys.open("identities/session_key/1", &sealed)
                .unwrap()
                .as_slice(),
            b"plain"
        );
        assert_eq!(
            keys.open("identities/session_key/2", &sealed),
            Err(Unopenable)
        );
        let mut changed = sealed.clone();
        *changed.last_mut().unwrap() ^= 1;
        assert_eq!(
            keys.open("identities/session_key/1", &changed),
            Err(Unopenable)
        );
        assert_eq!(
            keys.open("identities/session_key/1", b"short"),
            Err(Unopenable)
        );
    }

    /// Proves KEY-6: a new first key seals, the old one still opens, and without it nothing does.
    #[test]
    fn master_keys_rotate() {
        let old = MasterKeys::parse([ONE]).unwrap();
        let both = MasterKeys::parse([TWO, ONE]).unwrap();
        let new = MasterKeys::parse([TWO]).unwrap();
        let sealed = old.seal("p", b"plain");
        assert!(!both.is_current(&sealed));
        let plain = both.open("p", &sealed).unwrap();
        let again = both.seal("p", &plain);
        assert!(both.is_current(&again));
        assert_eq!(new.open("p", &again).unwrap().as_slice(), b"plain");
        assert_eq!(new.open("p", &sealed), Err(Unopenable));
    }

    /// Proves LOG-4: keys that are empty, short, or were never random are refused.
    #[test]
    fn weak_master_keys_are_refused() {
        for weak in [
            "",
            "short",
            "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
            "MDEyMzQ1Njc4OWFiY2RlZg==",
            "change-me-change-me-change-me-change-me",
            "0123456789abcdef0123456789abcdef",
        ] {
            assert!(MasterKeys::parse([weak]).is_err(), "{weak}");
        }
        assert!(MasterKeys::parse([]).is_err());
        assert!(MasterKeys::parse([ONE, "short"]).is_err());
        assert!(MasterKeys::parse([MasterKeys::generate().as_str()]).is_ok());
    }

    #[test]
    fn digests_keep_parts_and_purposes_apart() {
        let keys = MasterKeys::parse([ONE]).unwrap();
        assert_ne!(
            keys.digest("code", &["ab", "c"]),
            keys.digest("code", &["a", "bc"])
        );
        assert_ne!(keys.digest("code", &["a"]), keys.digest("other", &["a"]));
        assert_eq!(keys.digest("code", &["a"]), keys.digest("code", &["a"]));
        assert_eq!(
            format!("{keys:?} {:?}", Secret::new("x")),
            "MasterKeys Secret"
        );
    }
}
