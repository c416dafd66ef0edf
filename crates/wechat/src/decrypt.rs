//! What a person's client encrypted: `encryptedData` and `iv`, opened with the session key.
//!
//! <https://developers.weixin.qq.com/miniprogram/dev/framework/open-ability/signature.html> (seen
//! 2026-11-22). There is no authentication in it: whoever holds the session key can make such data,
//! and only its form tells a wrong key from the right one.

use aws_lc_rs::cipher::AES_128;
use base64::{Engine, engine::general_purpose::STANDARD};
use menjin_core::{Appid, SessionKey, json, secret::same};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::{aes, signature::sha1};

/// Characters of base64, or bytes of raw data, that are taken.
const LIMIT: usize = 64 * 1024;
/// Bytes of a key, of a vector and of a block.
const BLOCK: u8 = 16;

/// Why nothing was decrypted. The words quote nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecryptError {
    /// Not what a client sends: no base64, of another length, or over 64 KiB.
    #[error("not what wx.getUserInfo or the phone button gives")]
    Malformed,
    /// Another key encrypted it, most likely a later one: the person has to sign in again.
    #[error("not encrypted with this session key")]
    WrongKey,
    /// It was made for another mini program, or for none.
    #[error("encrypted for another mini program")]
    WrongApp,
}

/// Decrypts one of WeChat's objects, such as a profile or a phone number, watermark included.
///
/// # Errors
///
/// [`DecryptError`].
pub fn decrypt(
    appid: &Appid,
    key: &SessionKey,
    encrypted_data: &str,
    iv: &str,
) -> Result<Map<String, Value>, DecryptError> {
    if encrypted_data.len() > LIMIT {
        return Err(DecryptError::Malformed);
    }
    let sealed = STANDARD
        .decode(encrypted_data)
        .map_err(|_| DecryptError::Malformed)?;
    if sealed.is_empty() || !sealed.len().is_multiple_of(BLOCK.into()) {
        return Err(DecryptError::Malformed);
    }
    let iv = STANDARD
        .decode(iv)
        .ok()
        .and_then(|iv| <[u8; BLOCK as usize]>::try_from(iv).ok())
        .ok_or(DecryptError::Malformed)?;
    let key = STANDARD
        .decode(key.expose())
        .map(Zeroizing::new)
        .map_err(|_| DecryptError::WrongKey)?;
    let plain = aes::decrypt(&AES_128, (&key, &iv), Zeroizing::new(sealed), BLOCK)
        .ok_or(DecryptError::WrongKey)?;
    let object = json::parse_object(&plain).map_err(|_| DecryptError::WrongKey)?;
    let made_for = object
        .get("watermark")
        .and_then(|watermark| watermark.get("appid"))
        .and_then(Value::as_str);
    if made_for != Some(appid.as_str()) {
        return Err(DecryptError::WrongApp);
    }
    Ok(object)
}

/// Whether `signature` is WeChat's of `rawData`: SHA-1 of the data and the session key as text, in
/// lower-case hex. Data over 64 KiB has none.
#[must_use]
pub fn signature_matches(raw_data: &str, key: &SessionKey, signature: &str) -> bool {
    let expected = sha1(&[raw_data, key.expose()]);
    raw_data.len() <= LIMIT && same(expected.as_bytes(), signature.as_bytes())
}
