//! Everything that changes, behind one lock: the people, their codes, keys and messages, the clock, the faults.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use crate::{
    calls::Calls,
    codes::Codes,
    faults::{Faults, Kind},
    messages::{Kept, Mail, Sms},
    people::People,
    phones::Phones,
    sessions::Sessions,
    tokens::Tokens,
};

/// How many of each thing are remembered.
const REMEMBERED: usize = 100_000;
/// In seconds since 1970: a `rid` has room for no later time (the year 2106).
const END_OF_TIME: u64 = u32::MAX as u64;

/// The state of a simulator.
pub(crate) struct World {
    /// Seconds that the simulator's clock is ahead of the machine's.
    ahead: u64,
    pub(crate) people: People,
    pub(crate) codes: Codes,
    pub(crate) phones: Phones,
    pub(crate) sessions: Sessions,
    pub(crate) tokens: Tokens,
    pub(crate) sms: Kept<Sms>,
    pub(crate) mails: Kept<Mail>,
    pub(crate) calls: Calls,
    pub(crate) faults: Faults,
}

impl Default for World {
    fn default() -> Self {
        Self {
            ahead: 0,
            people: People::new(REMEMBERED),
            codes: Codes::new(REMEMBERED),
            phones: Phones::new(REMEMBERED),
            sessions: Sessions::new(REMEMBERED),
            tokens: Tokens::new(REMEMBERED),
            sms: Kept::default(),
            mails: Kept::default(),
            calls: Calls::new(REMEMBERED),
            faults: Faults::default(),
        }
    }
}

impl World {
    /// The simulator's time, in milliseconds since 1970.
    pub(crate) fn now(&self) -> i64 {
        let seconds = i64::try_from(self.ahead).unwrap_or(i64::MAX);
        machine_time().saturating_add(seconds.saturating_mul(1000))
    }

    /// Moves the clock forward and gives the new time; `None` if that is beyond all calendars.
    pub(crate) fn advance(&mut self, seconds: u64) -> Option<i64> {
        let now = u64::try_from(self.now() / 1000).unwrap_or(0);
        now.checked_add(seconds)
            .filter(|then| *then <= END_OF_TIME)?;
        self.ahead += seconds;
        Some(self.now())
    }

    /// Writes down that a request came, and gives the fault that awaits it.
    pub(crate) fn arrive(&mut self, path: &str) -> Option<Kind> {
        self.calls.count_path(path);
        self.faults.take(path, Instant::now())
    }

    pub(crate) fn login(&mut self, code: &str, person: &str, appid: Option<String>) {
        let now = self.now();
        self.people.see(person, appid.as_deref());
        self.codes.issue(code, person, appid, now);
    }

    pub(crate) fn tap_phone_button(&mut self, code: &str, person: &str, appid: Option<String>) {
        let now = self.now();
        self.people.see(person, appid.as_deref());
        self.phones.issue(code, person, appid, now);
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one place where the simulator reads the time"
)]
fn machine_time() -> i64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
