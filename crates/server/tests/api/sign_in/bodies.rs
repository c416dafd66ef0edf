//! What may be sent, and what of it has an effect.

use std::fmt::Write;

use axum::body::Body;
use http::Request;
use menjin_core::Role;
use serde_json::{Value, json};

use super::{asked, refused};
use crate::harness::{APPID, OTHER, TestApp, forge, on_each_database};

on_each_database! {
    /// Proves LGN-6: what is no request is answered without a call to WeChat.
    async fn a_body_that_is_no_request(app) {
        let deep = format!("{{\"code\":{}", "[".repeat(60_000));
        for body in [
            "", "{", "null", "1", "\"0code\"", "[]", "[{\"code\":\"0code\"}]", "code=0code",
            r#"{"code":"0code"} {}"#, r#"{"code":"0code","code":"0code"}"#, r#"{"code":'0code'}"#,
            "\u{feff}{\"code\":\"0code\"}", r#"{"code":null}"#, r#"{"code":1}"#, r#"{"code":true}"#,
            r#"{"code":["0code"]}"#, r#"{"code":{"code":"0code"}}"#, r#"{"code":"\ud800"}"#, &deep,
            r#"{"code":"0code","appid":1}"#, r#"{"code":"0code","appid":["wx1234567890abcdef"]}"#,
        ] {
            let reply = app.post_text("/v1/user/login", body).await;
            assert_eq!(reply.line(), refused(400, 47001, "data format error"), "{body:.40}");
        }
        for body in ["{}", r#"{"code":""}"#, r#"{"Code":"0code"}"#, r#"{"js_code":"0code"}"#] {
            let reply = app.post_text("/v1/user/login", body).await;
            assert_eq!(reply.line(), refused(400, 41008, "missing code"), "{body}");
        }
        assert_eq!(asked(app).await, 0);
    }

    /// Proves LGN-6: what cannot be a code is answered as WeChat would, without a call to it.
    async fn a_code_that_can_be_none(app) {
        let long = "a".repeat(513);
        for code in [
            "the code is a mock one", " 0code", "0code\n", "0co\0de", "0code=", "0/co", "0+co",
            "0%63ode", "0code&appid=x", "0cоde", "代码", &long,
        ] {
            let reply = app.login(code).await;
            assert_eq!(reply.line(), refused(400, 40029, "invalid code"), "{code:?}");
        }
        assert_eq!(asked(app).await, 0);
        let reply = app.login(&long[1..]).await;
        assert_eq!(reply.json()["error"]["errcode"], 40029);
        assert_eq!(asked(app).await, 1);
    }

    /// Proves LGN-6: an app that is not served here is refused without a call to WeChat.
    async fn an_app_that_is_not_served(app) {
        for appid in ["", "wx0000000000000000", "WX1234567890ABCDEF", "wx1234567890abcdef "] {
            let body = json!({ "code": app.code("wang"), "appid": appid });
            let reply = app.post("/v1/user/login", &body).await;
            assert_eq!(reply.line(), refused(400, 40013, "invalid appid"), "{appid}");
        }
        assert_eq!(asked(app).await, 0);
        let body = json!({ "code": app.code("wang"), "appid": null });
        assert_eq!(app.post("/v1/user/login", &body).await.status, 200);
    }
}

/// The failures of HTTP itself have the shape of a sign-in's here.
#[tokio::test]
async fn a_request_that_is_none() {
    let app = TestApp::sqlite().await;
    let body = json!({ "code": app.code("wang") }).to_string();
    for kinds in [
        &["text/plain"][..],
        &["application/jsonx"],
        &["application/json"; 2],
        &[],
    ] {
        let mut request = Request::post("/v1/user/login");
        for kind in kinds {
            request = request.header("content-type", *kind);
        }
        let reply = app.send(request.body(Body::from(body.clone())).unwrap());
        let words = "the Content-Type must be application/json";
        assert_eq!(
            reply.await.line(),
            refused(415, 7_700_002, words),
            "{kinds:?}"
        );
    }
    let large = json!({ "code": "0code", "more": "x".repeat(64 * 1024) });
    let reply = app.post("/v1/user/login", &large).await;
    let words = "the body is larger than 64 KiB";
    assert_eq!(reply.line(), refused(413, 45002, words));
    let reply = app.get("/v1/user/login").await;
    let words = "the path does not know this method";
    assert_eq!(reply.line(), refused(405, 43002, words));
    assert_eq!(reply.header("allow"), "POST");
    assert_eq!(asked(&app).await, 0);
    app.end().await;
}

