//! The signatures that providers ask for. Published examples prove them byte for byte.

pub(crate) mod acs3;
pub(crate) mod tc3;

use std::fmt::Write;

use aws_lc_rs::hmac;
use menjin_core::secret::sha256;

/// HMAC-SHA-256.
pub(crate) fn hmac_sha256(key: &[u8], text: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    out.copy_from_slice(hmac::sign(&key, text).as_ref());
    out
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut out, byte| {
        // Writing into a string cannot fail.
        let _ = write!(out, "{byte:02x}");
        out
    })
}

/// SHA-256 in lower-case hexadecimal.
pub(crate) fn digest(bytes: &[u8]) -> String {
    hex(&sha256(bytes))
}

#[cfg(test)]
pub(crate) mod tests {
    use serde_json::Value;

    /// One provider's published example.
    pub(crate) fn example(name: &str) -> Value {
        const TEXT: &str = include_str!("../tests/vectors/sms_sign_vectors.json");
        serde_json::from_str::<Value>(TEXT).unwrap()[name].take()
    }
}
