//! Bodies that are no JSON, or JSON that nobody sends.

use axum::{body::Body, http::Request};
use serde_json::json;

use super::{LOGIN, MALFORMED};
use crate::harness::{Reply, TestApp, on_each_database};

async fn post(app: &TestApp, body: impl Into<Body>) -> Reply {
    super::ask(app, "POST", LOGIN, body).await
}

/// Texts that are no JSON, or no object.
const NO_JSON: &[&str] = &[
    "",
    " ",
    "x",
    "{",
    "}",
    "{}}",
    "{{}}",
    "[",
    "]",
    "{]",
    "\"",
    "{\"code\"}",
    "{\"code\":}",
    "{\"code\":\"a\"",
    "{\"code\":\"a}",
    "{code:\"a\"}",
    "{'code':'a'}",
    "{\"code\":\"a\",}",
    "{,\"code\":\"a\"}",
    "{\"code\" \"a\"}",
    "{\"code\":\"a\"} x",
    "{\"code\":\"a\"}{}",
    "{\"code\":\"a\"}\0",
    "\u{feff}{\"code\":\"a\"}",
    "// x\n{\"code\":\"a\"}",
    "{\"code\":\"a\" /* x */}",
    "{\"code\":undefined}",
    "{\"code\":NaN}",
    "{\"code\":Infinity}",
    "{\"code\":01}",
    "{\"code\":+1}",
    "{\"code\":.5}",
    "{\"code\":1.}",
    "{\"code\":1e}",
    "{\"code\":0x1}",
    "{\"code\":1e999}",
    "{\"code\":-1e999}",
    "{\"code\":tru}",
    "{\"code\":\"a\nb\"}",
    "{\"code\":\"a\tb\"}",
    "{\"code\":\"\\x\"}",
    "{\"code\":\"\\u12\"}",
    "{\"code\":\"\\ud800\"}",
    "{\"code\":\"\\udc00\\ud800\"}",
    "code=a",
    "<code>a</code>",
    "code: a",
    "null",
    "true",
    "0",
    "\"code\"",
    "[]",
    "[{\"code\":\"a\"}]",
];

/// Proves HTTP-3: what is no JSON object is refused with WeChat's number for that.
#[tokio::test]
async fn malformed_json_is_refused() {
    let app = TestApp::sqlite().await;
    let deep = |open: &str, close: &str, times: usize| {
        format!(
            "{{\"code\":{}1{}}}",
            open.repeat(times),
            close.repeat(times)
        )
    };
    for text in NO_JSON {
        assert_eq!(post(&app, *text).await.line(), MALFORMED, "{text:?}");
    }
    let bytes: [&[u8]; 6] = [
        b"\xff",
        b"{\"code\":\"\xff\"}",
        b"{\"code\":\"\xc0\xaf\"}",
        b"{\"code\":\"\xed\xa0\x80\"}",
        b"{\"\xff\":1,\"code\":\"a\"}",
        b"{\0\"\0c\0o\0d\0e\0\"\0:\0\"\0a\0\"\0}\0",
    ];
    for bytes in bytes {
        assert_eq!(post(&app, bytes).await.line(), MALFORMED, "{bytes:?}");
    }
    for text in [
        deep("[", "]", 128),
        deep("[", "]", 30_000),
        deep("{\"a\":", "}", 128),
        deep("{\"a\":", "}", 9_000),
        "[".repeat(65_000),
        "{\"a\":".repeat(13_000),
        format!("{{\"code\":{}", "9".repeat(60_000)),
    ] {
        assert_eq!(
            post(&app, text.clone()).await.line(),
            MALFORMED,
            "{}",
            &text[..40]
        );
    }
    app.end().await;
}

/// Proves HTTP-3: a key that stands twice is refused, however it is spelled and however deep.
#[tokio::test]
async fn a_key_stands_once() {
    let app = TestApp::sqlite().await;
    for text in [
        r#"{"code":"a","code":"b"}"#,
        r#"{"code":"a","code":"a"}"#,
        r#"{"code":"a","\u0063ode":"b"}"#,
        r#"{"code":"a","x":{"y":1,"y":2}}"#,
        r#"{"code":"a","x":[{"":1,"":2}]}"#,
    ] {
        assert_eq!(post(&app, text).await.line(), MALFORMED, "{text}");
    }
    app.end().await;
}

