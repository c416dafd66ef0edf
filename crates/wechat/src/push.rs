//! What WeChat pushes to a server: the check of its address, and messages, plain or encrypted.
//!
//! <https://developers.weixin.qq.com/miniprogram/dev/framework/server-ability/message-push.html>, and
//! of the events about accounts
//! <https://developers.weixin.qq.com/miniprogram/dev/server/event_push/platform/authorized_user_information_changes>
//! (both seen 2026-11-25).
//!
//! The signature of a plain message says nothing of its body: whoever has seen one URL can put
//! another body to it. So once there is a key, only encrypted messages count.

mod xml;

use std::{collections::BTreeMap, fmt};

use aws_lc_rs::cipher::AES_256;
use base64::{
    Engine, alphabet,
    engine::{GeneralPurpose, GeneralPurposeConfig, general_purpose::STANDARD},
};
use menjin_core::{
    Appid, Openid, Secret, Unionid, json,
    secret::{same, sha256},
};
use serde_json::Value;
use zeroize::Zeroizing;

use crate::{
    aes,
    signature::{hex, sha1},
};

/// Bytes of a body that are taken. A real one has under a thousand.
const LIMIT: usize = 64 * 1024;
/// What WeChat fills up to, twice the block of AES.
const BLOCK: u8 = 32;
/// Random bytes before the length of a message.
const SALT: usize = 16;
/// Kinds of information in one revocation that are taken; WeChat knows about twenty.
const REVOCATIONS: usize = 64;

/// What an operator agreed on with WeChat, for one mini program. `Debug` leaves all of it out.
#[derive(Clone)]
pub struct PushKeys {
    token: Secret,
    aes_key: Option<Zeroizing<[u8; 32]>>,
}

impl fmt::Debug for PushKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PushKeys")
    }
}

/// Why a token and a key are none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PushKeysError {
    /// The token.
    #[error("the token of a message push has 3 to 32 letters and digits")]
    Token,
    /// The key.
    #[error("an EncodingAESKey has 43 letters and digits")]
    EncodingAesKey,
}

/// The query of a push, as it stands in the URL, decoded.
#[derive(Clone, Copy, Default)]
pub struct PushQuery<'a> {
    /// Of token, timestamp and nonce.
    pub signature: &'a str,
    /// Unix time in seconds.
    pub timestamp: &'a str,
    /// A number of WeChat's choice.
    pub nonce: &'a str,
    /// Of token, timestamp, nonce and what is encrypted; missing in plain mode.
    pub msg_signature: Option<&'a str>,
}

/// Something that WeChat says happened. `Debug` shows no openid.
#[derive(Clone, PartialEq, Eq)]
pub struct Event {
    /// `user_info_modified`, `user_authorization_revoke`, `user_authorization_cancellation`, or
    /// another event's name, or the kind of a message that is no event (`text`); `unknown` if that is
    /// no word of 1 to 64 characters of `[A-Za-z0-9_-]`.
    pub name: String,
    /// Whom it is about. Events about accounts have it, though people have met a
    /// `user_info_modified` without; other messages may not.
    pub openid: Option<Openid>,
    /// The same person across apps, if WeChat says so.
    pub unionid: Option<Unionid>,
    /// When it happened, in Unix seconds; 0 if the message does not say.
    pub created_at: i64,
    /// When WeChat signed this delivery, in Unix seconds. The signature covers it, so it tells an
    /// old one; how old, or how far ahead, is too much is the caller's to say.
    pub signed_at: i64,
    /// WeChat's numbers for what a person took back: `6` nickname and avatar, `8` phone, `16` mail.
    pub revoke_info: Vec<String>,
    /// The same for every delivery of this message, in 64 hex digits; WeChat delivers up to three
    /// times.
    pub id: String,
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Event")
            .field("name", &self.name)
            .field("created_at", &self.created_at)
            .field("signed_at", &self.signed_at)
            .field("revoke_info", &self.revoke_info)
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// Why a push was not believed. The words quote nothing of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PushError {
    /// The signature is not WeChat's, or is missing.
    #[error("the signature is wrong")]
    Forged,
    /// Plain, though there is a key: WeChat's console must say "safe mode".
    #[error("not encrypted, though there is a key for it")]
    NotEncrypted,
    /// Encrypted, and there is no key.
    #[error("encrypted, and there is no key for it")]
    NoKey,
    /// Signed, and another key encrypted it.
    #[error("not encrypted with this key")]
    WrongKey,
    /// Signed, and for another mini program.
    #[error("meant for another mini program")]
    WrongApp,
    /// Neither JSON nor XML of WeChat's form, or over 64 KiB.
    #[error("neither the documented JSON nor the documented XML: {0}")]
    Malformed(&'static str),
}

impl PushKeys {
    /// Takes a token of 3 to 32 letters and digits, which is what WeChat's console accepts, and, for
    /// the encrypted mode, an `EncodingAESKey` of 43.
    ///
    /// # Errors
    ///
    /// Anything else.
    pub fn parse(token: &str, encoding_aes_key: Option<&str>) -> Result<Self, PushKeysError> {
        let word = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if !(3..=32).contains(&token.len()) || !word(token) {
            return Err(PushKeysError::Token);
        }
        let aes_key = encoding_aes_key
            .map(|key| aes_key(key).ok_or(PushKeysError::EncodingAesKey))
            .transpose()?;
        Ok(Self {
            token: Secret::new(token),
            aes_key,
        })
    }

