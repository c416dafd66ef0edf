use std::{future::Future, pin::Pin, sync::atomic::AtomicI64};

use menjin_core::{
    Appid, Clock, Role, Uid,
    key::{SigningAlgorithm, SigningKey},
    revocation::Revocation,
    token::Issuer,
};
use serde_json::json;

use super::*;

const BEGIN: Instant = 1_795_000_000_000;

/// Stands still until a test moves it, both ways.
#[derive(Default)]
struct Standing {
    wall: AtomicI64,
    uptime: AtomicU64,
}

impl Standing {
    fn advance(&self, time: Duration) {
        self.jump(millis(time));
        let time = u64::try_from(time.as_millis()).unwrap();
        self.uptime.fetch_add(time, Ordering::SeqCst);
    }

    fn jump(&self, milliseconds: i64) {
        self.wall.fetch_add(milliseconds, Ordering::SeqCst);
    }
}

impl Clock for Standing {
    fn now(&self) -> Instant {
        BEGIN + self.wall.load(Ordering::SeqCst)
    }

    fn uptime(&self) -> Duration {
        Duration::from_millis(self.uptime.load(Ordering::SeqCst))
    }
}

impl Time for Standing {
    fn sleep(&self, _: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(std::future::pending())
    }
}

struct Door {
    key: SigningKey,
    clock: Arc<Standing>,
    memory: Memory,
}

impl Door {
    fn new(follows: bool) -> Self {
        let clock = Arc::new(Standing::default());
        let document = SigningKey::generate(SigningAlgorithm::EdDsa).unwrap();
        let rules = Rules {
            issuer: "menjin".to_owned(),
            audience: "repairs".to_owned(),
            guests: false,
            follows,
            stale_after: Duration::from_secs(30),
            when_stale: WhenStale::Refuse,
        };
        let door = Self {
            key: SigningKey::from_pkcs8(SigningAlgorithm::EdDsa, &document).unwrap(),
            memory: Memory::new(rules, clock.clone()),
            clock,
        };
        door.memory.replace_keys(set_of(&[&door.key]));
        door
    }

    fn token(&self, uid: i64) -> String {
        let issuer = Issuer {
            name: "menjin".to_owned(),
            audience: vec!["repairs".to_owned()],
            ttl_seconds: 3_600,
        };
        let subject = Subject::User {
            uid: Uid::new(uid).unwrap(),
            role: Role::User,
            epoch: 0,
        };
        let appid = Appid::parse("wx0123456789abcdef").unwrap();
        issuer
            .mint(&self.key, &subject, &appid, self.clock.now())
            .unwrap()
    }

    fn check(&self, token: &str) -> Result<Caller, Refused> {
        match self.memory.check(token) {
            Verdict::Good(caller) => Ok(caller),
            Verdict::Refused(refused) => Err(refused),
            Verdict::KeyUnknown => unreachable!(),
        }
    }

    fn remembered(&self) -> usize {
        let seen = &self.memory.read().seen;
        seen.young.len() + seen.old.len()
    }
}

fn set_of(keys: &[&SigningKey]) -> Keys {
    let keys: Vec<_> = keys.iter().map(|key| key.public_jwk()).collect();
    Keys::parse(json!({ "keys": keys }).to_string().as_bytes()).unwrap()
}

#[test]
fn memory_is_bounded_and_keeps_what_is_used() {
    let door = Door::new(false);
    let used = door.check(&door.token(1)).unwrap().0;
    let keys = door.memory.read().keys.clone();
    let half = REMEMBERED / 2;
    for number in 0..3 * REMEMBERED {
        let digest = sha256(&number.to_be_bytes());
        let _ = door.memory.remember(&keys, &digest, used.clone());
        if number % half == 0 {
            assert!(
                door.memory
                    .recall(&sha256(&0_usize.to_be_bytes()), Duration::ZERO)
                    .is_some()
            );
        }
    }
    assert!(door.remembered() <= REMEMBERED, "{}", door.remembered());
    assert!(
        door.memory
            .recall(&sha256(&1_usize.to_be_bytes()), Duration::ZERO)
            .is_none()
    );
}

