//! Keys that come, go, and are not there.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use menjin_core::key::{SigningAlgorithm, SigningKey};
use menjin_guard::{Guard, Refused};
use serde_json::json;
use tokio::{sync::watch, task::JoinSet, time::interval};

use crate::{
    INVALID,
    door::{Door, key, until},
    eventually, following, hello, keys_alone, user,
};

/// Asks with the newest token and an older one, 500 times a second, until `asked` has no reader left.
async fn load(guard: Guard, door: Arc<Door>, asked: watch::Sender<i64>) {
    let mut tick = interval(Duration::from_millis(2));
    let mut old = door.token(&user(1));
    while !asked.is_closed() {
        tick.tick().await;
        let turn = *asked.borrow();
        let fresh = door.token(&user(turn % 50 + 1));
        for token in [&fresh, &old] {
            guard.check(token).await.unwrap();
        }
        if turn % 100 == 0 {
            old = fresh;
        }
        asked.send_replace(turn + 1);
    }
}

/// Proves KEY-2 and F23 of the guard: three rotations under load, each key published one cache time
/// before it signs, fail nobody.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rotations_under_load_fail_nobody() {
    let door = Arc::new(Door::open().await);
    let guard = keys_alone(&door).start().await.unwrap();
    let (count, mut asked) = watch::channel(0);
    let load = tokio::spawn(load(guard.clone(), door.clone(), count));
    for _ in 0..3 {
        let next = Arc::new(key(SigningAlgorithm::Es256));
        let known = door.keys_asked();
        // Published, and not signing yet: it stands before the one that signs.
        door.state.keys.lock().unwrap().insert(0, next.clone());
        // Eight tenths of the cache time, when the set has been fetched anew; then the rest of it.
        door.clock.advance(Duration::from_mins(4));
        until(&door.state.asked_for_keys, |asked| *asked > known).await;
        door.clock.advance(Duration::from_mins(1));
        let signs = |keys: &mut Vec<Arc<SigningKey>>| {
            keys.retain(|one| one.kid() != next.kid());
            keys.push(next.clone());
        };
        signs(&mut door.state.keys.lock().unwrap());
        let more = *asked.borrow() + 150;
        asked.wait_for(|asked| *asked >= more).await.unwrap();
    }
    drop(asked);
    load.await.unwrap();
    // The start and each rotation: nobody had to wait for a key.
    assert!(
        (4..=8).contains(&door.keys_asked()),
        "{}",
        door.keys_asked()
    );
}

#[tokio::test]
async fn a_key_set_is_fetched_before_it_is_too_old_and_not_sooner() {
    let door = Door::open().await;
    let _guard = keys_alone(&door).start().await.unwrap();
    for fetched in 1..5 {
        assert_eq!(door.keys_asked(), fetched);
        door.clock.advance(Duration::from_secs(200));
        tokio::task::yield_now().await;
        assert_eq!(door.keys_asked(), fetched);
        door.clock.advance(Duration::from_secs(40));
        until(&door.state.asked_for_keys, |asked| *asked == fetched + 1).await;
    }
    assert_eq!(door.state.asked_for_metadata.load(Ordering::SeqCst), 1);
}

/// Proves KEY-3 of the guard: the feed ends a key at once, although it is cached and its tokens are
/// remembered.
#[tokio::test]
async fn a_key_that_the_feed_revokes_is_refused_at_once() {
    let door = Door::open().await;
    let guard = following(&door).start().await.unwrap();
    let client = hello(&guard).await;
    let bad = door.key();
    let (seen, unseen) = (door.token(&user(1)), door.token(&user(2)));
    assert_eq!(client.hello(&seen).await, "200 hello 1");
    door.rotate();
    door.revoke(json!({ "kid": bad.kid() }));
    client.hello_until(&seen, INVALID).await;
    assert_eq!(client.hello(&unseen).await, INVALID);
    assert_eq!(client.hello(&door.token(&user(1))).await, "200 hello 1");
    // When it is gone from the set as well, nobody asks for it.
    door.state.keys.lock().unwrap().remove(0);
    door.clock.advance(Duration::from_mins(5));
    until(&door.state.asked_for_keys, |asked| *asked == 3).await;
    door.clock.advance(Duration::from_secs(11));
    assert_eq!(client.hello(&seen).await, INVALID);
    assert_eq!(door.keys_asked(), 3);
}

