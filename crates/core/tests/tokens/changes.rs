//! A good token with the smallest change there is.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use menjin_core::jws::{Compact, MAX_TOKEN};

use crate::forge::{check, forge, header_with, is_accepted, mint, new_keys, sign_parts};

const BASE64URL: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Characters of no use in a token, or of another use.
const OTHERS: [char; 14] = [
    '.', '=', '+', '/', ' ', '\t', '\n', '\r', '\0', '%', '?', '"', 'é', '\u{feff}',
];

/// Tokens that come of putting one other character in the place of one. Everywhere those that differ
/// in one bit and those of no use; at some places, among them all ends of parts, every other one.
fn replaced(token: &str) -> impl Iterator<Item = String> {
    token.char_indices().flat_map(move |(at, old)| {
        let everything = at % 16 == 0 || token[at + 1..].starts_with('.') || at + 1 == token.len();
        let one_bit_off = move |new: char| match (BASE64URL.find(old), BASE64URL.find(new)) {
            (Some(old), Some(new)) => (old ^ new).is_power_of_two(),
            _ => true,
        };
        let others = BASE64URL
            .chars()
            .filter(move |new| everything || one_bit_off(*new));
        others
            .chain(OTHERS)
            .filter(move |new| *new != old)
            .map(move |new| format!("{}{new}{}", &token[..at], &token[at + 1..]))
    })
}

/// Every token that comes of leaving one character out, or of putting one more in.
fn longer_and_shorter(token: &str) -> impl Iterator<Item = String> {
    let shorter = (0..token.len()).map(move |at| format!("{}{}", &token[..at], &token[at + 1..]));
    let longer = (0..=token.len()).flat_map(move |at| {
        let more = OTHERS.into_iter().chain(['A', 'z', '_']);
        more.map(move |new| format!("{}{new}{}", &token[..at], &token[at..]))
    });
    shorter.chain(longer)
}

/// Proves TOK-9: none of some ten thousand tokens that are one character away from a good one is
/// accepted. Padding, white space at either end, a dot too many and stray last bits are among them.
#[test]
fn no_token_is_one_character_away_from_a_good_one() {
    for key in new_keys() {
        let token = mint(&key);
        let verifying = key.verifying_key().unwrap();
        check(&verifying, &token).unwrap();
        for changed in replaced(&token).chain(longer_and_shorter(&token)) {
            assert!(check(&verifying, &changed).is_err(), "{changed:?}");
        }
    }
}

/// Proves TOK-9: bits that base64url leaves unused are zero, even where the signature covers them,
/// and padding is not part of a token.
#[test]
fn an_encoding_has_one_spelling() {
    for key in new_keys() {
        let header = URL_SAFE_NO_PAD.encode(header_with(&key, "", serde_json::Value::Null));
        assert!(is_accepted(&key, &sign_parts(&key, &header, "AA")));
        for odd in [
            "AB", "AQ=", "AA==", "AA=", "A", "AAB", "AAAAA", "A+", "A/", "A A", "AA\n",
        ] {
            assert!(
                !is_accepted(&key, &sign_parts(&key, &header, odd)),
                "{odd:?}"
            );
            let odd = format!("{header}{odd}");
            assert!(!is_accepted(&key, &sign_parts(&key, &odd, "AA")), "{odd:?}");
        }
    }
}

/// Both signatures have 64 bytes: 86 characters, of which the last has four bits to spare.
#[test]
fn a_signature_has_one_spelling() {
    for key in new_keys() {
        let token = mint(&key);
        let (body, last) = token.split_at(token.len() - 1);
        let good = BASE64URL.find(last).unwrap();
        assert_eq!(good % 16, 0);
        for stray in 1..16 {
            let odd = &BASE64URL[good + stray..=good + stray];
            assert!(!is_accepted(&key, &format!("{body}{odd}")));
        }
    }
}

/// Proves TOK-9: what is longer than 8 KiB is not read, and what is not longer is.
#[test]
fn a_token_ends_at_eight_kibibytes() {
    for key in new_keys() {
        let header = header_with(&key, "", serde_json::Value::Null);
        let longest = (0..MAX_TOKEN)
            .rev()
            .map(|length| forge(&key, &header, &vec![b' '; length]))
            .find(|token| token.len() <= MAX_TOKEN)
            .unwrap();
        assert!(longest.len() > MAX_TOKEN - 2);
        assert!(is_accepted(&key, &longest));
        for length in [MAX_TOKEN, MAX_TOKEN * 16] {
            let token = forge(&key, &header, &vec![b' '; length]);
            assert!(Compact::parse(&token).is_err());
        }
    }
}

/// Proves TOK-9: parts that are missing, empty or too many make no token.
#[test]
fn a_token_has_three_parts() {
    for key in new_keys() {
        let token = mint(&key);
        let parts: Vec<_> = token.split('.').collect();
        let [header, payload, signature] = parts[..] else {
            panic!("three parts")
        };
        for odd in [
            String::new(),
            ".".to_owned(),
            "..".to_owned(),
            header.to_owned(),
            format!("{header}.{payload}"),
            format!("{header}.{payload}."),
            format!("{header}..{signature}"),
            format!(".{payload}.{signature}"),
            format!("{header}.{signature}"),
            format!("{token}."),
            format!(".{token}"),
            format!("{token}.{signature}"),
            format!("{header}.{payload}.{signature}{signature}"),
            format!("{payload}.{header}.{signature}"),
            format!("Bearer {token}"),
            format!("{token}, {token}"),
        ] {
            assert!(!is_accepted(&key, &odd), "{odd:?}");
        }
    }
}