    /// Whether WeChat signed the request by which it checks a server's address; if so, the answer is
    /// its `echostr`, which is plain in every mode.
    #[must_use]
    pub fn verify_url(&self, signature: &str, timestamp: &str, nonce: &str) -> bool {
        self.signed(signature, &[timestamp, nonce])
    }

    /// Checks, decrypts and reads one message. What it is about is the caller's to know: a message of
    /// any kind is an event.
    ///
    /// # Errors
    ///
    /// [`PushError`].
    pub fn open(
        &self,
        appid: &Appid,
        query: &PushQuery<'_>,
        body: &[u8],
    ) -> Result<Event, PushError> {
        if body.len() > LIMIT {
            return Err(PushError::Malformed("over 64 KiB"));
        }
        let members = match &self.aes_key {
            Some(key) => {
                let encrypted = self.encrypted(query, body)?;
                Members::read(&opened(key, appid, &encrypted)?)?
            }
            None => self.plain(query, body)?,
        };
        let signed_at = signed_at(query.timestamp).ok_or(PushError::Malformed("no timestamp"))?;
        members.event(appid, signed_at)
    }

    fn plain(&self, query: &PushQuery<'_>, body: &[u8]) -> Result<Members, PushError> {
        if !self.verify_url(query.signature, query.timestamp, query.nonce) {
            return Err(PushError::Forged);
        }
        let members = Members::read(body)?;
        if members.get("Encrypt").is_some() && members.get("MsgType").is_none() {
            return Err(PushError::NoKey);
        }
        Ok(members)
    }

    /// What is encrypted in a body, once its signature has been checked.
    fn encrypted(&self, query: &PushQuery<'_>, body: &[u8]) -> Result<String, PushError> {
        let members = Members::read(body)?;
        let encrypted = members.get("Encrypt").ok_or(PushError::NotEncrypted)?;
        let signature = query.msg_signature.ok_or(PushError::Forged)?;
        if !self.signed(signature, &[query.timestamp, query.nonce, encrypted]) {
            return Err(PushError::Forged);
        }
        Ok(encrypted.to_owned())
    }

