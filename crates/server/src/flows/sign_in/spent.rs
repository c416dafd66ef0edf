//! What the time of a sign-in went to.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

/// The time that a sign-in spent waiting for others, in microseconds. Nothing for one that joined
/// somebody else's flight.
#[derive(Debug, Default)]
pub(crate) struct Spent {
    wechat: AtomicU64,
    store: AtomicU64,
}

impl Spent {
    /// For WeChat, and for the store.
    pub(crate) fn parts(&self) -> (Duration, Duration) {
        let read = |part: &AtomicU64| Duration::from_micros(part.load(Ordering::Relaxed));
        (read(&self.wechat), read(&self.store))
    }

    pub(super) fn note_wechat(&self, time: Duration) {
        note(&self.wechat, time);
    }

    pub(super) fn note_store(&self, time: Duration) {
        note(&self.store, time);
    }
}

fn note(part: &AtomicU64, time: Duration) {
    let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
    part.store(micros, Ordering::Relaxed);
}
