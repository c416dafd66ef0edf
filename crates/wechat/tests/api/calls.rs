//! The calls that take a token: what is sent, and what becomes of each kind of reply.

use menjin_core::{Openid, SessionKey};
use menjin_wechat::{Client, Error, NotAPhoneCode, PhoneCode, PhoneNumber, Verdict};
use serde_json::{Value, json};

use crate::{
    APPID, appid, client, options,
    stub::{Play, Stub, answer},
};

const OPENID: &str = "oGZUI0egBJY1zhBYw2KhdUfwVJJE";
const KEY: &str = "o0q0otL8aEzpcZL/FT9WsQ==";

/// A stub with a token for everybody and one reply for all else, and a client for it.
async fn wechat(reply: &str) -> (Stub, Client) {
    let reply = answer("200 OK", reply.as_bytes());
    let stub = Stub::answering(move |request| {
        if request.starts_with("POST /cgi-bin/") {
            let token = br#"{"access_token":"t0k3n","expires_in":7200}"#;
            Play::Say(answer("200 OK", token))
        } else {
            Play::Say(reply.clone())
        }
    })
    .await;
    let client = client(options(&stub.url()));
    (stub, client)
}

/// The first line of the one call, and its body.
fn sent(stub: &Stub) -> (String, Value) {
    let requests = stub.seen.requests();
    assert_eq!(requests.len(), 2);
    let (head, body) = requests[1].split_once("\r\n\r\n").unwrap();
    let line = head.lines().next().unwrap().to_owned();
    (line, serde_json::from_str(body).unwrap_or_default())
}

fn openid() -> Openid {
    Openid::parse(OPENID).unwrap()
}

fn key() -> SessionKey {
    SessionKey::parse(KEY).unwrap()
}

fn phone_code() -> PhoneCode {
    PhoneCode::parse("e31968a7f94cc5ee25fafc2aef2773f0bb8c3937b22520eb8ee345274d00c144").unwrap()
}

/// A reply that is right but for one member of `phone_info`.
fn phone_with(member: &str, value: Value) -> String {
    let mut phone = json!({
        "phoneNumber": "13800138000",
        "purePhoneNumber": "13800138000",
        "countryCode": "86",
        "watermark": { "timestamp": 1_637_744_274, "appid": APPID },
    });
    phone[member] = value;
    json!({ "errcode": 0, "errmsg": "ok", "phone_info": phone }).to_string()
}

async fn phone(reply: &str) -> Result<PhoneNumber, Error> {
    let (_stub, client) = wechat(reply).await;
    client.phone_number(&appid(), &phone_code(), None).await
}

fn garbled<T: std::fmt::Debug>(outcome: Result<T, Error>) -> &'static str {
    match outcome {
        Err(Error::Garbled(words)) => words,
        other => panic!("{other:?}"),
    }
}

