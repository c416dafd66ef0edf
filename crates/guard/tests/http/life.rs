//! How a guard begins and ends.

use std::{
    io,
    sync::{Arc, Mutex, atomic::Ordering},
    time::Duration,
};

use menjin_guard::{Builder, Guard, Refused, StartError};
use serde_json::json;
use tokio::task::JoinSet;
use tracing_subscriber::fmt::MakeWriter;

use crate::{
    ISSUER, SECRET, SERVICE, UNAVAILABLE,
    door::{Door, until},
    eventually, following, hello, keys_alone, user,
};

async fn error(builder: Builder) -> String {
    let error = builder.start().await.unwrap_err();
    format!("{error:?}")
}

#[tokio::test]
async fn options_that_do_not_fit_are_refused_in_words() {
    let begin = || Guard::new(ISSUER);
    let good = || begin().audience(SERVICE);
    for (builder, word) in [
        (begin(), "audience() is missing"),
        (begin().audience(""), "audience() is missing"),
        (begin().audience(ISSUER), "which is in every token"),
        (Guard::new("door").audience(SERVICE), "no http(s) URL"),
        (good().service("", "x"), "service() is empty"),
        (good().stale_after(Duration::from_secs(5)), "stale_after()"),
    ] {
        let StartError::Options(text) = builder.start_lazily().unwrap_err() else {
            unreachable!()
        };
        assert!(text.contains(word), "{text}");
    }
    let outside = std::thread::spawn(move || Guard::new(ISSUER).audience(SERVICE).start_lazily());
    let outside = outside.join().unwrap().unwrap_err().to_string();
    assert!(outside.contains("tokio runtime"), "{outside}");
}

