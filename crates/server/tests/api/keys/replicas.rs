//! Several servers on one PostgreSQL.

use std::{collections::HashSet, time::Duration};

use futures_util::future::join_all;
use menjin_core::key::SigningAlgorithm;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{kid_of, published, remove, rotate, shows};
use crate::harness::{Reply, TestApp, database::sql};

const INVALID: &str = r#"401 {"error":"invalid_token"}"#;

/// Proves KEY-3: whoever removes a key on one server, it is refused on all within five seconds.
#[tokio::test]
async fn a_removed_key_is_refused_everywhere_within_seconds() {
    let one = TestApp::postgres().await;
    let two = one.replica().await;
    let stop = CancellationToken::new();
    let tending = [&one, &two].map(|app| {
        let (app, stop) = (app.app.clone(), stop.clone());
        tokio::spawn(async move { app.tend(stop).await })
    });
    let token = one.sign_in("wang").await.token();
    for app in [&one, &two] {
        assert_eq!(app.me(&token).await.status, 200);
    }
    let began = Instant::now();
    remove(&one, &kid_of(&token)).await;
    for app in [&one, &two] {
        let mut look = tokio::time::interval(Duration::from_millis(20));
        while app.me(&token).await.line() != INVALID {
            assert!(began.elapsed() < Duration::from_secs(5), "still good");
            look.tick().await;
        }
        assert!(!shows(app, &kid_of(&token)).await);
    }
    for (maker, checker) in [(&one, &two), (&two, &one)] {
        let next = maker.sign_in("wang").await.token();
        assert_eq!(checker.me(&next).await.status, 200);
        assert_eq!(checker.me(&token).await.line(), INVALID);
    }
    stop.cancel();
    for task in tending {
        task.await.unwrap().unwrap();
    }
    two.app.close().await;
    one.end().await;
}

/// Proves KEY-4: over a rotation, each of 10,000 tokens is signed with a key that the other replica
/// shows at that moment; one of the two looks after its keys every second, the other every fifth.
#[tokio::test]
async fn no_replica_signs_with_a_key_that_another_lacks() {
    let eddsa = |options: &mut menjin_server::Options| {
        options.rotation.algorithm = SigningAlgorithm::EdDsa;
    };
    let first = TestApp::postgres_with(eddsa).await;
    let settled = |options: &mut menjin_server::Options| options.migrate = false;
    let prompt = first.replica_with(&first.wechat, settled).await;
    let late = first.replica_with(&first.wechat, settled).await;
    rotate(&first).await;
    let (mut made, mut kids) = (0, HashSet::new());
    let mut code = first.code("wang");
    for second in 0..=320 {
        first.clock.advance(Duration::from_secs(1));
        prompt.app.start().await.unwrap();
        if second % 5 == 0 {
            late.app.start().await.unwrap();
        }
        if second % 25 == 0 {
            code = first.code("wang");
        }
        for (maker, checker) in [(&prompt, &late), (&late, &prompt)] {
            let replies = join_all((0..16).map(|_| maker.login(&code))).await;
            let shown = published(checker).await;
            for token in replies.iter().map(Reply::token) {
                let kid = kid_of(&token);
                assert!(shown.iter().any(|key| key["kid"] == kid), "{second}");
                kids.insert(kid);
                made += 1;
            }
        }
    }
    assert!(made >= 10_000, "{made}");
    assert_eq!(kids.len(), 2, "there was a rotation");
    for app in [&prompt, &late] {
        app.app.close().await;
    }
    first.end().await;
}

/// Servers that start at the same moment on an empty database agree on their keys.
#[tokio::test]
async fn the_first_keys_are_made_once() {
    let one = TestApp::postgres().await;
    let others = join_all((0..4).map(|_| one.replica())).await;
    let all: Vec<_> = std::iter::once(&one).chain(&others).collect();
    let (_, database) = one.store_url.rsplit_once('/').unwrap();
    for round in 0..5 {
        sql(database, "DELETE FROM signing_keys").await;
        let started = join_all(all.iter().map(|app| app.app.start())).await;
        assert!(started.iter().all(Result::is_ok), "{started:?}");
        // Whoever was overtaken sees it a second later.
        join_all(all.iter().map(|app| app.app.start())).await;
        let set = published(&one).await;
        assert_eq!(set.len(), 2, "{round}");
        for app in &others {
            assert_eq!(published(app).await, set, "{round}");
        }
        let token = others[0].sign_in("wang").await.token();
        for app in &all {
            assert_eq!(app.me(&token).await.status, 200, "{round}");
        }
    }
    for app in &others {
        app.app.close().await;
    }
    one.end().await;
}
