//! The digests that WeChat signs with, in lower-case hex.

use std::fmt::Write;

use aws_lc_rs::{digest, hmac};

/// SHA-1 of the texts one after the other. WeChat's choice; the secret among them is what counts.
pub(crate) fn sha1(texts: &[&str]) -> String {
    let mut context = digest::Context::new(&digest::SHA1_FOR_LEGACY_USE_ONLY);
    for text in texts {
        context.update(text.as_bytes());
    }
    hex(context.finish().as_ref())
}

/// HMAC-SHA-256.
pub(crate) fn hmac_sha256(key: &str, text: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes());
    hex(hmac::sign(&key, text.as_bytes()).as_ref())
}

/// Lower-case hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut hex, byte| {
            // Writing to a String cannot fail.
            let _ = write!(hex, "{byte:02x}");
            hex
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// WeChat's example, and the same key with the empty text that the session calls sign.
    /// <https://developers.weixin.qq.com/minigame/en/dev/tutorial/open-ability/http-signature.html>
    /// (seen 2026-11-22)
    #[test]
    fn the_key_of_a_signature_is_its_text() {
        let key = "o0q0otL8aEzpcZL/FT9WsQ==";
        assert_eq!(
            hmac_sha256(key, r#"{"foo":"bar"}"#),
            "654571f79995b2ce1e149e53c0a33dc39c0a74090db514261454e8dbe432aa0b"
        );
        assert_eq!(
            hmac_sha256(key, ""),
            "46e043c5525c2d817c44be603d30837a808a1d930d038f6fdc3e62a201fed128"
        );
    }

    #[test]
    fn texts_are_digested_as_one() {
        assert_eq!(sha1(&["a", "", "bc"]), sha1(&["abc"]));
        assert_eq!(sha1(&["abc"]), "a9993e364706816aba3e25717850c26c9cd0d89d");
    }
}