#[tokio::test]
async fn a_start_that_fails_says_what_to_do() {
    let door = Door::open().await;
    let url = door.url();
    let wrong = keys_alone(&door).service(SERVICE, "another");
    let text = error(wrong).await;
    assert!(
        text.contains("answered 401") && text.contains("menjin service"),
        "{text}"
    );
    assert!(!text.contains("another\""), "{text}");

    let metadata = "/.well-known/oauth-authorization-server";
    let elsewhere = json!({ "issuer": "https://other.example", "jwks_uri": url }).to_string();
    let long = " ".repeat(70_000);
    let news = "/auth/revocations";
    for (path, status, body, word) in [
        (metadata, 200, "<html>", "something else than the metadata"),
        (
            metadata,
            200,
            &*elsewhere,
            "of the issuer \"https://other.example\"",
        ),
        (metadata, 200, &*long, "more than 65536 bytes"),
        (metadata, 302, "", "answered 302"),
        (metadata, 404, "", "answered 404"),
        (
            "/.well-known/jwks.json",
            200,
            "[]",
            "something else than a key set",
        ),
        (news, 403, "", "`follow`"),
        (news, 503, "", "answered 503"),
        (news, 200, r#"{"last": 1}"#, "a page of the revocation feed"),
        (
            news,
            200,
            r#"{"last": 1, "items": [{"seq": 0, "jti": "x", "until": "2026-11-25T18:00:00Z"}]}"#,
            "a page of the revocation feed",
        ),
        (
            news,
            200,
            r#"{"last": 1, "items": [{"seq": 1, "jti": "x", "until": "soon"}]}"#,
            "a page of the revocation feed",
        ),
    ] {
        door.answer(path, status, body);
        let text = error(following(&door)).await;
        assert!(text.contains(word) && text.contains(path), "{word}: {text}");
    }
    door.switch_off();
    let text = error(following(&door)).await;
    assert!(text.contains("could not be reached"), "{text}");
}

#[tokio::test]
async fn a_lazy_start_waits_for_menjin() {
    let door = Door::open().await;
    door.switch_off();
    let guard = following(&door).start_lazily().unwrap();
    let client = hello(&guard).await;
    let token = door.token(&user(1));
    assert!(!guard.is_ready());
    assert_eq!(client.hello(&token).await, UNAVAILABLE);
    assert_eq!(client.hello("x").await, crate::INVALID);
    door.switch_on();
    // No task waits longer than this before it asks again.
    door.clock.advance(Duration::from_secs(5));
    client.hello_until(&token, "200 hello 1").await;
    assert!(guard.is_ready());
}

#[tokio::test]
async fn the_tasks_end_with_the_last_guard() {
    let door = Door::open().await;
    let guard = following(&door).start().await.unwrap();
    until(&door.state.waiting, |waiting| *waiting == 1).await;
    let layer = guard.layer();
    drop(guard);
    let token = door.token(&user(1));
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
    assert_eq!(*door.state.waiting.borrow(), 1, "the layer holds it");
    drop((layer, token));
    until(&door.state.waiting, |waiting| *waiting == 0).await;
    let (keys, news) = (door.keys_asked(), door.news_asked());
    door.clock.advance(Duration::from_hours(1));
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert_eq!((door.keys_asked(), door.news_asked()), (keys, news));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_at_once_are_served() {
    let door = Arc::new(Door::open().await);
    let guard = following(&door).start().await.unwrap();
    door.revoke(json!({ "uid": 13, "epoch": 9 }));
    let banned = door.token(&user(13));
    eventually(|| async { guard.check(&banned).await.err() == Some(Refused::Invalid) }).await;
    let tokens: Vec<_> = (1..=20).map(|uid| door.token(&user(uid))).collect();
    let tokens = Arc::new(tokens);
    let mut all = JoinSet::new();
    for number in 0..1_000_usize {
        let (guard, tokens) = (guard.clone(), tokens.clone());
        all.spawn(async move {
            for turn in 0..20 {
                let uid = (number + turn) % 20 + 1;
                let uid_of = guard
                    .check(&tokens[uid - 1])
                    .await
                    .map(|caller| caller.uid());
                let expected = if uid == 13 {
                    Err(Refused::Invalid)
                } else {
                    Ok(Some(i64::try_from(uid).unwrap()))
                };
                assert_eq!(uid_of, expected);
            }
        });
    }
    while let Some(ended) = all.join_next().await {
        ended.unwrap();
    }
    assert_eq!(door.state.asked_for_metadata.load(Ordering::SeqCst), 1);
}

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Lines {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

impl Lines {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

/// A feed that fails is one line for each way of failing, and one when it works again; no line at any
/// level holds the secret or a token.
#[tokio::test]
async fn the_log_says_it_once_and_tells_no_secret() {
    let lines = Lines::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(lines.clone())
        .with_ansi(false)
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let door = Door::open().await;
    let guard = following(&door).start().await.unwrap();
    for turn in [401, 503] {
        door.answer("/auth/revocations", turn, "");
        door.revoke(json!({ "jti": "x" }));
        let asked = door.news_asked();
        eventually(|| async {
            door.clock.advance(Duration::from_secs(1));
            door.news_asked() > asked + 4
        })
        .await;
    }
    *door.state.instead.lock().unwrap() = None;
    eventually(|| async {
        door.clock.advance(Duration::from_secs(1));
        lines.text().contains("can be had again")
    })
    .await;
    // The clock went far, and no further from here.
    let token = door.token(&user(1));
    guard.check(&token[..token.len() - 1]).await.unwrap_err();
    eventually(|| async { guard.check(&token).await.is_ok() }).await;
    let text = lines.text();
    let warned: Vec<_> = text.lines().filter(|line| line.contains("WARN")).collect();
    assert_eq!(warned.len(), 2, "{warned:?}");
    assert!(warned[0].contains("menjin service rotate") && warned[1].contains("503"));
    assert_eq!(text.matches("can be had again").count(), 1);
    let signature = token.rsplit('.').next().unwrap();
    for secret in [SECRET, "s3cret", "cmVwYWlyczpz", signature] {
        assert!(!text.contains(secret), "{secret}");
    }
}
