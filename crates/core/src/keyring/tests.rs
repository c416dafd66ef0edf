use super::*;

const DAY: Instant = 86_400_000;

fn rotation() -> Rotation {
    Rotation {
        every: Duration::from_hours(720),
        cache: Duration::from_mins(5),
        token_ttl: Duration::from_hours(1),
        algorithm: SigningAlgorithm::Es256,
    }
}

/// Carries the steps out on a list of keys, as the store would.
fn settle(keys: &mut Vec<KeyTimes>, now: Instant) -> Vec<Step> {
    let steps = rotation().plan(keys, now);
    for step in &steps {
        apply(keys, *step, now);
    }
    assert_eq!(rotation().plan(keys, now), []);
    steps
}

fn apply(keys: &mut Vec<KeyTimes>, step: Step, now: Instant) {
    match step {
        Step::Create { number, signs_from } => keys.push(KeyTimes {
            number,
            algorithm: Some(SigningAlgorithm::Es256),
            created_at: now,
            signs_from,
            removed_at: None,
        }),
        Step::Schedule { number, signs_from } => {
            keys.iter_mut()
                .find(|k| k.number == number)
                .unwrap()
                .signs_from = signs_from;
        }
        Step::Delete { number } => keys.retain(|key| key.number != number),
    }
}

fn settled(now: Instant) -> Vec<KeyTimes> {
    let mut keys = Vec::new();
    for step in rotation().plan(&keys, now) {
        apply(&mut keys, step, now);
    }
    settle(&mut keys, now);
    keys
}

#[test]
fn a_new_deployment_gets_a_key_that_signs_and_one_that_waits() {
    let keys = settled(1_000);
    assert_eq!(keys.len(), 2);
    assert_eq!(keys[0].signs_from, 1_000);
    assert_eq!(keys[1].signs_from, 1_000 + 30 * DAY);
}

/// Proves KEY-2: over a year of daily looks, every key was published a cache lifetime before it
/// signed, and stayed for the life of its last token and the leeway.
#[test]
fn keys_are_known_before_they_sign_and_until_their_tokens_are_over() {
    let mut keys = settled(0);
    for minute in 1..=(365 * 1440) {
        let now = minute * 60_000;
        let before = keys.clone();
        for step in settle(&mut keys, now) {
            match step {
                Step::Create { signs_from, .. } => assert!(signs_from >= now + 300_000),
                Step::Delete { number } => {
                    let newer = before.iter().find(|k| k.number == number + 1).unwrap();
                    assert!(now >= newer.signs_from + 3_660_000);
                }
                Step::Schedule { .. } => panic!("nobody asked"),
            }
        }
        assert!(keys.len() <= 3);
    }
    assert_eq!(keys.last().unwrap().number, 14);
}

#[test]
fn rotating_by_hand_waits_for_caches_and_no_longer() {
    let mut keys = settled(0);
    let step = rotation().rotate(&keys, 1_000).unwrap();
    assert_eq!(
        step,
        Step::Schedule {
            number: 2,
            signs_from: 310_000
        }
    );
    let step = rotation().rotate(&keys, DAY).unwrap();
    assert_eq!(
        step,
        Step::Schedule {
            number: 2,
            signs_from: DAY
        }
    );
    apply(&mut keys, step, DAY);
    assert_eq!(
        settle(&mut keys, DAY),
        [Step::Create {
            number: 3,
            signs_from: 31 * DAY
        }]
    );
}

/// Proves KEY-3: when the key that signs is removed, the next one signs at once.
#[test]
fn a_removed_key_is_replaced_at_once() {
    let mut keys = settled(0);
    keys[0].removed_at = Some(DAY);
    let steps = settle(&mut keys, DAY);
    assert!(steps.contains(&Step::Schedule {
        number: 2,
        signs_from: DAY
    }));
    keys[1].removed_at = Some(DAY);
    keys[2].removed_at = Some(DAY);
    let steps = settle_twice(&mut keys, DAY);
    assert!(steps.contains(&Step::Create {
        number: 4,
        signs_from: DAY
    }));
}

fn settle_twice(keys: &mut Vec<KeyTimes>, now: Instant) -> Vec<Step> {
    let steps = rotation().plan(keys, now);
    for step in &steps {
        apply(keys, *step, now);
    }
    settle(keys, now);
    steps
}

#[test]
fn another_algorithm_takes_over_after_a_cache_lifetime() {
    let keys = settled(0);
    let eddsa = Rotation {
        algorithm: SigningAlgorithm::EdDsa,
        ..rotation()
    };
    assert_eq!(
        eddsa.plan(&keys, DAY),
        [Step::Create {
            number: 3,
            signs_from: DAY + 310_000
        }]
    );
}

#[test]
fn replicas_that_disagree_about_the_algorithm_do_not_outbid_each_other() {
    let mut keys = settled(0);
    let eddsa = Rotation {
        algorithm: SigningAlgorithm::EdDsa,
        ..rotation()
    };
    for second in 0..300 {
        let now = DAY + second * 1_000;
        for (rotation, algorithm) in [
            (eddsa, SigningAlgorithm::EdDsa),
            (rotation(), SigningAlgorithm::Es256),
        ] {
            for step in rotation.plan(&keys, now) {
                apply(&mut keys, step, now);
                if let (Step::Create { .. }, Some(key)) = (step, keys.last_mut()) {
                    key.algorithm = Some(algorithm);
                }
            }
        }
    }
    assert_eq!(keys.len(), 4);
}

#[test]
fn a_clock_that_was_set_back_leaves_a_key_that_signs() {
    let key = SigningKey::generate(SigningAlgorithm::Es256).unwrap();
    let key = SigningKey::from_pkcs8(SigningAlgorithm::Es256, &key).unwrap();
    let ring = Keyring::new([(key, 5_000)]).unwrap();
    assert!(ring.signing(0).is_some());
    assert!(Keyring::default().signing(0).is_none());
}

#[test]
fn durations_without_end_end_with_time() {
    let forever = Rotation {
        every: Duration::MAX,
        cache: Duration::MAX,
        token_ttl: Duration::MAX,
        ..rotation()
    };
    let mut keys = settled(DAY);
    keys[0].removed_at = Some(DAY);
    let never = Instant::MAX;
    assert_eq!(
        forever.plan(&keys, never - 1),
        [Step::Create {
            number: 3,
            signs_from: never
        }]
    );
    keys[1].signs_from = never;
    let step = forever.rotate(&keys, never - 1);
    let number = 2;
    assert_eq!(
        step,
        Some(Step::Schedule {
            number,
            signs_from: never
        })
    );
}
