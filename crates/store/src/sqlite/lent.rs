//! The writer's connection, and who has it.

use std::sync::{
    Mutex, MutexGuard, PoisonError, TryLockError,
    atomic::{AtomicBool, Ordering},
};

use crate::tx::Tx;

/// The thread's connection, which others may read from between two transactions.
#[derive(Debug, Default)]
pub(super) struct Lent {
    /// `None` after an error that the connection did not survive.
    tx: Mutex<Option<Tx>>,
    /// The thread waits for it, and would wait long if others went on to take it.
    wanted: AtomicBool,
}

impl Lent {
    pub(super) fn lock(&self) -> MutexGuard<'_, Option<Tx>> {
        self.wanted.store(true, Ordering::Relaxed);
        let tx = self.tx.lock().unwrap_or_else(PoisonError::into_inner);
        self.wanted.store(false, Ordering::Relaxed);
        tx
    }

    /// `None` if the thread or another reader has it.
    pub(super) fn borrow(&self) -> Option<MutexGuard<'_, Option<Tx>>> {
        if self.wanted.load(Ordering::Relaxed) {
            return None;
        }
        match self.tx.try_lock() {
            Ok(tx) => Some(tx),
            Err(TryLockError::Poisoned(tx)) => Some(tx.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }
}
