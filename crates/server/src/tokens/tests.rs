use std::sync::atomic::{AtomicI64, Ordering};

use menjin_core::{
    IdentityId, Role, Uid,
    key::{SigningAlgorithm, SigningKey},
};

use super::*;

const NOW: Instant = 1_795_000_000_000;
const HOUR: i64 = 3_600_000;

/// Wall clock and uptime, each moved by hand.
struct Hands {
    now: AtomicI64,
    uptime: AtomicI64,
}

impl Hands {
    fn pass(&self, milliseconds: i64) {
        self.jump(milliseconds);
        self.uptime.fetch_add(milliseconds, Ordering::Relaxed);
    }

    fn jump(&self, milliseconds: i64) {
        self.now.fetch_add(milliseconds, Ordering::Relaxed);
    }
}

impl Clock for Hands {
    fn now(&self) -> Instant {
        self.now.load(Ordering::Relaxed)
    }

    fn uptime(&self) -> Duration {
        Duration::from_millis(self.uptime.load(Ordering::Relaxed).unsigned_abs())
    }
}

fn new_key() -> Vec<u8> {
    SigningKey::generate(SigningAlgorithm::EdDsa)
        .unwrap()
        .to_vec()
}

fn ring(keys: &[&[u8]]) -> Keyring {
    let keys = keys.iter().map(|pkcs8| {
        let key = SigningKey::from_pkcs8(SigningAlgorithm::EdDsa, pkcs8);
        (key.unwrap(), 0)
    });
    Keyring::new(keys).unwrap()
}

fn tokens() -> (Tokens, Arc<Hands>, Vec<u8>) {
    let clock = Arc::new(Hands {
        now: AtomicI64::new(NOW),
        uptime: AtomicI64::new(0),
    });
    let issuer = Issuer {
        name: "https://door.test".to_owned(),
        audience: vec![],
        ttl_seconds: 3_600,
    };
    let (tokens, key) = (
        Tokens::new(issuer, clock.clone(), Duration::from_mins(5)),
        new_key(),
    );
    tokens.replace_keyring(ring(&[&key]));
    (tokens, clock, key)
}

fn mint(tokens: &Tokens) -> String {
    let guest = Subject::Guest(IdentityId::random());
    let appid = Appid::parse("wx0123456789abcdef").unwrap();
    tokens.mint(&guest, &appid).unwrap()
}

#[test]
fn without_a_key_nothing_is_minted_and_nothing_is_good() {
    let (tokens, _, _) = tokens();
    let token = mint(&tokens);
    tokens.replace_keyring(Keyring::default());
    assert_eq!(tokens.check(&token).map(drop), Err(Refusal::TokenInvalid));
    let subject = Subject::User {
        uid: Uid::new(1).unwrap(),
        role: Role::User,
        epoch: 0,
    };
    let appid = Appid::parse("wx0123456789abcdef").unwrap();
    let minted = tokens.mint(&subject, &appid);
    assert!(matches!(minted, Err(Failure::Unavailable(_))));
}

/// Proves KEY-3: what was verified under a key that is gone is not remembered, not even by a check
/// that had begun before.
#[test]
fn a_removed_key_is_refused_at_once() {
    let (tokens, clock, first) = tokens();
    let second = new_key();
    tokens.replace_keyring(ring(&[&first, &second]));
    let by_second = mint(&tokens);
    assert!(tokens.check(&by_second).is_ok());
    assert!(tokens.check(&by_second).is_ok());

    // A check that found the key just before it was taken away ends just after.
    let before = tokens.keyring();
    let claims = tokens.check(&by_second).unwrap();
    tokens.replace_keyring(ring(&[&first]));
    tokens.remember(
        &before,
        sha256(by_second.as_bytes()),
        claims,
        clock.uptime(),
    );
    assert_eq!(
        tokens.check(&by_second).map(drop),
        Err(Refusal::TokenInvalid)
    );
    assert!(tokens.check(&mint(&tokens)).is_ok());
}

