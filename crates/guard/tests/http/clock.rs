//! A clock that goes as the machine's does, and can be put forward.

use std::{future::Future, pin::Pin, time::Duration};

use menjin_core::{Clock, Instant, clock::millis};
use menjin_guard::Time;
use tokio::{
    sync::watch,
    time::{self, timeout},
};

/// What the wall shows when a test begins.
pub(crate) const BEGIN: Instant = 1_795_000_000_000;

pub(crate) struct TestClock {
    began: time::Instant,
    ahead: watch::Sender<Duration>,
}

impl TestClock {
    pub(crate) fn new() -> Self {
        Self {
            began: time::Instant::now(),
            ahead: watch::Sender::default(),
        }
    }

    /// Time passes, at once; whoever waits for it goes on.
    pub(crate) fn advance(&self, time: Duration) {
        self.ahead.send_modify(|ahead| *ahead += time);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Instant {
        BEGIN + millis(self.uptime())
    }

    fn uptime(&self) -> Duration {
        self.began.elapsed() + *self.ahead.borrow()
    }
}

impl Time for TestClock {
    fn sleep(&self, wait: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        let until = self.uptime() + wait;
        let mut ahead = self.ahead.subscribe();
        Box::pin(async move {
            loop {
                let left = until.saturating_sub(self.uptime());
                if left.is_zero() || timeout(left, ahead.changed()).await.is_err() {
                    return;
                }
            }
        })
    }
}
