//! Phone numbers: everybody has one, and the codes that the phone button gives for it.

use crate::{
    dice::{openid, sha256},
    errcode::Errcode,
    recent::Recent,
};

/// A code dies this many milliseconds after the button was tapped.
const LIFETIME: i64 = 5 * 60 * 1000;
/// What the mainland's numbers begin with, abroad.
const MAINLAND: &str = "86";

/// A number, apart from the code of its country.
#[derive(Clone)]
pub(crate) struct Number {
    /// Such as `86`.
    pub(crate) country: String,
    pub(crate) pure: String,
}

/// Whose number is which, and the codes for them.
pub(crate) struct Phones {
    numbers: Recent<String, Number>,
    codes: Recent<String, Code>,
    answers: u64,
}

struct Code {
    person: String,
    number: Number,
    /// `None` until an app exchanges a code that was made for no app in particular.
    appid: Option<String>,
    made_at: i64,
    used: bool,
}

impl Number {
    /// A mainland number of 11 digits, or `+`, the code of a country and the number there.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let Some(international) = text.strip_prefix('+') else {
            return Self::mainland(text);
        };
        if !(7..=15).contains(&international.len()) || !is_digits(international) {
            return None;
        }
        let (country, pure) = international.split_at(country_length(international));
        if country == MAINLAND {
            return Self::mainland(pure);
        }
        Some(Self {
            country: country.to_owned(),
            pure: pure.to_owned(),
        })
    }

    fn mainland(text: &str) -> Option<Self> {
        let mobile = matches!(text.as_bytes(), [b'1', b'3'..=b'9', ..]);
        (mobile && text.len() == 11 && is_digits(text)).then(|| Self {
            country: MAINLAND.to_owned(),
            pure: text.to_owned(),
        })
    }

    /// What a person has who was given nothing else: the same on every machine.
    fn of(person: &str) -> Self {
        let hash = sha256(&[b"phone\0", person.as_bytes()]);
        let throw = hash
            .first_chunk::<8>()
            .map_or(0, |bytes| u64::from_be_bytes(*bytes));
        Self {
            country: MAINLAND.to_owned(),
            pure: (13_000_000_000 + throw % 7_000_000_000).to_string(),
        }
    }

    /// As WeChat shows it: with the country's code if it is a foreign one.
    pub(crate) fn full(&self) -> String {
        if self.country == MAINLAND {
            self.pure.clone()
        } else {
            format!("+{}{}", self.country, self.pure)
        }
    }
}

impl Phones {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            numbers: Recent::new(limit),
            codes: Recent::new(limit),
            answers: 0,
        }
    }

    pub(crate) fn number(&self, person: &str) -> Number {
        let given = self.numbers.get(person).cloned();
        given.unwrap_or_else(|| Number::of(person))
    }

    pub(crate) fn set_number(&mut self, person: &str, number: &Number) {
        *self.numbers.entry(person.to_owned(), || number.clone()) = number.clone();
    }

    pub(crate) fn issue(&mut self, code: &str, person: &str, appid: Option<String>, now: i64) {
        let number = self.number(person);
        self.codes.entry(code.to_owned(), || Code {
            person: person.to_owned(),
            number,
            appid,
            made_at: now,
            used: false,
        });
    }

    /// The number behind a code, once. An openid that is not the person's leaves the code alive.
    pub(crate) fn spend(
        &mut self,
        code: &str,
        appid: &str,
        claimed: Option<&str>,
        now: i64,
    ) -> Result<Number, Errcode> {
        let code = self.codes.get_mut(code).ok_or(Errcode::INVALID_CODE)?;
        let elsewhere = code.appid.as_deref().is_some_and(|owner| owner != appid);
        let dead = code.used || now - code.made_at >= LIFETIME;
        let mismatched = claimed.is_some_and(|claimed| claimed != openid(appid, &code.person));
        if elsewhere || dead || mismatched {
            return Err(Errcode::INVALID_CODE);
        }
        code.used = true;
        code.appid = Some(appid.to_owned());
        Ok(code.number.clone())
    }

    /// How many numbers were told before this one.
    pub(crate) fn count_answer(&mut self) -> u64 {
        let before = self.answers;
        self.answers += 1;
        before
    }
}

fn is_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

/// How many digits the code of the country has, by the ITU's plan of E.164.
fn country_length(international: &str) -> usize {
    match international.as_bytes() {
        [b'1' | b'7', ..] => 1,
        [b'2', b'0' | b'7', ..]
        | [b'3', b'0'..=b'4' | b'6' | b'9', ..]
        | [b'4', b'0' | b'1' | b'3'..=b'9', ..]
        | [b'5', b'1'..=b'8', ..]
        | [b'6', b'0'..=b'6', ..]
        | [b'8', b'1' | b'2' | b'4' | b'6', ..]
        | [b'9', b'0'..=b'5' | b'8', ..] => 2,
        _ => 3,
    }
}

#[cfg(test)]
mod tests {
    use super::{LIFETIME, Number, Phones};
    use crate::errcode::Errcode;

    #[test]
    fn numbers_are_taken_apart_where_their_country_ends() {
        for (text, country, pure, full) in [
            ("13800138000", "86", "13800138000", "13800138000"),
            ("+8613800138000", "86", "13800138000", "13800138000"),
            ("+85261234567", "852", "61234567", "+85261234567"),
            ("+12025550123", "1", "2025550123", "+12025550123"),
            ("+447700900123", "44", "7700900123", "+447700900123"),
        ] {
            let number = Number::parse(text).unwrap();
            assert_eq!(
                (number.country.as_str(), number.pure.as_str()),
                (country, pure)
            );
            assert_eq!(number.full(), full);
        }
        for text in [
            "",
            "+",
            "1380013800",
            "138001380000",
            "12800138000",
            "+8612800138000",
            "1380013800a",
            "+852 61234567",
            "+123456",
            "+1234567890123456",
            "١٣٨٠٠١٣٨٠٠٠",
        ] {
            assert!(Number::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn everybody_has_a_number_of_their_own_for_ever() {
        assert_eq!(Number::of("小王").pure, "14251740282");
        for person in ["小王", "李娜", "a", ""] {
            assert!(Number::parse(&Number::of(person).pure).is_some());
        }
        assert_ne!(Number::of("小王").pure, Number::of("李娜").pure);
    }

    #[test]
    fn the_last_millisecond_counts() {
        let mut phones = Phones::new(2);
        phones.issue("a", "wang", None, 7);
        phones.issue("b", "wang", None, 7);
        let mut spend = |code, now| {
            phones
                .spend(code, "wx1", None, now)
                .map(|number| number.pure)
        };
        assert!(spend("a", 7 + LIFETIME - 1).is_ok());
        assert_eq!(spend("b", 7 + LIFETIME), Err(Errcode::INVALID_CODE));
        assert_eq!(spend("a", 7 + 1), Err(Errcode::INVALID_CODE));
    }
}
