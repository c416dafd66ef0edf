//! What clients encrypt, opened with the session key.

use aws_lc_rs::{
    cipher::{AES_128, EncryptingKey, EncryptionContext, UnboundCipherKey},
    iv::FixedLength,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use menjin_core::{Appid, SessionKey};
use menjin_wechat::{DecryptError, decrypt, signature_matches};
use proptest::prelude::*;
use serde_json::{Value, json};

const IV: [u8; 16] = *b"0123456789abcdef";

/// WeChat's own example; the file names its sources.
fn vector() -> Value {
    serde_json::from_str(include_str!("../vectors/decrypt.json")).unwrap()
}

fn text<'a>(vector: &'a Value, pointer: &str) -> &'a str {
    vector.pointer(pointer).unwrap().as_str().unwrap()
}

fn appid() -> Appid {
    Appid::parse("wx4f4bc4dec97d474b").unwrap()
}

fn key() -> SessionKey {
    SessionKey::parse("tiihtNczf5v6AKRyjwEUhQ==").unwrap()
}

/// Encrypts whole blocks with [`key`].
fn sealed(mut plain: Vec<u8>) -> String {
    let key = STANDARD.decode(key().expose()).unwrap();
    let key = UnboundCipherKey::new(&AES_128, &key).unwrap();
    let context = EncryptionContext::Iv128(FixedLength::from(IV));
    EncryptingKey::cbc(key)
        .unwrap()
        .less_safe_encrypt(&mut plain, context)
        .unwrap();
    STANDARD.encode(plain)
}

/// Pads as it should be, and encrypts.
fn sealed_text(text: &str) -> String {
    let mut plain = text.as_bytes().to_vec();
    let count = 16 - plain.len() % 16;
    plain.resize(plain.len() + count, u8::try_from(count).unwrap());
    sealed(plain)
}

fn opened(sealed: &str) -> Result<serde_json::Map<String, Value>, DecryptError> {
    decrypt(&appid(), &key(), sealed, &STANDARD.encode(IV))
}

#[test]
fn the_example_of_wechat_is_opened() {
    let vector = vector();
    let object = decrypt(
        &Appid::parse(text(&vector, "/decrypt/appid")).unwrap(),
        &SessionKey::parse(text(&vector, "/decrypt/session_key")).unwrap(),
        text(&vector, "/decrypt/encryptedData"),
        text(&vector, "/decrypt/iv"),
    );
    let plain = &vector["decrypt"]["plaintext_json"];
    assert_eq!(&Value::Object(object.unwrap()), plain);
}

#[test]
fn another_key_or_vector_opens_nothing() {
    let vector = vector();
    let data = text(&vector, "/decrypt/encryptedData");
    let iv = text(&vector, "/decrypt/iv");
    for other in [
        "AAAAAAAAAAAAAAAAAAAAAA==",
        "HyVFkGl5F5OQWJZZaNzBBg==",
        "AAAA",
        "no base64",
        "dGlpaHROY3pmNXY2QUtSeWp3RVVoUT09AAAAAAAAAAA=",
    ] {
        let Ok(other) = SessionKey::parse(other) else {
            continue;
        };
        let outcome = decrypt(&appid(), &other, data, iv);
        assert_eq!(outcome, Err(DecryptError::WrongKey));
    }
    let outcome = decrypt(&appid(), &key(), data, "AAAAAAAAAAAAAAAAAAAAAA==");
    assert_eq!(outcome, Err(DecryptError::WrongKey));
}

#[test]
fn what_no_client_sends_is_malformed() {
    let iv = STANDARD.encode(IV);
    let good = sealed_text("{}");
    for (data, iv) in [
        ("", iv.as_str()),
        ("AAAA", &iv),
        ("no base64", &iv),
        (&good.replace('=', ""), &iv),
        (&format!("{good}\n"), &iv),
        (&STANDARD.encode([0; 17]), &iv),
        (&STANDARD.encode(vec![0; 48 * 1024 + 16]), &iv),
        (&good, ""),
        (&good, "AAAA"),
        (&good, "no base64"),
        (&good, &STANDARD.encode([0; 15])),
        (&good, &STANDARD.encode([0; 17])),
    ] {
        let outcome = decrypt(&appid(), &key(), data, iv);
        assert_eq!(outcome, Err(DecryptError::Malformed), "{data:.40} {iv}");
    }
}

