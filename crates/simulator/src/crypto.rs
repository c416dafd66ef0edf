//! WeChat's ciphers and signatures as they are, the outdated among them.

use std::fmt::Write;

use aws_lc_rs::{
    cipher::{AES_128, AES_256, Algorithm, EncryptingKey, EncryptionContext, UnboundCipherKey},
    digest::{SHA1_FOR_LEGACY_USE_ONLY, digest},
    error::Unspecified,
    hmac,
    iv::FixedLength,
};

/// AES-128-CBC, padded to 16 bytes: what WeChat's client makes of a person's own.
pub(crate) fn encrypt_for_session(
    key: &[u8],
    iv: [u8; 16],
    plain: Vec<u8>,
) -> Result<Vec<u8>, Unspecified> {
    encrypt(&AES_128, key, iv, pad(plain, 16))
}

/// AES-256-CBC, padded to 32 bytes, the key's beginning as iv: what WeChat makes of a message.
pub(crate) fn encrypt_for_push(key: &[u8], plain: Vec<u8>) -> Result<Vec<u8>, Unspecified> {
    let iv = key.first_chunk::<16>().ok_or(Unspecified)?;
    encrypt(&AES_256, key, *iv, pad(plain, 32))
}

fn encrypt(
    algorithm: &'static Algorithm,
    key: &[u8],
    iv: [u8; 16],
    mut blocks: Vec<u8>,
) -> Result<Vec<u8>, Unspecified> {
    let key = EncryptingKey::cbc(UnboundCipherKey::new(algorithm, key)?)?;
    key.less_safe_encrypt(&mut blocks, EncryptionContext::Iv128(FixedLength::from(iv)))?;
    Ok(blocks)
}

/// PKCS#7, for blocks of up to 32 bytes.
fn pad(mut plain: Vec<u8>, block: u8) -> Vec<u8> {
    let whole = usize::from(block);
    let missing = whole - plain.len() % whole;
    let byte = u8::try_from(missing).unwrap_or(block);
    plain.resize(plain.len() + missing, byte);
    plain
}

/// Lower-case hex of the SHA-1 of all parts in a row.
pub(crate) fn sha1(parts: &[&str]) -> String {
    hex(digest(&SHA1_FOR_LEGACY_USE_ONLY, parts.concat().as_bytes()).as_ref())
}

/// Lower-case hex of HMAC-SHA256 under a key that is a text.
pub(crate) fn hmac_sha256(key: &str, message: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes());
    hex(hmac::sign(&key, message.as_bytes()).as_ref())
}

/// Two lower-case digits for each byte.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use base64::{Engine, prelude::BASE64_STANDARD};
    use serde_json::Value;

    use super::{encrypt_for_session, hmac_sha256, pad, sha1};

    const VECTORS: &str = include_str!("../tests/vectors/ciphers.json");

    fn text<'a>(vector: &'a Value, name: &str) -> &'a str {
        vector[name].as_str().unwrap()
    }

    #[test]
    fn wechats_own_sample_of_encrypted_data_comes_out_byte_for_byte() {
        let vectors: Value = serde_json::from_str(VECTORS).unwrap();
        let vector = &vectors["encrypted_data"];
        let [key, iv] =
            ["session_key", "iv"].map(|name| BASE64_STANDARD.decode(text(vector, name)));
        let iv = iv.unwrap().try_into().unwrap();
        let plain = text(vector, "plaintext").as_bytes().to_vec();
        let sealed = encrypt_for_session(&key.unwrap(), iv, plain).unwrap();
        assert_eq!(
            BASE64_STANDARD.encode(sealed),
            text(vector, "encrypted_data")
        );
        assert!(encrypt_for_session(&[0; 15], [0; 16], Vec::new()).is_err());
    }

    #[test]
    fn wechats_own_signatures_come_out() {
        let vectors: Value = serde_json::from_str(VECTORS).unwrap();
        let vector = &vectors["raw_data"];
        let parts = ["raw_data", "session_key"].map(|name| text(vector, name));
        assert_eq!(sha1(&parts), text(vector, "signature"));
        for vector in vectors["session"].as_array().unwrap() {
            let signed = hmac_sha256(text(vector, "session_key"), text(vector, "message"));
            assert_eq!(signed, text(vector, "signature"));
        }
    }

    #[test]
    fn a_full_block_is_followed_by_one_of_padding() {
        assert_eq!(pad(vec![7; 31], 32), [&[7; 31][..], &[1]].concat());
        assert_eq!(pad(vec![7; 32], 32), [[7; 32], [32; 32]].concat());
        assert_eq!(pad(Vec::new(), 16), [16; 16]);
    }
}
