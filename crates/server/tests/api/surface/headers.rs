//! The headers of every reply.

use axum::{
    body::Body,
    http::{HeaderName, HeaderValue, Request},
};
use menjin_simulator::Simulator;

use super::{LOGIN, ask, operations};
use crate::harness::{Reply, TestApp, on_each_database};

/// What a reply may carry. Nothing else leaves the house: no `Server`, no CORS.
const ALLOWED: [&str; 10] = [
    "allow",
    "cache-control",
    "content-length",
    "content-security-policy",
    "content-type",
    "referrer-policy",
    "retry-after",
    "www-authenticate",
    "x-content-type-options",
    "x-request-id",
];

/// What every reply has to have, but for those that may be cached.
fn assert_proper(reply: &Reply, why: &str) {
    for name in reply.headers.keys() {
        assert!(ALLOWED.contains(&name.as_str()), "{why}: {name}");
        assert_eq!(
            reply.headers.get_all(name).iter().count(),
            1,
            "{why}: {name}"
        );
    }
    assert_eq!(reply.header("x-content-type-options"), "nosniff", "{why}");
    assert_eq!(reply.header("x-request-id").len(), 32, "{why}");
    let kind = match reply.header("content-type") {
        "application/jwk-set+json" => {
            assert_eq!(
                reply.header("cache-control"),
                "public, max-age=300",
                "{why}"
            );
            return;
        }
        "application/openmetrics-text; version=1.0.0; charset=utf-8" => "text",
        "text/html; charset=utf-8" => {
            assert_eq!(reply.header("referrer-policy"), "no-referrer", "{why}");
            "text"
        }
        kind => kind,
    };
    assert_eq!(reply.header("cache-control"), "no-store", "{why}");
    assert!(
        ["application/json", "text"].contains(&kind),
        "{why}: {kind}"
    );
}

on_each_database! {
    /// Proves HTTP-5: of every route, whether it works, refuses, knows the method or is there.
    async fn every_reply_is_labelled(app) {
        let token = app.sign_in("wang").await.token();
        assert_proper(&app.sign_in("wang").await, "a sign-in");
        assert_proper(&app.me(&token).await, "an account");
        assert_proper(&app.me("x").await, "a bad token");
        for (method, path) in operations(app).await {
            for asked in [&method[..], "HEAD", "PUT", "OPTIONS"] {
                let reply = ask(app, asked, &path, "{}").await;
                assert_proper(&reply, &format!("{asked} {path}"));
            }
        }
        assert_proper(&app.get("/nowhere").await, "nothing");
        assert_proper(&app.post_text(LOGIN, "x").await, "no JSON");
        assert_proper(&app.post_text(LOGIN, &"x".repeat(70_000)).await, "too much");
        app.store.close().await;
        for (method, path) in operations(app).await {
            let reply = ask(app, &method, &path, "{}").await;
            assert_proper(&reply, &format!("{method} {path} without a store"));
        }
        let login = app.sign_in("wang").await;
        assert_eq!((login.status.as_u16(), login.header("retry-after")), (503, "1"));
        assert_proper(&login, "a sign-in without a store");
        assert_proper(&app.me(&token).await, "an account without a store");
    }
}

/// Proves HTTP-5: whatever a browser asks on behalf of another site, nothing is allowed to it.
#[tokio::test]
async fn other_sites_are_allowed_nothing() {
    let app = TestApp::sqlite().await;
    for (method, path) in operations(&app).await {
        for asked in [&method[..], "OPTIONS"] {
            let request = Request::builder()
                .method(asked)
                .uri(&path)
                .header("origin", "https://evil.test")
                .header("access-control-request-method", &method)
                .header(
                    "access-control-request-headers",
                    "authorization, content-type",
                );
            let reply = app.developer(request.body(Body::empty()).unwrap()).await;
            assert_proper(&reply, &format!("{asked} {path}"));
        }
    }
    app.end().await;
}

