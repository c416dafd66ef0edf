//! `POST /wxa/business/getuserphonenumber`: the number behind a tap on the phone button.
//!
//! <https://developers.weixin.qq.com/miniprogram/dev/server/API/user-info/phone-number/api_getphonenumber>
//! (seen 2026-11-22). A code works once and each success is charged for, so nothing is asked twice,
//! save after a refused token, which spends nothing.

use std::fmt;

use menjin_core::{Appid, Openid, Secret};
use serde_json::{Map, Value, json};

use crate::{call::Call, client::Client, error::Error};

/// What the phone button gave: single use, five minutes from the tap. Never shown in logs.
#[derive(Clone)]
pub struct PhoneCode(Secret);

/// A text that no phone button ever gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a phone code has 1 to 512 characters of [A-Za-z0-9_-]")]
pub struct NotAPhoneCode;

impl PhoneCode {
    /// Accepts 1 to 512 characters of `[A-Za-z0-9_-]`.
    ///
    /// # Errors
    ///
    /// Anything else.
    pub fn parse(text: &str) -> Result<Self, NotAPhoneCode> {
        let fits = (1..=512).contains(&text.len())
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
        fits.then(|| Self(Secret::new(text))).ok_or(NotAPhoneCode)
    }

    /// The text, for the one call to WeChat that spends it.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}

impl fmt::Debug for PhoneCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PhoneCode")
    }
}

/// A number that WeChat has verified. `Debug` leaves it out.
#[derive(Clone, PartialEq, Eq)]
pub struct PhoneNumber {
    /// The country's code without a sign: 1 to 4 digits, such as `86`.
    pub country_code: String,
    /// The number within the country: 3 to 20 digits.
    pub pure_number: String,
}

impl fmt::Debug for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PhoneNumber")
    }
}

impl Client {
    /// Spends `code`. With an openid, WeChat also checks that the code is that person's.
    ///
    /// # Errors
    ///
    /// Every variant of [`Error`]: 40029 for a code that is unknown, expired, used, or another's;
    /// [`Error::Garbled`] also for a number that was given to another app. After
    /// [`Error::TimedOut`], [`Error::Unreachable`] and [`Error::Garbled`] the code may be spent.
    pub async fn phone_number(
        &self,
        appid: &Appid,
        code: &PhoneCode,
        openid: Option<&Openid>,
    ) -> Result<PhoneNumber, Error> {
        let mut body = json!({ "code": code.expose() });
        if let (Some(openid), Some(body)) = (openid, body.as_object_mut()) {
            body.insert("openid".to_owned(), openid.as_str().into());
        }
        let call = Call {
            path: "/wxa/business/getuserphonenumber",
            query: &[],
            body: Some(body),
            secrets: &[code.expose()],
        };
        self.call(appid, &call, |reply| number(reply, appid)).await
    }
}

fn number(reply: &Map<String, Value>, appid: &Appid) -> Result<PhoneNumber, Error> {
    let phone = reply
        .get("phone_info")
        .ok_or(Error::Garbled("no phone_info"))?;
    if phone.pointer("/watermark/appid").and_then(Value::as_str) != Some(appid.as_str()) {
        return Err(Error::Garbled("a phone number for another app"));
    }
    Ok(PhoneNumber {
        country_code: digits(phone.get("countryCode"), 1, 4)
            .ok_or(Error::Garbled("an impossible countryCode"))?,
        pure_number: digits(phone.get("purePhoneNumber"), 3, 20)
            .ok_or(Error::Garbled("an impossible purePhoneNumber"))?,
    })
}

/// The digits of a text or a number; WeChat documents a countryCode as text and shows it as number.
fn digits(value: Option<&Value>, least: usize, most: usize) -> Option<String> {
    let digits = match value? {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.as_u64()?.to_string(),
        _ => return None,
    };
    let fits = (least..=most).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    fits.then_some(digits)
}
