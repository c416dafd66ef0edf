//! One key after the other, as whoever caches the key set sees it.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use menjin_core::{Clock, jwk::VerifyingKey, jws::Compact};
use serde_json::{Map, Value};

use super::{kid_of, published, remove, rotate, shows};
use crate::harness::{TestApp, on_each_database};

/// A service that asks for the key set as seldom as it is told, and keeps every token it was shown.
struct Service {
    keys: Vec<Map<String, Value>>,
    fetched_at: i64,
    max_age: i64,
    tokens: Vec<(i64, String)>,
}

/// When a key was seen in the set and in a token, first and last, in seconds.
#[derive(Debug, Clone, Copy)]
struct Life {
    shown: (i64, i64),
    signed: Option<(i64, i64)>,
}

impl Service {
    async fn new(app: &TestApp) -> Self {
        let reply = app.get("/.well-known/jwks.json").await;
        let cache = reply.header("cache-control").to_owned();
        let max_age = cache.strip_prefix("public, max-age=").expect(&cache);
        Self {
            keys: vec![],
            fetched_at: 0,
            max_age: max_age.parse().unwrap(),
            tokens: vec![],
        }
    }

    /// Checks a token of every key, as long as one is not over, with the keys that it has.
    async fn check_all(&mut self, app: &TestApp) {
        let now = app.clock.now() / 1000;
        if now - self.fetched_at >= self.max_age {
            self.keys = published(app).await;
            self.fetched_at = now;
        }
        self.tokens.retain(|(made_at, _)| now < made_at + 3_600);
        let last: HashMap<_, _> = self
            .tokens
            .iter()
            .map(|(_, token)| (kid_of(token), token))
            .collect();
        for (kid, token) in last {
            let key = self.keys.iter().find(|key| key["kid"] == kid);
            let key = VerifyingKey::from_jwk(key.expect("the key was published in time"));
            key.unwrap()
                .verify(&Compact::parse(token).unwrap())
                .unwrap();
        }
    }
}

/// Lets time pass, does what is done every second, and looks at the keys from outside.
async fn pass(
    app: &TestApp,
    seconds: u64,
    service: &mut Service,
    lives: &mut BTreeMap<String, Life>,
) {
    app.clock.advance(Duration::from_secs(seconds));
    app.app.start().await.unwrap();
    let now = app.clock.now() / 1000;
    for key in published(app).await {
        let kid = key["kid"].as_str().unwrap().to_owned();
        let new = Life {
            shown: (now, now),
            signed: None,
        };
        lives.entry(kid).or_insert(new).shown.1 = now;
    }
    let token = app.sign_in("wang").await.token();
    let life = lives.get_mut(&kid_of(&token)).expect("the key is shown");
    life.signed.get_or_insert((now, now)).1 = now;
    service.tokens.push((now, token));
    service.check_all(app).await;
}

on_each_database! {
    /// Proves KEY-2: over three rotations by hand, every key was shown a cache lifetime before it
    /// signed, and until its last token was over; and a service that caches never failed.
    async fn a_key_is_shown_before_it_signs_and_until_its_tokens_are_over(app) {
        let mut service = Service::new(app).await;
        let mut lives = BTreeMap::new();
        pass(app, 0, &mut service, &mut lives).await;
        assert!((1..=3_600).contains(&service.max_age));
        let first = kid_of(&service.tokens[0].1);
        for _ in 0..3 {
            rotate(app).await;
            for _ in 0..20 {
                pass(app, 20, &mut service, &mut lives).await;
            }
        }
        for _ in 0..40 {
            pass(app, 100, &mut service, &mut lives).await;
        }
        let now = app.clock.now() / 1000;
        let used = || lives.iter().filter_map(|(kid, life)| Some((kid, life.shown, life.signed?)));
        assert_eq!(used().count(), 4, "{lives:?}");
        for (kid, shown, signed) in used() {
            let lead = signed.0 - shown.0;
            assert!(*kid == first || lead > service.max_age, "{kid} {lead}");
            let afterlife = shown.1 - signed.1;
            assert!(shown.1 == now || afterlife >= 3_600 + 60, "{kid} {afterlife}");
        }
        // The former three are gone by now, from the set and from the store.
        assert_eq!(published(app).await.len(), 2);
        let rows = menjin_server::keys::all(&app.store).await.unwrap();
        assert_eq!(rows.len(), 2);
    }

    /// Proves KEY-2: without anybody's doing, once a month.
    async fn keys_follow_one_another_by_themselves(app) {
        let mut service = Service::new(app).await;
        let mut lives = BTreeMap::new();
        for _ in 0..70 {
            pass(app, 86_400, &mut service, &mut lives).await;
        }
        let signed: Vec<_> = lives.values().filter_map(|life| life.signed).collect();
        assert_eq!(signed.len(), 3, "{lives:?}");
        for life in lives.values() {
            let lead = life.signed.map(|signed| signed.0 - life.shown.0);
            assert!(lead.is_none_or(|lead| lead == 0 || lead >= 25 * 86_400), "{lead:?}");
        }
    }

    /// Proves KEY-3: a removed key is out of the set and out of use, and the next one signs at once.
    async fn a_removed_key_is_out_of_use(app) {
        let token = app.sign_in("wang").await.token();
        let kid = kid_of(&token);
        assert_eq!(app.me(&token).await.status, 200);
        remove(app, &kid).await;
        app.app.start().await.unwrap();
        assert_eq!(app.me(&token).await.line(), r#"401 {"error":"invalid_token"}"#);
        assert!(!shows(app, &kid).await);
        let next = app.sign_in("wang").await.token();
        assert_ne!(kid_of(&next), kid);
        assert_eq!(app.me(&next).await.status, 200);
        assert_eq!(published(app).await.len(), 2, "and there is a next key again");
        let rows = menjin_server::keys::all(&app.store).await.unwrap();
        let removed = rows.iter().find(|row| row.kid == kid).unwrap();
        assert!(removed.private_key.is_empty() && removed.removed_at.is_some());
    }

    /// Proves KEY-3: a removed key is refused by its name, also while the keys that are left cannot be
    /// loaded, and those that are loaded still hold it.
    async fn a_removed_key_is_refused_whatever_is_loaded(app) {
        let token = app.sign_in("wang").await.token();
        assert_eq!(app.me(&token).await.status, 200);
        remove(app, &kid_of(&token)).await;
        app.sql(
            "UPDATE signing_keys SET private_key =
                    (SELECT gone.private_key FROM signing_keys AS gone WHERE gone.removed_at IS NOT NULL)",
        )
        .await;
        for _ in 0..3 {
            app.clock.advance(Duration::from_secs(5));
            assert_ne!(app.me(&token).await.status, 200);
        }
        assert!(shows(app, &kid_of(&token)).await, "the keys were not loaded anew");
        assert_eq!(app.me(&token).await.line(), r#"401 {"error":"invalid_token"}"#);
    }
}
