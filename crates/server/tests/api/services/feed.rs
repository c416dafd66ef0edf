//! `GET /auth/revocations`

use std::time::Duration;

use menjin_core::revocation::Revocation;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{basic, get};
use crate::harness::{TestApp, forge, on_each_database};

async fn feed(app: &TestApp, query: &str) -> Value {
    let path = format!("/auth/revocations?{query}");
    let reply = get(app, &path, &basic("repairs", "repairs-secret")).await;
    assert_eq!(reply.status, 200, "{query} {}", reply.text);
    reply.json()
}

/// Revokes without a token.
async fn revoke(app: &TestApp, jtis: impl Iterator<Item = String> + Send + 'static) {
    let story = app.store.write(move |tx| {
        Box::pin(async move {
            for jti in jtis {
                tx.revoke(Revocation::Token(jti), 1_795_003_600_000);
            }
            Ok::<_, menjin_store::Error>(())
        })
    });
    story.await.unwrap();
}

on_each_database! {
    async fn what_counts_no_more_is_told_in_order(app) {
        assert_eq!(feed(app, "wait=0").await, json!({ "last": 0, "items": [] }));
        let wang = app.user("wang", "13800138000").await;
        let other = app.sign_in("wang").await.token();
        for (token, path) in [(&wang.token, "logout"), (&other, "logout_all")] {
            let reply = app.post_as(token, &format!("/v1/user/{path}"), &json!({})).await;
            assert_eq!(reply.status, 200);
        }
        let (header, payload) = forge::read(&wang.token);
        crate::keys::remove(app, header["kid"].as_str().unwrap()).await;
        let told = feed(app, "").await;
        assert_eq!(told["last"], 3);
        let items = told["items"].as_array().unwrap();
        assert_eq!(items[0], json!({ "seq": 1, "jti": payload["jti"], "until": "2026-11-18T12:07:40Z" }));
        assert_eq!(items[1], json!({ "seq": 2, "uid": 100_001, "epoch": 1, "until": "2026-11-18T12:08:40Z" }));
        assert_eq!(items[2], json!({ "seq": 3, "kid": header["kid"], "until": "2026-11-18T12:08:40Z" }));
        assert_eq!(feed(app, "after=2").await["items"], json!([items[2]]));
        assert_eq!(feed(app, "after=3&wait=0").await, json!({ "last": 3, "items": [] }));
    }

    async fn many_are_told_by_the_thousand(app) {
        revoke(app, (0..2_500).map(|n| format!("jti-{n}"))).await;
        let mut after = 0;
        for count in [1_000, 1_000, 500, 0] {
            let told = feed(app, &format!("after={after}&wait=0")).await;
            assert_eq!(told["items"].as_array().unwrap().len(), count);
            after = told["last"].as_i64().unwrap();
        }
        assert_eq!(after, 2_500);
    }

    /// Whoever waits hears of it when it happens, and not before.
    async fn whoever_waits_is_told_at_once(app) {
        let began = Instant::now();
        let later = async {
            let wang = app.user("wang", "13800138000").await;
            tokio::task::yield_now().await;
            app.post_as(&wang.token, "/v1/user/logout_all", &json!({})).await;
            // Whoever checks a token asks what the bell rang for; `tend` would at once.
            app.me(&wang.token).await;
        };
        let (told, ()) = tokio::join!(feed(app, "after=0"), later);
        assert_eq!(told["items"][0]["uid"], 100_001);
        assert!(began.elapsed() < Duration::from_secs(25), "{:?}", began.elapsed());
    }

    async fn nothing_is_said_after_the_wait(app) {
        let began = Instant::now();
        assert_eq!(feed(app, "after=0&wait=1").await, json!({ "last": 0, "items": [] }));
        assert!(began.elapsed() >= Duration::from_secs(1));
    }

    /// What is over leaves no gap to wait in, and an older store is noticed.
    async fn a_number_that_is_not_the_newest_is_answered_at_once(app) {
        revoke(app, std::iter::once("a".to_owned())).await;
        app.clock.advance(Duration::from_hours(2));
        app.app.purge().await;
        assert_eq!(app.rows("revocations").await, 0);
        assert_eq!(feed(app, "after=0").await, json!({ "last": 1, "items": [] }));
        assert_eq!(feed(app, "after=7").await, json!({ "last": 1, "items": [] }));
    }

    async fn odd_numbers_are_refused(app) {
        for query in ["after=-1", "after=x", "after=1.5", "after=", "wait=31", "wait=-1", "wait=x", "after=1&after=2",
            "after=99999999999999999999"] {
            let path = format!("/auth/revocations?{query}");
            let reply = get(app, &path, &basic("repairs", "repairs-secret")).await;
            assert_eq!((reply.status.as_u16(), &reply.json()["error"]), (400, &json!("invalid_request")), "{query}");
            let name = query.split('=').next().unwrap();
            let words = reply.json()["error_description"].to_string();
            assert!(words.contains(name), "{words}");
        }
    }

    /// A store that was set back does not bring a token back.
    async fn a_store_that_was_set_back_brings_nothing_back(app) {
        let wang = app.user("wang", "13800138000").await;
        assert_eq!(app.post_as(&wang.token, "/v1/user/logout", &json!({})).await.status, 200);
        assert_eq!(app.me(&wang.token).await.status, 401);
        app.sql("DELETE FROM revocations").await;
        app.sql("UPDATE revocation_numbers SET last = 0").await;
        app.clock.advance(Duration::from_secs(5));
        assert_eq!(app.me(&wang.token).await.status, 401, "what is known is not forgotten");
        let li = app.user("li", "13800138001").await;
        app.post_as(&li.token, "/v1/user/logout", &json!({})).await;
        assert_eq!(app.me(&li.token).await.status, 401, "and what comes is heard, by a number that was used");
        assert_eq!(app.me(&wang.token).await.status, 401);
    }
}

/// The drain lets nobody wait long, and nobody ask again and again.
#[tokio::test]
async fn whoever_waits_is_let_go_by_the_drain() {
    let app = TestApp::sqlite().await;
    let began = Instant::now();
    let drain = async {
        tokio::task::yield_now().await;
        app.app.drain();
    };
    let (told, ()) = tokio::join!(feed(&app, "after=0"), drain);
    assert_eq!(told["items"], json!([]));
    let let_go = began.elapsed();
    assert!(let_go < Duration::from_secs(25));
    assert_eq!(feed(&app, "after=0").await["items"], json!([]));
    let again = began.elapsed().checked_sub(let_go).unwrap();
    assert!(again >= Duration::from_millis(500), "asked without end");
    assert!(again < Duration::from_secs(25));
    app.end().await;
}
