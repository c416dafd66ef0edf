//! WeChat's reply to `jscode2session`, from bytes to a session or a reason for none.

use std::{borrow::Cow, fmt};

use http::StatusCode;
use menjin_core::{Openid, SessionKey, Unionid};
use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, SeqAccess, Visitor},
};

use crate::{code_to_session::Session, error::Error, rejection::Rejection};

/// Reads a whole reply. The content type is no part of it: WeChat sends this JSON as `text/plain`
/// (<https://developers.weixin.qq.com/community/develop/doc/000c464f6501d82b074d5f5055b000>, seen
/// 2026-11-22).
///
/// # Errors
///
/// [`Error::Answered`] for an `errcode` other than 0, whatever else stands beside it and with any
/// status; [`Error::Garbled`] for everything that is no session.
pub(crate) fn read(status: StatusCode, body: &[u8], secret: &str) -> Result<Session, Error> {
    let reply = Reply::parse(body);
    if let Ok(reply) = &reply {
        let errcode = reply.errcode.errcode()?;
        if errcode != 0 {
            let errmsg = reply.errmsg.text().unwrap_or_default();
            return Err(Error::Answered(Rejection::new(errcode, errmsg, secret)));
        }
    }
    if status != StatusCode::OK {
        return Err(Error::Garbled(words_of(status)));
    }
    reply?.session()
}

/// The status in fixed words, since a reason phrase is the sender's to choose.
pub(crate) fn words_of(status: StatusCode) -> &'static str {
    match status.as_u16() {
        // What WeChat says to a request of no declared length.
        412 => "HTTP status 412",
        300..=399 => "HTTP status 3xx",
        400..=499 => "HTTP status 4xx",
        500..=599 => "HTTP status 5xx",
        _ => "HTTP status other than 200",
    }
}

/// What is read of the reply; `expires_in`, which old accounts get and which means nothing, is not.
#[derive(Deserialize)]
struct Reply<'a> {
    #[serde(borrow, default)]
    errcode: Value<'a>,
    #[serde(borrow, default)]
    errmsg: Value<'a>,
    #[serde(borrow, default)]
    openid: Value<'a>,
    #[serde(borrow, default)]
    session_key: Value<'a>,
    #[serde(borrow, default)]
    unionid: Value<'a>,
}

impl<'a> Reply<'a> {
    fn parse(body: &'a [u8]) -> Result<Self, Error> {
        // Serde reads a struct from an array too, by position; WeChat never sends one.
        if body.trim_ascii_start().first() != Some(&b'{') {
            return Err(Error::Garbled("not a JSON object"));
        }
        serde_json::from_slice(body).map_err(|_| Error::Garbled("not the documented JSON"))
    }

    fn session(&self) -> Result<Session, Error> {
        let openid = self.openid.text().ok_or(Error::Garbled("no openid"))?;
        let session_key = self
            .session_key
            .text()
            .ok_or(Error::Garbled("no session_key"))?;
        Ok(Session {
            openid: Openid::parse(openid).map_err(|_| Error::Garbled("an impossible openid"))?,
            unionid: self.unionid()?,
            session_key: SessionKey::parse(session_key)
                .map_err(|_| Error::Garbled("an impossible session_key"))?,
        })
    }

    fn unionid(&self) -> Result<Option<Unionid>, Error> {
        match &self.unionid {
            Value::Absent => Ok(None),
            Value::Text(text) if text.is_empty() => Ok(None),
            Value::Text(text) => Unionid::parse(text)
                .map(Some)
                .map_err(|_| Error::Garbled("an impossible unionid")),
            Value::Number(_) | Value::Other => Err(Error::Garbled("a unionid that is no text")),
        }
    }
}

/// A member of the reply, whatever its type, so that a wrong type is seen and not guessed around.
#[derive(Default)]
enum Value<'a> {
    /// Missing or `null`.
    #[default]
    Absent,
    Text(Cow<'a, str>),
    Number(i64),
    Other,
}

impl Value<'_> {
    fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Absent | Self::Number(_) | Self::Other => None,
        }
    }

    /// The number, which some copies of WeChat's replies hold as text; 0 if there is none.
    fn errcode(&self) -> Result<i64, Error> {
        match self {
            Self::Absent => Some(0),
            Self::Number(number) => Some(*number),
            Self::Text(text) => text.parse().ok(),
            Self::Other => None,
        }
        .ok_or(Error::Garbled("an errcode that is no number"))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Value<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyValue)
    }
}

struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = Value<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Value<'de>, E> {
        Ok(Value::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value<'de>, E> {
        Ok(Value::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value<'de>, E> {
        Ok(Value::Number(number))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value<'de>, E> {
        Ok(i64::try_from(number).map_or(Value::Other, Value::Number))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Value<'de>, E> {
        Ok(Value::Other)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Value<'de>, E> {
        Ok(Value::Other)
    }

    fn visit_unit<E>(self) -> Result<Value<'de>, E> {
        Ok(Value::Absent)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value<'de>, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Value::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value<'de>, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Value::Other)
    }
}
