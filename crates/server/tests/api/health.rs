//! `/healthz`, `/readyz`, `/metrics`: what an operator's machinery asks.

use std::{future::Future, time::Duration};

use tokio::time::{Instant, interval};
use tokio_util::sync::CancellationToken;

use crate::harness::{
    Reply, TestApp,
    link::{Link, Way},
    on_each_database,
};

const LIVE: &str = r#"200 {"status":"ok"}"#;
const READY: &str = r#"200 {"status":"ready"}"#;

/// Asks until the answer has that status; how long that took. Fails when `limit` is over.
async fn until<F: Future<Output = Reply>>(
    status: u16,
    limit: Duration,
    ask: impl Fn() -> F,
) -> Duration {
    let (began, mut look) = (Instant::now(), interval(Duration::from_millis(10)));
    loop {
        let reply = ask().await;
        if reply.status == status {
            return began.elapsed();
        }
        assert!(began.elapsed() < limit, "{}", reply.line());
        look.tick().await;
    }
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// A refusal that says when to come back, in the shape that all but sign-in have.
fn assert_unavailable(reply: &Reply) {
    let body = r#"{"success":false,"error":"unavailable","message":"system error"}"#;
    assert_eq!(reply.line(), format!("503 {body}"));
    assert_eq!(reply.header("retry-after"), "1");
}

on_each_database! {
    async fn it_lives_and_is_ready(app) {
        assert_eq!(app.get("/healthz").await.line(), LIVE);
        assert_eq!(app.get("/readyz").await.line(), READY);
        assert_eq!(app.management("/healthz").await.line(), LIVE);
        assert_eq!(app.management("/readyz").await.line(), READY);
    }

    /// Proves HTTP-7: the process lives whatever became of its store, and is not ready without it.
    async fn without_its_store_it_lives_but_is_not_ready(app) {
        app.store.close().await;
        for reply in [app.get("/readyz").await, app.management("/readyz").await] {
            assert_unavailable(&reply);
        }
        assert_eq!(app.get("/healthz").await.line(), LIVE);
        assert_eq!(app.management("/healthz").await.line(), LIVE);
        assert_eq!(app.get("/.well-known/jwks.json").await.status, 200);
    }

    /// While requests under way end, no new ones should come; those that do are served.
    async fn a_server_that_goes_away_says_so(app) {
        app.app.drain();
        assert_unavailable(&app.get("/readyz").await);
        assert_eq!(app.get("/healthz").await.line(), LIVE);
        let token = app.sign_in("wang").await.token();
        assert_eq!(app.me(&token).await.status, 200);
    }

    /// Before the store was reached there are no keys, so nothing that needs one is answered.
    async fn before_it_has_started_it_is_not_ready(app) {
        let new = app.unstarted(|_| ()).await;
        assert_eq!(new.get("/healthz").await.line(), LIVE);
        for path in ["/readyz", "/v1/user/me", "/.well-known/jwks.json",
            "/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"]
        {
            assert_unavailable(&new.get(path).await);
        }
        let sign_in = new.sign_in("wang").await;
        assert_eq!(
            sign_in.line(),
            "503 {\"success\":false,\"error\":{\"errcode\":-1,\"errmsg\":\"system error\"},\
             \"registered\":false}"
        );
        assert_eq!(sign_in.header("retry-after"), "1");
        assert_eq!(new.get("/openapi.json").await.status, 200);
        assert_eq!(new.get("/nowhere").await.status, 404);
        new.app.start().await.unwrap();
        assert_eq!(new.get("/readyz").await.line(), READY);
        assert_eq!(new.sign_in("wang").await.status, 200);
        new.app.close().await;
    }
}

/// Proves HTTP-7: 503 within a second after the database went, 200 within two after it is back,
/// whether it refuses or is silent.
#[tokio::test]
async fn readiness_follows_the_database() {
    let app = TestApp::postgres().await;
    let way = Way::open(Link::Up).await;
    let behind = way.to(&app).await;
    behind.app.start().await.unwrap();
    let token = behind.sign_in("wang").await.token();
    for link in [Link::Cut, Link::Silent] {
        assert_eq!(behind.get("/readyz").await.line(), READY);
        assert_eq!(behind.me(&token).await.status, 200);
        way.set(link);
        // The first answer alone may take as long as the check does.
        let gone = until(503, seconds(1), || behind.get("/readyz")).await;
        assert!(gone < seconds(1), "{link:?}: {gone:?}");
        assert_unavailable(&behind.get("/readyz").await);
        assert_eq!(behind.get("/healthz").await.line(), LIVE);
        assert_eq!(behind.get("/.well-known/jwks.json").await.status, 200);
        let asked = Instant::now();
        assert_unavailable(&behind.me(&token).await);
        assert!(
            asked.elapsed() < seconds(3),
            "{link:?}: {:?}",
            asked.elapsed()
        );
        way.set(Link::Up);
        let back = until(200, seconds(2), || behind.get("/readyz")).await;
        assert!(back < seconds(2), "{link:?}: {back:?}");
        until(200, seconds(2), || behind.me(&token)).await;
    }
    behind.app.close().await;
    way.end();
    app.end().await;
}

/// Proves F27: started before its database, it waits without an end, and is ready soon after.
#[tokio::test]
async fn a_server_waits_for_its_database() {
    let app = TestApp::postgres().await;
    let way = Way::open(Link::Cut).await;
    let early = way.to(&app).await;
    let stop = CancellationToken::new();
    let tending = {
        let (early, stop) = (early.app.clone(), stop.clone());
        tokio::spawn(async move { early.tend(stop).await })
    };
    for _ in 0..50 {
        assert_unavailable(&early.get("/readyz").await);
        assert_eq!(early.get("/healthz").await.line(), LIVE);
        tokio::task::yield_now().await;
    }
    assert!(!tending.is_finished());
    way.set(Link::Up);
    let ready = until(200, seconds(3), || early.get("/readyz")).await;
    assert!(ready < seconds(3), "{ready:?}");
    assert_eq!(early.sign_in("wang").await.status, 200);
    stop.cancel();
    tending.await.unwrap().unwrap();
    early.app.close().await;
    way.end();
    app.end().await;
}

on_each_database! {
    /// Proves HTTP-7: what was counted is on the management listener alone.
    async fn metrics_are_not_public(app) {
        assert_eq!(app.get("/metrics").await.status, 404);
        app.sign_in("wang").await;
        app.get("/nowhere/at/all").await;
        let reply = app.management("/metrics").await;
        assert_eq!(
            reply.header("content-type"),
            "application/openmetrics-text; version=1.0.0; charset=utf-8"
        );
        assert!(reply.text.ends_with("# EOF\n"), "{}", reply.text);
        for line in [
            r#"menjin_sign_ins_total{outcome="guest",errcode="0"} 1"#,
            r#"menjin_requests_total{route="/v1/user/login",status="200"} 1"#,
            r#"menjin_requests_total{route="other",status="404"} 1"#,
            r#"menjin_requests_total{route="/metrics",status="404"} 1"#,
            "menjin_store_refused_total 0",
        ] {
            assert!(reply.text.lines().any(|one| one == line), "{line}: {}", reply.text);
        }
        for secret in ["nowhere", "wang"] {
            assert!(!reply.text.contains(secret), "{secret}");
        }
        for path in ["/v1/user/login", "/v1/user/me", "/.well-known/jwks.json", "/openapi.json"] {
            let found = app.management(path).await.status;
            assert_eq!(found == 404, path != "/openapi.json", "{path}");
        }
    }
}
