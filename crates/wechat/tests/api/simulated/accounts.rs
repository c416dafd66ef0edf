//! Phones, texts, session keys, encrypted objects and events, by WeChat's simulator.

use menjin_core::SessionKey;
use menjin_wechat::{
    Client, DecryptError, Error, Event, PhoneCode, PhoneNumber, PushKeys, PushQuery, Session,
    Verdict, decrypt, signature_matches,
};
use serde_json::json;

use super::Simulated;
use crate::{
    appid, client, options,
    stub::{Play, Stub, answer},
};

const AES_KEY: &str = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG";

impl Simulated {
    async fn sign_in(&self, client: &Client, person: &str) -> Session {
        client
            .code_to_session(&appid(), &self.code_of(person))
            .await
            .unwrap()
    }

    fn phone_code(&self, person: &str, number: Option<&str>) -> PhoneCode {
        let code = self.simulator.phone_code(person, number, None).unwrap();
        PhoneCode::parse(&code).unwrap()
    }

    /// Has an event pushed, and opens it as a server would.
    async fn push(&self, order: serde_json::Value, keys: &PushKeys) -> Event {
        let server = Stub::always(Play::Say(answer("200 OK", b"success"))).await;
        let mut order = order;
        order["url"] = json!(format!("{}/wechat/events", server.url()));
        order["token"] = json!("t0k3n");
        self.control("events", &order.to_string()).await;
        let requests = server.seen.requests();
        let (head, body) = requests[0].split_once("\r\n\r\n").unwrap();
        let target = head.split(' ').nth(1).unwrap();
        let find = |name: &str| {
            let (_, query) = target.split_once('?').unwrap();
            query
                .split('&')
                .find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
        };
        let query = PushQuery {
            signature: find("signature").unwrap(),
            timestamp: find("timestamp").unwrap(),
            nonce: find("nonce").unwrap(),
            msg_signature: find("msg_signature"),
        };
        assert!(keys.verify_url(query.signature, query.timestamp, query.nonce));
        keys.open(&appid(), &query, body.as_bytes()).unwrap()
    }
}

async fn phone(client: &Client, code: &PhoneCode) -> Result<PhoneNumber, Error> {
    client.phone_number(&appid(), code, None).await
}

fn errcode<T: std::fmt::Debug>(outcome: Result<T, Error>) -> i64 {
    match outcome {
        Err(Error::Answered(rejection)) => rejection.errcode,
        other => panic!("{other:?}"),
    }
}

/// Proves REG-5: a code becomes the number that WeChat says, once, and for its own person.
#[tokio::test]
async fn a_phone_code_becomes_a_number() {
    let wechat = Simulated::start().await;
    let client = client(options(&wechat.url()));
    // Twice, for the country's code is text in one answer and a number in the next.
    for _ in 0..2 {
        let code = wechat.phone_code("wang", Some("13800138000"));
        let number = phone(&client, &code).await.unwrap();
        assert_eq!(number.country_code, "86");
        assert_eq!(number.pure_number, "13800138000");
        assert_eq!(errcode(phone(&client, &code).await), 40_029);
    }
    let code = wechat.phone_code("wang", Some("+85298765432"));
    let number = phone(&client, &code).await.unwrap();
    assert_eq!(
        (number.country_code, number.pure_number),
        ("852".into(), "98765432".into())
    );

    let wang = wechat.sign_in(&client, "wang").await.openid;
    let li = wechat.sign_in(&client, "li").await.openid;
    let code = wechat.phone_code("wang", None);
    let stolen = client.phone_number(&appid(), &code, Some(&li)).await;
    assert!(errcode(stolen) != 0);
    let code = wechat.phone_code("wang", None);
    let own = client.phone_number(&appid(), &code, Some(&wang)).await;
    own.unwrap();
}

