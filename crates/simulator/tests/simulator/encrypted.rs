//! `POST /simulator/encrypt`, opened the way a back end opens it.

use aws_lc_rs::{
    cipher::{AES_128, DecryptionContext, PaddedBlockDecryptingKey, UnboundCipherKey},
    digest::{SHA1_FOR_LEGACY_USE_ONLY, digest},
    iv::FixedLength,
};
use base64::{Engine, prelude::BASE64_STANDARD};
use menjin_simulator::{EncryptError, LoginError};
use serde_json::{Value, json};

use crate::harness::{APPID, OTHER_APPID, Wechat, hex};

fn open(encrypted: &Value, session_key: &str) -> Option<Value> {
    let bytes = |text: &str| BASE64_STANDARD.decode(text).unwrap();
    let field = |name: &str| encrypted[name].as_str().unwrap();
    let key = UnboundCipherKey::new(&AES_128, &bytes(session_key)).unwrap();
    let iv: [u8; 16] = bytes(field("iv")).try_into().unwrap();
    let context = DecryptionContext::Iv128(FixedLength::from(iv));
    let mut sealed = bytes(field("encrypted_data"));
    let key = PaddedBlockDecryptingKey::cbc_pkcs7(key).unwrap();
    let plain = key.decrypt(&mut sealed, context).ok()?;
    serde_json::from_slice(plain).ok()
}

#[tokio::test]
async fn an_object_is_sealed_with_the_persons_key_and_watermarked() {
    let wechat = Wechat::open().await;
    let key = wechat.session_key("小王").await;
    let object = json!({ "nickName": "小王", "gender": 0 });
    let body = json!({ "person": "小王", "data": object });
    let encrypted = wechat.control("POST", "encrypt", body.clone()).await;
    assert_eq!(encrypted.as_object().unwrap().len(), 4);
    let mut opened = open(&encrypted, &key).unwrap();
    let watermark = opened["watermark"].take();
    assert_eq!(watermark["appid"], APPID);
    let now = wechat
        .control("POST", "clock", json!({ "seconds": 0 }))
        .await["now"]
        .as_i64();
    let age = now.unwrap() / 1000 - watermark["timestamp"].as_i64().unwrap();
    assert!((0..60).contains(&age), "{watermark}");
    opened.as_object_mut().unwrap().remove("watermark");
    assert_eq!(opened, object);

    let raw = encrypted["raw_data"].as_str().unwrap();
    assert_eq!(serde_json::from_str::<Value>(raw).unwrap(), object);
    let signed = digest(&SHA1_FOR_LEGACY_USE_ONLY, format!("{raw}{key}").as_bytes());
    assert_eq!(encrypted["signature"], hex(signed.as_ref()));

    let again = wechat.control("POST", "encrypt", body).await;
    assert_ne!(again["iv"], encrypted["iv"]);
    assert_ne!(again["encrypted_data"], encrypted["encrypted_data"]);
}

#[tokio::test]
async fn it_is_the_current_key_of_that_app() {
    let wechat = Wechat::open().await;
    let key = wechat.session_key("小王").await;
    wechat.advance(3 * 24 * 3600).await;
    let renewed = wechat.session_key("小王").await;
    assert_ne!(key, renewed);
    let encrypted = wechat
        .simulator
        .encrypt("小王", Some(APPID), json!({ "a": "b" }))
        .unwrap();
    let encrypted = serde_json::to_value(encrypted).unwrap();
    assert!(open(&encrypted, &key).is_none());
    assert_eq!(open(&encrypted, &renewed).unwrap()["a"], "b");
}

#[tokio::test]
async fn what_cannot_be_sealed_is_explained() {
    let wechat = Wechat::open().await;
    let encrypt = |person, appid, object| wechat.simulator.encrypt(person, appid, object);
    wechat.session_key("小王").await;
    let object = json!({});
    for (person, appid, object, error) in [
        ("李娜", None, object.clone(), EncryptError::NeverSignedIn),
        (
            "李娜",
            Some(APPID),
            object.clone(),
            EncryptError::NeverSignedIn,
        ),
        (
            "小王",
            Some(OTHER_APPID),
            object.clone(),
            EncryptError::NeverSignedIn,
        ),
        (
            "",
            None,
            object.clone(),
            EncryptError::Login(LoginError::Person),
        ),
        ("小王", None, json!([]), EncryptError::NoObject),
    ] {
        assert_eq!(encrypt(person, appid, object).unwrap_err(), error);
    }
    let body = json!({ "person": "李娜", "data": {} }).to_string();
    let reply = wechat.request("POST", "/simulator/encrypt", &body).await;
    assert_eq!(reply.status, 400);
    let error = reply.json()["error"].as_str().unwrap().to_owned();
    assert!(error.contains("never signed in"), "{error}");
    let encrypted = encrypt("小王", None, object).unwrap();
    assert_eq!(format!("{encrypted:?}"), "Encrypted { .. }");
}
