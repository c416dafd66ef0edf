//! What WeChat pushes: signatures, encryption, and the two forms of a message.

mod messages;

use aws_lc_rs::{
    cipher::{AES_256, EncryptingKey, EncryptionContext, UnboundCipherKey},
    digest,
    iv::FixedLength,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use menjin_core::Appid;
use menjin_wechat::{Event, PushError, PushKeys, PushKeysError, PushQuery};
use proptest::prelude::*;
use serde_json::{Value, json};

const AES_KEY: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
const TIME: &str = "1714112445";
const NONCE: &str = "415670741";

/// WeChat's own example; the file names its source.
fn vector() -> Value {
    serde_json::from_str(include_str!("../vectors/push.json")).unwrap()
}

fn query(of: &Value) -> PushQuery<'_> {
    PushQuery {
        signature: of["signature"].as_str().unwrap(),
        timestamp: of["timestamp"].as_str().unwrap(),
        nonce: of["nonce"].as_str().unwrap(),
        msg_signature: of["msg_signature"].as_str(),
    }
}

fn appid() -> Appid {
    Appid::parse("wxba5fad812f8e6fb9").unwrap()
}

fn plain_keys() -> PushKeys {
    PushKeys::parse("AAAAA", None).unwrap()
}

fn keys() -> PushKeys {
    PushKeys::parse("AAAAA", Some(AES_KEY)).unwrap()
}

fn signature(texts: &[&str]) -> String {
    let mut texts = texts.to_vec();
    texts.sort_unstable();
    let digest = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, texts.concat().as_bytes());
    let bytes = digest.as_ref().iter();
    bytes.fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"))
}

/// Opens a message in plain mode that is signed as it should be.
fn plain(body: &[u8]) -> Result<Event, PushError> {
    let signature = signature(&["AAAAA", TIME, NONCE]);
    let query = PushQuery {
        signature: &signature,
        timestamp: TIME,
        nonce: NONCE,
        msg_signature: None,
    };
    plain_keys().open(&appid(), &query, body)
}

/// Encrypts whole blocks with the key of the examples, which is all zeros, as is its vector.
fn sealed(mut bytes: Vec<u8>) -> String {
    let key = UnboundCipherKey::new(&AES_256, &[0; 32]).unwrap();
    let context = EncryptionContext::Iv128(FixedLength::from([0; 16]));
    EncryptingKey::cbc(key)
        .unwrap()
        .less_safe_encrypt(&mut bytes, context)
        .unwrap();
    STANDARD.encode(bytes)
}

/// Sixteen bytes, a length, a message, an appid, and the padding.
fn sealed_message(length: usize, message: &str, appid: &str) -> String {
    let length = u32::try_from(length).unwrap().to_be_bytes();
    let mut bytes = [
        b"a8eedb185eb2fecf",
        &length[..],
        message.as_bytes(),
        appid.as_bytes(),
    ]
    .concat();
    let count = 32 - bytes.len() % 32;
    bytes.resize(bytes.len() + count, u8::try_from(count).unwrap());
    sealed(bytes)
}

/// Opens a message in encrypted mode that is signed as it should be.
fn encrypted(sealed: &str) -> Result<Event, PushError> {
    let signature = signature(&["AAAAA", TIME, NONCE, sealed]);
    let query = PushQuery {
        signature: "",
        timestamp: TIME,
        nonce: NONCE,
        msg_signature: Some(&signature),
    };
    let body = json!({ "ToUserName": "gh_97417a04a28d", "Encrypt": sealed }).to_string();
    keys().open(&appid(), &query, body.as_bytes())
}

#[test]
fn the_address_is_verified_as_documented() {
    let vector = vector();
    let PushQuery {
        signature,
        timestamp,
        nonce,
        ..
    } = query(&vector["verify"]);
    for keys in [plain_keys(), keys()] {
        assert!(keys.verify_url(signature, timestamp, nonce));
        assert!(!keys.verify_url(signature, nonce, "1"));
        assert!(!keys.verify_url(signature, "1714036505", nonce));
        assert!(!keys.verify_url("", timestamp, nonce));
        assert!(!keys.verify_url(&signature[..39], timestamp, nonce));
    }
    let other = PushKeys::parse("AAAAB", None).unwrap();
    assert!(!other.verify_url(signature, timestamp, nonce));
}