/// Proves HTTP-5, of what really goes over the wire, where hyper could add to it.
#[tokio::test]
async fn nothing_is_added_on_the_wire() {
    let app = TestApp::sqlite().await;
    let served = app.serve().await;
    for path in [
        "/healthz",
        "/v1/user/me",
        "/nowhere",
        "/.well-known/jwks.json",
    ] {
        let head = "host: door.test\r\nconnection: close";
        let answer = served
            .say(format!("GET {path} HTTP/1.1\r\n{head}\r\n\r\n"))
            .await;
        let (head, _) = answer.split_once("\r\n\r\n").unwrap();
        for line in head.lines().skip(1) {
            let (name, _) = line.split_once(':').unwrap();
            let known = ALLOWED.contains(&name) || ["date", "connection"].contains(&name);
            assert!(known, "{path}: {line}");
        }
    }
    served.end().await;
    app.end().await;
}

/// The page of `menjin dev` lets in what belongs to it and nothing else.
#[tokio::test]
async fn the_phone_page_is_closed_to_others() {
    let app = TestApp::sqlite().await;
    for (path, kind) in [
        ("/", "text/html; charset=utf-8"),
        ("/phone.js", "text/javascript; charset=utf-8"),
        ("/phone.css", "text/css; charset=utf-8"),
    ] {
        let reply = ask(&app, "GET", path, "").await;
        assert_eq!(
            (reply.status.as_u16(), reply.header("content-type")),
            (200, kind)
        );
        assert_eq!(reply.header("x-content-type-options"), "nosniff");
        assert_eq!(reply.header("cache-control"), "no-cache");
        assert_eq!(reply.header("referrer-policy"), "no-referrer");
        let policy = reply.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'; "), "{policy}");
        assert!(
            !policy.contains("unsafe") && !policy.contains('*'),
            "{policy}"
        );
        let again = Request::get(path).header("if-none-match", reply.header("etag"));
        let again = app.developer(again.body(Body::empty()).unwrap()).await;
        assert_eq!((again.status.as_u16(), &again.text[..]), (304, ""));
    }
    app.end().await;
}

/// Proves HTTP-6: every reply has an id, the caller's own if it is a sane one.
#[tokio::test]
async fn every_reply_has_an_id() {
    let app = TestApp::sqlite().await;
    let with = async |path: &str, id: &[u8]| {
        let id = HeaderValue::from_bytes(id).unwrap();
        let request = Request::get(path).header("x-request-id", id);
        let reply = app.send(request.body(Body::empty()).unwrap()).await;
        reply.header("x-request-id").to_owned()
    };
    for path in ["/healthz", "/v1/user/me", "/nowhere", LOGIN] {
        for sane in ["1", "abc-DEF_0.9", "0123456789abcdef", &"x".repeat(128)] {
            assert_eq!(with(path, sane.as_bytes()).await, sane, "{path}");
        }
        let long = "x".repeat(129);
        for odd in [
            &b""[..],
            b" ",
            b"a b",
            b"a/b",
            b"{\"a\":1}",
            b"<script>",
            b"a\tb",
            b"\x1b[31m".get(1..).unwrap(),
            b"\xe4\xb8\xad",
            long.as_bytes(),
        ] {
            let id = with(path, odd).await;
            assert_eq!(id.len(), 32, "{path}: {odd:?} {id}");
            assert!(id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{id}");
        }
    }
    let mut made = std::collections::HashSet::new();
    for _ in 0..100 {
        let reply = app.get("/healthz").await;
        made.insert(reply.header("x-request-id").to_owned());
    }
    assert_eq!(made.len(), 100);
    app.end().await;
}

/// The simulator's controls of `menjin dev` stay what they are behind the same listener.
#[tokio::test]
async fn the_controls_are_beside_it() {
    let app = TestApp::sqlite().await;
    let all = menjin_server::development(&app.app, Simulator::controls(&app.simulator));
    let name = HeaderName::from_static("x-request-id");
    let request = Request::get("/simulator/people").header(name, "mine");
    let reply = crate::harness::send(&all, request.body(Body::empty()).unwrap()).await;
    assert_eq!(reply.status, 200);
    app.end().await;
}
