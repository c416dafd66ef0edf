//! Whatever arrives, it is read or refused; and what is read has one spelling.

use menjin_core::{CallingCodes, Email, Phone, profile, verification::Code};
use proptest::{collection::vec, prelude::*, sample::select};
use serde_json::{Number, Value, json};

fn many() -> ProptestConfig {
    ProptestConfig {
        cases: 2_000,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

/// What people put between digits, or in front of them.
const ORNAMENTS: [&str; 12] = [
    "", "", "", " ", "-", "\u{a0}", "\u{3000}", "\u{200b}", "\u{202d}", "\u{feff}", "(", ")",
];

/// Nearly a number: digits of both widths, prefixes, ornaments, and now and then something else.
fn scribbled_number() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        12 => "[0-9]{1,4}",
        3 => "[\u{ff10}-\u{ff19}]{1,3}",
        2 => select(vec!["+", "00", "86", "+86", "0086", "138", "\u{ff0b}", "+852"])
            .prop_map(str::to_owned),
        3 => select(ORNAMENTS.to_vec()).prop_map(str::to_owned),
        1 => any::<char>().prop_map(String::from),
    ];
    vec(piece, 1..8).prop_map(|pieces| pieces.concat())
}

/// A mainland number without its calling code.
fn mainland() -> impl Strategy<Value = String> {
    "1[3-9][0-9]{9}"
}

/// Nearly an address.
fn scribbled_address() -> impl Strategy<Value = String> {
    let pieces = [
        "a", "Wang", "@", "@", ".", ".", "example", "COM", "cn", "-", "+", "_", "1", " ", "\"",
        "<", ">", ",", "\r\n", "\0", "王", "[", "xn--",
    ];
    vec(select(pieces.to_vec()), 0..10).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(many())]

    /// Proves OTP-9: what is accepted is one number, and reads as itself.
    #[test]
    fn any_text_is_a_number_or_refused(text in any::<String>(), scribbled in scribbled_number()) {
        let every = CallingCodes::parse(&["86", "852", "1"]).unwrap();
        for text in [&text, &scribbled] {
            for codes in [&CallingCodes::default(), &every] {
                let Ok(phone) = Phone::parse(text, codes) else { continue };
                let digits = phone.as_str().strip_prefix('+').unwrap();
                prop_assert!(digits.bytes().all(|byte| byte.is_ascii_digit()), "{}", phone.as_str());
                prop_assert!((6..=15).contains(&digits.len()));
                prop_assert_eq!(Phone::parse(phone.as_str(), codes), Ok(phone.clone()));
                prop_assert_eq!(Phone::stored(phone.as_str()), Some(phone.clone()));
                if phone.is_mainland() {
                    prop_assert_eq!(Phone::parse(phone.national(), codes), Ok(phone.clone()));
                }
            }
        }
    }

    /// Proves OTP-9: however it is adorned, it is the same number.
    #[test]
    fn any_spelling_is_the_number(
        number in mainland(),
        prefix in select(vec!["", "+86", "0086", "86", "＋８６", "(86)", "+86 "]),
        ornaments in vec(select(ORNAMENTS.to_vec()), 12),
        wide in any::<bool>(),
    ) {
        let mut spelled = prefix.to_owned();
        for (digit, ornament) in number.chars().zip(&ornaments) {
            spelled.push_str(ornament);
            let shifted = char::from_u32(u32::from(digit) + 0xfee0).unwrap();
            spelled.push(if wide { shifted } else { digit });
        }
        let phone = Phone::parse(&spelled, &CallingCodes::default()).unwrap();
        prop_assert_eq!(phone.as_str(), format!("+86{number}"));
        prop_assert_eq!(phone.national(), &number);
    }

    /// Proves LOG-1: four digits in the middle are never shown.
    #[test]
    fn no_number_is_shown_whole(number in mainland()) {
        let phone = Phone::parse(&number, &CallingCodes::default()).unwrap();
        let shown = format!("{phone:?}");
        prop_assert_eq!(&shown, &format!("{}****{}", &number[..3], &number[7..]));
        prop_assert_eq!(shown, phone.masked());
    }

    #[test]
    fn any_text_is_an_address_or_refused(
        text in any::<String>(),
        scribbled in scribbled_address(),
    ) {
        for text in [&text, &scribbled] {
            let Ok(email) = Email::parse(text) else { continue };
            let address = email.as_str();
            prop_assert!(address.bytes().all(|byte| byte.is_ascii_graphic()), "{address:?}");
            prop_assert_eq!(address.matches('@').count(), 1);
            prop_assert!(!address.contains([',', '<', '>', '"', '(', ')', ';', '\\']));
            prop_assert!(address.len() <= 254);
            prop_assert_eq!(Email::parse(address), Ok(email.clone()));
            let shown = format!("{email:?}");
            let (local, host) = address.split_once('@').unwrap();
            prop_assert_eq!(shown, format!("{}***@{host}", &local[..1]));
        }
    }

    /// Proves PRF-5: a nickname is one line of at most 64 characters that stays where it is written.
    #[test]
    fn any_text_is_a_nickname_or_refused(text in any::<String>(), short in "\\PC{0,70}") {
        for text in [&text, &short] {
            let moves = |c: char| {
                c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
                    || matches!(c, '\u{2028}' | '\u{2029}')
            };
            let fits = text.chars().count() <= 64 && !text.contains(moves);
            let blank = !text.is_empty() && text.trim().is_empty();
            prop_assert_eq!(profile::is_nickname(text), fits && !blank, "{:?}", text);
            prop_assert_eq!(profile::is_campus(text, &[]), fits);
            prop_assert_eq!(profile::is_campus(text, std::slice::from_ref(text)), true);
        }
    }

    /// Proves OTP-1: leading zeros work, also where a number lost them.
    #[test]
    fn any_code_is_read_as_text_and_as_a_number(number in 0_u32..1_000_000) {
        let text = format!("{number:06}");
        for value in [json!(number), json!(text), json!(format!(" {text}\n"))] {
            let code = Code::of_json(&value).unwrap();
            prop_assert_eq!(code.expose(), &text);
        }
    }

    #[test]
    fn anything_else_is_no_code(text in any::<String>(), digits in "[0-9]{0,12}", real in any::<f64>()) {
        let number = Number::from_f64(real).map_or(Value::Null, Value::Number);
        for value in [json!(text), json!(digits), json!([digits]), json!({ "code": digits }), number] {
            let Ok(code) = Code::of_json(&value) else { continue };
            prop_assert!(code.expose().len() == 6);
            prop_assert_eq!(value.as_str().map(str::trim), Some(code.expose()));
        }
    }
}
