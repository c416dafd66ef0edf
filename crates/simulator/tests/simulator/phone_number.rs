//! `POST /wxa/business/getuserphonenumber`, and the phone button.

use menjin_simulator::LoginError;
use serde_json::{Value, json};

use crate::harness::{APPID, OTHER_APPID, Reply, SECRET, TYPE, Wechat, write};

const PATH: &str = "/wxa/business/getuserphonenumber";

async fn ask(wechat: &Wechat, token: &str, body: Value) -> Reply {
    let target = format!("{PATH}?access_token={token}");
    wechat.request("POST", &target, &body.to_string()).await
}

/// The errcode, and the errmsg with hint and rid masked once they were seen to be there.
fn declined(reply: &Reply) -> (i64, String) {
    let (errcode, errmsg) = reply.declined();
    let (words, rest) = errmsg.split_once("hint: [").unwrap();
    let (hint, end) = rest.split_once("] ").unwrap();
    assert!(hint.len() == 16 && end == "rid: R", "{errmsg}");
    (errcode, words.trim_end().to_owned())
}

fn invalid_code() -> (i64, String) {
    (40029, "invalid code".to_owned())
}

async fn phone(wechat: &Wechat, person: &str) -> String {
    let people = wechat.control("GET", "people", Value::Null).await;
    let mut people = people["people"].as_array().unwrap().iter();
    let found = people.find(|found| found["person"] == person).unwrap();
    found["phone"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_code_of_the_button_tells_the_number_once() {
    let wechat = Wechat::configured().await;
    let token = wechat.token(APPID).await;
    let code = wechat
        .control("POST", "phone", json!({ "person": "小王" }))
        .await;
    let code = code["code"].as_str().unwrap();
    assert!(
        code.len() == 64 && code.bytes().all(|byte| byte.is_ascii_hexdigit()),
        "{code}"
    );

    let reply = ask(&wechat, &token, json!({ "code": code })).await;
    assert_eq!(
        (reply.status, reply.header("content-type")),
        (200, Some(TYPE))
    );
    let said = reply.json();
    let number = phone(&wechat, "小王").await;
    let timestamp = said["phone_info"]["watermark"]["timestamp"]
        .as_i64()
        .unwrap();
    let now = wechat
        .control("POST", "clock", json!({ "seconds": 0 }))
        .await;
    assert!((0..60).contains(&(now["now"].as_i64().unwrap() / 1000 - timestamp)));
    let expected = json!({
        "errcode": 0,
        "errmsg": "ok",
        "phone_info": {
            "phoneNumber": number,
            "purePhoneNumber": number,
            "countryCode": "86",
            "watermark": { "timestamp": timestamp, "appid": APPID },
        },
    });
    assert_eq!(said, expected);

    let again = ask(&wechat, &token, json!({ "code": code })).await;
    assert_eq!(declined(&again), invalid_code(), "never 40163");
    let calls = wechat.control("GET", "calls", Value::Null).await;
    assert_eq!(calls["codes"], json!({ code: 2 }));
    assert_eq!(calls["paths"][PATH], 2);
}

#[tokio::test]
async fn the_country_is_a_string_and_a_number_by_turns() {
    let wechat = Wechat::open().await;
    let token = wechat.token(APPID).await;
    for expected in [json!("86"), json!(86), json!("86"), json!(86)] {
        let code = wechat.simulator.phone_code("小王", None, None).unwrap();
        let said = ask(&wechat, &token, json!({ "code": code })).await.json();
        assert_eq!(said["phone_info"]["countryCode"], expected);
    }
}

#[tokio::test]
async fn a_number_that_was_set_stays() {
    let wechat = Wechat::open().await;
    let token = wechat.token(APPID).await;
    let own = phone(&wechat, "小王").await;
    assert!(own.len() == 11 && own.starts_with('1'), "{own}");
    assert_ne!(own, phone(&wechat, "李娜").await);

    let before = wechat.simulator.phone_code("小王", None, None).unwrap();
    for (number, full, pure, country) in [
        ("13800138000", "13800138000", "13800138000", "86"),
        ("+8613800138001", "13800138001", "13800138001", "86"),
        ("+85261234567", "+85261234567", "61234567", "852"),
    ] {
        let first = json!({ "person": "小王", "number": number });
        for body in [first, json!({ "person": "小王" })] {
            let code = &wechat.control("POST", "phone", body).await["code"];
            let said = ask(&wechat, &token, json!({ "code": code })).await.json();
            let said = &said["phone_info"];
            assert_eq!(said["phoneNumber"], full);
            assert_eq!(said["purePhoneNumber"], pure);
            let shown = said["countryCode"].to_string();
            assert_eq!(shown.trim_matches('"'), country);
        }
        assert_eq!(phone(&wechat, "小王").await, full);
    }
    let said = ask(&wechat, &token, json!({ "code": before })).await.json();
    assert_eq!(
        said["phone_info"]["phoneNumber"], own,
        "the number of the moment of the tap"
    );
    for number in ["", "110", "+1", "+86110"] {
        assert_eq!(
            wechat.simulator.phone_code("小王", Some(number), None),
            Err(LoginError::Number)
        );
    }
}

#[tokio::test]
async fn a_code_lives_five_minutes_and_in_one_app() {
    let wechat = Wechat::configured().await;
    let other = wechat.token(OTHER_APPID).await;
    let token = wechat.token(APPID).await;
    let simulator = &wechat.simulator;
    let code = simulator.phone_code("小王", None, None).unwrap();
    let reply = ask(&wechat, &other, json!({ "code": code })).await;
    assert_eq!(declined(&reply), invalid_code(), "of another app");
    assert_eq!(
        ask(&wechat, &token, json!({ "code": code })).await.json()["errcode"],
        0
    );

    let there = simulator.phone_code("小王", None, Some(OTHER_APPID));
    let reply = ask(&wechat, &other, json!({ "code": there.unwrap() })).await;
    assert_eq!(
        reply.json()["phone_info"]["watermark"]["appid"],
        OTHER_APPID
    );

    let code = simulator.phone_code("小王", None, None).unwrap();
    wechat.advance(300).await;
    let reply = ask(&wechat, &token, json!({ "code": code })).await;
    assert_eq!(declined(&reply), invalid_code(), "too late");
}

#[tokio::test]
async fn the_two_kinds_of_code_do_not_stand_in_for_each_other() {
    let wechat = Wechat::open().await;
    let token = wechat.token(APPID).await;
    let login = wechat.code("小王");
    let reply = ask(&wechat, &token, json!({ "code": login })).await;
    assert_eq!(declined(&reply), invalid_code());
    let phone = wechat.simulator.phone_code("小王", None, None).unwrap();
    assert_eq!(wechat.exchange_code(&phone).await.declined().0, 40029);
    assert!(wechat.exchange_code(&login).await.json()["openid"].is_string());
    assert_eq!(
        ask(&wechat, &token, json!({ "code": phone })).await.json()["errcode"],
        0
    );
}

#[tokio::test]
async fn an_openid_that_comes_along_must_be_the_persons_in_that_app() {
    let wechat = Wechat::configured().await;
    let token = wechat.token(APPID).await;
    let people = wechat.control("GET", "people", Value::Null).await;
    let [wang, li] = [&people["people"][0], &people["people"][1]];
    let person = wang["person"].as_str().unwrap();
    let code = wechat.simulator.phone_code(person, None, None).unwrap();
    for openid in [&li["openids"][APPID], &wang["openids"][OTHER_APPID]] {
        let reply = ask(&wechat, &token, json!({ "code": code, "openid": openid })).await;
        assert_eq!(declined(&reply), invalid_code());
    }
    let body = json!({ "code": code, "openid": wang["openids"][APPID] });
    let said = ask(&wechat, &token, body).await.json();
    assert_eq!(said["phone_info"]["phoneNumber"], wang["phone"]);
}

#[tokio::test]
async fn anything_but_json_with_a_code_is_refused() {
    let wechat = Wechat::open().await;
    let token = wechat.token(APPID).await;
    let code = wechat.simulator.phone_code("小王", None, None).unwrap();
    for (body, expected) in [
        (format!("code={code}"), (47001, "data format error")),
        (String::new(), (47001, "data format error")),
        ("[]".to_owned(), (47001, "data format error")),
        (r#"{"code": 7}"#.to_owned(), (47001, "data format error")),
        ("{}".to_owned(), (40029, "invalid code")),
        (r#"{"code": ""}"#.to_owned(), (40029, "invalid code")),
        (r#"{"code": "a"}"#.to_owned(), (40029, "invalid code")),
    ] {
        let target = format!("{PATH}?access_token={token}");
        let reply = wechat.request("POST", &target, &body).await;
        assert_eq!(reply.header("content-type"), Some(TYPE));
        assert_eq!(
            declined(&reply),
            (expected.0, expected.1.to_owned()),
            "{body}"
        );
    }
    let got = wechat.get(&format!("{PATH}?access_token={token}")).await;
    assert_eq!(declined(&got), (43002, "require POST method".to_owned()));
    let chunked = write("POST", &format!("{PATH}?access_token={token}"), "")
        .replace("Content-Length: 0", "Transfer-Encoding: chunked")
        + "2\r\n{}\r\n0\r\n\r\n";
    let reply = Reply::parse(&wechat.exchange(chunked.as_bytes()).await.unwrap());
    assert_eq!((reply.status, reply.text()), (412, ""));
    assert_eq!(
        ask(&wechat, &token, json!({ "code": code })).await.json()["errcode"],
        0
    );
}

#[tokio::test]
async fn a_fault_before_the_answer_leaves_the_code_alive_and_one_after_it_does_not() {
    let wechat = Wechat::open().await;
    let token = wechat.token(APPID).await;
    let code = wechat.simulator.phone_code("小王", None, None).unwrap();
    let fault = |kind: &str| json!({ "path": PATH, "kind": kind, "times": 1 });
    let limit = json!({ "path": PATH, "kind": "errcode", "errcode": 45011, "times": 1 });
    wechat.control("POST", "faults", limit).await;
    let reply = ask(&wechat, &token, json!({ "code": code })).await;
    assert_eq!(declined(&reply).0, 45011);
    wechat.control("POST", "faults", fault("garbage")).await;
    let reply = ask(&wechat, &token, json!({ "code": code })).await;
    assert!(std::str::from_utf8(&reply.body).is_err());
    wechat.control("POST", "faults", fault("truncate")).await;
    let reply = ask(&wechat, &token, json!({ "code": code })).await;
    assert!(reply.text().starts_with(r#"{"errcode":0,"#), "{reply:?}");
    let reply = ask(&wechat, &token, json!({ "code": code })).await;
    assert_eq!(declined(&reply), invalid_code());
}

#[tokio::test]
async fn a_wrong_secret_gets_no_token_to_ask_with() {
    let wechat = Wechat::configured().await;
    let code = wechat.simulator.phone_code("小王", None, None).unwrap();
    let reply = ask(&wechat, SECRET, json!({ "code": code })).await;
    let words = "invalid credential, access_token is invalid or not latest";
    assert_eq!(declined(&reply), (40001, words.to_owned()));
}
