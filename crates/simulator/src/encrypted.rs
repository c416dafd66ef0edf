//! What WeChat's client gives a mini program of a person: sealed with the session key, and signed.

use std::fmt;

use base64::{Engine, prelude::BASE64_STANDARD};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::{
    LoginError,
    crypto::{encrypt_for_session, sha1},
};

/// What `wx.getUserInfo()` and its like give a mini program, for its back end to open.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Encrypted {
    /// The object and its watermark, in AES-128-CBC under the session key; base64.
    pub encrypted_data: String,
    /// What the cipher began with; base64.
    pub iv: String,
    /// The object in JSON, without the watermark.
    pub raw_data: String,
    /// Lower-case hex of the SHA-1 of `raw_data` and the session key in a row.
    pub signature: String,
}

impl fmt::Debug for Encrypted {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Encrypted").finish_non_exhaustive()
    }
}

/// Why nothing could be encrypted for a person.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EncryptError {
    /// The person or the app cannot be.
    #[error(transparent)]
    Login(#[from] LoginError),
    /// The person has no session key in the app.
    #[error(
        "this person never signed in there, so there is no session key: POST /simulator/login \
         first, and exchange the code at /sns/jscode2session"
    )]
    NeverSignedIn,
    /// What should be encrypted is no JSON object.
    #[error(r#"`data` is a JSON object, such as {{"nickName": "小王"}}"#)]
    NoObject,
    /// The cipher failed, which it does for no input.
    #[error("the cipher failed")]
    Cipher,
}

/// Adds the watermark and seals the object. `now` is in milliseconds since 1970.
pub(crate) fn encrypt(
    mut object: Map<String, Value>,
    session_key: &str,
    iv: [u8; 16],
    appid: &str,
    now: i64,
) -> Result<Encrypted, EncryptError> {
    let text = |object: &Map<String, Value>| serde_json::to_string(object);
    let raw_data = text(&object).map_err(|_| EncryptError::NoObject)?;
    let watermark = json!({ "timestamp": now / 1000, "appid": appid });
    object.insert("watermark".to_owned(), watermark);
    let plain = text(&object).map_err(|_| EncryptError::NoObject)?;
    let key = BASE64_STANDARD.decode(session_key);
    let key = key.map_err(|_| EncryptError::Cipher)?;
    let sealed = encrypt_for_session(&key, iv, plain.into_bytes());
    Ok(Encrypted {
        encrypted_data: BASE64_STANDARD.encode(sealed.map_err(|_| EncryptError::Cipher)?),
        iv: BASE64_STANDARD.encode(iv),
        signature: sha1(&[&raw_data, session_key]),
        raw_data,
    })
}
