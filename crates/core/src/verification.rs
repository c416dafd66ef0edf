//! Codes that prove that a number or an address is somebody's, and what they are for.

use std::fmt;

use serde_json::Value;
use zeroize::Zeroizing;

use crate::{identity::random_bytes, secret::same, text::Malformed};

/// How long a code of a message counts, in milliseconds.
pub const CODE_TTL: i64 = 5 * 60_000;
/// How long the link of a mail counts, in milliseconds.
pub const LINK_TTL: i64 = 24 * 3_600_000;
/// Tries that a code survives.
pub const TRIES: i64 = 5;
/// Wrong tries for one number in an hour, over all codes.
pub const WRONG_AN_HOUR: usize = 10;
/// Wrong tries for one number in a day, over all codes.
pub const WRONG_A_DAY: usize = 20;

/// What a verification is for. A code for one thing is worth nothing for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// To become a user.
    Register,
    /// To take over an imported account.
    Migrate,
    /// To change the number of an account.
    NewPhone,
    /// To change the mail address of an account.
    NewEmail,
}

impl Purpose {
    /// The word that is stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Register => "register",
            Self::Migrate => "migrate",
            Self::NewPhone => "new_phone",
            Self::NewEmail => "new_email",
        }
    }
}

/// Six digits that were sent to somebody. Never shown in logs.
#[derive(Clone)]
pub struct Code(Zeroizing<String>);

impl Code {
    /// One of 000000 to 999999, each as likely as any other, from the system's generator.
    ///
    /// # Panics
    ///
    /// Never in practice: only if the generator breaks.
    #[must_use]
    pub fn random() -> Self {
        // The greatest multiple of a million in 32 bits: above it some codes would be likelier.
        const FAIR: u32 = u32::MAX / 1_000_000 * 1_000_000;
        loop {
            let drawn = u32::from_be_bytes(random_bytes());
            if drawn < FAIR {
                return Self(Zeroizing::new(format!("{:06}", drawn % 1_000_000)));
            }
        }
    }

    /// Reads six digits, or a number, which lost its leading zeros on the way.
    ///
    /// # Errors
    ///
    /// Anything else.
    pub fn of_json(value: &Value) -> Result<Self, Malformed> {
        let complaint = Malformed("a code has six digits");
        match value {
            Value::String(text) => {
                let text = text.trim();
                let six = text.len() == 6 && text.bytes().all(|byte| byte.is_ascii_digit());
                six.then(|| Self(Zeroizing::new(text.to_owned())))
                    .ok_or(complaint)
            }
            Value::Number(number) => number
                .as_u64()
                .filter(|number| *number < 1_000_000)
                .map(|number| Self(Zeroizing::new(format!("{number:06}"))))
                .ok_or(complaint),
            _ => Err(complaint),
        }
    }

    /// The digits, for the one message that carries them and for the digest.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl PartialEq for Code {
    fn eq(&self, other: &Self) -> bool {
        same(self.0.as_bytes(), other.0.as_bytes())
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Code")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Proves OTP-1: chi-square over 100,000 codes in 1,000 classes; leading zeros come, and come
    /// back as numbers.
    #[test]
    fn codes_are_uniform() {
        let (draws, classes) = (100_000_u32, 1_000_u32);
        for divisor in [1, 1_000] {
            let mut seen = vec![0_u32; 1_000];
            for _ in 0..draws {
                let code: usize = Code::random().expose().parse().unwrap();
                seen[code / divisor % 1_000] += 1;
            }
            let expected = f64::from(draws / classes);
            let chi: f64 = seen
                .iter()
                .map(|count| (f64::from(*count) - expected).powi(2) / expected)
                .sum();
            // 999 degrees of freedom: above 1,143 one time in a thousand; 1,250 one in 10^7.
            assert!((780.0..1_250.0).contains(&chi), "{chi}");
        }
        assert!((0..200).any(|_| Code::random().expose().starts_with('0')));
    }

    #[test]
    fn a_code_is_six_digits_or_a_number() {
        let read = |value| Code::of_json(&value).map(|code| code.expose().to_owned());
        assert_eq!(read(json!("001234")).as_deref(), Ok("001234"));
        assert_eq!(read(json!(" 001234 ")).as_deref(), Ok("001234"));
        assert_eq!(read(json!(1_234)).as_deref(), Ok("001234"));
        assert_eq!(read(json!(0)).as_deref(), Ok("000000"));
        for wrong in [
            json!("1234"),
            json!("1234567"),
            json!("12345x"),
            json!("１２３４５６"),
            json!(1_000_000),
            json!(-1),
            json!(1.5),
            json!(null),
            json!(["123456"]),
        ] {
            assert!(read(wrong.clone()).is_err(), "{wrong}");
        }
        assert_eq!(format!("{:?}", Code::random()), "Code");
    }
}
