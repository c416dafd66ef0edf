//! Menjin is away, and comes back.

use std::time::Duration;

use menjin_guard::{Refused, WhenStale};
use serde_json::json;

use crate::{
    INVALID, UNAVAILABLE,
    door::{Door, until},
    eventually, following, hello, text, user,
};

/// Proves F13 of the guard: what was decided stays so while Menjin is away, and past the limit nothing
/// is taken that cannot be checked; when it comes back, so do the users.
#[tokio::test]
async fn past_the_limit_good_tokens_get_503_until_menjin_is_back() {
    let door = Door::open().await;
    let guard = following(&door).start().await.unwrap();
    let client = hello(&guard).await;
    let (good, bad) = (door.token(&user(1)), door.token(&user(2)));
    assert_eq!(client.hello(&good).await, "200 hello 1");
    door.revoke(json!({ "uid": 2, "epoch": 9 }));
    client.hello_until(&bad, INVALID).await;

    door.switch_off();
    door.clock.advance(Duration::from_secs(15));
    for _ in 0..3 {
        assert_eq!(client.hello(&good).await, "200 hello 1");
        assert_eq!(client.hello(&door.token(&user(3))).await, "200 hello 3");
        assert_eq!(client.hello(&bad).await, INVALID);
    }
    door.clock.advance(Duration::from_secs(16));
    let response = client.send("/hello", &[&format!("Bearer {good}")]).await;
    assert_eq!(response.headers()["retry-after"], "5");
    assert!(!response.headers().contains_key("www-authenticate"));
    assert_eq!(text(response).await, UNAVAILABLE);
    assert_eq!(client.hello(&door.token(&user(3))).await, UNAVAILABLE);
    assert_eq!(
        client.hello(&bad).await,
        INVALID,
        "what is known stays known"
    );
    assert!(!guard.is_ready());
    assert!(guard.feed_age().unwrap() > Duration::from_secs(30));

    door.revoke(json!({ "uid": 3, "epoch": 9 }));
    door.switch_on();
    door.clock.advance(Duration::from_secs(5));
    client.hello_until(&good, "200 hello 1").await;
    assert_eq!(client.hello(&door.token(&user(3))).await, INVALID);
    assert!(guard.is_ready());
}

#[tokio::test]
async fn whoever_prefers_that_lets_good_tokens_in() {
    let door = Door::open().await;
    let guard = following(&door)
        .when_stale(WhenStale::Accept)
        .start()
        .await
        .unwrap();
    let (good, bad) = (door.token(&user(1)), door.token(&user(2)));
    door.revoke(json!({ "uid": 2, "epoch": 9 }));
    eventually(|| async { guard.check(&bad).await.err() == Some(Refused::Invalid) }).await;
    door.switch_off();
    door.clock.advance(Duration::from_mins(10));
    assert!(guard.check(&good).await.is_ok());
    assert_eq!(guard.check(&bad).await.unwrap_err(), Refused::Invalid);
}

/// While all is well the age stays below a third of what is allowed.
#[tokio::test]
async fn the_age_counts_from_when_the_answered_request_was_sent() {
    let door = Door::open().await;
    let guard = following(&door)
        .stale_after(Duration::from_mins(2))
        .start()
        .await
        .unwrap();
    until(&door.state.waiting, |waiting| *waiting == 1).await;
    door.clock.advance(Duration::from_secs(20));
    // The answer comes now, to a request that was sent twenty seconds ago.
    door.revoke(json!({ "uid": 2, "epoch": 9 }));
    let bad = door.token(&user(2));
    eventually(|| async { guard.check(&bad).await.err() == Some(Refused::Invalid) }).await;
    let age = guard.feed_age().unwrap();
    assert!((20..40).contains(&age.as_secs()), "{age:?}");
    // The next one is answered too, and was sent just now.
    until(&door.state.waiting, |waiting| *waiting == 1).await;
    door.revoke(json!({ "uid": 3, "epoch": 9 }));
    let bad = door.token(&user(3));
    eventually(|| async { guard.check(&bad).await.err() == Some(Refused::Invalid) }).await;
    let age = guard.feed_age().unwrap();
    assert!(age.as_secs() < 20, "{age:?}");
}

/// Whoever is late asks for an answer at once, and does not wait for news first.
#[tokio::test]
async fn after_a_pause_the_first_answer_comes_at_once() {
    let door = Door::open().await;
    let guard = following(&door)
        .stale_after(Duration::from_mins(3))
        .start()
        .await
        .unwrap();
    let good = door.token(&user(1));
    until(&door.state.waiting, |waiting| *waiting == 1).await;
    door.switch_off();
    door.clock.advance(Duration::from_secs(181));
    assert_eq!(guard.check(&good).await.unwrap_err(), Refused::Unavailable);
    door.switch_on();
    let back = std::time::Instant::now();
    door.clock.advance(Duration::from_secs(5));
    eventually(|| async { guard.check(&good).await.is_ok() }).await;
    assert!(back.elapsed() < Duration::from_secs(25));
}
