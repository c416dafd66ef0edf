//! How often a message may go out: to one number, for one person, from one address, and in all.

use std::time::Duration;

use crate::clock::Instant;

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// Messages that one number or address may get, and for how long: one a minute, five an hour, ten
/// a day. Providers refuse more themselves, and bill for the attempt.
const TO_ONE: [(usize, i64); 3] = [(1, MINUTE), (5, HOUR), (10, DAY)];
/// Messages that one person may ask for in a day.
const FOR_ONE: usize = 10;
/// Different numbers that one person may ask with in a day.
const NUMBERS_FOR_ONE: usize = 5;
/// How many of the latest messages have to be looked at.
pub const LOOKED_AT: i64 = 10;

/// The limits that a deployment sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SendLimits {
    /// Messages an hour that one address may ask for; a whole campus can stand behind one. Zero
    /// turns it off.
    pub per_address: u32,
    /// Messages a minute in all, whoever asks. Zero turns it off.
    pub budget: u32,
}

/// What was sent lately, as far as it counts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lately {
    /// When messages went to this number or address, the latest first, [`LOOKED_AT`] at most.
    pub to_contact: Vec<Instant>,
    /// When this person asked, and with which number or address, the latest first, [`LOOKED_AT`]
    /// at most.
    pub by_asker: Vec<(Instant, [u8; 32])>,
    /// How many this address asked for within an hour.
    pub from_address: i64,
    /// How many went out within a minute.
    pub in_all: i64,
}

/// Why a message may not go out now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooOften {
    /// When it may be tried again, at the earliest.
    pub retry_after: Duration,
    /// The budget of all is spent: somebody should look.
    pub alarm: bool,
}

impl SendLimits {
    /// Whether one more may go out to `contact` at `now`.
    ///
    /// # Errors
    ///
    /// [`TooOften`], with the longest of the waits that are needed.
    pub fn check(&self, lately: &Lately, contact: &[u8; 32], now: Instant) -> Result<(), TooOften> {
        let mut free_at = now;
        for (most, window) in TO_ONE {
            free_at = free_at.max(free(lately.to_contact.get(most - 1), window, now));
        }
        let asked = lately.by_asker.get(FOR_ONE - 1).map(|(at, _)| at);
        free_at = free_at.max(free(asked, DAY, now));
        free_at = free_at.max(another_number(lately, contact, now));
        if over(lately.from_address, self.per_address) {
            free_at = free_at.max(now + HOUR);
        }
        let alarm = over(lately.in_all, self.budget);
        if alarm {
            free_at = free_at.max(now + MINUTE);
        }
        if free_at <= now {
            return Ok(());
        }
        let wait = u64::try_from(free_at - now).unwrap_or(0);
        Err(TooOften {
            retry_after: Duration::from_millis(wait),
            alarm,
        })
    }
}

/// When the window that `oldest` fills has room again.
fn free(oldest: Option<&Instant>, window: i64, now: Instant) -> Instant {
    match oldest {
        // One that lies ahead was written before the clock was set back; it fills no more than a window.
        Some(at) if *at > now - window => (*at).min(now) + window,
        _ => now,
    }
}

/// Whoever has asked with five numbers today may go on with those alone.
fn another_number(lately: &Lately, contact: &[u8; 32], now: Instant) -> Instant {
    let today = lately.by_asker.iter().filter(|(at, _)| *at > now - DAY);
    let mut numbers: Vec<(&Instant, &[u8; 32])> = Vec::new();
    for (at, number) in today {
        if number == contact {
            return now;
        }
        match numbers.iter_mut().find(|(_, known)| *known == number) {
            // The latest came first, so this one is older; but the latest counts.
            Some(_) => {}
            None => numbers.push((at, number)),
        }
    }
    match numbers.get(NUMBERS_FOR_ONE - 1) {
        Some((at, _)) => free(Some(at), DAY, now),
        None => now,
    }
}

fn over(count: i64, most: u32) -> bool {
    most > 0 && count >= i64::from(most)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: SendLimits = SendLimits {
        per_address: 0,
        budget: 0,
    };
    const ONE: [u8; 32] = [1; 32];
    const NOW: Instant = 1_000 * DAY;

    fn wait(lately: &Lately) -> Option<i64> {
        let checked = NONE.check(lately, &ONE, NOW);
        checked
            .err()
            .map(|often| i64::try_from(often.retry_after.as_millis()).unwrap())
    }

    fn to_contact(ago: &[i64]) -> Lately {
        Lately {
            to_contact: ago.iter().map(|ago| NOW - ago).collect(),
            ..Lately::default()
        }
    }

    /// Proves OTP-8: one a minute, five an hour, ten a day.
    #[test]
    fn one_number_gets_so_many_and_no_more() {
        assert_eq!(wait(&Lately::default()), None);
        assert_eq!(wait(&to_contact(&[1])), Some(MINUTE - 1));
        assert_eq!(wait(&to_contact(&[MINUTE])), None);
        let hour: Vec<_> = (1..=5).map(|n| n * 2 * MINUTE).collect();
        assert_eq!(wait(&to_contact(&hour[..4])), None);
        assert_eq!(wait(&to_contact(&hour)), Some(HOUR - 10 * MINUTE));
        let day: Vec<_> = (1..=10).map(|n| n * 2 * HOUR).collect();
        assert_eq!(wait(&to_contact(&day[..9])), None);
        assert_eq!(wait(&to_contact(&day)), Some(4 * HOUR));
        // A clock that was set back by a week stops nobody for a week.
        assert_eq!(wait(&to_contact(&[-7 * DAY])), Some(MINUTE));
    }

    /// Proves OTP-10: ten a day for one person, with five numbers at most.
    #[test]
    fn one_person_may_ask_for_so_many() {
        let asked = |count: u8, numbers: u8| Lately {
            by_asker: (0..count)
                .map(|n| (NOW - i64::from(n + 1) * HOUR, [n % numbers + 10; 32]))
                .collect(),
            ..Lately::default()
        };
        assert_eq!(wait(&asked(9, 4)), None);
        assert_eq!(wait(&asked(10, 4)), Some(DAY - 10 * HOUR));
        assert_eq!(wait(&asked(5, 5)), Some(DAY - 5 * HOUR), "a sixth number");
        let mut known = asked(5, 5);
        known.by_asker[4].1 = ONE;
        assert_eq!(wait(&known), None, "one of the five");
    }

    #[test]
    fn an_address_and_everybody_have_a_budget() {
        let limits = SendLimits {
            per_address: 300,
            budget: 60,
        };
        let check = |from_address, in_all| {
            let lately = Lately {
                from_address,
                in_all,
                ..Lately::default()
            };
            limits.check(&lately, &ONE, NOW)
        };
        assert_eq!(check(299, 59), Ok(()));
        let often = |minutes, alarm| {
            let retry_after = Duration::from_mins(minutes);
            Err(TooOften { retry_after, alarm })
        };
        assert_eq!(check(300, 0), often(60, false));
        assert_eq!(check(0, 60), often(1, true));
    }
}