/// Proves F14: a token that ended while nobody was looking costs a call and no code.
#[tokio::test]
async fn a_token_that_ended_is_replaced() {
    let wechat = Simulated::start().await;
    let client = client(options(&wechat.url()));
    let old = client.access_token(&appid()).await.unwrap().value;
    wechat.control("clock", r#"{"seconds":10800}"#).await;
    let code = wechat.phone_code("wang", None);
    phone(&client, &code).await.unwrap();
    let new = client.access_token(&appid()).await.unwrap().value;
    assert_ne!(old.expose(), new.expose());
}

#[tokio::test]
async fn texts_are_judged() {
    let wechat = Simulated::start().await;
    let client = client(options(&wechat.url()));
    let openid = wechat.sign_in(&client, "wang").await.openid;
    for (text, verdict) in [
        ("小王", Verdict::Pass),
        ("review me", Verdict::Review),
        ("违规", Verdict::Risky),
    ] {
        let got = client.check_text(&appid(), &openid, text).await.unwrap();
        assert_eq!(got, verdict, "{text}");
    }
    wechat.control("clock", r#"{"seconds":10800}"#).await;
    let late = client.check_text(&appid(), &openid, "小王").await;
    assert_eq!(errcode(late), 40_003);
}

#[tokio::test]
async fn session_keys_are_checked_and_reset() {
    let wechat = Simulated::start().await;
    let client = client(options(&wechat.url()));
    let Session {
        openid,
        session_key: old,
        ..
    } = wechat.sign_in(&client, "wang").await;
    let check = async |key: &SessionKey| client.check_session(&appid(), &openid, key).await;
    assert!(check(&old).await.unwrap());
    let reset = client.reset_session_key(&appid(), &openid, &old).await;
    let new = reset.unwrap();
    assert!(!check(&old).await.unwrap());
    assert!(check(&new).await.unwrap());
    let again = client.reset_session_key(&appid(), &openid, &old).await;
    assert_eq!(errcode(again), 87_009);
}

#[tokio::test]
async fn what_a_client_encrypted_is_opened() {
    let wechat = Simulated::start().await;
    let client = client(options(&wechat.url()));
    let session = wechat.sign_in(&client, "wang").await;
    let sealed = wechat
        .simulator
        .encrypt("wang", None, json!({ "nickName": "小王" }))
        .unwrap();
    let key = &session.session_key;
    let object = decrypt(&appid(), key, &sealed.encrypted_data, &sealed.iv).unwrap();
    assert_eq!(object["nickName"], "小王");
    assert!(signature_matches(&sealed.raw_data, key, &sealed.signature));

    let new = client
        .reset_session_key(&appid(), &session.openid, key)
        .await;
    let new = new.unwrap();
    let outcome = decrypt(&appid(), &new, &sealed.encrypted_data, &sealed.iv);
    assert_eq!(outcome, Err(DecryptError::WrongKey));
    assert!(!signature_matches(
        &sealed.raw_data,
        &new,
        &sealed.signature
    ));
}

#[tokio::test]
async fn events_are_opened_in_every_form() {
    let wechat = Simulated::start().await;
    let client = client(options(&wechat.url()));
    let session = wechat.sign_in(&client, "wang").await;
    let plain = PushKeys::parse("t0k3n", None).unwrap();
    let keys = PushKeys::parse("t0k3n", Some(AES_KEY)).unwrap();
    for format in ["json", "xml"] {
        let order = json!({
            "person": "wang", "event": "user_authorization_revoke",
            "revoke_info": ["6", "8"], "format": format,
        });
        let event = wechat.push(order.clone(), &plain).await;
        assert_eq!(event.name, "user_authorization_revoke");
        assert_eq!(event.openid.as_ref(), Some(&session.openid));
        assert_eq!(event.unionid, session.unionid);
        assert_eq!(event.revoke_info, ["6", "8"]);
        assert!((event.signed_at - event.created_at).abs() < 60);

        let mut order = order;
        order["encoding_aes_key"] = json!(AES_KEY);
        let sealed = wechat.push(order, &keys).await;
        assert_eq!(sealed.openid, event.openid);
        assert_eq!(sealed.revoke_info, event.revoke_info);
    }
    let order = json!({
        "person": "wang", "event": "user_authorization_cancellation", "encoding_aes_key": AES_KEY,
    });
    let event = wechat.push(order, &keys).await;
    assert_eq!(event.name, "user_authorization_cancellation");
    assert_eq!(event.openid, Some(session.openid));
}
