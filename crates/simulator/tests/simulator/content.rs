//! `POST /wxa/msg_sec_check`, in both of its versions.

use serde_json::{Value, json};

use crate::harness::{APPID, OTHER_APPID, Reply, SECRET, TYPE, Wechat, session_target};

const PATH: &str = "/wxa/msg_sec_check";
const FAMOUS: &str = "特3456书yuuo莞6543李zxcz蒜7782法fgnv级";

async fn ask(wechat: &Wechat, token: &str, body: &Value) -> Reply {
    let target = format!("{PATH}?access_token={token}");
    wechat.request("POST", &target, &body.to_string()).await
}

async fn signed_in(wechat: &Wechat, person: &str) -> String {
    let session = wechat.exchange_code(&wechat.code(person)).await.json();
    session["openid"].as_str().unwrap().to_owned()
}

fn text(openid: &str, content: &str) -> Value {
    json!({ "version": 2, "openid": openid, "scene": 1, "content": content })
}

#[tokio::test]
async fn a_text_passes_is_doubtful_or_is_risky_and_errcode_is_0_all_the_same() {
    let wechat = Wechat::configured().await;
    let token = wechat.token(APPID).await;
    let openid = signed_in(&wechat, "小王").await;
    for (content, suggest, label) in [
        ("你好", "pass", 100),
        ("please review", "review", 21000),
        ("a risky review", "risky", 21000),
        ("内容违规了", "risky", 21000),
        (&format!("……{FAMOUS}……"), "risky", 21000),
    ] {
        let reply = ask(&wechat, &token, &text(&openid, content)).await;
        assert_eq!(reply.header("content-type"), Some(TYPE));
        let said = reply.json();
        assert_eq!(
            (&said["errcode"], &said["errmsg"]),
            (&json!(0), &json!("ok"))
        );
        assert_eq!(
            said["result"],
            json!({ "suggest": suggest, "label": label })
        );
        assert_eq!(said["trace_id"].as_str().unwrap().len(), 26);
        let model = json!({
            "strategy": "content_model", "errcode": 0, "suggest": suggest, "label": label, "prob": 90,
        });
        assert_eq!(said["detail"][0], model);
        assert_eq!(said["detail"][1].is_object(), suggest == "risky", "{said}");
    }
    let mut body = text(&openid, "你好");
    for field in ["title", "nickname", "signature"] {
        body[field] = json!("违规");
        let said = ask(&wechat, &token, &body).await.json();
        assert_eq!(said["result"]["suggest"], "risky", "{field}");
        let row = json!({
            "strategy": "keyword", "errcode": 0, "suggest": "risky", "label": 21000,
            "keyword": "违规",
        });
        assert_eq!(said["detail"][1], row);
        body[field] = Value::Null;
    }
}

#[tokio::test]
async fn the_writer_was_in_this_app_within_two_hours() {
    let wechat = Wechat::configured().await;
    let openid = signed_in(&wechat, "小王").await;
    let code = wechat.simulator.login("小王", Some(OTHER_APPID)).unwrap();
    let target = session_target(OTHER_APPID, SECRET, &code);
    let elsewhere = wechat.get(&target).await.json()["openid"].clone();
    let expect = async |openid: &str, expected: (i64, &str)| {
        let token = wechat.token(APPID).await;
        let reply = ask(&wechat, &token, &text(openid, "你好")).await;
        assert_eq!(reply.declined(), (expected.0, expected.1.to_owned()));
    };
    let foreign = (43104, "this appid does not have permission rid: R");
    expect(elsewhere.as_str().unwrap(), foreign).await;
    expect("", (40003, "invalid openid rid: R")).await;
    expect("oNobody", (40003, "invalid openid rid: R")).await;
    wechat.advance(7100).await;
    let token = wechat.token(APPID).await;
    assert_eq!(
        ask(&wechat, &token, &text(&openid, "好")).await.json()["errcode"],
        0
    );
    wechat.advance(100).await;
    expect(&openid, (40003, "invalid openid rid: R")).await;
    signed_in(&wechat, "小王").await;
    assert_eq!(
        ask(&wechat, &token, &text(&openid, "好")).await.json()["errcode"],
        0
    );
}

#[tokio::test]
async fn a_request_that_is_none_is_refused() {
    let wechat = Wechat::open().await;
    let token = wechat.token(APPID).await;
    let openid = signed_in(&wechat, "小王").await;
    let with = |field: &str, value: Value| {
        let mut body = text(&openid, "你好");
        body[field] = value;
        body.to_string()
    };
    let longest = "阿".repeat(2500);
    for (body, expected) in [
        (String::new(), (44002, "empty post data rid: R")),
        (
            with("content", json!("")),
            (44002, "empty post data rid: R"),
        ),
        (
            with("content", Value::Null),
            (44002, "empty post data rid: R"),
        ),
        (
            with("content", json!(7)),
            (47001, "data format error rid: R"),
        ),
        (
            with("scene", json!("1")),
            (47001, "data format error rid: R"),
        ),
        (
            with("version", json!(3)),
            (47001, "data format error rid: R"),
        ),
        (
            "content=%E4%BD%A0".to_owned(),
            (47001, "data format error rid: R"),
        ),
        (with("scene", json!(0)), (40129, "invalid scene rid: R")),
        (with("scene", json!(5)), (40129, "invalid scene rid: R")),
        (with("scene", Value::Null), (40129, "invalid scene rid: R")),
        (
            with("content", json!(format!("{longest}阿"))),
            (45002, "content size out of limit rid: R"),
        ),
    ] {
        let target = format!("{PATH}?access_token={token}");
        let reply = wechat.request("POST", &target, &body).await;
        assert_eq!(
            reply.declined(),
            (expected.0, expected.1.to_owned()),
            "{body}"
        );
    }
    let said = ask(&wechat, &token, &text(&openid, &longest)).await.json();
    assert_eq!(said["errcode"], 0);
    let got = wechat.get(&format!("{PATH}?access_token={token}")).await;
    assert_eq!(got.declined(), (43302, "rid: R".to_owned()));
}

#[tokio::test]
async fn the_first_version_has_no_result_and_says_87014() {
    let wechat = Wechat::open().await;
    let token = wechat.token(APPID).await;
    let reply = ask(&wechat, &token, &json!({ "content": "please review" })).await;
    assert_eq!(reply.text(), r#"{"errcode":0,"errmsg":"ok"}"#);
    let reply = ask(&wechat, &token, &json!({ "content": FAMOUS })).await;
    assert_eq!(reply.declined(), (87014, "risky content rid: R".to_owned()));
}