/// Proves F20: the end of a token counts although its signature is remembered.
#[test]
fn what_is_remembered_still_ends() {
    let (tokens, clock, _) = tokens();
    let token = mint(&tokens);
    assert!(tokens.check(&token).is_ok());
    clock.jump(HOUR - 1);
    assert!(tokens.check(&token).is_ok());
    clock.jump(1);
    assert_eq!(tokens.check(&token).map(drop), Err(Refusal::TokenExpired));
    // Set back, it would be good by the clock, and remembered by the uptime, which never moved.
    clock.jump(-HOUR);
    assert_eq!(tokens.check(&token).map(drop), Err(Refusal::TokenExpired));
}

/// Proves F20: however far the clock is set back within an hour, and in whichever millisecond, a
/// token that was over stays over.
#[test]
fn what_is_over_stays_over() {
    for back in [1_001, 2_000, 59_999, 60_000, 1_800_000, 3_599_001, HOUR] {
        for late in [0, 1, 999, 1_000, 30_000] {
            let (tokens, clock, _) = tokens();
            let old = mint(&tokens);
            clock.pass(HOUR + late);
            assert_eq!(tokens.check(&old).map(drop), Err(Refusal::TokenExpired));
            clock.jump(-back);
            let new = mint(&tokens);
            for minute in 0..=120 {
                assert!(tokens.check(&old).is_err(), "{back} {late} {minute}");
                assert_eq!(
                    tokens.check(&new).is_ok(),
                    minute <= 60,
                    "{back} {late} {minute}"
                );
                clock.pass(60_000);
            }
        }
    }
}

/// Proves F20: whatever the clock did before, a token is good for its hour.
#[test]
fn a_new_token_is_good_after_any_jump() {
    let jumps = [
        HOUR,
        -HOUR,
        -2 * HOUR,
        365 * 24 * HOUR,
        -365 * 24 * HOUR,
        -2_000,
        -1_001,
        -999,
        -1,
        2_000,
    ];
    let (tokens, clock, _) = tokens();
    for first in jumps {
        for second in jumps {
            for jump in [first, second] {
                clock.jump(jump);
                let token = mint(&tokens);
                clock.pass(3_000);
                assert!(tokens.check(&token).is_ok(), "{first} {second}");
                clock.pass(HOUR - 4_000);
                assert!(tokens.check(&token).is_ok(), "{first} {second}");
                clock.pass(2_000);
                assert_eq!(tokens.check(&token).map(drop), Err(Refusal::TokenExpired));
            }
        }
    }
}

/// Proves F20: a thread that read the clock a moment earlier is no jump.
#[test]
fn threads_out_of_step_are_no_jump() {
    let (tokens, _, _) = tokens();
    for now in [NOW, NOW - 1_000, NOW] {
        let floor = tokens.look(now);
        assert_eq!((floor.over_before, floor.made_from), (0, 0));
    }
    let floor = tokens.look(NOW - 1_001);
    assert_eq!(floor.over_before, NOW / 1_000 + 1);
    assert_eq!(floor.made_from, (NOW - 1_001) / 1_000 + 1);
}

#[test]
fn memory_is_bounded_and_keeps_what_is_used() {
    let (tokens, clock, _) = tokens();
    let token = mint(&tokens);
    let claims = tokens.check(&token).unwrap();
    let ring = tokens.keyring();
    for n in 0..(4 * REMEMBERED as u64) {
        let digest = sha256(&n.to_be_bytes());
        tokens.remember(&ring, digest, claims.clone(), clock.uptime());
        if n % 1_000 == 0 {
            let used = sha256(token.as_bytes());
            assert!(tokens.recall(&used, clock.uptime()).is_some(), "{n}");
        }
        let seen = tokens.seen.lock().unwrap();
        assert!(seen.young.len() + seen.old.len() <= REMEMBERED, "{n}");
    }
}

/// A signature is looked at anew after a minute, however busy its token is.
#[test]
fn a_signature_is_believed_for_a_minute() {
    let (tokens, clock, _) = tokens();
    let token = mint(&tokens);
    let digest = sha256(token.as_bytes());
    assert!(tokens.check(&token).is_ok());
    clock.pass(59_999);
    assert!(tokens.recall(&digest, clock.uptime()).is_some());
    clock.pass(1);
    assert!(tokens.recall(&digest, clock.uptime()).is_none());
    assert!(tokens.check(&token).is_ok());
    assert!(tokens.recall(&digest, clock.uptime()).is_some());
}