fn errcode<T: std::fmt::Debug>(outcome: Result<T, Error>) -> i64 {
    match outcome {
        Err(Error::Answered(rejection)) => rejection.errcode,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_phone_number_is_asked_for_as_documented() {
    for openid in [None, Some(openid())] {
        let (stub, client) = wechat(&phone_with("x", json!(1))).await;
        let number = client
            .phone_number(&appid(), &phone_code(), openid.as_ref())
            .await
            .unwrap();
        assert_eq!(number.country_code, "86");
        assert_eq!(number.pure_number, "13800138000");
        let mut body = json!({ "code": phone_code().expose() });
        if openid.is_some() {
            body["openid"] = json!(OPENID);
        }
        let line = "POST /wxa/business/getuserphonenumber?access_token=t0k3n HTTP/1.1";
        assert_eq!(sent(&stub), (line.to_owned(), body));
    }
}

/// WeChat documents the country's code as text and shows a number.
#[tokio::test]
async fn a_country_code_may_be_a_number() {
    for code in [json!("852"), json!(852)] {
        let number = phone(&phone_with("countryCode", code)).await.unwrap();
        assert_eq!(number.country_code, "852");
    }
}

/// Proves REG-5: a number that was given to another mini program, or to none, is no number.
#[tokio::test]
async fn the_watermark_of_a_phone_number_is_compared() {
    for watermark in [
        json!(null),
        json!({}),
        json!("wx0123456789abcdef"),
        json!({ "appid": "wxfedcba9876543210" }),
        json!({ "appid": [APPID] }),
        json!({ "appid": format!("{APPID} ") }),
    ] {
        let outcome = phone(&phone_with("watermark", watermark)).await;
        assert_eq!(garbled(outcome), "a phone number for another app");
    }
}

#[tokio::test]
async fn a_doubtful_phone_number_is_none() {
    let digits = "1".repeat(21);
    for number in [
        json!(null),
        json!(""),
        json!("12"),
        json!(digits),
        json!("+8613800138000"),
        json!("138 0013 8000"),
        json!("１３８００１３８０００"),
        json!("138****8000"),
        json!(-13_800_138_000_i64),
        json!(1.5),
        json!(["13800138000"]),
    ] {
        let outcome = phone(&phone_with("purePhoneNumber", number)).await;
        assert_eq!(garbled(outcome), "an impossible purePhoneNumber");
    }
    for country in [
        json!(null),
        json!(""),
        json!("+86"),
        json!("86000"),
        json!(true),
    ] {
        let outcome = phone(&phone_with("countryCode", country)).await;
        assert_eq!(garbled(outcome), "an impossible countryCode");
    }
    assert_eq!(garbled(phone(r#"{"errcode":0}"#).await), "no phone_info");
    let positions = r#"{"errcode":0,"phone_info":["13800138000"]}"#;
    let words = "a phone number for another app";
    assert_eq!(garbled(phone(positions).await), words);
    let twice = phone_with("x", json!(1)).replacen('{', r#"{"phone_info":{},"#, 1);
    assert_eq!(garbled(phone(&twice).await), "not the documented JSON");
}

/// Proves REG-5: WeChat's refusal of a used code reaches the caller.
#[tokio::test]
async fn a_refused_phone_code_is_told() {
    let used = r#"{"errcode":40029,"errmsg":"invalid code hint: [X] rid: 6246c276-162a-5fb4"}"#;
    assert_eq!(errcode(phone(used).await), 40_029);
}

#[test]
fn phone_codes_are_letters_digits_and_two_signs() {
    for good in ["0", "aZ09-_", &"a".repeat(512)] {
        assert_eq!(PhoneCode::parse(good).unwrap().expose(), good);
    }
    for bad in ["", "a b", "a\n", "中", "a/b", &"a".repeat(513)] {
        assert_eq!(PhoneCode::parse(bad).unwrap_err(), NotAPhoneCode, "{bad}");
    }
}

#[tokio::test]
async fn a_text_is_shown_to_wechat_as_a_nickname() {
    for (suggest, verdict) in [
        ("pass", Verdict::Pass),
        ("review", Verdict::Review),
        ("risky", Verdict::Risky),
    ] {
        let reply = json!({
            "errcode": 0, "errmsg": "ok", "trace_id": "60ae120f-371d5872-7941a05b",
            "result": { "suggest": suggest, "label": 100 },
            "detail": [{ "strategy": "content_model", "errcode": 0, "suggest": "risky" }],
        });
        let (stub, client) = wechat(&reply.to_string()).await;
        let text = "\"名\"\\\u{1}<b>";
        let got = client.check_text(&appid(), &openid(), text).await.unwrap();
        assert_eq!(got, verdict);
        let body = json!({
            "version": 2, "scene": 1, "openid": OPENID, "content": text, "nickname": text,
        });
        let line = "POST /wxa/msg_sec_check?access_token=t0k3n HTTP/1.1";
        assert_eq!(sent(&stub), (line.to_owned(), body));
    }
}

/// What WeChat did not say is never taken for a pass.
#[tokio::test]
async fn a_doubtful_verdict_is_none() {
    for (reply, words) in [
        (r#"{"errcode":0,"errmsg":"ok"}"#, "no suggestion"),
        (r#"{"errcode":0,"result":"pass"}"#, "no suggestion"),
        (
            r#"{"errcode":0,"result":{"suggest":["pass"]}}"#,
            "no suggestion",
        ),
        (
            r#"{"errcode":0,"result":{"suggest":"PASS"}}"#,
            "an unknown suggestion",
        ),
        ("[]", "not a JSON object"),
    ] {
        let (_stub, client) = wechat(reply).await;
        let outcome = client.check_text(&appid(), &openid(), "x").await;
        assert_eq!(garbled(outcome), words, "{reply}");
    }
    let (_stub, client) = wechat(r#"{"errcode":61010,"errmsg":"code is expired"}"#).await;
    let outcome = client.check_text(&appid(), &openid(), "x").await;
    assert_eq!(errcode(outcome), 61_010);
}

#[tokio::test]
async fn a_session_is_checked_as_documented() {
    let (stub, client) = wechat(r#"{"errcode":0,"errmsg":"ok"}"#).await;
    assert!(
        client
            .check_session(&appid(), &openid(), &key())
            .await
            .unwrap()
    );
    let line = format!(
        "GET /wxa/checksession?access_token=t0k3n&openid={OPENID}&signature=\
         46e043c5525c2d817c44be603d30837a808a1d930d038f6fdc3e62a201fed128\
         &sig_method=hmac_sha256 HTTP/1.1"
    );
    assert_eq!(sent(&stub), (line, Value::Null));
    let key_itself = stub.seen.requests().concat();
    assert!(!key_itself.contains("o0q0ot"), "the key never leaves");
}

#[tokio::test]
async fn a_key_that_wechat_refuses_is_void() {
    for (code, expected) in [(87_007, Some(false)), (87_009, Some(false)), (45_011, None)] {
        let (_stub, client) = wechat(&format!(r#"{{"errcode":{code},"errmsg":"x"}}"#)).await;
        let outcome = client.check_session(&appid(), &openid(), &key()).await;
        match expected {
            Some(expected) => assert_eq!(outcome.unwrap(), expected, "{code}"),
            None => assert_eq!(errcode(outcome), code),
        }
    }
    let (_stub, client) = wechat("<html>").await;
    let outcome = client.check_session(&appid(), &openid(), &key()).await;
    assert_eq!(garbled(outcome), "not a JSON object");
}

#[tokio::test]
async fn a_session_key_is_reset() {
    let reply = json!({
        "errcode": 0, "errmsg": "ok", "openid": OPENID, "session_key": "tiihtNczf5v6AKRyjwEUhQ==",
    });
    let (stub, client) = wechat(&reply.to_string()).await;
    let new = client
        .reset_session_key(&appid(), &openid(), &key())
        .await
        .unwrap();
    assert_eq!(new.expose(), "tiihtNczf5v6AKRyjwEUhQ==");
    let (line, _) = sent(&stub);
    assert!(line.starts_with("GET /wxa/resetusersessionkey?access_token=t0k3n&openid="));
    for (member, value, words) in [
        (
            "openid",
            json!("oSomebodyElse"),
            "a session_key of another person",
        ),
        ("openid", json!(null), "a session_key of another person"),
        ("session_key", json!(7), "no session_key"),
        ("session_key", json!("a b"), "an impossible session_key"),
    ] {
        let mut reply = reply.clone();
        reply[member] = value;
        let (_stub, client) = wechat(&reply.to_string()).await;
        let outcome = client.reset_session_key(&appid(), &openid(), &key()).await;
        assert_eq!(garbled(outcome), words);
    }
    let (_stub, client) = wechat(r#"{"errcode":87009,"errmsg":"invalid signature"}"#).await;
    let outcome = client.reset_session_key(&appid(), &openid(), &key()).await;
    assert_eq!(errcode(outcome), 87_009);
}
