//! Whether WeChat may be asked now: a circuit breaker and a limit on calls under way, for one app.
//!
//! After twenty failures in a row nobody waits for WeChat any more, save one caller a second who
//! finds out whether it is back.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use crate::error::Error;

/// Failures in a row after which the circuit opens.
const FAILURES: u32 = 20;

/// Time between two calls through an open circuit. It counts from the start of the one before, not
/// from its end: against a WeChat that hangs, a probe lasts as long as the time limit, and waiting
/// for it would let that much pass unnoticed after WeChat is back.
const PROBE_EVERY: Duration = Duration::from_secs(1);

/// What an app's circuit does with the next call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CircuitState {
    /// Lets it through.
    Closed,
    /// Fails it at once, unless a second has passed since the last probe.
    Open,
    /// Does as [`CircuitState::Open`]; a probe is under way.
    HalfOpen,
}

impl CircuitState {
    /// The word for metrics: `closed`, `open` or `half_open`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half_open",
        }
    }
}

/// What a settled call changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    Opened,
    Closed,
}

/// The breaker and the limit of one app.
pub(crate) struct Circuit {
    limit: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    in_flight: usize,
    probes: usize,
    failures: u32,
    /// When the next probe may leave, in uptime; `None` while the circuit is closed.
    next_probe: Option<Duration>,
}

impl Circuit {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            limit,
            state: Mutex::default(),
        }
    }

    /// Lets a call through, which is under way until the pass is settled or dropped.
    ///
    /// # Errors
    ///
    /// [`Error::CircuitOpen`] and [`Error::Busy`].
    pub(crate) fn enter(&self, now: Duration) -> Result<Pass<'_>, Error> {
        let mut state = self.lock();
        let wait = state.next_probe.and_then(|at| at.checked_sub(now));
        if let Some(retry_after) = wait.filter(|wait| !wait.is_zero()) {
            return Err(Error::CircuitOpen { retry_after });
        }
        if state.in_flight >= self.limit {
            return Err(Error::Busy);
        }
        let probe = state.next_probe.is_some();
        if probe {
            state.next_probe = Some(now + PROBE_EVERY);
            state.probes += 1;
        }
        state.in_flight += 1;
        Ok(Pass {
            circuit: self,
            probe,
        })
    }

    pub(crate) fn state(&self) -> CircuitState {
        let state = self.lock();
        match (state.next_probe, state.probes) {
            (None, _) => CircuitState::Closed,
            (Some(_), 0) => CircuitState::Open,
            (Some(_), _) => CircuitState::HalfOpen,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing can panic while it is held, and numbers are never half written.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Leave for one call. Dropped unsettled, by a caller who gave up, it says nothing about WeChat.
#[must_use]
pub(crate) struct Pass<'a> {
    circuit: &'a Circuit,
    probe: bool,
}

impl Pass<'_> {
    /// Records how the call ended.
    pub(crate) fn settle(self, worked: bool, now: Duration) -> Option<Change> {
        let mut state = self.circuit.lock();
        if worked {
            state.failures = 0;
            return state.next_probe.take().map(|_| Change::Closed);
        }
        state.failures = state.failures.saturating_add(1);
        let opens = state.failures >= FAILURES && state.next_probe.is_none();
        opens.then(|| {
            state.next_probe = Some(now + PROBE_EVERY);
            Change::Opened
        })
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        let mut state = self.circuit.lock();
        state.in_flight -= 1;
        state.probes -= usize::from(self.probe);
    }
}
