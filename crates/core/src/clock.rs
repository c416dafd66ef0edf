//! Where time comes from.

use std::time::Duration;

/// Milliseconds since the Unix epoch, UTC.
pub type Instant = i64;

/// Time, handed in so that tests own it.
pub trait Clock: Send + Sync {
    /// The wall clock. It may jump either way: an operator or NTP sets it.
    fn now(&self) -> Instant;

    /// Time since some fixed moment; never runs backwards. Windows and limits are measured with it.
    fn uptime(&self) -> Duration;
}

/// A duration in milliseconds, as instants count them; the greatest instant if it does not fit.
#[must_use]
pub fn millis(duration: Duration) -> Instant {
    Instant::try_from(duration.as_millis()).unwrap_or(Instant::MAX)
}