#[test]
fn the_plain_example_of_wechat_is_opened() {
    let vector = vector();
    let body = vector["plain"]["body"].to_string();
    let event = plain_keys()
        .open(&appid(), &query(&vector["plain"]), body.as_bytes())
        .unwrap();
    assert_eq!(event.name, "debug_demo");
    assert_eq!(event.created_at, 1_714_037_059);
    assert_eq!(event.signed_at, 1_714_037_059);
    assert_eq!(event.openid, None);
    assert!(event.revoke_info.is_empty());
    assert_eq!(event.id.len(), 64);
}

#[test]
fn the_encrypted_example_of_wechat_is_opened() {
    let vector = vector();
    let query = query(&vector["encrypted"]);
    let body = vector["encrypted"]["body"].to_string();
    let event = keys().open(&appid(), &query, body.as_bytes()).unwrap();
    assert_eq!(event.name, "debug_demo");
    assert_eq!(event.created_at, 1_714_112_445);

    let stranger = Appid::parse("wxfedcba9876543210").unwrap();
    let outcome = keys().open(&stranger, &query, body.as_bytes());
    assert_eq!(outcome, Err(PushError::WrongApp));
    let other = PushKeys::parse("AAAAA", Some(&AES_KEY.replace('A', "B"))).unwrap();
    let outcome = other.open(&appid(), &query, body.as_bytes());
    assert_eq!(outcome, Err(PushError::WrongKey));
    let outcome = plain_keys().open(&appid(), &query, body.as_bytes());
    assert_eq!(outcome, Err(PushError::NoKey));
}

#[test]
fn an_encrypted_message_may_be_xml() {
    let vector = vector();
    let sealed = vector["encrypted"]["body"]["Encrypt"].as_str().unwrap();
    let body = format!(
        "<xml>\n<ToUserName><![CDATA[gh_97417a04a28d]]></ToUserName>\n\
         <Encrypt><![CDATA[{sealed}]]></Encrypt>\n</xml>"
    );
    let event = keys().open(&appid(), &query(&vector["encrypted"]), body.as_bytes());
    assert_eq!(event.unwrap().name, "debug_demo");
}

/// Whoever saw one signature cannot put a body of his own to it, once there is a key.
#[test]
fn with_a_key_only_what_is_encrypted_counts() {
    let vector = vector();
    let encrypted = query(&vector["encrypted"]);
    let body = vector["plain"]["body"].to_string();
    for query in [query(&vector["plain"]), encrypted] {
        let outcome = keys().open(&appid(), &query, body.as_bytes());
        assert_eq!(outcome, Err(PushError::NotEncrypted));
    }
    let body = vector["encrypted"]["body"].to_string();
    for query in [
        PushQuery {
            msg_signature: None,
            ..encrypted
        },
        PushQuery {
            msg_signature: Some(""),
            ..encrypted
        },
        PushQuery {
            msg_signature: Some(encrypted.signature),
            ..encrypted
        },
        PushQuery {
            timestamp: "1714112446",
            ..encrypted
        },
        PushQuery {
            nonce: "415670742",
            ..encrypted
        },
        PushQuery::default(),
    ] {
        let outcome = keys().open(&appid(), &query, body.as_bytes());
        assert_eq!(outcome, Err(PushError::Forged));
    }
    let changed = body.replace("+qdx1", "+qdx2");
    let outcome = keys().open(&appid(), &encrypted, changed.as_bytes());
    assert_eq!(outcome, Err(PushError::Forged));
}

/// In the mode between, a message stands in the body twice: the encrypted one counts if there is a
/// key, the plain one if there is none.
#[test]
fn both_forms_may_stand_in_one_body() {
    let vector = vector();
    let query = query(&vector["encrypted"]);
    let mut body = vector["encrypted"]["body"].clone();
    body["MsgType"] = json!("event");
    body["Event"] = json!("user_authorization_cancellation");
    let body = body.to_string();
    let event = keys().open(&appid(), &query, body.as_bytes()).unwrap();
    assert_eq!(event.name, "debug_demo");
    let event = plain_keys()
        .open(&appid(), &query, body.as_bytes())
        .unwrap();
    assert_eq!(event.name, "user_authorization_cancellation");
}

#[test]
fn a_plain_message_is_signed() {
    let vector = vector();
    let query = query(&vector["plain"]);
    let body = vector["plain"]["body"].to_string();
    for query in [
        PushQuery {
            signature: "",
            ..query
        },
        PushQuery {
            timestamp: "1714037060",
            ..query
        },
        PushQuery { nonce: "", ..query },
    ] {
        let outcome = plain_keys().open(&appid(), &query, body.as_bytes());
        assert_eq!(outcome, Err(PushError::Forged));
    }
}