    /// Whether `signature` is that of the token and the texts, in their order as bytes.
    fn signed(&self, signature: &str, texts: &[&str]) -> bool {
        let mut texts = [&[self.token.expose()], texts].concat();
        texts.sort_unstable();
        same(sha1(&texts).as_bytes(), signature.as_bytes())
    }
}

/// Ten digits, as they will be until 2286. What is signed are the texts run together, so without this
/// the nonce could lend digits to the time.
fn signed_at(timestamp: &str) -> Option<i64> {
    let fits = timestamp.len() == 10 && timestamp.bytes().all(|byte| byte.is_ascii_digit());
    fits.then(|| timestamp.parse().ok()).flatten()
}

/// 43 characters make 32 bytes and two bits over, which WeChat's console leaves to chance.
fn aes_key(text: &str) -> Option<Zeroizing<[u8; 32]>> {
    const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(base64::engine::DecodePaddingMode::RequireNone);
    let bytes = GeneralPurpose::new(&alphabet::STANDARD, LENIENT).decode(text);
    let bytes = Zeroizing::new(bytes.ok()?);
    bytes.as_slice().try_into().ok().map(Zeroizing::new)
}

/// The message within: 16 random bytes, its length in four bytes, itself, and the appid.
fn opened(key: &[u8; 32], appid: &Appid, encrypted: &str) -> Result<Zeroizing<Vec<u8>>, PushError> {
    let sealed = STANDARD
        .decode(encrypted)
        .map_err(|_| PushError::Malformed("no base64"))?;
    let iv = key.first_chunk().ok_or(PushError::WrongKey)?;
    let plain = aes::decrypt(&AES_256, (key, iv), Zeroizing::new(sealed), BLOCK)
        .ok_or(PushError::WrongKey)?;
    let (length, rest) = plain
        .get(SALT..)
        .and_then(|rest| rest.split_first_chunk())
        .ok_or(PushError::WrongKey)?;
    let (message, meant_for) = usize::try_from(u32::from_be_bytes(*length))
        .ok()
        .and_then(|length| rest.split_at_checked(length))
        .ok_or(PushError::WrongKey)?;
    if meant_for != appid.as_str().as_bytes() {
        return Err(PushError::WrongApp);
    }
    Ok(Zeroizing::new(message.to_vec()))
}

/// The members of a message, numbers as text; of lists, only those of texts and numbers.
struct Members(BTreeMap<String, String>);

impl Members {
    fn read(body: &[u8]) -> Result<Self, PushError> {
        let text = str::from_utf8(body).map_err(|_| PushError::Malformed("no UTF-8"))?;
        if text.trim_start().starts_with('<') {
            let members = xml::members(text);
            return members.map(Self).ok_or(PushError::Malformed("bad XML"));
        }
        let object = json::parse_object(body).map_err(|_| PushError::Malformed("bad JSON"))?;
        let members = object
            .into_iter()
            .filter_map(|(name, value)| Some((name, flat(value)?)));
        Ok(Self(members.collect()))
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    fn event(&self, appid: &Appid, signed_at: i64) -> Result<Event, PushError> {
        if self
            .get("AppID")
            .is_some_and(|other| other != appid.as_str())
        {
            return Err(PushError::WrongApp);
        }
        // WeChat's pages write both `event` and `Event`.
        let kind = self.get("MsgType").unwrap_or_default();
        let name = match self.get("Event") {
            Some(name) if kind.eq_ignore_ascii_case("event") => name,
            _ => kind,
        };
        let unionid = self
            .get("UnionID")
            .and_then(|text| Unionid::parse(text).ok());
        Ok(Event {
            name: if is_word(name) { name } else { "unknown" }.to_owned(),
            openid: self.get("OpenID").and_then(|text| Openid::parse(text).ok()),
            unionid,
            created_at: self
                .get("CreateTime")
                .and_then(|seconds| seconds.trim().parse().ok())
                .unwrap_or_default(),
            signed_at,
            revoke_info: self
                .get("RevokeInfo")
                .unwrap_or_default()
                .split(|c: char| !c.is_ascii_alphanumeric())
                .filter(|kind| !kind.is_empty() && kind.len() <= 16)
                .take(REVOCATIONS)
                .map(str::to_owned)
                .collect(),
            id: self.id(),
        })
    }

    /// WeChat names a message by `MsgId`, and an event, which has none, by its sender and its time.
    /// The sender of events about accounts is WeChat itself, so whom and what they are about is
    /// added.
    fn id(&self) -> String {
        const NAMES: [&str; 7] = [
            "MsgId",
            "FromUserName",
            "CreateTime",
            "MsgType",
            "Event",
            "OpenID",
            "RevokeInfo",
        ];
        let parts: Vec<_> = NAMES.iter().map(|name| self.get(name)).collect();
        // `Debug` of texts quotes them, so that no two lists of parts read the same.
        hex(&sha256(format!("{parts:?}").as_bytes()))
    }
}

fn flat(value: Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text),
        Value::Number(number) => Some(number.to_string()),
        Value::Array(items) => {
            let items: Vec<_> = items.into_iter().filter_map(flat).collect();
            Some(items.join(","))
        }
        Value::Null | Value::Bool(_) | Value::Object(_) => None,
    }
}

fn is_word(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
}
