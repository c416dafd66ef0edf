//! Messages that WeChat pushes to a back end about a person: what is in them, signed and sealed.
//!
//! Facts: <https://developers.weixin.qq.com/miniprogram/dev/framework/security.md> for the fields (the
//! sender is WeChat's own service, not the person) and
//! <https://developers.weixin.qq.com/miniprogram/dev/framework/server-ability/message-push.md> for
//! signatures and cipher, read 2026-11-25. How several `revoke_info` come together is not said there;
//! here a comma parts them.

use base64::{
    Engine,
    alphabet::STANDARD,
    engine::{GeneralPurpose, GeneralPurposeConfig},
    prelude::BASE64_STANDARD,
};
use serde::{Deserialize, Serialize, Serializer};

use crate::{
    crypto::{encrypt_for_push, hex, sha1},
    dice::{Dice, openid, push_service, unionid, username},
};

/// Half of these keys end in bits that no whole byte has room for, and WeChat does not mind.
const AES_KEY: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
);

/// What happened to a person's account.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
enum Event {
    #[serde(rename = "user_info_modified")]
    Modified,
    #[serde(rename = "user_authorization_revoke")]
    Revoked,
    #[serde(rename = "user_authorization_cancellation")]
    Cancelled,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Format {
    #[default]
    Json,
    Xml,
}

/// A message as `POST /simulator/events` asks for one.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Order {
    pub(crate) person: String,
    pub(crate) appid: Option<String>,
    pub(crate) url: String,
    event: Event,
    token: String,
    encoding_aes_key: Option<String>,
    #[serde(default)]
    format: Format,
    revoke_info: Option<Vec<String>>,
}

/// A message that is ready to go.
pub(crate) struct Push {
    /// What is added to the back end's address. It needs no escaping.
    pub(crate) query: String,
    pub(crate) content_type: &'static str,
    pub(crate) body: String,
}

/// The fields of a message, in WeChat's order.
struct Message(Vec<(&'static str, Field)>);

#[derive(Serialize)]
#[serde(untagged)]
enum Field {
    Text(String),
    Number(i64),
}

impl Serialize for Message {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, field)| (name, field)))
    }
}

impl Message {
    fn write(&self, format: Format) -> String {
        match format {
            // Names, texts and numbers always serialise.
            Format::Json => serde_json::to_string(self).unwrap_or_default(),
            Format::Xml => {
                let fields = self.0.iter().map(|(name, field)| match field {
                    Field::Text(text) => format!("<{name}><![CDATA[{text}]]></{name}>"),
                    Field::Number(number) => format!("<{name}>{number}</{name}>"),
                });
                format!("<xml>{}</xml>", fields.collect::<String>())
            }
        }
    }
}

impl Event {
    fn name(self) -> &'static str {
        match self {
            Self::Modified => "user_info_modified",
            Self::Revoked => "user_authorization_revoke",
            Self::Cancelled => "user_authorization_cancellation",
        }
    }
}

impl Order {
    /// The message as WeChat sends it at `now`, in milliseconds since 1970; or what is wrong with
    /// the order.
    pub(crate) fn compose(&self, appid: &str, now: i64, dice: &Dice) -> Result<Push, String> {
        if self.token.is_empty() {
            return Err("`token` is the one that the back end checks signatures with".to_owned());
        }
        let seconds = now / 1000;
        let message = self.message(appid, seconds)?.write(self.format);
        let (timestamp, nonce) = (seconds.to_string(), dice.nonce());
        let signed = [self.token.as_str(), &timestamp, &nonce];
        let sign = |more: &[&str]| sign(&[&signed, more].concat());
        let (body, added) = match self.aes_key()? {
            None => (message, String::new()),
            Some(key) => {
                let prefix = hex(dice.block().first_chunk::<8>().unwrap_or(&[0; 8]));
                let sealed = seal(&key, &prefix, &message, appid)?;
                let added = format!("&encrypt_type=aes&msg_signature={}", sign(&[&sealed]));
                let envelope = Message(vec![
                    ("ToUserName", Field::Text(username(appid))),
                    ("Encrypt", Field::Text(sealed)),
                ]);
                (envelope.write(self.format), added)
            }
        };
        Ok(Push {
            query: format!(
                "signature={}&timestamp={timestamp}&nonce={nonce}&openid={}{added}",
                sign(&[]),
                push_service(appid),
            ),
            content_type: match self.format {
                Format::Json => "application/json",
                Format::Xml => "text/xml",
            },
            body,
        })
    }