/// What is signed are the texts run together, so the nonce must not lend digits to the time.
#[test]
fn the_time_has_ten_digits() {
    let vector = vector();
    let query = query(&vector["plain"]);
    let body = vector["plain"]["body"].to_string();
    for (timestamp, nonce) in [
        ("171403705948", "6452656"),
        ("17140370", "59486452656"),
        ("1714037059486452656", ""),
        ("", "1714037059486452656"),
    ] {
        let query = PushQuery {
            timestamp,
            nonce,
            ..query
        };
        let outcome = plain_keys().open(&appid(), &query, body.as_bytes());
        let malformed = PushError::Malformed("no timestamp");
        assert_eq!(outcome, Err(malformed), "{timestamp} {nonce}");
    }
}

#[test]
fn what_is_sealed_has_a_form() {
    let message = r#"{"MsgType":"text"}"#;
    let own = "wxba5fad812f8e6fb9";
    assert_eq!(
        encrypted(&sealed_message(message.len(), message, own))
            .unwrap()
            .name,
        "text"
    );
    for (sealed, expected) in [
        (
            sealed_message(message.len(), message, ""),
            PushError::WrongApp,
        ),
        (
            sealed_message(message.len(), message, "wxba5fad812f8e6fb"),
            PushError::WrongApp,
        ),
        (
            sealed_message(message.len() - 1, message, own),
            PushError::WrongApp,
        ),
        (
            sealed_message(message.len() + 1, message, own),
            PushError::WrongApp,
        ),
        (
            sealed_message(usize::pow(2, 31), message, own),
            PushError::WrongKey,
        ),
        (
            sealed_message(1, "{", own),
            PushError::Malformed("bad JSON"),
        ),
        (sealed(vec![32; 32]), PushError::WrongKey),
        (sealed(vec![16; 32]), PushError::WrongKey),
        (sealed(vec![33; 64]), PushError::WrongKey),
        (sealed(vec![0; 64]), PushError::WrongKey),
        (sealed(vec![16; 16]), PushError::WrongKey),
        (STANDARD.encode([1; 33]), PushError::WrongKey),
        (String::new(), PushError::WrongKey),
        ("no base64".to_owned(), PushError::Malformed("no base64")),
    ] {
        assert_eq!(encrypted(&sealed), Err(expected), "{sealed:.80}");
    }
}

#[test]
fn keys_are_those_that_the_console_gives() {
    for token in ["", "ab", "a b c", "a-b", "中文字", &"a".repeat(33)] {
        let outcome = PushKeys::parse(token, None);
        assert_eq!(outcome.unwrap_err(), PushKeysError::Token, "{token}");
    }
    let key = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG";
    assert!(PushKeys::parse(&"a".repeat(32), Some(key)).is_ok());
    for key in [
        "",
        &key[1..],
        &format!("{key}="),
        &format!("{key}A"),
        &key.replace('a', "-"),
    ] {
        let outcome = PushKeys::parse("abc", Some(key));
        assert_eq!(outcome.unwrap_err(), PushKeysError::EncodingAesKey, "{key}");
    }
}

/// Proves LGN-5: neither keys nor events show what is secret or whom they are about.
#[test]
fn debug_shows_no_keys_and_nobody() {
    let body = r#"{"MsgType":"event","Event":"e","OpenID":"oCanary1","UnionID":"oCanary2"}"#;
    let shown = format!("{:?} {:?}", keys(), plain(body.as_bytes()).unwrap());
    assert!(
        !shown.contains("AAAA") && !shown.contains("Canary"),
        "{shown}"
    );
}

proptest! {
    /// Nothing that could arrive makes it panic, signed or not.
    #[test]
    fn anything_may_arrive(body in prop::collection::vec(any::<u8>(), 0..200), text in ".{0,100}") {
        prop_assert!(encrypted(&STANDARD.encode(&body)).is_err());
        let _ = plain(&body);
        let _ = plain(text.as_bytes());
        let _ = plain(format!("<xml><A>{text}</A></xml>").as_bytes());
        let query = PushQuery { signature: &text, timestamp: &text, nonce: &text, msg_signature: Some(&text) };
        prop_assert!(keys().open(&appid(), &query, &body).is_err());
    }

    /// A text comes out of CDATA as it went in.
    #[test]
    fn cdata_is_taken_literally(text in "[ -~]{0,40}") {
        prop_assume!(!text.contains("]]>"));
        let body = format!("<xml><MsgType><![CDATA[{text}]]></MsgType></xml>");
        let name = plain(body.as_bytes()).unwrap().name;
        let word = !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c));
        prop_assert_eq!(name, if word { text } else { "unknown".to_owned() });
    }
}
