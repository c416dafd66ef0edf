//! `GET /v1/user/me`: who may call, and as whom.

use std::time::Duration;

use axum::{body::Body, http::Request};
use menjin_core::{Clock, Role, Uid};
use menjin_store::{NewUser, Tx};
use serde_json::json;

use crate::harness::{APPID, OTHER, Reply, TestApp, on_each_database};

const NO_HEADER: &str = r#"401 {"error":"Unauthorized for no Authorization"}"#;
const NO_BEARER: &str = r#"401 {"error":"Unauthorized for no Bearer"}"#;
const EXPIRED: &str = r#"401 {"error":"token_expired"}"#;
const INVALID: &str = r#"401 {"error":"invalid_token"}"#;

/// Asks with these `Authorization` headers.
async fn ask(app: &TestApp, headers: &[&str]) -> Reply {
    let request = Request::get("/v1/user/me");
    let request = headers.iter().fold(request, |request, value| {
        request.header("authorization", *value)
    });
    app.send(request.body(Body::empty()).unwrap()).await
}

fn openid(reply: &Reply) -> String {
    reply.json()["openid"].as_str().unwrap().to_owned()
}

fn guest_line(openid: &str) -> String {
    format!(r#"200 {{"success":true,"registered":false,"openid":"{openid}"}}"#)
}

/// Somebody who signed in, registered, and signed in again: the uid and both tokens.
async fn registered(app: &TestApp, person: &str, phone: &str) -> (Uid, String, String) {
    let guest = app.sign_in(person).await;
    let uid = app.register(&openid(&guest), phone, Role::User).await;
    (uid, guest.token(), app.sign_in(person).await.token())
}

/// Runs a store function that changes something, and says whether it did.
macro_rules! change {
    ($app:ident, |$tx:ident| $what:expr) => {{
        let story = $app
            .store
            .write(move |$tx: &mut Tx| Box::pin(async move { $what.await }));
        let done: Result<_, menjin_store::Error> = story.await;
        done.unwrap()
    }};
}

on_each_database! {
    async fn a_missing_token_is_told_from_a_bad_one(app) {
        let reply = ask(app, &[]).await;
        assert_eq!(reply.line(), NO_HEADER);
        assert_eq!(reply.header("www-authenticate"), r#"Bearer realm="menjin""#);
        let token = app.sign_in("wang").await.token();
        for header in ["", " ", "Basic d2FuZzp3YW5n", "Token x", "Bearertoken", "Bearer\tx", &token] {
            let reply = ask(app, &[header]).await;
            assert_eq!(reply.line(), NO_BEARER, "{header}");
            assert_eq!(reply.header("www-authenticate"), r#"Bearer realm="menjin""#);
        }
        for header in ["Bearer", "Bearer ", "Bearer x", "Bearer a.b.c", "Bearer ..", "bearer null"] {
            let reply = ask(app, &[header]).await;
            assert_eq!(reply.line(), INVALID, "{header}");
            assert_eq!(
                reply.header("www-authenticate"),
                r#"Bearer realm="menjin", error="invalid_token""#
            );
        }
    }

    async fn a_token_lasts_an_hour(app) {
        let reply = app.sign_in("wang").await;
        let (openid, token) = (openid(&reply), reply.token());
        app.clock.advance(Duration::from_millis(3_599_999));
        assert_eq!(app.me(&token).await.line(), guest_line(&openid));
        app.clock.advance(Duration::from_millis(1));
        let late = app.me(&token).await;
        assert_eq!(late.line(), EXPIRED);
        assert_eq!(
            late.header("www-authenticate"),
            "Bearer realm=\"menjin\", error=\"invalid_token\", \
             error_description=\"the access token expired\""
        );
        let next = app.sign_in("wang").await.token();
        assert_eq!(app.me(&next).await.line(), guest_line(&openid));
    }

    async fn the_scheme_is_written_in_any_case(app) {
        let reply = app.sign_in("wang").await;
        let (line, token) = (guest_line(&openid(&reply)), reply.token());
        for scheme in ["Bearer", "bearer", "BEARER", "bEaReR"] {
            assert_eq!(ask(app, &[&format!("{scheme} {token}")]).await.line(), line);
        }
        assert_eq!(ask(app, &[&format!("Bearer   {token}  ")]).await.line(), line);
    }

    /// Two readers of two headers could each take another one.
    async fn two_headers_are_one_too_many(app) {
        let bearer = format!("Bearer {}", app.sign_in("wang").await.token());
        for headers in [
            [&bearer[..], &bearer],
            [&bearer, "Basic d2FuZzp3YW5n"],
            ["Basic d2FuZzp3YW5n", &bearer],
            ["", &bearer],
        ] {
            assert_eq!(ask(app, &headers).await.line(), INVALID, "{headers:?}");
        }
    }

    /// Proves TOK-11.
    async fn a_token_comes_in_the_header_alone(app) {
        let token = app.sign_in("wang").await.token();
        for name in ["access_token", "token", "authorization", "bearer"] {
            let request = Request::get(format!("/v1/user/me?{name}={token}"))
                .header("cookie", format!("{name}={token}"))
                .header("proxy-authorization", format!("Bearer {token}"))
                .header("x-access-token", &token)
                .header("content-type", "application/x-www-form-urlencoded");
            let reply = app.send(request.body(format!("{name}={token}").into()).unwrap()).await;
            assert_eq!(reply.line(), NO_HEADER, "{name}");
        }
    }

    async fn a_guest_who_registers_acts_as_the_user(app) {
        let reply = app.sign_in("wang").await;
        let (openid, token) = (openid(&reply), reply.token());
        assert_eq!(app.me(&token).await.line(), guest_line(&openid));
        let uid = app.register(&openid, "+8613800138000", Role::User).await;
        let me = app.me(&token).await.json();
        assert_eq!((&me["registered"], &me["uid"]), (&json!(true), &json!(uid.get())));
        assert_eq!(me["openid"], openid);
        let user = app.sign_in("wang").await.token();
        assert_eq!(app.me(&user).await.json(), me);
    }

    /// Whoever was imported is nobody until the number is verified.
    async fn an_account_without_a_verified_number_is_a_guest(app) {
        let reply = app.sign_in("wang").await;
        let (openid, token) = (openid(&reply), reply.token());
        let (identity, now) = (app.identity(&openid).await, 1);
        let uid = change!(app, |tx| tx.user_create(&NewUser {
            phone: Some("+8613800138000"), ..NewUser::empty(now)
        })).unwrap();
        assert!(change!(app, |tx| tx.identity_link(&identity.id, uid)));
        assert_eq!(app.me(&token).await.line(), guest_line(&openid));
        let again = app.sign_in("wang").await;
        assert_eq!(again.json()["registered"], false);
        assert_eq!(app.me(&again.token()).await.line(), guest_line(&openid));
    }

    async fn a_deleted_account_is_nobody(app) {
        let (uid, guest, user) = registered(app, "wang", "+8613800138000").await;
        let (_, _, li) = registered(app, "li", "+8613800138001").await;
        let now = app.clock.now();
        assert!(change!(app, |tx| tx.user_delete(uid, now)));
        assert_eq!(app.me(&user).await.line(), INVALID);
        assert_eq!(app.me(&guest).await.line(), INVALID);
        assert_eq!(app.me(&li).await.status, 200);
        let again = app.sign_in("wang").await;
        assert_eq!(app.me(&again.token()).await.line(), guest_line(&openid(&again)));
    }

    async fn a_disabled_account_is_kept_out_until_it_is_enabled(app) {
        let (uid, guest, user) = registered(app, "wang", "+8613800138000").await;
        app.disable(uid).await;
        for token in [&user, &guest] {
            assert_eq!(app.me(token).await.line(), INVALID);
        }
        assert_eq!(app.sign_in("wang").await.status, 403);
        // Even one that knows of the ban.
        let young = app.forge(&user).await.with_claim("ep", json!(1));
        assert_eq!(app.me(&young).await.line(), INVALID);
        assert!(change!(app, |tx| tx.user_enable(uid)));
        assert_eq!(app.me(&young).await.status, 200);
        for token in [&user, &guest] {
            assert_eq!(app.me(token).await.line(), INVALID, "older than the ban");
        }
        let next = app.sign_in("wang").await.token();
        assert_eq!(app.me(&next).await.json()["uid"], uid.get());
    }

    /// Even in the millisecond in which the older token was made.
    async fn a_raised_epoch_ends_older_tokens_alone(app) {
        let (uid, guest, old) = registered(app, "wang", "+8613800138000").await;
        let (_, _, li) = registered(app, "li", "+8613800138001").await;
        assert_eq!(app.me(&old).await.json()["uid"], uid.get());
        assert_eq!(change!(app, |tx| tx.user_raise_epoch(uid, 1)), Some(1));
        let new = app.sign_in("wang").await.token();
        for token in [&old, &guest] {
            assert_eq!(app.me(token).await.line(), INVALID);
        }
        assert_eq!(app.me(&new).await.json()["uid"], uid.get());
        assert_eq!(change!(app, |tx| tx.user_raise_epoch(uid, 1)), Some(2));
        assert_eq!(app.me(&new).await.line(), INVALID);
        assert_eq!(app.me(&li).await.status, 200);
    }

    /// The openid shown is that of the mini program the token was made for, and no other.
    async fn a_user_of_two_mini_programs_shows_the_openid_of_this_one(app) {
        let (uid, _, here) = registered(app, "wang", "+8613800138000").await;
        let code = app.simulator.login("wang", Some(OTHER)).unwrap();
        let there = app.post("/v1/user/login", &json!({ "code": code, "appid": OTHER })).await;
        assert_eq!(there.json()["uid"], uid.get(), "linked by the unionid");
        let (me, other) = (app.me(&here).await.json(), app.me(&there.token()).await.json());
        assert_eq!((&me["uid"], &other["uid"]), (&json!(uid.get()), &json!(uid.get())));
        assert_ne!(me["openid"], other["openid"]);
        assert_eq!(other["openid"], there.json()["openid"]);
        let forge = app.forge(&here).await;
        assert_eq!(forge.payload["client_id"], APPID);
        let elsewhere = forge.with_claim("client_id", json!("wx0000000000000000"));
        assert_eq!(app.me(&elsewhere).await.json()["openid"], "");
    }
}
