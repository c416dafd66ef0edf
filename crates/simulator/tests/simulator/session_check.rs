//! `GET /wxa/checksession` and `GET /wxa/resetusersessionkey`.

use aws_lc_rs::hmac;
use serde_json::json;

use crate::harness::{APPID, OTHER_APPID, Reply, TYPE, Wechat, hex};

async fn ask(wechat: &Wechat, name: &str, token: &str, openid: &str, signature: &str) -> Reply {
    let query = format!(
        "access_token={token}&openid={openid}&signature={signature}&sig_method=hmac_sha256"
    );
    wechat.get(&format!("/wxa/{name}?{query}")).await
}

fn sign(session_key: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, session_key.as_bytes());
    hex(hmac::sign(&key, b"").as_ref())
}

/// An openid and its session key.
async fn session(wechat: &Wechat) -> (String, String) {
    let session = wechat.exchange_code(&wechat.code("小王")).await.json();
    let text = |name: &str| session[name].as_str().unwrap().to_owned();
    (text("openid"), text("session_key"))
}

const INVALID: (i64, &str) = (87009, "invalid signature rid: R");

#[tokio::test]
async fn only_the_current_key_signs() {
    let wechat = Wechat::open().await;
    let token = wechat.token(APPID).await;
    let (openid, key) = session(&wechat).await;
    let good = ask(&wechat, "checksession", &token, &openid, &sign(&key)).await;
    assert_eq!(good.header("content-type"), Some(TYPE));
    assert_eq!(good.text(), r#"{"errcode":0,"errmsg":"ok"}"#);
    let wrong = "AAAAAAAAAAAAAAAAAAAAAA==";
    for signature in ["", "x", &sign(wrong), &sign(&key).to_uppercase()] {
        let bad = ask(&wechat, "checksession", &token, &openid, signature).await;
        assert_eq!(bad.declined(), (INVALID.0, INVALID.1.to_owned()));
    }
    wechat.advance(3 * 24 * 3600).await;
    let (_, renewed) = session(&wechat).await;
    let token = wechat.token(APPID).await;
    let stale = ask(&wechat, "checksession", &token, &openid, &sign(&key)).await;
    assert_eq!(stale.declined().0, INVALID.0);
    let good = ask(&wechat, "checksession", &token, &openid, &sign(&renewed)).await;
    assert_eq!(good.json()["errcode"], 0);
}

#[tokio::test]
async fn a_reset_gives_a_new_key_and_ends_the_old_one() {
    let wechat = Wechat::open().await;
    let token = wechat.token(APPID).await;
    let (openid, key) = session(&wechat).await;
    let reset = ask(&wechat, "resetusersessionkey", &token, &openid, &sign(&key)).await;
    let said = reset.json();
    let renewed = said["session_key"].as_str().unwrap();
    assert!(renewed.len() == 24 && renewed != key, "{said}");
    assert_eq!(
        said,
        json!({ "errcode": 0, "errmsg": "ok", "openid": openid, "session_key": renewed })
    );
    for name in ["resetusersessionkey", "checksession"] {
        let stale = ask(&wechat, name, &token, &openid, &sign(&key)).await;
        assert_eq!(stale.declined(), (INVALID.0, INVALID.1.to_owned()));
    }
    let good = ask(&wechat, "checksession", &token, &openid, &sign(renewed)).await;
    assert_eq!(good.json()["errcode"], 0);
    assert_eq!(
        session(&wechat).await.1,
        renewed,
        "and sign-ins give it too"
    );
}

#[tokio::test]
async fn a_question_that_is_none_is_refused() {
    let wechat = Wechat::configured().await;
    let token = wechat.token(APPID).await;
    let other = wechat.token(OTHER_APPID).await;
    let (openid, key) = session(&wechat).await;
    let signature = sign(&key);
    for name in ["checksession", "resetusersessionkey"] {
        let stranger = ask(&wechat, name, &token, "oNobody", &signature).await;
        assert_eq!(
            stranger.declined(),
            (40003, "invalid openid rid: R".to_owned())
        );
        let elsewhere = ask(&wechat, name, &other, &openid, &signature).await;
        assert_eq!(elsewhere.declined().0, 40003);
        let query = format!("access_token={token}&openid={openid}&signature={signature}");
        let target = format!("/wxa/{name}?{query}");
        for method in ["", "&sig_method=hmac_sha1"] {
            let reply = wechat.get(&format!("{target}{method}")).await;
            assert_eq!(
                reply.declined(),
                (87008, "invalid sig_method rid: R".to_owned())
            );
        }
        let posted = wechat.request("POST", &target, "").await;
        assert_eq!(
            posted.declined(),
            (43001, "require GET method rid: R".to_owned())
        );
    }
    let good = ask(&wechat, "checksession", &token, &openid, &signature).await;
    assert_eq!(good.json()["errcode"], 0, "nothing was reset");
}
