//! `/simulator/faults`, and what each kind looks like to the one that meets it.

use std::{
    io::ErrorKind,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tokio::{io::AsyncReadExt, net::TcpStream, time::timeout};

use crate::harness::{APPID, Reply, SECRET, Wechat, session_target, write};

const PATH: &str = "/sns/jscode2session";

async fn add(wechat: &Wechat, fault: Value) -> Value {
    wechat.control("POST", "faults", fault).await
}

fn once(kind: &str) -> Value {
    json!({ "path": PATH, "kind": kind, "times": 1 })
}

fn request(code: &str) -> Vec<u8> {
    write("GET", &session_target(APPID, SECRET, code), "").into_bytes()
}

/// Whether nothing comes for a while, not even an end.
async fn is_silent(stream: &TcpStream) -> bool {
    timeout(Duration::from_millis(100), stream.peek(&mut [0]))
        .await
        .is_err()
}

async fn is_unspent(wechat: &Wechat, code: &str) -> bool {
    wechat.exchange_code(code).await.json()["openid"].is_string()
}

#[tokio::test]
async fn errcode_speaks_wechats_words_or_others() {
    let wechat = Wechat::open().await;
    let code = wechat.code("小王");
    let limit = json!({ "path": PATH, "kind": "errcode", "errcode": 45011, "times": 3 });
    add(&wechat, limit).await;
    let words = "api minute-quota reach limit, must slower, retry next minute, rid: R";
    for _ in 0..3 {
        let reply = wechat.exchange_code(&code).await;
        assert_eq!(reply.header("content-type"), Some("text/plain"));
        assert_eq!(reply.declined(), (45011, words.to_owned()));
    }
    let own = json!({ "path": PATH, "kind": "errcode", "errcode": -1, "errmsg": "忙", "times": 1 });
    add(&wechat, own).await;
    assert_eq!(
        wechat.exchange_code(&code).await.text(),
        r#"{"errcode":-1,"errmsg":"忙"}"#
    );
    assert!(is_unspent(&wechat, &code).await);

    let token = "/cgi-bin/token";
    for (errcode, words) in [(-1, "system error rid: R"), (89503, "rid: R")] {
        let fault = json!({ "path": token, "kind": "errcode", "errcode": errcode, "times": 1 });
        add(&wechat, fault).await;
        assert_eq!(
            wechat.get(token).await.declined(),
            (errcode, words.to_owned())
        );
    }
}

#[tokio::test]
async fn status_is_a_gateways_page() {
    let wechat = Wechat::open().await;
    let code = wechat.code("小王");
    for status in [302, 412, 502] {
        let fault = json!({ "path": PATH, "kind": "status", "status": status, "times": 1 });
        add(&wechat, fault).await;
        let reply = wechat.exchange_code(&code).await;
        assert_eq!(
            (reply.status, reply.header("content-type")),
            (status, Some("text/html"))
        );
        assert!(reply.text().starts_with("<html>"), "{reply:?}");
    }
    assert!(is_unspent(&wechat, &code).await);
}

#[tokio::test]
async fn garbage_is_neither_json_nor_text() {
    let wechat = Wechat::open().await;
    let code = wechat.code("小王");
    add(&wechat, once("garbage")).await;
    let reply = wechat.exchange_code(&code).await;
    assert_eq!(
        (reply.status, reply.header("content-type")),
        (200, Some("text/plain"))
    );
    assert!(std::str::from_utf8(&reply.body).is_err(), "{reply:?}");
    assert!(is_unspent(&wechat, &code).await);
}

#[tokio::test]
async fn truncate_loses_half_of_an_answer_that_was_given() {
    let wechat = Wechat::open().await;
    let code = wechat.code("小王");
    add(&wechat, once("truncate")).await;
    let reply = wechat.exchange_code(&code).await;
    let promised: usize = reply.header("content-length").unwrap().parse().unwrap();
    assert_eq!(
        (reply.status, reply.header("content-type")),
        (200, Some("text/plain"))
    );
    assert!(reply.text().starts_with(r#"{"session_key":""#), "{reply:?}");
    assert_eq!(reply.body.len(), promised / 2);
    assert_eq!(wechat.exchange_code(&code).await.declined().0, 40163);

    // Even an answer without a body breaks its promise.
    add(&wechat, once("truncate")).await;
    let chunked = format!("POST {PATH} HTTP/1.1\r\nHost: simulator\r\n\r\n");
    let reply = Reply::parse(&wechat.exchange(chunked.as_bytes()).await.unwrap());
    assert_eq!((reply.status, reply.text()), (412, ""));
    assert_eq!(reply.header("content-length"), Some("2"));
}

#[tokio::test]
async fn reset_is_a_reset_and_no_orderly_end() {
    let wechat = Wechat::open().await;
    let code = wechat.code("小王");
    add(&wechat, once("reset")).await;
    let error = wechat.exchange(&request(&code)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    assert!(is_unspent(&wechat, &code).await);
}

#[tokio::test]
async fn delay_answers_late_and_has_spent_the_code_before() {
    let wechat = Wechat::open().await;
    let code = wechat.code("小王");
    add(
        &wechat,
        json!({ "path": PATH, "kind": "delay", "ms": 120, "times": 1 }),
    )
    .await;
    let began = Instant::now();
    assert!(wechat.exchange_code(&code).await.json()["openid"].is_string());
    assert!(began.elapsed() >= Duration::from_millis(120));

    let code = wechat.code("小王");
    add(
        &wechat,
        json!({ "path": PATH, "kind": "delay", "ms": 60_000, "times": 1 }),
    )
    .await;
    let stream = wechat.send(&request(&code)).await;
    wechat.shown(&code).await;
    assert!(is_silent(&stream).await);
    drop(stream);
    assert_eq!(wechat.exchange_code(&code).await.declined().0, 40163);
}

#[tokio::test]
async fn hang_says_nothing_and_lets_the_code_live() {
    let wechat = Wechat::open().await;
    let code = wechat.code("小王");
    add(&wechat, once("hang")).await;
    let stream = wechat.send(&request(&code)).await;
    wechat.shown(&code).await;
    assert!(is_silent(&stream).await);
    drop(stream);
    assert!(is_unspent(&wechat, &code).await);
}

#[tokio::test]
async fn stopping_ends_what_hangs_and_hurries_what_is_late() {
    let mut wechat = Wechat::open().await;
    let [hung, late] = ["小王", "李娜"].map(|person| wechat.code(person));
    add(&wechat, once("hang")).await;
    add(
        &wechat,
        json!({ "path": PATH, "kind": "delay", "ms": 60_000, "times": 1 }),
    )
    .await;
    let mut first = wechat.send(&request(&hung)).await;
    wechat.shown(&hung).await;
    let mut second = wechat.send(&request(&late)).await;
    wechat.shown(&late).await;
    let mut idle = wechat.send(b"").await;
    assert!(is_silent(&first).await && is_silent(&second).await);

    let began = Instant::now();
    wechat.stop().await;
    assert!(
        began.elapsed() < Duration::from_secs(5),
        "nothing was cut off"
    );
    assert_eq!(first.read(&mut [0]).await.unwrap(), 0, "no answer");
    assert_eq!(idle.read(&mut [0]).await.unwrap(), 0);
    let mut answer = Vec::new();
    second.read_to_end(&mut answer).await.unwrap();
    assert!(Reply::parse(&answer).json()["openid"].is_string());
}

#[tokio::test]
async fn faults_are_served_in_the_order_of_their_coming_and_on_their_path_alone() {
    let wechat = Wechat::open().await;
    add(
        &wechat,
        json!({ "path": PATH, "kind": "errcode", "errcode": 45011, "times": 2 }),
    )
    .await;
    add(&wechat, once("garbage")).await;
    let waiting = add(
        &wechat,
        json!({ "path": PATH, "kind": "errcode", "errcode": 40226 }),
    )
    .await;
    assert_eq!(waiting["faults"].as_array().unwrap().len(), 3);
    assert_eq!(wechat.get("/cgi-bin/token").await.declined().0, 41002);

    assert_eq!(wechat.exchange_code("a").await.declined().0, 45011);
    let waiting = wechat.control("GET", "faults", Value::Null).await;
    let first = json!({ "path": PATH, "kind": "errcode", "errcode": 45011, "times": 1 });
    assert_eq!(waiting["faults"][0], first);
    assert_eq!(wechat.exchange_code("a").await.declined().0, 45011);
    assert!(std::str::from_utf8(&wechat.exchange_code("a").await.body).is_err());
    for _ in 0..3 {
        assert_eq!(wechat.exchange_code("a").await.declined().0, 40226);
    }
    assert_eq!(
        wechat.control("DELETE", "faults", Value::Null).await,
        json!({ "faults": [] })
    );
    assert_eq!(wechat.exchange_code("a").await.declined().0, 40029);
}

#[tokio::test]
async fn seconds_are_the_machines_and_not_the_simulators() {
    let wechat = Wechat::open().await;
    let fault = json!({ "path": PATH, "kind": "errcode", "errcode": 40226, "for_seconds": 3600 });
    add(&wechat, fault).await;
    wechat.advance(7200).await;
    assert_eq!(wechat.exchange_code("a").await.declined().0, 40226);
    let waiting = wechat.control("GET", "faults", Value::Null).await;
    let left = waiting["faults"][0]["for_seconds"].as_f64().unwrap();
    assert!(left > 3500.0 && left < 3600.0, "{left}");
    assert_eq!(waiting["faults"][0].get("times"), None);
}

/// Faults that cannot be, and what the explanation must say.
fn mistakes() -> Vec<(Value, &'static str)> {
    vec![
        (json!({ "kind": "hang" }), "missing field `path`"),
        (json!({ "path": PATH }), "missing field `kind`"),
        (
            json!({ "path": "/sns/jscode2Session", "kind": "hang" }),
            PATH,
        ),
        (
            json!({ "path": PATH, "kind": "explode" }),
            "errcode, status, delay",
        ),
        (
            json!({ "path": PATH, "kind": "errcode" }),
            "needs `errcode`",
        ),
        (
            json!({ "path": PATH, "kind": "errcode", "errcode": "x" }),
            "invalid type",
        ),
        (json!({ "path": PATH, "kind": "status" }), "needs `status`"),
        (
            json!({ "path": PATH, "kind": "status", "status": 101 }),
            "200 to 599",
        ),
        (json!({ "path": PATH, "kind": "delay" }), "needs `ms`"),
        (
            json!({ "path": PATH, "kind": "delay", "ms": 60_001 }),
            "60000",
        ),
        (
            json!({ "path": PATH, "kind": "hang", "ms": 5 }),
            "takes no `ms`",
        ),
        (
            json!({ "path": PATH, "kind": "hang", "time": 5 }),
            "unknown field `time`",
        ),
        (
            json!({ "path": PATH, "kind": "hang", "times": 0 }),
            "1 or more",
        ),
        (
            json!({ "path": PATH, "kind": "hang", "times": -1 }),
            "invalid value",
        ),
        (
            json!({ "path": PATH, "kind": "hang", "times": 1, "for_seconds": 1 }),
            "not both",
        ),
        (
            json!({ "path": PATH, "kind": "hang", "for_seconds": 0 }),
            "more than 0",
        ),
        (
            json!({ "path": PATH, "kind": "hang", "for_seconds": 1e300 }),
            "a year",
        ),
    ]
}

#[tokio::test]
async fn mistaken_faults_are_explained() {
    let wechat = Wechat::open().await;
    for (fault, part) in mistakes() {
        let reply = wechat
            .request("POST", "/simulator/faults", &fault.to_string())
            .await;
        assert_eq!(reply.status, 400, "{fault}");
        let error = reply.json()["error"].as_str().unwrap().to_owned();
        assert!(error.contains(part), "{fault}: {error}");
    }
    let waiting = wechat.control("GET", "faults", Value::Null).await;
    assert_eq!(waiting, json!({ "faults": [] }), "none of them was taken");
}
