//! The limits on messages hold in every window, whenever and by whomever messages are asked for.

use menjin_core::{
    Instant,
    sending::{LOOKED_AT, Lately, SendLimits},
};
use proptest::{collection::vec, prelude::*};

const MINUTE: Instant = 60_000;
const HOUR: Instant = 60 * MINUTE;
const DAY: Instant = 24 * HOUR;
const START: Instant = 1_000 * DAY;

const LIMITS: SendLimits = SendLimits {
    per_address: 0,
    budget: 0,
};

/// A message that went out: when, for whom, to which number.
type Sent = (Instant, u8, u8);

/// What the store would find of `sent`.
fn lately(sent: &[Sent], asker: u8, contact: u8, now: Instant) -> Lately {
    let looked_at = usize::try_from(LOOKED_AT).unwrap();
    let newest_first = || sent.iter().rev().filter(|(at, ..)| *at > now - DAY);
    let to_contact = newest_first()
        .filter(|(.., to)| *to == contact)
        .map(|(at, ..)| *at)
        .take(looked_at);
    let by_asker = newest_first()
        .filter(|(_, by, _)| *by == asker)
        .map(|(at, _, to)| (*at, [*to; 32]))
        .take(looked_at);
    Lately {
        to_contact: to_contact.collect(),
        by_asker: by_asker.collect(),
        ..Lately::default()
    }
}

/// How many of `sent` that `counts` are at most `window` before one of them.
fn busiest(sent: &[Sent], window: Instant, counts: impl Fn(&Sent) -> bool) -> usize {
    let times: Vec<_> = sent
        .iter()
        .filter(|sent| counts(sent))
        .map(|(at, ..)| *at)
        .collect();
    let within = |end: &Instant| {
        let counted = times
            .iter()
            .filter(|at| **at <= *end && **at > end - window);
        counted.count()
    };
    times.iter().map(within).max().unwrap_or(0)
}

/// The most numbers that one person used in a day.
fn most_numbers(sent: &[Sent], asker: u8) -> usize {
    let own: Vec<_> = sent.iter().filter(|(_, by, _)| *by == asker).collect();
    let numbers = |end: Instant| {
        let mut numbers: Vec<_> = own
            .iter()
            .filter(|(at, ..)| *at <= end && *at > end - DAY)
            .map(|(.., to)| *to)
            .collect();
        numbers.sort_unstable();
        numbers.dedup();
        numbers.len()
    };
    own.iter().map(|(at, ..)| numbers(*at)).max().unwrap_or(0)
}

/// Lets through what may be, as it is asked for; what went out, and the time at the end.
fn ask_for(asked: &[(Instant, u8, u8)]) -> (Vec<Sent>, Instant) {
    let (mut sent, mut now) = (Vec::new(), START);
    for (wait, asker, contact) in asked {
        now += wait;
        let lately = lately(&sent, *asker, *contact, now);
        if LIMITS.check(&lately, &[*contact; 32], now).is_ok() {
            sent.push((now, *asker, *contact));
        }
    }
    (sent, now)
}

fn asked() -> impl Strategy<Value = Vec<(Instant, u8, u8)>> {
    vec((0..25 * MINUTE, 0_u8..4, 0_u8..12), 1..200)
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 300,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    /// Proves OTP-8 and OTP-10: one a minute, five an hour and ten a day to a number; ten a day for a
    /// person, with five numbers.
    #[test]
    fn no_window_holds_more_than_it_may(asked in asked()) {
        let (sent, _) = ask_for(&asked);
        for contact in 0..12 {
            for (most, window) in [(1, MINUTE), (5, HOUR), (10, DAY)] {
                let busiest = busiest(&sent, window, |(.., to)| *to == contact);
                prop_assert!(busiest <= most, "{busiest} in {window} ms to {contact}: {sent:?}");
            }
        }
        for asker in 0..4 {
            prop_assert!(busiest(&sent, DAY, |(_, by, _)| *by == asker) <= 10);
            prop_assert!(most_numbers(&sent, asker) <= 5);
        }
    }

    /// Whoever waits as long as they were told is let through, and a millisecond less does not do.
    #[test]
    fn the_wait_is_as_long_as_it_must_be(asked in asked(), asker in 0_u8..4, contact in 0_u8..12) {
        let (sent, now) = ask_for(&asked);
        let check = |now| LIMITS.check(&lately(&sent, asker, contact, now), &[contact; 32], now);
        if let Err(often) = check(now) {
            let wait = Instant::try_from(often.retry_after.as_millis()).unwrap();
            prop_assert!(wait > 0 && wait <= DAY);
            prop_assert_eq!(check(now + wait), Ok(()));
            prop_assert!(check(now + wait - 1).is_err());
        }
    }
}