#[test]
fn a_signature_is_believed_for_a_minute() {
    let door = Door::new(false);
    let token = door.token(1);
    let first = door.check(&token).unwrap();
    door.clock.advance(Duration::from_secs(59));
    assert!(Arc::ptr_eq(&first.0, &door.check(&token).unwrap().0));
    door.clock.advance(Duration::from_secs(1));
    let anew = door.check(&token).unwrap();
    assert!(!Arc::ptr_eq(&first.0, &anew.0));
    assert!(Arc::ptr_eq(&anew.0, &door.check(&token).unwrap().0));
}

#[test]
fn other_keys_make_everything_be_checked_anew() {
    let door = Door::new(false);
    let token = door.token(1);
    assert!(door.check(&token).is_ok());
    door.memory.replace_keys(set_of(&[&door.key]));
    assert_eq!(door.remembered(), 1, "the same keys are no other keys");
    let document = SigningKey::generate(SigningAlgorithm::Es256).unwrap();
    let next = SigningKey::from_pkcs8(SigningAlgorithm::Es256, &document).unwrap();
    let former = door.memory.read().keys.clone();
    let verified = door.check(&token).unwrap().0;
    door.memory.replace_keys(set_of(&[&next]));
    assert_eq!(door.remembered(), 0);
    // A check that was under way meanwhile leaves nothing behind.
    assert!(door.memory.remember(&former, &[0; 32], verified).is_ok());
    assert_eq!(door.remembered(), 0);
    assert!(matches!(door.memory.check(&token), Verdict::KeyUnknown));
}

/// Proves INT-9 of the guard: what is over is forgotten, and not so soon that a clock which was set back
/// would let it in again.
#[test]
fn what_is_over_is_forgotten() {
    let door = Door::new(false);
    let token = door.token(1);
    let jti = door.check(&token).unwrap().jti().to_owned();
    door.memory.revoke(&[Entry {
        seq: 1,
        what: Revocation::Token(jti),
        until: BEGIN + 3_660_000,
    }]);
    door.clock.advance(Duration::from_secs(3_700));
    door.memory.purge();
    door.clock.jump(-200_000);
    assert_eq!(door.check(&token).unwrap_err(), Refused::Invalid);
    door.clock.advance(Duration::from_mins(10));
    door.memory.purge();
    assert!(door.memory.read().revoked.is_empty());
}

#[test]
fn the_feed_is_stale_past_its_age_and_before_it_was_read() {
    let door = Door::new(true);
    let token = door.token(1);
    assert_eq!(door.check(&token).unwrap_err(), Refused::Unavailable);
    assert!(!door.memory.is_ready());
    door.memory.set_fresh(door.clock.uptime());
    door.clock.advance(Duration::from_secs(30));
    assert!(door.check(&token).is_ok() && door.memory.is_ready());
    door.clock.advance(Duration::from_millis(1));
    assert_eq!(door.check(&token).unwrap_err(), Refused::Unavailable);
    assert!(!door.memory.is_ready());
}

#[test]
fn a_clock_that_jumps_does_not_touch_the_age_of_the_feed() {
    let door = Door::new(true);
    door.memory.set_fresh(door.clock.uptime());
    door.clock.jump(1_000_000);
    let token = door.token(1);
    assert!(door.check(&token).is_ok());
    // Back by more than the leeway, it comes from a future that nobody vouches for.
    door.clock.jump(-61_000);
    assert_eq!(door.check(&token).unwrap_err(), Refused::Invalid);
}

#[test]
fn without_any_key_nobody_waits() {
    let door = Door::new(false);
    door.memory.write().keys = Arc::default();
    assert_eq!(
        door.check(&door.token(1)).unwrap_err(),
        Refused::Unavailable
    );
    assert_eq!(door.check("x").unwrap_err(), Refused::Invalid);
}