#[test]
fn the_watermark_is_compared() {
    for (watermark, expected) in [
        (json!({ "appid": "wx4f4bc4dec97d474b" }), None),
        (
            json!({ "appid": "wxfedcba9876543210" }),
            Some(DecryptError::WrongApp),
        ),
        (
            json!({ "appid": ["wx4f4bc4dec97d474b"] }),
            Some(DecryptError::WrongApp),
        ),
        (json!({}), Some(DecryptError::WrongApp)),
        (json!("wx4f4bc4dec97d474b"), Some(DecryptError::WrongApp)),
        (json!(null), Some(DecryptError::WrongApp)),
    ] {
        let text = json!({ "purePhoneNumber": "13800138000", "watermark": watermark });
        let outcome = opened(&sealed_text(&text.to_string()));
        assert_eq!(outcome.err(), expected, "{text}");
    }
    let outcome = opened(&sealed_text(r#"{"purePhoneNumber":"13800138000"}"#));
    assert_eq!(outcome, Err(DecryptError::WrongApp));
}

#[test]
fn what_is_no_json_object_came_from_another_key() {
    let twice = r#"{"watermark":{"appid":"wx4f4bc4dec97d474b"},"a":1,"a":2}"#;
    for text in ["", "[]", "7", "{", "{}x", "\u{0}", twice] {
        let outcome = opened(&sealed_text(text));
        assert_eq!(outcome, Err(DecryptError::WrongKey), "{text}");
    }
}

#[test]
fn the_signature_of_raw_data_is_compared() {
    let vector = vector();
    let raw = text(&vector, "/raw_data_signature/raw_data");
    let key = SessionKey::parse(text(&vector, "/raw_data_signature/session_key")).unwrap();
    let signature = text(&vector, "/raw_data_signature/signature");
    assert!(signature_matches(raw, &key, signature));
    assert!(!signature_matches(&format!("{raw} "), &key, signature));
    assert!(!signature_matches(raw, &self::key(), signature));
    assert!(!signature_matches(raw, &key, ""));
    assert!(!signature_matches(raw, &key, &signature[1..]));
    assert!(!signature_matches(raw, &key, &signature.to_uppercase()));
    let long = "a".repeat(64 * 1024 + 1);
    assert!(!signature_matches(&long, &key, signature));
}

/// No error says anything of what was inside.
#[test]
fn errors_quote_nothing() {
    let other = r#"{"purePhoneNumber":"13800138000","watermark":{"appid":"wx1"}}"#;
    for sealed in [
        sealed_text(other),
        sealed_text("13800138000"),
        "1".repeat(31),
    ] {
        let error = opened(&sealed).unwrap_err();
        assert!(!format!("{error} {error:?}").contains('1'), "{error:?}");
    }
}

proptest! {
    /// Every last block that is not filled up with 1 to 16 bytes of their own number is refused,
    /// whatever stands before it.
    #[test]
    fn wrong_padding_opens_nothing(last in any::<[u8; 16]>(), count in 0_u8..=17, keep in 0_usize..=16) {
        let text = br#"{"watermark":{"appid":"wx4f4bc4dec97d474b"}}    "#;
        prop_assert_eq!(text.len(), 48);
        let mut block = last;
        for byte in block.iter_mut().skip(keep) {
            *byte = count;
        }
        let count = usize::from(block[15]);
        let padded = (1..=16).contains(&count)
            && block[16 - count..].iter().all(|byte| usize::from(*byte) == count);
        let readable = padded && block[..16 - count].iter().all(|byte| b" \t\n\r".contains(byte));
        let outcome = opened(&sealed([&text[..], &block].concat()));
        prop_assert_eq!(outcome.is_ok(), readable);
    }

    /// A change of any byte gives an error or the object, and never a panic.
    #[test]
    fn changed_bytes_do_no_harm(at in 0_usize..400, change in 1_u8..) {
        let vector = vector();
        let mut bytes = STANDARD.decode(text(&vector, "/decrypt/encryptedData")).unwrap();
        bytes[at] ^= change;
        let changed = STANDARD.encode(bytes);
        let outcome = decrypt(&appid(), &key(), &changed, text(&vector, "/decrypt/iv"));
        // The block before the last turns one byte of the padding over, the last all of it.
        if at >= 400 - 16 {
            prop_assert_eq!(outcome, Err(DecryptError::WrongKey));
        }
    }

    /// Nothing that could arrive makes it panic.
    #[test]
    fn anything_may_arrive(data in ".{0,80}", iv in ".{0,30}", bytes in prop::collection::vec(any::<u8>(), 0..96)) {
        prop_assert!(decrypt(&appid(), &key(), &data, &iv).is_err());
        prop_assert!(decrypt(&appid(), &key(), &STANDARD.encode(bytes), "r7BXXKkLb8qrSNn05n0qiA==").is_err());
        prop_assert!(!signature_matches(&data, &key(), &iv));
    }
}
