//! Where the guard takes its time from, and how its background tasks wait.

use std::{
    future::Future,
    pin::Pin,
    time::{Duration, SystemTime},
};

use menjin_core::{Clock, Instant, clock::millis, identity::random_bytes};

/// Time that can also be waited for. Handed in so that tests own it.
pub trait Time: Clock {
    /// Is ready when `wait` has passed.
    fn sleep(&self, wait: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;
}

/// The machine's own clocks.
#[derive(Debug)]
pub(crate) struct MachineTime {
    started: std::time::Instant,
}

impl MachineTime {
    pub(crate) fn new() -> Self {
        Self {
            started: std::time::Instant::now(),
        }
    }
}

impl Clock for MachineTime {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place where the guard reads the time"
    )]
    fn now(&self) -> Instant {
        // Before 1970 nothing is known, and no token has begun.
        SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .map_or(0, millis)
    }

    fn uptime(&self) -> Duration {
        self.started.elapsed()
    }
}

impl Time for MachineTime {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place where the guard waits for time to pass"
    )]
    fn sleep(&self, wait: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(tokio::time::sleep(wait))
    }
}

/// How long to wait after failures in a row: twice as long each time, from a quarter of a second to
/// five, and a part of it drawn by lot, so that a hundred services do not come back at one moment.
#[derive(Debug, Default)]
pub(crate) struct BackOff {
    failures: u32,
}

impl BackOff {
    /// The wait after one more failure.
    pub(crate) fn next(&mut self) -> Duration {
        let most = Duration::from_millis(250 << self.failures.min(5)).min(Duration::from_secs(5));
        self.failures = self.failures.saturating_add(1);
        most / 2 + part_of(most / 2)
    }

    /// Forgets the failures.
    pub(crate) fn reset(&mut self) {
        self.failures = 0;
    }
}

/// A random part of `whole`.
pub(crate) fn part_of(whole: Duration) -> Duration {
    whole.mul_f64(f64::from(u32::from_le_bytes(random_bytes())) / f64::from(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_five_seconds_and_begin_anew() {
        let mut back_off = BackOff::default();
        let waits: Vec<_> = (0..20).map(|_| back_off.next().as_millis()).collect();
        for (wait, most) in waits.iter().zip([250, 500, 1_000, 2_000, 4_000, 5_000]) {
            assert!((most / 2..=most).contains(wait), "{wait} {most}");
        }
        assert!(
            waits
                .iter()
                .skip(5)
                .all(|wait| *wait >= 2_500 && *wait <= 5_000)
        );
        back_off.reset();
        assert!(back_off.next().as_millis() <= 250);
    }
}
