//! What a failure tells, and what it keeps to itself.

use axum::http::Request;
use serde_json::json;

use super::LOGIN;
use crate::harness::{Reply, TestApp, on_each_database};

/// The whole of what a fault of ours shows, in either shape.
const BROKEN: &str = r#"500 {"success":false,"error":"internal","message":"system error"}"#;
const BROKEN_SIGN_IN: &str = "500 {\"success\":false,\
    \"error\":{\"errcode\":-1,\"errmsg\":\"system error\"},\"registered\":false}";
const UNAVAILABLE: &str = r#"503 {"success":false,"error":"unavailable","message":"system error"}"#;
const UNAVAILABLE_SIGN_IN: &str = "503 {\"success\":false,\
    \"error\":{\"errcode\":-1,\"errmsg\":\"system error\"},\"registered\":false}";

/// Words that only the inside knows.
const INSIDE: [&str; 18] = [
    "sql",
    "select",
    "insert",
    "identities",
    "column",
    "relation",
    "table",
    "postgres",
    "sqlite",
    ".rs",
    "/src",
    "/tmp",
    "panicked",
    "thread",
    "backtrace",
    "127.0.0.1",
    "clock",
    "menjin.db",
];

fn assert_tells_nothing(reply: &Reply) {
    let everything = format!("{:?} {}", reply.headers, reply.text).to_lowercase();
    for word in INSIDE {
        assert!(!everything.contains(word), "{word}: {everything}");
    }
    assert_eq!(reply.header("x-request-id").len(), 32);
}

on_each_database! {
    /// Proves HTTP-6: a statement that fails shows nothing of itself, and has an id to look it up by.
    async fn a_broken_store_is_not_shown(app) {
        let token = app.sign_in("wang").await.token();
        app.sql("ALTER TABLE identities RENAME COLUMN openid TO gone").await;
        for (reply, line) in [
            (app.me(&token).await, BROKEN),
            (app.sign_in("wang").await, BROKEN_SIGN_IN),
            (app.sign_in("li").await, BROKEN_SIGN_IN),
        ] {
            assert_eq!(reply.line(), line);
            assert_eq!(reply.header("retry-after"), "");
            assert_tells_nothing(&reply);
        }
        app.sql("ALTER TABLE identities RENAME COLUMN gone TO openid").await;
        assert_eq!(app.me(&token).await.status, 200);
        assert_eq!(app.sign_in("li").await.status, 200);
    }

    /// Proves HTTP-6: what stands in a column and makes no sense is ours to mend, and not shown.
    async fn nonsense_in_the_store_is_not_shown(app) {
        let reply = app.sign_in("wang").await;
        app.sql("UPDATE identities SET openid = '<canary>'").await;
        let broken = app.me(&reply.token()).await;
        assert_eq!(broken.line(), BROKEN);
        assert_tells_nothing(&broken);
    }

    /// Proves HTTP-6: a store that is away shows nothing either, and says when to come back.
    async fn an_absent_store_is_not_shown(app) {
        let token = app.sign_in("wang").await.token();
        app.store.close().await;
        for (reply, line) in [
            (app.me(&token).await, UNAVAILABLE),
            (app.sign_in("wang").await, UNAVAILABLE_SIGN_IN),
            (app.get("/readyz").await, UNAVAILABLE),
        ] {
            assert_eq!(reply.line(), line);
            assert_eq!(reply.header("retry-after"), "1");
            assert_tells_nothing(&reply);
        }
    }

    /// Proves LOG-6: a handler that panics is a 500 in the shape of its route, and nothing more.
    async fn a_panic_is_a_500_and_no_more(app) {
        let token = app.sign_in("wang").await.token();
        let code = app.code("wang");
        for _ in 0..3 {
            app.clock.break_once();
            let reply = app.me(&token).await;
            assert_eq!(reply.line(), BROKEN);
            assert_tells_nothing(&reply);
            app.clock.break_once();
            let reply = app.login(&code).await;
            assert_eq!(reply.line(), BROKEN_SIGN_IN);
            assert_tells_nothing(&reply);
            assert_eq!(app.me(&token).await.status, 200);
        }
        assert_eq!(app.login(&code).await.status, 200);
        assert_eq!(app.get("/readyz").await.status, 200);
        assert!(app.management("/metrics").await.text.contains(r#"status="500"} 3"#));
    }
}

/// Proves LOG-6, over the wire: the connection lives on.
#[tokio::test]
async fn a_panic_does_not_end_the_connection() {
    let app = TestApp::sqlite().await;
    let token = app.sign_in("wang").await.token();
    let served = app.serve().await;
    app.clock.break_once();
    let ask = |rest: &str| {
        format!(
            "GET /v1/user/me HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n{rest}\r\n"
        )
    };
    let both = served.say(ask("") + &ask("connection: close\r\n")).await;
    let lines: Vec<_> = both
        .lines()
        .filter(|line| line.starts_with("HTTP/1.1 "))
        .collect();
    assert_eq!(
        lines.len(),
        1,
        "the second begins where the first body ends: {both}"
    );
    assert!(
        both.starts_with("HTTP/1.1 500 ") && both.contains("}HTTP/1.1 200 "),
        "{both}"
    );
    served.end().await;
    app.end().await;
}

/// Proves HTTP-6: nothing that was sent comes back.
#[tokio::test]
async fn a_refusal_quotes_nothing() {
    let app = TestApp::sqlite().await;
    let canary = "c4n4ry";
    for (path, body) in [
        (LOGIN, canary.to_owned()),
        (LOGIN, format!("{{\"code\":\"{canary} \"}}")),
        (
            LOGIN,
            json!({ "code": canary, "appid": canary }).to_string(),
        ),
        (LOGIN, json!({ "code": [canary] }).to_string()),
        (LOGIN, json!({ "code": canary }).to_string()),
        ("/c4n4ry?c4n4ry", canary.to_owned()),
        ("/v1/user/me?c4n4ry", canary.to_owned()),
    ] {
        let request = Request::post(path)
            .header("content-type", "application/json")
            .header("authorization", format!("Bearer {canary}"))
            .header("x-c4n4ry", canary)
            .header(
                "referer",
                format!("https://servicewechat.com/{canary}/1/page-frame.html"),
            );
        let reply = app.send(request.body(body.into()).unwrap()).await;
        assert!(reply.status.is_client_error(), "{path}");
        let everything = format!("{:?} {}", reply.headers, reply.text);
        assert!(!everything.contains(canary), "{everything}");
    }
    app.end().await;
}
