//! The same login code again: one flight, and its outcome for the replay window.
//!
//! A code is single use at WeChat, and real clients send it twice. Whoever comes second joins the
//! flight of the first; whoever comes later finds where it landed. Codes are kept as digests.

use std::{
    collections::{HashMap, VecDeque},
    hash::{BuildHasherDefault, Hasher},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use menjin_core::IdentityId;
use menjin_wechat::Rejection;
use tokio::sync::watch;

use crate::failure::Failure;

/// Outcomes that are remembered, in 2.5 MiB: what a hash table of 32,768 places holds beside the flights
/// under way; 930 sign-ins a second for the default window. Beyond it the oldest are forgotten
/// early, and WeChat itself refuses their codes.
const REMEMBERED: usize = 28_000;

/// Sixteen bytes of the keyed digest of a mini program and a code.
pub(crate) type Digest = [u8; 16];

/// How a flight ended. Not the reply: a second caller gets a fresh token.
#[derive(Debug, Clone)]
pub(crate) enum Landing {
    /// WeChat named this identity.
    Identity(IdentityId),
    /// WeChat refused the code for good.
    Rejected(Rejection),
    /// Something failed; the code may be worth another try.
    Failed(Failure),
}

/// What a caller is to do with a code.
pub(crate) enum Turn {
    /// Nobody has it: fly, and land.
    Fly,
    /// Somebody flies with it: wait.
    Wait(watch::Receiver<Option<Landing>>),
    /// It was flown.
    Landed(Landing),
}

/// Flights under way, and where past ones landed.
pub(crate) struct Replay {
    window: Duration,
    entries: Mutex<Entries>,
}

#[derive(Default)]
struct Entries {
    map: HashMap<Digest, Entry, BuildHasherDefault<Hashed>>,
    order: VecDeque<(Digest, Duration)>,
}

enum Entry {
    /// Those who wait are told by this, if there are any.
    Flying(Option<watch::Sender<Option<Landing>>>),
    Identity(IdentityId),
    Rejected(Box<Rejection>),
}

/// A keyed digest is as good a hash as any: its first eight bytes are.
#[derive(Default)]
struct Hashed(u64);

impl Hasher for Hashed {
    fn write(&mut self, digest: &[u8]) {
        // A slice's length comes by `write_length_prefix`, before it.
        self.0 = digest
            .first_chunk()
            .map_or(self.0, |first| u64::from_le_bytes(*first));
    }

    fn write_usize(&mut self, _length: usize) {}

    fn finish(&self) -> u64 {
        self.0
    }
}

impl Replay {
    pub(crate) fn new(window: Duration) -> Self {
        let entries = Mutex::default();
        Self { window, entries }
    }

    /// Whether codes are remembered at all.
    pub(crate) fn is_off(&self) -> bool {
        self.window.is_zero()
    }

    /// Joins the flight of a code, or starts it. Whoever is to fly must [`Replay::land`].
    pub(crate) fn join(&self, digest: Digest, uptime: Duration) -> Turn {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.forget(uptime);
        match entries.map.get_mut(&digest) {
            Some(Entry::Flying(teller)) => {
                let teller = teller.get_or_insert_with(|| watch::Sender::new(None));
                Turn::Wait(teller.subscribe())
            }
            Some(Entry::Identity(id)) => Turn::Landed(Landing::Identity(*id)),
            Some(Entry::Rejected(rejection)) => {
                Turn::Landed(Landing::Rejected((**rejection).clone()))
            }
            None => {
                entries.map.insert(digest, Entry::Flying(None));
                Turn::Fly
            }
        }
    }

    /// Ends a flight: tells those who wait, and remembers what is worth it.
    pub(crate) fn land(&self, digest: Digest, landing: Landing, uptime: Duration) {
        let entry = match &landing {
            Landing::Identity(id) => Entry::Identity(*id),
            Landing::Rejected(rejection) => Entry::Rejected(Box::new(rejection.clone())),
            Landing::Failed(_) => return self.pass_on(digest, landing),
        };
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let flight = entries.map.insert(digest, entry);
        entries.order.push_back((digest, uptime + self.window));
        drop(entries);
        tell(flight, landing);
    }

    /// Ends a flight of which nothing is worth remembering here: tells those who wait.
    pub(crate) fn pass_on(&self, digest: Digest, landing: Landing) {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let flight = entries.map.remove(&digest);
        drop(entries);
        tell(flight, landing);
    }

    /// Forgets what is over.
    pub(crate) fn forget(&self, uptime: Duration) {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.forget(uptime);
    }
}

fn tell(flight: Option<Entry>, landing: Landing) {
    if let Some(Entry::Flying(Some(teller))) = flight {
        teller.send_replace(Some(landing));
    }
}

impl Entries {
    fn forget(&mut self, uptime: Duration) {
        while let Some((digest, until)) = self.order.front() {
            if uptime < *until && self.order.len() <= REMEMBERED {
                return;
            }
            self.map.remove(digest);
            self.order.pop_front();
        }
        if self.map.is_empty() && self.map.capacity() > 1024 {
            *self = Self::default();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: Duration = Duration::from_secs(30);

    fn fly(replay: &Replay, digest: Digest, at: Duration) {
        assert!(matches!(replay.join(digest, at), Turn::Fly));
    }

    #[test]
    fn an_outcome_is_remembered_for_the_window_and_no_longer() {
        let replay = Replay::new(WINDOW);
        fly(&replay, [1; 16], Duration::ZERO);
        assert!(matches!(
            replay.join([1; 16], Duration::ZERO),
            Turn::Wait(_)
        ));
        let landing = Landing::Identity(IdentityId::random());
        replay.land([1; 16], landing, Duration::ZERO);
        let almost = WINDOW.saturating_sub(Duration::from_millis(1));
        assert!(matches!(
            replay.join([1; 16], almost),
            Turn::Landed(Landing::Identity(_))
        ));
        assert!(matches!(replay.join([1; 16], WINDOW), Turn::Fly));
    }

    #[test]
    fn a_failed_flight_leaves_the_code_to_the_next() {
        let replay = Replay::new(WINDOW);
        fly(&replay, [1; 16], Duration::ZERO);
        let failed = Landing::Failed(menjin_core::Refusal::AppUnknown.into());
        replay.land([1; 16], failed, Duration::ZERO);
        fly(&replay, [1; 16], Duration::ZERO);
    }

    /// Proves LGN-2: when the window is over, a look from time to time leaves nothing of a code.
    #[test]
    fn codes_are_forgotten() {
        let replay = Replay::new(WINDOW);
        let rejection = Rejection {
            errcode: 40_163,
            errmsg: "code been used".to_owned(),
            rid: None,
        };
        let landings = [
            Landing::Identity(IdentityId::random()),
            Landing::Rejected(rejection),
            Landing::Failed(menjin_core::Refusal::AppUnknown.into()),
        ];
        for (n, landing) in landings.into_iter().enumerate() {
            let digest = (n as u128).to_le_bytes();
            fly(&replay, digest, Duration::ZERO);
            replay.land(digest, landing, Duration::ZERO);
        }
        fly(&replay, [7; 16], Duration::ZERO);
        replay.pass_on([7; 16], Landing::Identity(IdentityId::random()));
        assert_eq!(replay.entries.lock().unwrap().map.len(), 2);
        replay.forget(WINDOW);
        let entries = replay.entries.lock().unwrap();
        assert!(entries.map.is_empty() && entries.order.is_empty());
    }

    #[test]
    fn memory_is_bounded() {
        let replay = Replay::new(WINDOW);
        for n in 0..(REMEMBERED as u128 + 5_000) {
            let digest = n.to_le_bytes();
            fly(&replay, digest, Duration::ZERO);
            let landing = Landing::Identity(IdentityId::random());
            replay.land(digest, landing, Duration::ZERO);
        }
        assert!(replay.entries.lock().unwrap().map.len() <= REMEMBERED + 1);
        replay.forget(WINDOW);
        assert!(replay.entries.lock().unwrap().map.capacity() == 0);
    }
}