#[tokio::test]
async fn a_key_that_is_gone_from_the_set_is_refused_with_the_next_fetch() {
    let door = Door::open().await;
    let guard = keys_alone(&door).start().await.unwrap();
    let token = door.token(&user(1));
    assert!(guard.check(&token).await.is_ok());
    door.rotate();
    door.state.keys.lock().unwrap().remove(0);
    door.clock.advance(Duration::from_secs(50));
    assert!(guard.check(&token).await.is_ok(), "the set is cached");
    door.clock.advance(Duration::from_secs(190));
    eventually(|| async { guard.check(&token).await.err() == Some(Refused::Invalid) }).await;
}

#[tokio::test]
async fn a_key_that_is_not_known_yet_is_fetched_and_waited_for() {
    let door = Door::open().await;
    let client = hello(&keys_alone(&door).start().await.unwrap()).await;
    door.rotate();
    assert_eq!(client.hello(&door.token(&user(1))).await, "200 hello 1");
    assert_eq!(door.keys_asked(), 2);
}

/// A storm of made-up keys costs Menjin one request in ten seconds, and all who wait share it.
#[tokio::test]
async fn unknown_keys_cost_one_fetch_in_ten_seconds() {
    let door = Arc::new(Door::open().await);
    let guard = keys_alone(&door).start().await.unwrap();
    let stranger = || {
        let strange = key(SigningAlgorithm::Es256);
        door.token_by(&strange, &user(1))
    };
    door.state.gate.send_replace(false);
    let refused = Arc::new(AtomicUsize::new(0));
    let mut waiting = JoinSet::new();
    for _ in 0..200 {
        let (guard, token, refused) = (guard.clone(), stranger(), refused.clone());
        waiting.spawn(async move {
            assert_eq!(guard.check(&token).await.unwrap_err(), Refused::Invalid);
            refused.fetch_add(1, Ordering::SeqCst);
        });
    }
    until(&door.state.asked_for_keys, |asked| *asked == 2).await;
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert_eq!(refused.load(Ordering::SeqCst), 0, "they wait");
    door.state.gate.send_replace(true);
    while let Some(ended) = waiting.join_next().await {
        ended.unwrap();
    }
    for _ in 0..50 {
        assert_eq!(
            guard.check(&stranger()).await.unwrap_err(),
            Refused::Invalid
        );
    }
    assert_eq!(door.keys_asked(), 2);
    door.clock.advance(Duration::from_secs(10));
    assert_eq!(
        guard.check(&stranger()).await.unwrap_err(),
        Refused::Invalid
    );
    assert_eq!(door.keys_asked(), 3);
}

/// Whoever asked first may hang up; the others get their answer.
#[tokio::test]
async fn a_fetch_outlives_whoever_wanted_it() {
    let door = Door::open().await;
    let guard = keys_alone(&door).start().await.unwrap();
    door.rotate();
    door.state.gate.send_replace(false);
    let token = door.token(&user(1));
    let first = tokio::spawn({
        let (guard, token) = (guard.clone(), token.clone());
        async move { guard.check(&token).await }
    });
    until(&door.state.asked_for_keys, |asked| *asked == 2).await;
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    door.state.gate.send_replace(true);
    assert!(guard.check(&token).await.is_ok());
    assert_eq!(door.keys_asked(), 2);
}

#[tokio::test]
async fn keys_are_kept_while_menjin_is_away_or_talks_nonsense() {
    let door = Door::open().await;
    let guard = keys_alone(&door).start().await.unwrap();
    let token = door.token(&user(1));
    let strange = door.token_by(&key(SigningAlgorithm::Es256), &user(1));
    for nonsense in ["", "{}", r#"{"keys": []}"#, r#"{"keys": [{"kty": "EC"}]}"#] {
        door.answer("/.well-known/jwks.json", 200, nonsense);
        let known = door.keys_asked();
        door.clock.advance(Duration::from_secs(250));
        until(&door.state.asked_for_keys, |asked| *asked > known).await;
        assert!(guard.check(&token).await.is_ok(), "{nonsense}");
    }
    door.switch_off();
    door.clock.advance(Duration::from_mins(15));
    assert!(guard.check(&token).await.is_ok());
    // Of a key that cannot be asked for nothing is known.
    assert_eq!(
        guard.check(&strange).await.unwrap_err(),
        Refused::Unavailable
    );
}