    fn message(&self, appid: &str, seconds: i64) -> Result<Message, String> {
        let text = |text: &str| Field::Text(text.to_owned());
        let mut fields = vec![
            ("ToUserName", Field::Text(username(appid))),
            ("FromUserName", Field::Text(push_service(appid))),
            ("CreateTime", Field::Number(seconds)),
            ("MsgType", text("event")),
            ("Event", text(self.event.name())),
            ("OpenID", Field::Text(openid(appid, &self.person))),
            ("UnionID", Field::Text(unionid(&self.person))),
            ("AppID", text(appid)),
        ];
        if let Some(revoked) = self.revoked()? {
            fields.push(("RevokeInfo", Field::Text(revoked)));
            // What was given to a plugin; nothing was.
            fields.push(("PluginID", text("")));
            fields.push(("OpenPID", text("")));
        }
        Ok(Message(fields))
    }

    fn revoked(&self) -> Result<Option<String>, String> {
        let revoke = self.event == Event::Revoked;
        match &self.revoke_info {
            None if !revoke => Ok(None),
            Some(_) if !revoke => {
                Err("only `user_authorization_revoke` takes `revoke_info`; leave it out".to_owned())
            }
            Some(numbers) if !numbers.is_empty() && numbers.iter().all(|text| is_number(text)) => {
                Ok(Some(numbers.join(",")))
            }
            _ => Err(
                "`user_authorization_revoke` needs `revoke_info`, such as [\"8\"] for the phone"
                    .to_owned(),
            ),
        }
    }

    fn aes_key(&self) -> Result<Option<Vec<u8>>, String> {
        let Some(text) = &self.encoding_aes_key else {
            return Ok(None);
        };
        let key = AES_KEY.decode(format!("{text}="));
        match key {
            Ok(key) if key.len() == 32 => Ok(Some(key)),
            _ => Err("`encoding_aes_key` is 43 letters and digits".to_owned()),
        }
    }
}

fn is_number(text: &str) -> bool {
    (1..=4).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// WeChat's signature of some texts: their SHA-1, in sorted order.
fn sign(parts: &[&str]) -> String {
    let mut parts = parts.to_vec();
    parts.sort_unstable();
    sha1(&parts)
}

/// Sixteen bytes of chance, the message's length, the message and whose it is, in base64 and sealed.
fn seal(key: &[u8], prefix: &str, message: &str, appid: &str) -> Result<String, String> {
    let length = u32::try_from(message.len()).unwrap_or(u32::MAX);
    let plain = [
        prefix.as_bytes(),
        &length.to_be_bytes(),
        message.as_bytes(),
        appid.as_bytes(),
    ];
    encrypt_for_push(key, plain.concat())
        .map(|sealed| BASE64_STANDARD.encode(sealed))
        .map_err(|_| "the cipher failed".to_owned())
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use serde_json::Value;

    use super::{AES_KEY, seal, sign};

    #[test]
    fn wechats_own_sample_of_a_push_comes_out_byte_for_byte() {
        let vectors: Value =
            serde_json::from_str(include_str!("../tests/vectors/ciphers.json")).unwrap();
        let text = |name: &str| vectors["push"][name].as_str().unwrap();
        let key = AES_KEY
            .decode(format!("{}=", text("encoding_aes_key")))
            .unwrap();
        let sealed = seal(&key, text("prefix"), text("message"), text("appid")).unwrap();
        assert_eq!(sealed, text("encrypt"));
        let signed = ["token", "timestamp", "nonce"].map(text);
        assert_eq!(sign(&signed), text("signature"));
        let signed = ["token", "timestamp", "nonce", "encrypt"].map(text);
        assert_eq!(sign(&signed), text("msg_signature"));
    }
}
