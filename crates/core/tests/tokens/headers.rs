//! Headers that would choose the key, the algorithm or the meaning, under signatures that fit.

use menjin_core::{
    jws::{Algorithm, Compact},
    key::SigningKey,
};
use serde_json::{Value, json};

use crate::forge::{forge, header_with, is_accepted, mint, new_keys};

fn accepts(key: &SigningKey, header: impl AsRef<[u8]>) -> bool {
    is_accepted(key, &forge(key, header, b"{}"))
}

/// Proves TOK-2: keys that come with the token or are to be fetched for it, extensions, payloads
/// that are not encoded and compression are refused, although the signature fits.
#[test]
fn a_header_brings_neither_keys_nor_extensions() {
    for key in new_keys() {
        assert!(accepts(&key, header_with(&key, "", Value::Null)));
        let own = Value::Object(key.public_jwk());
        for (name, value) in [
            ("jku", json!("https://127.0.0.1/jwks.json")),
            ("jku", json!("")),
            ("x5u", json!("https://127.0.0.1/chain.pem")),
            ("jwk", own.clone()),
            ("jwk", json!({})),
            ("x5c", json!(["MIIB"])),
            ("x5c", json!([])),
            ("crit", json!(["exp"])),
            ("crit", json!(["b64"])),
            ("crit", json!([])),
            ("crit", json!("exp")),
            ("b64", json!(false)),
            ("b64", json!(true)),
            ("zip", json!("DEF")),
            ("zip", json!("")),
        ] {
            let header = header_with(&key, name, value);
            assert!(!accepts(&key, &header), "{header}");
        }
        for name in ["jku", "x5u", "jwk", "x5c", "crit", "b64", "zip"] {
            let alg = key.algorithm().algorithm().as_str();
            assert!(!accepts(
                &key,
                format!(r#"{{"alg":"{alg}","{name}":null}}"#)
            ));
        }
    }
}

/// Proves TOK-1: `none` in any spelling is no algorithm, with a signature and without.
#[test]
fn none_is_no_algorithm() {
    for key in new_keys() {
        let token = mint(&key);
        let payload = token.split('.').nth(1).unwrap();
        for none in [
            "none", "None", "NONE", "nOnE", "", " none", "none\0", "null",
        ] {
            let header = header_with(&key, "alg", json!(none));
            assert!(!accepts(&key, &header), "{none:?}");
            let forged = forge(&key, &header, b"");
            let header = forged.split('.').next().unwrap();
            for bare in [
                format!("{header}.{payload}."),
                format!("{header}.{payload}"),
            ] {
                assert!(!is_accepted(&key, &bare), "{none:?}");
            }
        }
    }
}

/// Proves TOK-1: an algorithm has one name, which is a text and is there.
#[test]
fn an_algorithm_has_one_name() {
    for key in new_keys() {
        let own = key.algorithm().algorithm().as_str();
        for odd in [
            Value::Null,
            json!(256),
            json!([own]),
            json!({ "alg": own }),
            json!(true),
            json!(own.to_ascii_lowercase()),
            json!(own.to_ascii_uppercase() + " "),
            json!(format!("{own}\0")),
            json!(format!(" {own}")),
            json!(own.replace('S', "\u{17f}")),
        ] {
            let header = header_with(&key, "alg", odd);
            assert!(!accepts(&key, &header), "{header}");
        }
        assert!(!accepts(&key, r#"{"alg":null}"#));
    }
}

/// Proves TOK-1: a key checks its own algorithm alone, whatever else the token claims to be.
#[test]
fn a_key_has_one_algorithm() {
    const NAMES: [&str; 14] = [
        "ES256", "ES384", "ES512", "ES256K", "EdDSA", "RS256", "RS384", "RS512", "PS256", "PS384",
        "PS512", "HS256", "HS384", "HS512",
    ];
    for key in new_keys() {
        let own = key.algorithm().algorithm();
        for name in NAMES {
            let algorithm = Algorithm::parse(name).unwrap();
            assert_eq!(algorithm.as_str(), name);
            let header = header_with(&key, "alg", json!(name));
            assert_eq!(accepts(&key, &header), algorithm == own, "{header}");
        }
    }
}

/// Proves TOK-3: a `kid` is text or is not there, and is compared but never used in any other way,
/// so that a path or SQL in it is a name like any other. `typ` is text, too.
#[test]
fn names_are_text() {
    for key in new_keys() {
        let alg = key.algorithm().algorithm().as_str();
        for name in ["kid", "typ"] {
            for odd in [
                "null",
                "1",
                "1e3",
                "true",
                "[]",
                r#"["a"]"#,
                "{}",
                r#"{"a":"b"}"#,
            ] {
                let header = format!(r#"{{"alg":"{alg}","{name}":{odd}}}"#);
                assert!(!accepts(&key, &header), "{header}");
            }
        }
        for kid in [
            "",
            "../../dev/null",
            "' OR 1=1 --",
            "\0",
            "\u{1f600}",
            "http://127.0.0.1/",
        ] {
            let token = forge(&key, header_with(&key, "kid", json!(kid)), b"{}");
            let header = Compact::parse(&token).unwrap().header;
            assert_eq!(header.kid.as_deref(), Some(kid));
        }
        let huge = forge(
            &key,
            header_with(&key, "kid", json!("a".repeat(1 << 20))),
            b"{}",
        );
        assert!(Compact::parse(&huge).is_err());
        let none = forge(&key, header_with(&key, "kid", Value::Null), b"{}");
        assert_eq!(Compact::parse(&none).unwrap().header.kid, None);
    }
}

/// What kind of token it is, is for whoever checks the bearer: here another `typ` is only told.
#[test]
fn the_kind_of_token_is_told_and_not_judged() {
    for key in new_keys() {
        let token = forge(&key, header_with(&key, "typ", json!("JWT")), b"{}");
        assert!(is_accepted(&key, &token));
        let header = Compact::parse(&token).unwrap().header;
        assert_eq!(header.typ.as_deref(), Some("JWT"));
    }
}

/// Proves TOK-9: a header is one object in UTF-8, with each key once and nothing behind it.
#[test]
fn a_header_is_one_object() {
    for key in new_keys() {
        let alg = key.algorithm().algorithm().as_str();
        let good = format!(r#"{{"alg":"{alg}"}}"#);
        assert!(accepts(&key, &good));
        assert!(accepts(&key, format!(" {{\r\n\t\"alg\" : \"{alg}\" }}\n")));
        for odd in [
            format!(r#"{{"alg":"{alg}","alg":"{alg}"}}"#),
            format!(r#"{{"alg":"none","alg":"{alg}"}}"#),
            format!(r#"{{"alg":"{alg}","\u0061lg":"{alg}"}}"#),
            format!(r#"{{"alg":"{alg}","kid":"a","kid":"a"}}"#),
            format!(r#"{{"alg":"{alg}","x":{{"a":1,"a":1}}}}"#),
            format!(r#"{{"alg":"{alg}",}}"#),
            format!(r"{{'alg':'{alg}'}}"),
            format!("{good}{good}"),
            format!("{good}\0"),
            format!("{good}//"),
            format!("\u{feff}{good}"),
            format!("[{good}]"),
            format!("\"{alg}\""),
            String::new(),
            "{}".to_owned(),
            "null".to_owned(),
            r#"{"a":"#.repeat(1_000),
            "[".repeat(5_000),
        ] {
            assert!(!accepts(&key, &odd), "{odd}");
        }
        let not_utf8 = [good.as_bytes(), b"\xff"].concat();
        assert!(!accepts(&key, not_utf8));
        let not_utf8 = [&good.as_bytes()[..9], b"\xc3\"}"].concat();
        assert!(!accepts(&key, not_utf8));
    }
}
