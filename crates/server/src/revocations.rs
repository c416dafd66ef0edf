//! What counts no more, and who the team's services are, as this replica knows it.

use std::{
    sync::{
        PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use menjin_core::{
    Instant, Service,
    revocation::{Entry, Revoked},
};
use tokio::sync::{Mutex, watch};

use crate::{failure::Failure, tokens::Known};

/// How old what is known may be: after that it could be wrong by more than others may rely on.
const BELIEVED: Duration = Duration::from_secs(5);

/// When the store could not be asked, in uptime, and why.
pub(crate) type Unanswered = (Duration, Failure);

/// The table of revocations and the list of services, and how fresh they are.
pub(crate) struct Revocations {
    revoked: RwLock<Revoked>,
    /// Those of the configuration, which stay, and then the store's.
    services: RwLock<Vec<Service>>,
    configured: usize,
    /// Rings before this process acknowledges a revocation, and when another one says that it did.
    bell: watch::Receiver<u64>,
    /// What the bell showed when the store was asked last.
    heard: AtomicU64,
    /// When that was, in milliseconds of uptime; 0 if it never was.
    asked_at: AtomicU64,
    /// Held by whoever asks the store; how that failed the last time.
    pub(crate) asking: Mutex<Option<Unanswered>>,
    /// The number of the newest revocation that is known here.
    last: watch::Sender<i64>,
}

impl Revocations {
    pub(crate) fn new(configured: Vec<Service>, bell: watch::Receiver<u64>) -> Self {
        Self {
            revoked: RwLock::default(),
            configured: configured.len(),
            services: RwLock::new(configured),
            bell,
            heard: AtomicU64::new(0),
            asked_at: AtomicU64::new(0),
            asking: Mutex::new(None),
            last: watch::Sender::new(0),
        }
    }

    /// Whether nothing that was revoked more than some seconds ago, or by this process before the bell
    /// showed `rung`, can be missing.
    pub(crate) fn is_current(&self, rung: u64, uptime: Duration) -> bool {
        let asked_at = self.asked_at.load(Ordering::Acquire);
        asked_at > 0
            && self.heard.load(Ordering::Acquire) >= rung
            && uptime < Duration::from_millis(asked_at) + BELIEVED
    }

    /// What the bell shows, to be looked at before the store is asked, and when a request comes.
    pub(crate) fn bell(&self) -> u64 {
        *self.bell.borrow()
    }

    /// After which number the store is to be asked.
    pub(crate) fn last(&self) -> i64 {
        self.read().last()
    }

    /// Takes a part of the store's list to heart.
    pub(crate) fn apply(&self, entries: &[Entry], last: i64) {
        let mut revoked = self.revoked.write().unwrap_or_else(PoisonError::into_inner);
        for entry in entries {
            revoked.apply(entry);
        }
        revoked.rewind(last);
    }

    /// Everything that the store had when it was asked, at `uptime`, is known.
    pub(crate) fn is_heard(&self, bell: u64, uptime: Duration) {
        self.heard.store(bell, Ordering::Release);
        let asked_at = u64::try_from(uptime.as_millis()).unwrap_or(u64::MAX);
        self.asked_at.store(asked_at.max(1), Ordering::Release);
        let last = self.last();
        self.last.send_if_modified(|known| {
            let is_new = *known != last;
            *known = last;
            is_new
        });
    }

    /// Whether a token, the account that it is of, or the key that signed it was revoked. The key is
    /// looked at here as well, since the keys that are loaded may be older than this table.
    pub(crate) fn is_revoked(&self, known: &Known) -> bool {
        let revoked = self.read();
        revoked.is_revoked(known) || revoked.is_key_revoked(&known.kid)
    }

    /// Forgets what would be over by itself.
    pub(crate) fn purge(&self, now: Instant) {
        let mut revoked = self.revoked.write().unwrap_or_else(PoisonError::into_inner);
        revoked.purge(now);
    }

    /// How many revocations are known.
    pub(crate) fn count(&self) -> usize {
        self.read().len()
    }

    /// Changes when the newest revocation is another, and when whoever waits is to stop waiting.
    pub(crate) fn changes(&self) -> watch::Receiver<i64> {
        self.last.subscribe()
    }

    /// Lets those who wait for a revocation look around.
    pub(crate) fn wake(&self) {
        self.last.send_modify(|_| ());
    }

    /// Puts the store's services behind those of the configuration.
    pub(crate) fn replace_services(&self, stored: Vec<Service>) {
        let mut services = self
            .services
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        let is_new = services.get(self.configured..) != Some(stored.as_slice());
        if is_new {
            services.truncate(self.configured);
            services.extend(stored);
        }
    }

    /// The service of that name.
    pub(crate) fn service(&self, id: &str) -> Option<Service> {
        let services = self.services.read().unwrap_or_else(PoisonError::into_inner);
        let mut named = services.iter().filter(|service| service.id.as_str() == id);
        named.next().cloned()
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, Revoked> {
        self.revoked.read().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves INT-6: a request waits for what was revoked before it came, and for nothing later. While
    /// many sign out, each would otherwise have to ask the store by itself.
    #[test]
    fn whoever_came_before_the_bell_rang_again_need_not_ask_again() {
        let (bell, heard) = watch::channel(0);
        let known = Revocations::new(Vec::new(), heard);
        let uptime = Duration::from_secs(1);
        assert!(!known.is_current(known.bell(), uptime), "never asked");
        bell.send_replace(1);
        let came = known.bell();
        known.is_heard(known.bell(), uptime);
        bell.send_replace(2);
        assert!(known.is_current(came, uptime));
        assert!(!known.is_current(known.bell(), uptime));
        assert!(!known.is_current(came, uptime + BELIEVED), "too old");
    }
}
