//! `POST /oauth/introspect`

use std::time::Duration;

use axum::{body::Body, http::Request};
use menjin_core::{Clock, Role, Uid};
use serde_json::{Value, json};

use super::{INACTIVE, INTROSPECT, basic, introspect, post};
use crate::harness::{APPID, OTHER, TestApp, forge, on_each_database};

/// What a service is told of the token, which counts.
async fn active(app: &TestApp, token: &str) -> Value {
    let reply = introspect(app, token).await;
    assert_eq!(reply.json()["active"], true, "{}", reply.text);
    reply.json()
}

on_each_database! {
    /// Proves INT-3: every member, the first time and the second, and not to be stored.
    async fn a_token_that_counts_is_told_whole(app) {
        let wang = app.user("wang", "13800138000").await;
        let (_, payload) = forge::read(&wang.token);
        let now = app.clock.now() / 1000;
        for _ in 0..2 {
            let reply = introspect(app, &wang.token).await;
            assert_eq!(reply.header("content-type"), "application/json");
            assert_eq!(reply.header("cache-control"), "no-store");
            assert_eq!(reply.json(), json!({
                "active": true, "sub": "100001", "uid": 100_001, "role": "user", "scope": "user", "ep": 0,
                "client_id": APPID, "token_type": "Bearer", "exp": now + 3600, "iat": now,
                "aud": ["https://door.test", "repairs"], "iss": "https://door.test",
                "jti": payload["jti"], "openid": wang.openid,
            }));
        }
        let guest = app.person("li").await;
        let told = active(app, &guest.token).await;
        assert_eq!(told["scope"], "guest");
        assert_eq!(told["openid"], json!(guest.openid));
        assert_eq!(told["aud"], json!(["https://door.test"]));
        assert!(told.get("uid").is_none() && told.get("role").is_none());
    }

    /// Proves INT-2: whatever is wrong, it is the same answer.
    async fn a_token_that_does_not_count_is_told_as_one(app) {
        let wang = app.user("wang", "13800138000").await;
        let forge = app.forge(&wang.token).await;
        let now = app.clock.now() / 1000;
        let tampered = format!("{}x", &wang.token[..wang.token.len() - 1]);
        let others = [
            forge.with_claims([("iat", json!(now - 7_200)), ("exp", json!(now - 3_600))]),
            tampered,
            forge.with_claim("iss", json!("https://evil.test")),
            forge.with_claim("aud", json!(["repairs"])),
            forge.with_header("typ", json!("JWT")),
            forge.with_header("kid", json!("nobody")),
            forge.with_claim("uid", json!(999_999)),
            "garbage".to_owned(),
            "a.b.c".to_owned(),
            "x".repeat(10_000),
        ];
        for (n, token) in others.iter().enumerate() {
            assert_eq!(introspect(app, token).await.line(), INACTIVE, "{n}");
        }
        assert_eq!(introspect(app, &wang.token).await.json()["active"], true);
        app.clock.advance(Duration::from_hours(1));
        assert_eq!(introspect(app, &wang.token).await.line(), INACTIVE, "expired");
    }

    /// Proves INT-2, TOK-13: disabled, deleted, signed out, of another role: at once, whether or not the
    /// token was seen before.
    async fn what_ends_a_token_ends_it_at_once(app) {
        for (n, seen) in [true, false].into_iter().enumerate() {
            for (m, end) in ["disable", "role", "delete", "logout", "logout_all"].into_iter().enumerate() {
                let number = format!("138001380{n}{m}");
                let person = app.user(&format!("{end}{seen}"), &number).await;
                let other = app.sign_in(&person.name).await.token();
                if seen {
                    active(app, &person.token).await;
                }
                finish(app, &person.openid, &person.token, end).await;
                assert_eq!(introspect(app, &person.token).await.line(), INACTIVE, "{end} {seen}");
                let others = introspect(app, &other).await.line();
                assert_eq!(others != INACTIVE, end == "logout", "{end} {seen}");
            }
        }
    }

    /// A guest is looked up each time: one who registered since keeps the token, and whoever left does not.
    async fn a_guest_is_looked_up(app) {
        let guest = app.person("wang").await;
        active(app, &guest.token).await;
        let user = app.user("wang", "13800138000").await;
        assert_eq!(active(app, &guest.token).await["scope"], "guest", "the token says no more");
        let body = json!({ "openid": user.openid });
        assert_eq!(app.post_as(&user.token, "/v1/user/delete", &body).await.status, 200);
        assert_eq!(introspect(app, &guest.token).await.line(), INACTIVE);
    }

    /// Somebody who uses two mini programs has an openid in each.
    async fn the_openid_is_that_of_the_tokens_mini_program(app) {
        let wang = app.user("wang", "13800138000").await;
        let code = app.simulator.login("wang", Some(OTHER)).unwrap();
        let there = app.post("/v1/user/login", &json!({ "code": code, "appid": OTHER })).await;
        let told = active(app, &there.token()).await;
        assert_eq!((&told["client_id"], &told["uid"]), (&json!(OTHER), &json!(100_001)));
        assert_eq!(told["openid"], there.json()["openid"]);
        assert_ne!(told["openid"], json!(wang.openid));
    }

    /// Proves INT-4.
    async fn a_form_by_post_with_one_token_is_asked_for(app) {
        let wang = app.user("wang", "13800138000").await;
        let (service, token) = (basic("repairs", "repairs-secret"), &wang.token);
        for form in [
            format!("token={token}&token_type_hint=refresh_token"),
            format!("token_type_hint=no%20such&foo=bar&foo=baz&token={token}"),
        ] {
            let reply = post(app, INTROSPECT, &service, &form).await;
            assert_eq!(reply.json()["active"], true, "{form}");
        }
        for form in [String::new(), "token=".to_owned(), format!("token={token}&token={token}"), format!("Token={token}")] {
            let reply = post(app, INTROSPECT, &service, &form).await;
            assert_eq!((reply.status.as_u16(), &reply.json()["error"]), (400, &json!("invalid_request")), "{form}");
        }
        let query = format!("{INTROSPECT}?token={token}");
        let reply = app.send(Request::get(&query).header("authorization", &service).body(Body::empty()).unwrap()).await;
        assert_eq!((reply.status.as_u16(), reply.header("allow")), (405, "POST"));
        assert_eq!(post(app, &query, &service, "").await.status, 400, "not from the address");
        let json = Request::post(INTROSPECT).header("authorization", &service).header("content-type", "application/json");
        let reply = app.send(json.body(Body::from(json!({ "token": token }).to_string())).unwrap()).await;
        assert_eq!(reply.status, 415);
        assert!(reply.json()["error_description"].as_str().unwrap().contains("form"), "{}", reply.text);
    }
}

/// Ends somebody's token, in one of the ways that there are.
async fn finish(app: &TestApp, openid: &str, token: &str, how: &str) {
    let uid = app.identity(openid).await.user.unwrap().uid;
    let reply = match how {
        "disable" => return app.disable(uid).await,
        "role" => return promote(app, uid).await,
        "delete" => {
            let body = json!({ "openid": openid });
            app.post_as(token, "/v1/user/delete", &body).await
        }
        _ => {
            app.post_as(token, &format!("/v1/user/{how}"), &json!({}))
                .await
        }
    };
    assert_eq!(reply.status, 200, "{how}: {}", reply.text);
}

async fn promote(app: &TestApp, uid: Uid) {
    let now = app.clock.now();
    let story = app
        .store
        .write(move |tx| Box::pin(async move { tx.user_set_role(uid, Role::Admin, now).await }));
    let done: Result<_, menjin_store::Error> = story.await;
    assert!(done.unwrap());
}
