//! Phone numbers: every spelling of a number is one number.

use std::{fmt, sync::Arc};

use crate::text::Malformed;

/// China's calling code, whose numbers may be written without it.
const CHINA: &str = "86";

const COMPLAINT: Malformed = Malformed("not a phone number that can be registered here");

/// The calling codes whose numbers are taken. Messages to some countries cost a hundred times what
/// others do, so nobody's are taken unasked but mainland China's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallingCodes(Vec<String>);

impl Default for CallingCodes {
    fn default() -> Self {
        Self(vec![CHINA.to_owned()])
    }
}

impl CallingCodes {
    /// Accepts calling codes such as `86`: 1 to 3 digits, not beginning with 0.
    ///
    /// # Errors
    ///
    /// No code at all, or one that is none.
    pub fn parse<S: AsRef<str>>(codes: &[S]) -> Result<Self, Malformed> {
        let fits = |code: &str| {
            (1..=3).contains(&code.len())
                && !code.starts_with('0')
                && code.bytes().all(|byte| byte.is_ascii_digit())
        };
        if codes.is_empty() || !codes.iter().all(|code| fits(code.as_ref())) {
            return Err(Malformed(
                "calling codes are 1 to 3 digits each, such as 86, and there is at least one",
            ));
        }
        let codes = codes.iter().map(|code| code.as_ref().to_owned());
        Ok(Self(codes.collect()))
    }

    /// Whether `digits`, calling code first, are a number that may be taken.
    fn take(&self, digits: &str) -> bool {
        self.0.iter().any(|code| {
            digits.strip_prefix(code.as_str()).is_some_and(|rest| {
                if code == CHINA {
                    is_mainland(rest)
                } else {
                    // E.164 has 15 digits at most, and no country's mobile numbers have under 5.
                    rest.len() >= 5 && digits.len() <= 15 && !rest.starts_with('0')
                }
            })
        })
    }
}

/// A phone number in E.164, such as `+8613800138000`. `Debug` masks it.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Phone(Arc<str>);

impl Phone {
    /// Reads any spelling: with `+86`, `0086`, `86` or nothing in front, with blanks, hyphens,
    /// brackets, full-width digits or invisible characters in between.
    ///
    /// # Errors
    ///
    /// Anything else, and numbers of countries that are not among `allowed`.
    pub fn parse(text: &str, allowed: &CallingCodes) -> Result<Self, Malformed> {
        let plain = plain(text).ok_or(COMPLAINT)?;
        let international = plain
            .strip_prefix('+')
            .or_else(|| plain.strip_prefix("00"))
            .map(str::to_owned);
        let digits = match international {
            Some(digits) => digits,
            None if is_mainland(&plain) => format!("{CHINA}{plain}"),
            // Without a plus, only what can be nothing else.
            None if plain.strip_prefix(CHINA).is_some_and(is_mainland) => plain,
            None => return Err(COMPLAINT),
        };
        let all_digits = digits.bytes().all(|byte| byte.is_ascii_digit());
        if !all_digits || !allowed.take(&digits) {
            return Err(COMPLAINT);
        }
        Ok(Self(format!("+{digits}").into()))
    }

    /// A number that was stored in E.164; `None` for anything else.
    #[must_use]
    pub fn stored(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('+')?;
        let fits = (6..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
        fits.then(|| Self(text.into()))
    }

    /// E.164.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is one of mainland China.
    #[must_use]
    pub fn is_mainland(&self) -> bool {
        self.0.strip_prefix("+86").is_some_and(is_mainland)
    }

    /// The number as people in mainland China write it, without plus and calling code; others in
    /// E.164.
    #[must_use]
    pub fn national(&self) -> &str {
        self.0
            .strip_prefix("+86")
            .filter(|rest| is_mainland(rest))
            .unwrap_or(&self.0)
    }

    /// Enough to recognise a number by, and no more: `138****8000`.
    #[must_use]
    pub fn masked(&self) -> String {
        let text = self.national();
        let (first, rest) = text.split_at_checked(3).unwrap_or(("", text));
        let last = rest
            .len()
            .checked_sub(4)
            .and_then(|at| rest.get(at..))
            .unwrap_or("");
        format!("{first}****{last}")
    }
}

impl fmt::Debug for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked())
    }
}

/// A mobile number of mainland China without its calling code.
fn is_mainland(digits: &str) -> bool {
    let bytes = digits.as_bytes();
    bytes.len() == 11
        && bytes.iter().all(u8::is_ascii_digit)
        && bytes.first() == Some(&b'1')
        && bytes
            .get(1)
            .is_some_and(|second| (b'3'..=b'9').contains(second))
}

