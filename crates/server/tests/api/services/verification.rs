//! `GET /auth/verify`

use std::time::Duration;

use axum::{body::Body, http::Request};
use menjin_core::Role;
use serde_json::json;

use crate::harness::{APPID, Reply, TestApp, on_each_database};

const NO_HEADER: &str = r#"401 {"error":"Unauthorized for no Authorization"}"#;
const NO_BEARER: &str = r#"401 {"error":"Unauthorized for no Bearer"}"#;
const INVALID: &str = r#"401 {"error":"invalid_token"}"#;
const EXPIRED: &str = r#"401 {"error":"token_expired"}"#;

async fn verify(app: &TestApp, token: &str) -> Reply {
    app.get_as(token, "/auth/verify").await
}

/// What is handed to the service behind the proxy.
fn said(reply: &Reply) -> [&str; 5] {
    ["uid", "role", "scope", "appid", "openid"]
        .map(|name| reply.header(&format!("x-menjin-{name}")))
}

on_each_database! {
    async fn a_user_passes_and_is_named(app) {
        let wang = app.user("wang", "13800138000").await;
        for _ in 0..2 {
            let reply = verify(app, &wang.token).await;
            assert_eq!(reply.line(), "200 ");
            assert_eq!(said(&reply), ["100001", "user", "user", APPID, &wang.openid]);
            assert_eq!(reply.header("cache-control"), "no-store");
        }
        let li = app.sign_in("li").await.json()["openid"].clone();
        app.register(li.as_str().unwrap(), "+8613800138001", Role::Admin).await;
        let admin = app.sign_in("li").await.token();
        let reply = verify(app, &admin).await;
        assert_eq!(said(&reply)[..3], ["100002", "admin", "user admin"]);
    }

    async fn nobody_passes_without_a_good_token(app) {
        let wang = app.user("wang", "13800138000").await;
        let forge = app.forge(&wang.token).await;
        let nothing = Request::get("/auth/verify").body(Body::empty()).unwrap();
        assert_eq!(app.send(nothing).await.line(), NO_HEADER);
        let basic = Request::get("/auth/verify").header("authorization", "Basic eDp5");
        assert_eq!(app.send(basic.body(Body::empty()).unwrap()).await.line(), NO_BEARER);
        let query = Request::get(format!("/auth/verify?access_token={}", wang.token));
        assert_eq!(app.send(query.body(Body::empty()).unwrap()).await.line(), NO_HEADER);
        for token in [
            forge.with_claim("iss", json!("https://evil.test")),
            forge.with_claim("aud", json!("repairs")),
            forge.with_header("typ", json!("JWT")),
            "x".to_owned(),
        ] {
            let reply = verify(app, &token).await;
            assert_eq!(reply.line(), INVALID);
            assert_eq!(said(&reply), [""; 5]);
        }
        assert_eq!(app.post_as(&wang.token, "/v1/user/logout", &json!({})).await.status, 200);
        assert_eq!(verify(app, &wang.token).await.line(), INVALID);
        let again = app.sign_in("wang").await.token();
        assert_eq!(verify(app, &again).await.status, 200);
        app.disable(menjin_core::Uid::new(100_001).unwrap()).await;
        assert_eq!(verify(app, &again).await.line(), INVALID);
        app.clock.advance(Duration::from_hours(1));
        assert_eq!(verify(app, &again).await.line(), EXPIRED);
    }

    /// A guest's token is for Menjin alone, unless the operator lets guests in.
    async fn a_guest_passes_where_guests_may(app) {
        let guest = app.person("wang").await;
        assert_eq!(verify(app, &guest.token).await.line(), INVALID);
        for query in ["?guests=allow", "?x=1&guests=allow"] {
            let reply = app.get_as(&guest.token, &format!("/auth/verify{query}")).await;
            assert_eq!(said(&reply), ["", "", "guest", APPID, &guest.openid], "{query}");
        }
        for query in ["?guests=", "?guests=deny", "?guests=allow&guests=allow"] {
            let reply = app.get_as(&guest.token, &format!("/auth/verify{query}")).await;
            assert_eq!(reply.line(), INVALID, "{query}");
        }
        let user = app.user("wang", "13800138000").await;
        let reply = app.get_as(&user.token, "/auth/verify?guests=allow").await;
        assert_eq!(said(&reply)[..3], ["100001", "user", "user"]);
    }

    /// A proxy that stands for one service lets only those through whose token is for it.
    async fn a_token_passes_where_it_was_made_for(app) {
        let wang = app.user("wang", "13800138000").await;
        let forge = app.forge(&wang.token).await;
        let elsewhere = forge.with_claim("aud", json!(["https://door.test", "shop"]));
        let nowhere = forge.with_claim("aud", json!("https://door.test"));
        for (token, audience, passes) in [
            (&wang.token, "repairs", true),
            (&wang.token, "https://door.test", true),
            (&wang.token, "shop", false),
            (&wang.token, "", false),
            (&elsewhere, "repairs", false),
            (&elsewhere, "shop", true),
            (&nowhere, "repairs", false),
        ] {
            for _ in 0..2 {
                let reply = app.get_as(token, &format!("/auth/verify?audience={audience}")).await;
                assert_eq!(reply.status == 200, passes, "{audience} {}", reply.text);
                assert!(passes || reply.line() == INVALID);
            }
        }
        let twice = app.get_as(&wang.token, "/auth/verify?audience=repairs&audience=shop").await;
        assert_eq!(twice.status, 400, "{}", twice.text);
        let guest = app.person("li").await;
        let reply = app.get_as(&guest.token, "/auth/verify?audience=repairs").await;
        assert_eq!(reply.line(), INVALID);
        let reply = app.get_as(&guest.token, "/auth/verify?audience=repairs&guests=allow").await;
        assert_eq!(reply.status, 200, "guests are let in or not, whatever the service");
    }

    /// Seen before, a token is checked without the store, for as long as that was heard lately.
    async fn a_token_seen_before_passes_without_the_store(app) {
        let wang = app.user("wang", "13800138000").await;
        let other = app.sign_in("wang").await.token();
        assert_eq!(verify(app, &wang.token).await.status, 200);
        app.store.close().await;
        assert_eq!(verify(app, &wang.token).await.status, 200);
        assert_eq!(verify(app, &other).await.status, 503, "not seen before");
        app.clock.advance(Duration::from_secs(5));
        let reply = verify(app, &wang.token).await;
        assert_eq!(reply.status, 503);
        assert!(!reply.header("retry-after").is_empty());
        assert_eq!(said(&reply), [""; 5]);
    }
}
