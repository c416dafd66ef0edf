//! What was revoked is refused.

use std::time::{Duration, Instant};

use menjin_core::token::Subject;
use menjin_guard::Refused;
use serde_json::json;

use crate::{
    INVALID,
    door::{Door, until},
    eventually, following, hello, keys_alone, user,
};

fn jti(guard: &menjin_guard::Caller) -> String {
    guard.jti().to_owned()
}

/// Proves INT-6 of the guard: a token, or an account's older ones, end within a second of the
/// revocation; tokens that were seen before as well as new ones.
#[tokio::test]
async fn a_revocation_holds_within_a_second() {
    let door = Door::open().await;
    let guard = following(&door).start().await.unwrap();
    let client = hello(&guard).await;
    let mut took = Vec::new();
    for uid in 1..=20 {
        let (one, other) = (door.token(&user(uid)), door.token(&user(uid)));
        assert_eq!(client.hello(&one).await, format!("200 hello {uid}"));
        let jti = jti(&guard.check(&one).await.unwrap());
        let begin = Instant::now();
        door.revoke(json!({ "jti": jti }));
        client.hello_until(&one, INVALID).await;
        took.push(begin.elapsed());
        assert_eq!(client.hello(&other).await, format!("200 hello {uid}"));

        let begin = Instant::now();
        door.revoke(json!({ "uid": uid, "epoch": 4 }));
        client.hello_until(&other, INVALID).await;
        took.push(begin.elapsed());
        assert_eq!(client.hello(&door.token(&user(uid))).await, INVALID);
        let Subject::User { uid, role, .. } = user(uid) else {
            unreachable!()
        };
        let epoch = 4;
        let after = door.token(&Subject::User { uid, role, epoch });
        assert_eq!(client.hello(&after).await, format!("200 hello {uid}"));
    }
    took.sort();
    assert!(took[took.len() / 2] < Duration::from_secs(1), "{took:?}");
    assert!(took[took.len() - 1] < Duration::from_secs(5), "{took:?}");
}

#[tokio::test]
async fn without_the_feed_nobody_hears_of_it() {
    let door = Door::open().await;
    let guard = keys_alone(&door).start().await.unwrap();
    let token = door.token(&user(1));
    door.revoke(json!({ "uid": 1, "epoch": 9 }));
    assert!(guard.check(&token).await.is_ok());
    assert_eq!((door.news_asked(), guard.feed_age()), (0, None));
}

#[tokio::test]
async fn the_whole_feed_is_read_at_the_start() {
    let door = Door::open().await;
    for uid in 1..=2_500 {
        door.revoke(json!({ "uid": uid, "epoch": 4 }));
    }
    let guard = following(&door).start().await.unwrap();
    assert_eq!(door.news_asked(), 4, "three pages, and one that is empty");
    assert!(guard.is_ready());
    for uid in [1, 1_000, 1_001, 2_500] {
        let checked = guard.check(&door.token(&user(uid))).await;
        assert_eq!(checked.unwrap_err(), Refused::Invalid, "{uid}");
    }
    assert!(guard.check(&door.token(&user(2_501))).await.is_ok());
}

/// A restored store knows less than the guard, and counts from below again.
#[tokio::test]
async fn a_feed_that_was_set_back_is_read_anew_and_nothing_is_forgotten() {
    let door = Door::open().await;
    for uid in 1..=5 {
        door.revoke(json!({ "uid": uid, "epoch": 4 }));
    }
    let guard = following(&door).start().await.unwrap();
    until(&door.state.waiting, |waiting| *waiting == 1).await;
    door.set_back(2);
    until(&door.state.asked_for_news, |asked| *asked >= 3).await;
    door.revoke(json!({ "uid": 33, "epoch": 4 }));
    let token = door.token(&user(33));
    eventually(|| async { guard.check(&token).await.err() == Some(Refused::Invalid) }).await;
    for uid in 1..=5 {
        let checked = guard.check(&door.token(&user(uid))).await;
        assert_eq!(checked.unwrap_err(), Refused::Invalid, "{uid}");
    }
}

/// Numbers of what is over are passed over: they are not asked for in a circle.
#[tokio::test]
async fn what_is_over_is_no_news() {
    let door = Door::open().await;
    for uid in 1..=5 {
        door.revoke(json!({ "uid": uid, "epoch": 4 }));
    }
    door.purge();
    let guard = following(&door).start().await.unwrap();
    until(&door.state.waiting, |waiting| *waiting == 1).await;
    assert_eq!(door.news_asked(), 3);
    door.revoke(json!({ "uid": 6, "epoch": 4 }));
    let token = door.token(&user(6));
    eventually(|| async { guard.check(&token).await.err() == Some(Refused::Invalid) }).await;
    assert!(guard.check(&door.token(&user(5))).await.is_ok());
}

/// What a later Menjin may put on the feed does not stop the rest of it.
#[tokio::test]
async fn what_is_not_known_is_passed_over() {
    let door = Door::open().await;
    door.revoke(json!({ "device": "x" }));
    door.revoke(json!({ "uid": 7, "epoch": 4, "why": "banned" }));
    let guard = following(&door).start().await.unwrap();
    let checked = guard.check(&door.token(&user(7))).await;
    assert_eq!(checked.unwrap_err(), Refused::Invalid);
}

/// Somebody who answers at once, without news and again and again, is not asked without end.
#[tokio::test]
async fn an_answer_without_news_is_not_asked_for_in_a_circle() {
    let door = Door::open().await;
    door.answer("/auth/revocations", 200, r#"{"last": 0, "items": []}"#);
    let _guard = following(&door).start().await.unwrap();
    until(&door.state.asked_for_news, |asked| *asked >= 3).await;
    let begin = Instant::now();
    until(&door.state.asked_for_news, |asked| *asked >= 5).await;
    assert!(begin.elapsed() > Duration::from_millis(400));
}
