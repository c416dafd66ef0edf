//! Pictures by their address.

use axum::Router;
use serde_json::json;
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};
use tokio::net::TcpListener;

use super::{HOST, bad, changed, refused, with_a_club};
use crate::harness::TestApp;

with_a_club! {
    /// Proves PRF-7: an address is https on a host that is named, or refused.
    async fn a_picture_elsewhere_is_on_a_named_host(app) {
        let wang = app.user("wang", "13800138000").await;
        let url = format!("https://{HOST}/mmopen/vi_32/abc/132");
        let reply = app.set(&wang, json!({ "avatar": url })).await;
        assert_eq!(changed(&reply), json!({ "avatar": url }));
        for wrong in [
            format!("http://{HOST}/a"),
            format!("https://{HOST}.evil.test/a"),
            format!("https://{HOST}@evil.test/a"),
            "https://evil.test/a".to_owned(),
            "https://door.test/a.jpg".to_owned(),
            "javascript:alert(1)".to_owned(),
            "data:image/svg+xml,<svg onload=alert(1)>".to_owned(),
            "/avatars/x.jpg".to_owned(),
            " ".to_owned(),
        ] {
            let reply = app.set(&wang, json!({ "avatar": wrong })).await;
            assert_eq!(refused(&reply), bad("invalid_avatar"), "{wrong}");
        }
        assert_eq!(app.shown(&wang).await["avatar"], url);
        let reply = app.set(&wang, json!({ "avatar": "" })).await;
        assert_eq!(changed(&reply), json!({ "avatar": "" }));
    }

    /// Proves PRF-7: one of our own addresses is good for whoever uploaded the picture, and them alone.
    async fn a_picture_of_ours_is_ones_own(app) {
        let (wang, li) = (app.user("wang", "13800138000").await, app.user("li", "13800138001").await);
        let url = app.uploaded(&wang, 1).await;
        assert_eq!(changed(&app.set(&wang, json!({ "avatar": url, "campus": "东" })).await), json!({ "campus": "东" }));
        assert_eq!(refused(&app.set(&li, json!({ "avatar": url })).await), bad("invalid_avatar"));
        let nobodys = "https://door.test/avatars/0123456789abcdef0123456789abcdef.jpg";
        assert_eq!(refused(&app.set(&wang, json!({ "avatar": nobodys })).await), bad("invalid_avatar"));
        assert_eq!(app.shown(&wang).await["avatar"], url);
    }
}

/// Proves PRF-7: nobody here ever fetches what an address stands for.
#[tokio::test]
async fn an_address_is_never_fetched() {
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = asked.clone();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let router = Router::new().fallback(move || async move {
        counter.fetch_add(1, Ordering::SeqCst);
    });
    let serving = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    let app = TestApp::sqlite_with(|options| {
        options.profile.avatar_hosts = vec!["127.0.0.1".to_owned(), "localhost".to_owned()];
    })
    .await;
    let wang = app.user("wang", "13800138000").await;
    for (url, status) in [
        (format!("https://127.0.0.1:{port}/a"), 400),
        (format!("http://127.0.0.1:{port}/a"), 400),
        ("https://localhost/a".to_owned(), 200),
    ] {
        let reply = app.set(&wang, json!({ "avatar": url })).await;
        assert_eq!(reply.status.as_u16(), status, "{url}");
    }
    app.app.do_errands().await;
    assert_eq!(asked.load(Ordering::SeqCst), 0);
    serving.abort();
    app.end().await;
}
