//! `POST /oauth/revoke`

use std::time::Duration;

use futures_util::future::join_all;
use menjin_core::Permission;
use serde_json::json;

use super::{INACTIVE, REVOKE, basic, introspect, post};
use crate::harness::{Reply, TestApp, on_each_database, service};

const INVALID: &str = r#"401 {"error":"invalid_token"}"#;
/// JSON, since some clients take nothing else.
const DONE: &str = "200 {}";

async fn revoke(app: &TestApp, token: &str) -> Reply {
    let form = format!("token={token}");
    post(app, REVOKE, &basic("repairs", "repairs-secret"), &form).await
}

on_each_database! {
    /// Proves INT-5: it is done when the answer comes, and done again it is done.
    async fn a_revoked_token_counts_no_more(app) {
        let wang = app.user("wang", "13800138000").await;
        let other = app.sign_in("wang").await.token();
        for token in [&wang.token, &app.person("li").await.token] {
            assert_eq!(introspect(app, token).await.json()["active"], true);
            assert_eq!(revoke(app, token).await.line(), DONE);
            assert_eq!(introspect(app, token).await.line(), INACTIVE);
            assert_eq!(app.me(token).await.line(), INVALID);
            assert_eq!(revoke(app, token).await.line(), DONE);
        }
        assert_eq!(app.me(&other).await.status, 200);
        assert_eq!(app.rows("revocations").await, 2);
        let audited = "audit WHERE event = 'token_revoked' AND actor = 'repairs' AND subject = '100001'";
        assert!(app.rows(audited).await >= 1);
    }

    /// Proves INT-5: what counts for nothing is no failure, and nothing is a failure.
    async fn what_is_no_token_is_no_failure(app) {
        let wang = app.user("wang", "13800138000").await;
        let forge = app.forge(&wang.token).await;
        let forged = forge.with_claim("iss", json!("https://evil.test"));
        for token in ["x", "a.b.c", &forged, &"x".repeat(10_000)] {
            assert_eq!(revoke(app, token).await.line(), DONE);
        }
        app.clock.advance(Duration::from_hours(2));
        assert_eq!(revoke(app, &wang.token).await.line(), DONE);
        assert_eq!(app.rows("revocations").await, 0);
        for form in ["", "token=", "token=a&token=b", "token_type_hint=access_token"] {
            let reply = post(app, REVOKE, &basic("repairs", "repairs-secret"), form).await;
            assert_eq!((reply.status.as_u16(), &reply.json()["error"]), (400, &json!("invalid_request")));
        }
    }

    /// Fifty at once are one.
    async fn a_token_is_revoked_once_by_many(app) {
        let wang = app.user("wang", "13800138000").await;
        let all = join_all((0..50).map(|_| revoke(app, &wang.token))).await;
        assert!(all.iter().all(|reply| reply.status == 200));
        assert_eq!(app.rows("revocations").await, 1);
        assert_eq!(introspect(app, &wang.token).await.line(), INACTIVE);
    }
}

/// Proves INT-5: what cannot be written down is not said to be done.
#[tokio::test]
async fn nothing_is_acknowledged_that_is_not_written_down() {
    let app = TestApp::sqlite_with(|options| {
        options.services = vec![service("repairs", &[Permission::Revoke])];
    })
    .await;
    let wang = app.user("wang", "13800138000").await;
    app.store.close().await;
    let reply = revoke(&app, &wang.token).await;
    assert_eq!(reply.status, 503, "{}", reply.text);
    assert_eq!(reply.json()["error"], "temporarily_unavailable");
    assert!(!reply.header("retry-after").is_empty());
    // Five seconds later it cannot be known what counts.
    app.clock.advance(Duration::from_secs(5));
    let reply = app.me(&wang.token).await;
    assert_eq!(reply.status, 503, "{}", reply.text);
    app.end().await;
}
