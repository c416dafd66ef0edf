//! What holds for every path: methods, headers, bodies, failures.

mod bodies;
mod errors;
mod headers;
mod limits;

use axum::{body::Body, http::Request};
use serde_json::Value;

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
    for (declared, path) in operations(&app).await {
        for method in [
            "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "QUERY",
            "PROPFIND", "BREW", "get",
        ] {
            if method == declared || (method, &declared[..]) == ("HEAD", "GET") {
                continue;
            }
            let reply = ask(&app, method, &path, "{}").await;
            assert_eq!(reply.status, 405, "{method} {path}");
            let allow = match &declared[..] {
                "GET" => "GET,HEAD",
                other => other,
            };
            assert_eq!(reply.header("allow"), allow, "{method} {path}");
            let body = if path == LOGIN {
                "{\"success\":false,\"error\":{\"errcode\":43002,\
                 \"errmsg\":\"the path does not know this method\"},\"registered\":false}"
            } else {
                "{\"success\":false,\"error\":\"method_not_allowed\",\
                 \"message\":\"the path does not know this method\"}"
            };
            // Nothing is said to HEAD but the head.
            let body = if method == "HEAD" { "" } else { body };
            assert_eq!(reply.text, body, "{method} {path}");
        }
    }
    app.end().await;
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
                 \"message\":\"there is nothing at this path\"}",
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
