//! How often one address may sign in.

use std::time::Duration;

use super::{asked, refused};
use crate::harness::{Reply, TestApp, wire::Served};

const WORDS: &str = "too many requests, try again later";

/// The status of one sign-in over a connection of its own, with what it says of its way here.
async fn status(served: &Served, forwarded_for: &str) -> String {
    let body = r#"{"code":"no code"}"#;
    let length = body.len();
    let request = format!(
        "POST /v1/user/login HTTP/1.1\r\nHost: door.test\r\nConnection: close\r\n\
         X-Forwarded-For: {forwarded_for}\r\nContent-Type: application/json\r\n\
         Content-Length: {length}\r\n\r\n{body}"
    );
    let answer = served.say(request).await;
    answer.split(' ').nth(1).unwrap().to_owned()
}

#[tokio::test]
async fn an_address_signs_in_so_often_a_minute() {
    let app = TestApp::sqlite_with(|options| options.sign_in_per_address = 3).await;
    let code = app.code("wang");
    for _ in 0..2 {
        assert_eq!(app.login(&code).await.status, 200);
    }
    // What is no sign-in counts as well: it is work all the same.
    assert_eq!(app.login("no code").await.status, 400);
    let calls = asked(&app).await;
    let limited = |reply: Reply| {
        assert_eq!(reply.line(), refused(429, 45011, WORDS));
        assert_eq!(reply.header("retry-after"), "20");
    };
    limited(app.login(&code).await);
    limited(app.sign_in("li").await);
    assert_eq!(asked(&app).await, calls);
    app.clock.advance(Duration::from_secs(20));
    assert_eq!(app.login(&code).await.status, 200);
    limited(app.login(&code).await);
    // The limit follows the time that passes, not the clock on the wall.
    app.clock.jump(-3_600_000);
    limited(app.login(&code).await);
    app.clock.advance(Duration::from_mins(1));
    for _ in 0..3 {
        assert_eq!(app.login("no code").await.status, 400);
    }
    limited(app.login(&code).await);
    app.end().await;
}

#[tokio::test]
async fn an_address_is_the_connection_s() {
    let app = TestApp::sqlite_with(|options| options.sign_in_per_address = 3).await;
    let served = app.serve().await;
    let mut statuses = Vec::new();
    for n in 0..100 {
        statuses.push(status(&served, &format!("192.0.2.{n}")).await);
    }
    assert_eq!(statuses[..3], ["400"; 3]);
    assert!(statuses[3..].iter().all(|status| status == "429"));
    served.end().await;
    app.end().await;
}

#[tokio::test]
async fn a_trusted_proxy_is_believed_of_whoever_spoke_to_it() {
    let app = TestApp::sqlite_with(|options| {
        options.sign_in_per_address = 3;
        options.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
    })
    .await;
    let served = app.serve().await;
    for n in 0..5 {
        // What stands further left, anybody may have written.
        let said = format!("198.51.100.{n}, 192.0.2.1");
        let expected = if n < 3 { "400" } else { "429" };
        assert_eq!(status(&served, &said).await, expected, "{said}");
    }
    assert_eq!(status(&served, "192.0.2.2").await, "400");
    assert_eq!(status(&served, "192.0.2.1, 127.0.0.9").await, "429");
    served.end().await;
    app.end().await;
}

#[tokio::test]
async fn zero_is_no_limit() {
    let app = TestApp::sqlite_with(|options| options.sign_in_per_address = 0).await;
    for _ in 0..1_000 {
        assert_eq!(app.login("no code").await.status, 400);
    }
    app.end().await;
}