on_each_database! {
    /// Proves LGN-3: neither a guest nor a user becomes somebody else, or more, by saying so.
    async fn nothing_else_in_the_body_has_an_effect(app) {
        let li = app.sign_in("li").await.json();
        let li_openid = li["openid"].as_str().unwrap();
        let li_uid = app.register(li_openid, "+8613900139000", Role::Admin).await;
        let wang = app.sign_in("wang").await.json();
        app.register(wang["openid"].as_str().unwrap(), "+8613800138000", Role::User).await;
        for person in ["wang", "zhao"] {
            let plain = said(app, person, &json!({})).await;
            for more in [
                json!({ "openid": li_openid }),
                json!({ "uid": li_uid.get(), "sub": li_uid.to_string(), "user_id": li_uid.get() }),
                json!({ "unionid": app.identity(li_openid).await.unionid.unwrap().as_str() }),
                json!({ "role": "admin", "scope": "user admin", "registered": true }),
                json!({ "session_key": "a2V5", "access_token": li["access_token"], "phone": "1" }),
            ] {
                assert_eq!(said(app, person, &more).await, plain, "{more}");
            }
        }
    }

    /// Proves LGN-11: a guest's token is for Menjin alone and says no more than `guest`.
    async fn the_token_of_a_guest_is_narrow(app) {
        let reply = app.sign_in("wang").await;
        let (header, claims) = forge::read(&reply.token());
        assert_eq!(header["typ"], "at+jwt");
        assert_eq!(claims["aud"], json!(["https://door.test"]));
        assert_eq!(claims["scope"], "guest");
        assert_eq!(claims["client_id"], APPID);
        for absent in ["uid", "role", "ep", "openid"] {
            assert!(!claims.contains_key(absent), "{absent}");
        }
        let openid = reply.json()["openid"].clone();
        assert_ne!(claims["sub"], openid);
        assert_eq!(
            app.me(&reply.token()).await.line(),
            format!("200 {{\"success\":true,\"registered\":false,\"openid\":{openid}}}")
        );
        app.register(openid.as_str().unwrap(), "+8613800138000", Role::User).await;
        let (_, claims) = forge::read(&app.sign_in("wang").await.token());
        assert_eq!(claims["aud"], json!(["https://door.test", "repairs"]));
        assert_eq!(claims["scope"], "user");
    }
}

/// What a sign-in with more in its body said, token included, but for what is new every time.
async fn said(app: &TestApp, person: &str, more: &Value) -> String {
    let mut body = json!({ "code": app.code(person) });
    let (body_members, more) = (body.as_object_mut().unwrap(), more.as_object().unwrap());
    body_members.extend(more.clone());
    let reply = app.post("/v1/user/login", &body).await;
    let (_, mut claims) = forge::read(&reply.token());
    claims.remove("jti").unwrap();
    let mut said = reply.text.replace(&reply.token(), "");
    let known = app.identity(reply.json()["openid"].as_str().unwrap()).await;
    let known = (known.unionid, known.user, known.session_key_digest);
    write!(said, "{claims:?} {known:?}").unwrap();
    said
}

#[tokio::test]
async fn the_app_is_named_by_body_or_referer_or_default() {
    let app = TestApp::sqlite().await;
    let code = |appid| app.simulator.login("wang", Some(appid)).unwrap();
    let post = async |body: Value, referer: &str| {
        let request = Request::post("/v1/user/login")
            .header("content-type", "application/json; charset=utf-8")
            .header("referer", referer)
            .body(Body::from(body.to_string()));
        let reply = app.send(request.unwrap()).await;
        (
            reply.status.as_u16(),
            reply.json()["error"]["errcode"].clone(),
        )
    };
    let (good, unknown_app) = ((200, Value::Null), (400, json!(40013)));
    let other = format!("https://servicewechat.com/{OTHER}/12/page-frame.html");
    let unknown = "https://servicewechat.com/wx0000000000000000/1/page-frame.html";
    assert_eq!(post(json!({ "code": code(OTHER) }), &other).await, good);
    assert_eq!(post(json!({ "code": code(APPID) }), unknown).await, good);
    let elsewhere = format!("https://evil.example/{OTHER}/12/page-frame.html");
    assert_eq!(post(json!({ "code": code(APPID) }), &elsewhere).await, good);
    let body = json!({ "code": code(APPID), "appid": APPID });
    assert_eq!(post(body, &other).await, good);
    let body = json!({ "code": code(APPID), "appid": "wx0000000000000000" });
    assert_eq!(post(body, &other).await, unknown_app);
    app.end().await;
}
