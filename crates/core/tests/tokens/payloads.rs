//! Payloads under a signature that fits, which nobody but us could have made.

use menjin_core::{Refusal, jws::Compact, token::Claims};
use serde_json::{Value, json};

use crate::forge::{NOW, check, forge, header_with, issuer, new_keys};

const SECONDS: i64 = NOW / 1000;

fn good() -> String {
    json!({
        "iss": "https://door.example.edu.cn", "sub": "100001", "aud": "https://door.example.edu.cn",
        "exp": SECONDS + 3600, "iat": SECONDS, "jti": "x", "client_id": "wx0123456789abcdef",
        "scope": "user", "uid": 100_001, "role": "user", "ep": 0,
    })
    .to_string()
}

/// Proves TOK-9: a payload is one object in UTF-8, with each key once and nothing behind it, even
/// where the signature fits.
#[test]
fn a_payload_is_one_object() {
    let good = good();
    let open = good.strip_suffix('}').unwrap();
    for key in new_keys() {
        let verifying = key.verifying_key().unwrap();
        let header = header_with(&key, "", Value::Null);
        let read = |payload: &[u8]| -> Result<Claims, Refusal> {
            let token = forge(&key, &header, payload);
            check(&verifying, &token).unwrap();
            issuer().read(&Compact::parse(&token).unwrap().into_payload(), NOW)
        };
        assert!(read(good.as_bytes()).is_ok());
        assert!(read(format!("\n{good} ").as_bytes()).is_ok());
        for odd in [
            format!(r#"{open},"sub":"100001"}}"#),
            format!(r#"{open},"exp":{}}}"#, SECONDS + 7200),
            format!(r#"{open},"r\u006fle":"admin"}}"#),
            format!(r#"{open},"x":[{{"a":1,"a":1}}]}}"#),
            format!(r#"{open},"x":"\ud800"}}"#),
            format!(r#"{open},"x":1e999}}"#),
            format!("{open},\"x\":\"\u{1}\"}}"),
            format!("{good}{good}"),
            format!("{good}\0"),
            format!("{good}x"),
            format!("\u{feff}{good}"),
            format!("[{good}]"),
            open.to_owned(),
            String::new(),
            "null".to_owned(),
            "{}".to_owned(),
        ] {
            assert_eq!(read(odd.as_bytes()), Err(Refusal::TokenInvalid), "{odd}");
        }
        for odd in [
            &b"\xff"[..],
            b"\xc0\xaf",
            b"\xed\xa0\x80",
            b"\xf4\x90\x80\x80",
        ] {
            let payload = [open.as_bytes(), b",\"x\":\"", odd, b"\"}"].concat();
            assert_eq!(read(&payload), Err(Refusal::TokenInvalid), "{odd:?}");
        }
    }
}
