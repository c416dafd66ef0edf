//! Signing out, here and everywhere.

use std::time::Duration;

use axum::{body::Body, http::Request};
use futures_util::future::join_all;
use serde_json::json;

use crate::harness::{OTHER, Reply, TestApp, on_each_database};

const LOGOUT: &str = "/v1/user/logout";
const LOGOUT_ALL: &str = "/v1/user/logout_all";
const NO_HEADER: &str = r#"401 {"error":"Unauthorized for no Authorization"}"#;
const INVALID: &str = r#"401 {"error":"invalid_token"}"#;
const DONE: &str = r#"200 {"success":true}"#;
const NUMBERS: [&str; 2] = ["13800138000", "13800138001"];

/// A `POST` without a body, as `wx.request` sends one that was given no `data`.
async fn post(app: &TestApp, path: &str, token: &str) -> Reply {
    let request = Request::post(path).header("authorization", format!("Bearer {token}"));
    app.send(request.body(Body::empty()).unwrap()).await
}

on_each_database! {
    async fn nobody_signs_out(app) {
        for path in [LOGOUT, LOGOUT_ALL] {
            let reply = app.post(path, &json!({})).await;
            assert_eq!(reply.line(), NO_HEADER);
            assert_eq!(post(app, path, "a.b.c").await.line(), INVALID);
        }
    }

    /// The token is refused on every server, also after a restart, and no other token is.
    async fn a_token_that_was_signed_out_is_refused_everywhere(app) {
        let wang = app.user("wang", NUMBERS[0]).await;
        let other = app.sign_in("wang").await.token();
        let replica = app.replica().await;
        assert_eq!(replica.me(&wang.token).await.status, 200);
        assert_eq!(post(app, LOGOUT, &wang.token).await.line(), DONE);
        let later = app.replica().await;
        // Nobody looks after these two, so they ask when they have not for five seconds.
        app.clock.advance(Duration::from_secs(5));
        for app in [app, &replica, &later] {
            assert_eq!(app.me(&wang.token).await.line(), INVALID);
            assert_eq!(app.me(&other).await.status, 200);
        }
        assert_eq!(post(app, LOGOUT, &wang.token).await.line(), INVALID);
        assert_eq!(app.rows("audit WHERE event = 'signed_out' AND subject = '100001'").await, 1);
        replica.app.close().await;
        later.app.close().await;
    }

    async fn a_guest_signs_out_of_here_but_not_of_everywhere(app) {
        let guest = app.person("wang").await;
        let reply = post(app, LOGOUT_ALL, &guest.token).await;
        assert_eq!((reply.status.as_u16(), &reply.json()["error"]), (403, &json!("forbidden")));
        assert_eq!(app.me(&guest.token).await.status, 200);
        assert_eq!(post(app, LOGOUT, &guest.token).await.line(), DONE);
        assert_eq!(app.me(&guest.token).await.line(), INVALID);
        assert_eq!(app.me(&app.sign_in("wang").await.token()).await.status, 200);
    }

    /// A revocation is kept for as long as the token could be taken, by whatever clock.
    async fn a_revocation_is_forgotten_when_the_token_is_over(app) {
        let guest = app.person("wang").await;
        assert_eq!(post(app, LOGOUT, &guest.token).await.line(), DONE);
        app.clock.advance(Duration::from_hours(1));
        app.app.purge().await;
        assert_eq!(app.rows("revocations").await, 1);
        app.clock.advance(Duration::from_secs(61));
        app.app.purge().await;
        assert_eq!(app.rows("revocations").await, 0);
        assert_eq!(app.me(&guest.token).await.line(), r#"401 {"error":"token_expired"}"#);
    }

    async fn every_older_token_is_refused(app) {
        let guest = app.person("wang").await;
        let wang = app.user("wang", NUMBERS[0]).await;
        let li = app.user("li", NUMBERS[1]).await;
        let code = app.simulator.login("wang", Some(OTHER)).unwrap();
        let there = app.post("/v1/user/login", &json!({ "code": code, "appid": OTHER })).await;
        let reply = post(app, LOGOUT_ALL, &wang.token).await;
        assert_eq!((reply.status.as_u16(), &reply.json()["success"]), (200, &json!(true)));
        for token in [&guest.token, &wang.token, &there.token()] {
            assert_eq!(app.me(token).await.line(), INVALID);
            assert_eq!(post(app, LOGOUT_ALL, token).await.line(), INVALID);
        }
        let fresh = app.me(&reply.token()).await.json();
        assert_eq!((&fresh["uid"], &fresh["openid"]), (&json!(100_001), &json!(wang.openid)));
        assert_eq!(app.me(&li.token).await.status, 200);
        assert_eq!(app.rows("audit WHERE event = 'signed_out_everywhere'").await, 1);
    }

    /// Proves INT-8: a thousand times, with every token made in one millisecond, no old token lives and
    /// no new one is dead.
    async fn tokens_of_the_same_moment_are_told_apart(app) {
        let names: Vec<_> = (0..10).map(|n| format!("person {n}")).collect();
        let rounds = names.iter().enumerate().map(async |(n, name)| {
            let mut token = app.user(name, &format!("1380013800{n}")).await.token;
            for _ in 0..100 {
                let sibling = app.sign_in(name).await.token();
                let fresh = post(app, LOGOUT_ALL, &token).await.token();
                let later = app.sign_in(name).await.token();
                for old in [&token, &sibling] {
                    assert_eq!(app.me(old).await.line(), INVALID);
                }
                for new in [&fresh, &later] {
                    assert_eq!(app.me(new).await.status, 200);
                }
                token = fresh;
            }
        });
        join_all(rounds).await;
        assert_eq!(app.rows("users WHERE epoch = 100").await, 10);
    }

    /// A token that is dead by now never becomes a fresh one: of fifty at once with tokens of one epoch,
    /// one gets a token that lives.
    async fn of_many_who_sign_out_everywhere_one_stays(app) {
        let wang = app.user("wang", NUMBERS[0]).await;
        let sibling = app.sign_in("wang").await.token();
        let tokens = [&wang.token, &sibling].into_iter().cycle().take(50);
        let replies = join_all(tokens.map(|token| post(app, LOGOUT_ALL, token))).await;
        let (stayed, gone): (Vec<_>, Vec<_>) = replies.iter().partition(|reply| reply.status == 200);
        assert_eq!(stayed.len(), 1);
        assert!(gone.iter().all(|reply| reply.line() == INVALID));
        assert_eq!(app.me(&stayed[0].token()).await.status, 200);
        assert_eq!(app.rows("users WHERE epoch = 1").await, 1);
    }

    /// The same request again changes nothing.
    async fn fifty_sign_out_at_once(app) {
        let wang = app.user("wang", NUMBERS[0]).await;
        let replies = join_all((0..50).map(|_| post(app, LOGOUT, &wang.token))).await;
        assert!(replies.iter().all(|reply| [DONE, INVALID].contains(&&*reply.line())));
        assert_eq!(app.me(&wang.token).await.line(), INVALID);
        assert_eq!(app.rows("revocations").await, 1);
    }
}