/// The text without what people put between digits; `None` if something else is left than digits
/// and a plus in front.
fn plain(text: &str) -> Option<String> {
    // Longer than any number with ornaments, and nobody's work to look through.
    if text.len() > 128 {
        return None;
    }
    let mut out = String::with_capacity(16);
    for c in text.chars() {
        let c = match c {
            '\u{ff10}'..='\u{ff19}' | '\u{ff0b}' => char::from_u32(u32::from(c) - 0xfee0)?,
            c => c,
        };
        match c {
            '0'..='9' => out.push(c),
            '+' if out.is_empty() => out.push(c),
            c if c.is_whitespace() || is_ornament(c) => {}
            _ => return None,
        }
    }
    Some(out)
}

fn is_ornament(c: char) -> bool {
    matches!(
        c,
        '-' | '.' | '(' | ')' | '\u{2010}'..='\u{2015}' | '\u{ff08}' | '\u{ff09}' | '\u{ff0d}'
            // Zero width and direction marks, which copying from a chat brings along.
            | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}'
            | '\u{2066}'..='\u{2069}' | '\u{feff}' | '\u{ad}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn china(text: &str) -> Result<String, Malformed> {
        Phone::parse(text, &CallingCodes::default()).map(|phone| phone.as_str().to_owned())
    }

    /// Proves OTP-9: twenty spellings are one number.
    #[test]
    fn every_spelling_of_a_number_is_one_number() {
        for text in [
            "13800138000",
            "+8613800138000",
            "+86 13800138000",
            "008613800138000",
            "0086 138 0013 8000",
            "8613800138000",
            "86-138-0013-8000",
            " 13800138000 ",
            "138 0013 8000",
            "138-0013-8000",
            "138.0013.8000",
            "(86)13800138000",
            "+(86) 138-0013-8000",
            "１３８００１３８０００",
            "＋８６１３８００１３８０００",
            "138\u{3000}0013\u{3000}8000",
            "\u{200b}13800138000",
            "13800\u{200d}138000",
            "\u{202d}13800138000\u{202c}",
            "\u{feff}138\u{a0}0013\u{2011}8000\r\n",
        ] {
            assert_eq!(china(text).as_deref(), Ok("+8613800138000"), "{text:?}");
        }
    }

    /// Proves OTP-14: only mainland numbers by default, and no premium ones.
    #[test]
    fn other_countries_and_other_numbers_are_refused() {
        for text in [
            "",
            "1380013800",
            "138001380000",
            "12345678901",
            "10800138000",
            "02112345678",
            "+14155550123",
            "+852 5123 4567",
            "00852 51234567",
            "+86 10 6552 9988",
            "+8619000138",
            "+88213800138000",
            "++8613800138000",
            "86+13800138000",
            "+86+13800138000",
            "+860138001380",
            "13800138000;13900139000",
            "13800138000,",
            "1380013800O",
            "١٣٨٠٠١٣٨٠٠٠",
            "tel:13800138000",
            "13800138000\0",
            "95588",
            "10086",
        ] {
            assert_eq!(china(text), Err(COMPLAINT), "{text:?}");
        }
        assert!(china(&" ".repeat(200)).is_err());
    }

    #[test]
    fn a_deployment_may_allow_more_countries() {
        let codes = CallingCodes::parse(&["86", "852"]).unwrap();
        let parse = |text| Phone::parse(text, &codes).map(|phone| phone.as_str().to_owned());
        assert_eq!(parse("+852 5123 4567").as_deref(), Ok("+85251234567"));
        assert_eq!(parse("13800138000").as_deref(), Ok("+8613800138000"));
        assert!(parse("5123 4567").is_err(), "whose would it be?");
        assert!(parse("+1 415 555 0123").is_err());
        for wrong in [&[][..], &["+86"], &["0"], &["8666"], &["x"]] {
            assert!(CallingCodes::parse(wrong).is_err(), "{wrong:?}");
        }
    }

    /// Proves LOG-1: a number shows as 138****8000 wherever it may be printed.
    #[test]
    fn a_number_is_printed_masked() {
        let phone = Phone::stored("+8613800138000").unwrap();
        assert_eq!(format!("{phone:?}"), "138****8000");
        assert_eq!(phone.national(), "13800138000");
        assert!(phone.is_mainland());
        let foreign = Phone::stored("+85251234567").unwrap();
        assert_eq!(foreign.masked(), "+85****4567");
        assert_eq!(foreign.national(), "+85251234567");
        assert_eq!(Phone::stored("13800138000"), None);
    }
}
