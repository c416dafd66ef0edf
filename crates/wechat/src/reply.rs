//! WeChat's replies, from bytes to members or a reason for none.

use std::{borrow::Cow, fmt};

use http::StatusCode;
use menjin_core::json;
use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::Map;

use crate::{error::Error, rejection::Rejection};

const NOT_DOCUMENTED: Error = Error::Garbled("not the documented JSON");

/// Whether WeChat did what it was asked. The content type is no part of it: WeChat sends the JSON of
/// `jscode2session` as `text/plain`
/// (<https://developers.weixin.qq.com/community/develop/doc/000c464f6501d82b074d5f5055b000>, seen
/// 2026-11-22).
///
/// # Errors
///
/// [`Error::Answered`] for an `errcode` other than 0, whatever else stands beside it and with any
/// status, blank if it quotes one of `secrets`; [`Error::Garbled`] for everything that is no JSON
/// object or has another status than 200.
pub(crate) fn accept(status: StatusCode, body: &[u8], secrets: &[&str]) -> Result<(), Error> {
    let outcome = members::<Outcome<'_>>(body);
    if let Ok(outcome) = &outcome {
        let errcode = outcome.errcode.errcode()?;
        if errcode != 0 {
            let errmsg = outcome.errmsg.text().unwrap_or_default();
            return Err(Error::Answered(Rejection::new(errcode, errmsg, secrets)));
        }
    }
    if status != StatusCode::OK {
        return Err(Error::Garbled(words_of(status)));
    }
    outcome.map(|_| ())
}

/// The members that `T` names, borrowed from the body.
///
/// # Errors
///
/// [`Error::Garbled`].
pub(crate) fn members<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, Error> {
    // Serde reads a struct from an array too, by position; WeChat never sends one.
    if body.trim_ascii_start().first() != Some(&b'{') {
        return Err(Error::Garbled("not a JSON object"));
    }
    serde_json::from_slice(body).map_err(|_| NOT_DOCUMENTED)
}

/// All members, at every depth.
///
/// # Errors
///
/// [`Error::Garbled`].
pub(crate) fn object(body: &[u8]) -> Result<Map<String, serde_json::Value>, Error> {
    json::parse_object(body).map_err(|_| NOT_DOCUMENTED)
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

/// What every reply may hold.
#[derive(Deserialize)]
struct Outcome<'a> {
    #[serde(borrow, default)]
    errcode: Value<'a>,
    #[serde(borrow, default)]
    errmsg: Value<'a>,
}

/// A member of a reply, whatever its type, so that a wrong type is seen and not guessed around.
#[derive(Default)]
pub(crate) enum Value<'a> {
    /// Missing or `null`.
    #[default]
    Absent,
    Text(Cow<'a, str>),
    Number(i64),
    Other,
}

impl Value<'_> {
    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Absent | Self::Number(_) | Self::Other => None,
        }
    }

    /// The number, which some copies of WeChat's replies hold as text.
    pub(crate) fn number(&self) -> Option<i64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Text(text) => text.parse().ok(),
            Self::Absent | Self::Other => None,
        }
    }

    /// The number, 0 if there is none.
    fn errcode(&self) -> Result<i64, Error> {
        match self {
            Self::Absent => Some(0),
            _ => self.number(),
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
