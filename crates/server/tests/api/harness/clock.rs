//! Wall clock and uptime, moved by hand.

use std::{
    sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering},
    time::Duration,
};

use menjin_core::{Clock, Instant, clock::millis};

/// Stands still until a test moves it.
pub(crate) struct TestClock {
    now: AtomicI64,
    uptime: AtomicU64,
    broken: AtomicBool,
}

impl TestClock {
    pub(super) fn new() -> Self {
        Self {
            now: AtomicI64::new(1_795_000_000_000),
            uptime: AtomicU64::new(1_000_000),
            broken: AtomicBool::new(false),
        }
    }

    /// Time passes.
    pub(crate) fn advance(&self, duration: Duration) {
        self.jump(millis(duration));
        let passed = u64::try_from(duration.as_millis()).unwrap();
        self.uptime.fetch_add(passed, Ordering::Relaxed);
    }

    /// Somebody sets the wall clock.
    pub(crate) fn jump(&self, milliseconds: i64) {
        self.now.fetch_add(milliseconds, Ordering::Relaxed);
    }

    /// Whoever asks next panics.
    pub(crate) fn break_once(&self) {
        self.broken.store(true, Ordering::Relaxed);
    }

    fn asked(&self) {
        assert!(
            !self.broken.swap(false, Ordering::Relaxed),
            "the clock is broken"
        );
    }
}

impl Clock for TestClock {
    fn now(&self) -> Instant {
        self.asked();
        self.now.load(Ordering::Relaxed)
    }

    fn uptime(&self) -> Duration {
        self.asked();
        Duration::from_millis(self.uptime.load(Ordering::Relaxed))
    }
}
