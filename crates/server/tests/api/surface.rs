//! What holds for every path: methods, headers, bodies, failures.

mod bodies;
mod errors;
mod headers;
mod limits;

use std::collections::BTreeSet;

use axum::{body::Body, http::Request};
use serde_json::{Value, json};

use crate::harness::{Reply, TestApp};

const LOGIN: &str = "/v1/user/login";
const MALFORMED: &str = "400 {\"success\":false,\
    \"error\":{\"errcode\":47001,\"errmsg\":\"data format error\"},\"registered\":false}";

/// The documented operations: method and path.
async fn operations(app: &TestApp) -> Vec<(String, String)> {
    let document = app.get("/openapi.json").await.json();
    let paths = document["paths"].as_object().unwrap().clone();
    let methods = |(path, methods): (String, Value)| {
        let methods = methods.as_object().unwrap().clone();
        methods
            .into_iter()
            .map(move |(method, _)| (method.to_uppercase(), path.clone()))
    };
    paths.into_iter().flat_map(methods).collect()
}

/// Asks in any method, with any body, on the listener that has everything.
async fn ask(app: &TestApp, method: &str, path: &str, body: impl Into<Body>) -> Reply {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("content-type", "application/json");
    app.developer(request.body(body.into()).unwrap()).await
}

/// Proves HTTP-1, of methods: every path knows its own, and names them to whoever uses another.
#[tokio::test]
async fn an_undeclared_method_is_refused() {
    let app = TestApp::sqlite().await;
    let operations = operations(&app).await;
    let paths: BTreeSet<_> = operations.iter().map(|(_, path)| path.as_str()).collect();
    for path in paths {
        let of_path = operations.iter().filter(|(_, other)| other == path);
        let declared: Vec<_> = of_path.map(|(method, _)| method.as_str()).collect();
        for method in [
            "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "QUERY",
            "PROPFIND", "BREW", "get",
        ] {
            let stands_for = if method == "HEAD" { "GET" } else { method };
            if declared.contains(&stands_for) {
                continue;
            }
            let reply = ask(&app, method, path, "{}").await;
            assert_eq!(reply.status, 405, "{method} {path}");
            let mut allow: Vec<_> = reply.header("allow").split(',').collect();
            allow.retain(|allowed| *allowed != "HEAD");
            allow.sort_unstable();
            let mut named = declared.clone();
            named.sort_unstable();
            assert_eq!(allow, named, "{method} {path}");
            // Nothing is said to HEAD but the head, and a page has words of its own.
            if method == "HEAD" {
                assert_eq!(reply.text, "", "{path}");
            } else if reply.header("content-type") == "application/json" {
                assert_unknown_method(&reply, path);
            }
        }
    }
    app.end().await;
}

fn assert_unknown_method(reply: &Reply, path: &str) {
    let body = reply.json();
    let of_services = body["error"] == "invalid_request";
    assert!(body["success"] == false || of_services, "{path}");
    let words = ["message", "data", "error_description"].map(|name| &body[name]);
    let words = [&words[..], &[&body["error"]["errmsg"]]].concat();
    let known = json!("the path does not know this method");
    assert!(words.contains(&&known), "{path}: {body}");
    assert_eq!(path == LOGIN, body["error"]["errcode"] == 43_002, "{path}");
}

#[tokio::test]
async fn an_unknown_path_is_not_found() {
    let app = TestApp::sqlite().await;
    for path in [
        "/v1",
        "/v1/user",
        "/v1/user/login/",
        "/v1/user/login/x",
        "/V1/USER/LOGIN",
        "//v1/user/login",
        "/v1/user/../user/login",
        "/v1/user/%6cogin",
        "/v1/user/login%00",
        "/.git/config",
        "/etc/passwd",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/%ff%fe",
        "/metrics",
        "/",
        "*",
    ] {
        for method in ["GET", "POST", "DELETE", "OPTIONS"] {
            let request = Request::builder().method(method).uri(path);
            let reply = app.send(request.body("{}".into()).unwrap()).await;
            assert_eq!(
                reply.line(),
                "404 {\"success\":false,\"error\":\"not_found\",\
                 \"message\":\"there is nothing of that name here\"}",
                "{method} {path}"
            );
        }
    }
    app.end().await;
}

/// As RFC 9110 §9.3.2 has it: what GET would say, without saying it.
#[tokio::test]
async fn head_is_get_without_a_body() {
    let app = TestApp::sqlite().await;
    for (method, path) in operations(&app).await {
        if method != "GET" {
            continue;
        }
        let (get, head) = (
            ask(&app, "GET", &path, "").await,
            ask(&app, "HEAD", &path, "").await,
        );
        assert_eq!((get.status, &head.text[..]), (head.status, ""), "{path}");
        assert_eq!(get.header("content-type"), head.header("content-type"));
    }
    app.end().await;
}