on_each_database! {
    /// Proves HTTP-3: legal JSON of any shape is answered, as a sign-in or as a refusal.
    async fn odd_json_is_never_our_fault(app) {
        for (text, errcode) in [
            ("{}", 41008),
            (r#"{"code":""}"#, 41008),
            (r#"{"Code":"a"}"#, 41008),
            (r#"{"code":null}"#, 47001),
            (r#"{"code":1}"#, 47001),
            (r#"{"code":1e308}"#, 47001),
            (r#"{"code":18446744073709551616}"#, 47001),
            (r#"{"code":true}"#, 47001),
            (r#"{"code":["a"]}"#, 47001),
            (r#"{"code":{"code":"a"}}"#, 47001),
            (r#"{"code":"\u0000"}"#, 40029),
            (r#"{"code":"a b"}"#, 40029),
            (r#"{"code":"代码"}"#, 40029),
            (r#"{"code":"\ud83d\ude00"}"#, 40029),
            (r#"{"code":"' OR '1'='1"}"#, 40029),
            (r#"{"code":"../../etc/passwd"}"#, 40029),
            (r#"{"code":"%00%0d%0a"}"#, 40029),
            (r#"{"code":"a","appid":""}"#, 40013),
            (r#"{"code":"a","appid":1}"#, 47001),
            (r#"{"code":"a","appid":[]}"#, 47001),
            (r#"{"code":"a","appid":"\u0000"}"#, 40013),
        ] {
            let reply = post(app, text).await;
            let body = reply.json();
            assert_eq!((reply.status.as_u16(), &body["error"]["errcode"]), (400, &json!(errcode)), "{text}");
            assert_eq!((&body["success"], &body["registered"]), (&json!(false), &json!(false)));
        }
        let deep = format!("{}1{}", "[".repeat(120), "]".repeat(120));
        for rest in [
            "\"\":\"\"".to_owned(),
            r#""__proto__":{"code":"x"},"constructor":1"#.to_owned(),
            r#""\u0000":"\u0000","a\nb":-0.0"#.to_owned(),
            format!("\"deep\":{deep}"),
            (0..3_000).map(|n| format!("\"k{n}\":{n}")).collect::<Vec<_>>().join(","),
            format!("\"long\":\"{}\"", "长".repeat(15_000)),
            "\"n\":[1e-999,123456789012345678901234567890,0.1]".to_owned(),
        ] {
            let code = app.code("wang");
            let reply = post(app, format!(" \r\n\t{{{rest} , \"code\" : \"{code}\"}} \n")).await;
            assert_eq!(reply.status, 200, "{} {}", reply.text, &rest[..20.min(rest.len())]);
        }
        // `null` is as good as nothing.
        let reply = post(app, format!(r#"{{"code":"{}","appid":null}}"#, app.code("wang"))).await;
        assert!(reply.status.as_u16() < 500, "{}", reply.line());
    }
}

/// Proves HTTP-3: a body that is not declared as JSON is not read.
#[tokio::test]
async fn a_body_is_declared_as_json() {
    let app = TestApp::sqlite().await;
    let declared = async |kinds: &[&str]| {
        let request = kinds.iter().fold(Request::post(LOGIN), |request, kind| {
            request.header("content-type", *kind)
        });
        let body = json!({ "code": app.code("wang") }).to_string();
        app.send(request.body(body.into()).unwrap()).await
    };
    for kinds in [
        &[][..],
        &[""],
        &["text/plain"],
        &["text/json"],
        &["application/x-www-form-urlencoded"],
        &["multipart/form-data; boundary=x"],
        &["application/jsonp"],
        &["application/json+x"],
        &["application/problem+json"],
        &["application/"],
        &["json"],
        &["*/*"],
        &["text/plain; application/json"],
        &["application/json, text/plain"],
        &["application/json", "application/json"],
        &["application/json", "text/plain"],
    ] {
        let reply = declared(kinds).await;
        assert_eq!(
            reply.line(),
            "415 {\"success\":false,\"error\":{\"errcode\":7700002,\
             \"errmsg\":\"the Content-Type must be application/json\"},\"registered\":false}",
            "{kinds:?}"
        );
    }
    for kind in [
        "application/json",
        "application/json;charset=utf-8",
        "application/json; charset=UTF-8; x=\"y\"",
        "APPLICATION/JSON",
        "application/json ;",
    ] {
        assert_eq!(declared(&[kind]).await.status, 200, "{kind}");
    }
    app.end().await;
}
