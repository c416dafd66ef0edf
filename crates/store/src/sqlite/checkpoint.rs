//! Copying the log into the file, beside the writer.
//!
//! SQLite would have the writer do it every thousand pages, and every story that waits meanwhile
//! waits for two more `fsync`s and the random writes between them. A thread of its own copies most
//! of the log while the writer goes on; the writer copies only the short rest, after which the log
//! begins anew.
//!
//! A log that begins anew still holds what it held, behind its new beginning, and that may be what
//! somebody wanted deleted. Scrubbing copies all of it and cuts it off.

use std::{
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError, TryLockError,
        atomic::{AtomicBool, AtomicU32, Ordering},
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread::{Builder, JoinHandle},
    time::{Duration, Instant},
};

use rusqlite::{Connection, DEFAULT_NAME, ErrorCode, wal::CheckpointMode};

use super::{Impatience, SCRUB_TRIES};
use crate::error::Error;

/// Pages of 4 KiB in the log from which on it is copied: 32 MiB. The longer the log, the more often a
/// page was written anew in it that is copied once; but what is in it must be read again when a
/// process that was killed starts anew.
pub(super) const LONG: u32 = 8_000;

/// How long a log that could not be cut off is left alone, at the least.
const LATER: Duration = Duration::from_secs(1);

/// The log's length, and the thread that copies it.
#[derive(Debug)]
pub(super) struct Checkpoints {
    path: PathBuf,
    /// [`LONG`], where the disk has room for it.
    long: u32,
    log: Arc<Log>,
    /// The length at which the thread is next asked to copy.
    next: u32,
    /// The length at which the writer next copies what is left, after it has tried.
    again: u32,
    /// When the log could not be cut off, if it was to be and has not been since.
    uncut_since: Option<Instant>,
    ask: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Log {
    /// Pages in the log after the writer's last commit.
    length: AtomicU32,
    /// How many of them are in the file too.
    copied: AtomicU32,
    /// The thread is at it, or about to be.
    copying: AtomicBool,
    /// Held by whoever copies, since SQLite turns the second one away.
    turn: Mutex<()>,
}

impl Checkpoints {
    pub(super) fn start(path: PathBuf, most: u32) -> Result<Self, Error> {
        let log = Arc::new(Log::default());
        let (ask, asked) = sync_channel(1);
        let (shared, file) = (log.clone(), path.clone());
        let thread = Builder::new()
            .name("store-log".to_owned())
            .spawn(move || shared.copy_when(&asked, &file))
            .map_err(|_| Error::Broken)?;
        Ok(Self {
            path,
            long: most,
            log,
            next: 0,
            again: 0,
            uncut_since: None,
            ask: Some(ask),
            thread: Some(thread),
        })
    }

    /// Has a connection report the log's length after each commit, in place of copying it.
    pub(super) fn attend(&self, connection: &mut Connection) -> Result<(), Error> {
        let log = self.log.clone();
        connection.wal_hook(Some(move |_: &mut _, pages| {
            log.length
                .store(u32::try_from(pages).unwrap_or(0), Ordering::Relaxed);
            Ok(())
        }))?;
        Ok(())
    }

    /// Does what the log's length calls for; the writer asks between two transactions.
    pub(super) fn tend(&mut self, writer: &Connection) {
        let length = self.log.length.load(Ordering::Relaxed);
        if length < self.long / 8 {
            (self.next, self.again) = (0, 0);
            return;
        }
        let long = self.room();
        let (short, too_long) = (long / 10, long * 4);
        if length < long || (length < too_long && self.log.copying.load(Ordering::Acquire)) {
            return;
        }
        let rest = length.saturating_sub(self.log.copied.load(Ordering::Relaxed));
        if rest <= short || length >= too_long {
            if length >= self.again {
                self.log.copy(writer);
                // Where a reader or an error keeps the log from beginning anew, not at every commit.
                self.again = length + short;
            }
        } else if length >= self.next {
            self.next = length + short;
            self.log.copying.store(true, Ordering::Release);
            let _ = self.ask.as_ref().map(|ask| ask.try_send(()));
        }
    }

    /// Whether the thread copies, or is about to.
    #[cfg(test)]
    pub(super) fn is_copying(&self) -> bool {
        self.log.copying.load(Ordering::Acquire)
    }

    /// Copies the whole log and cuts it off, if that is `asked` for or left over from before.
    pub(super) fn scrub(&mut self, writer: Option<&Connection>, asked: bool) {
        let due = |since: Instant| since.elapsed() >= LATER;
        if asked || self.uncut_since.is_some_and(due) {
            let cut = writer.is_some_and(|writer| self.log.cut(writer));
            self.uncut_since = (!cut).then(Instant::now);
        }
    }

    /// How long the log may become: at most a quarter of what is free on the disk. A full disk cannot
    /// be helped by a log that must be copied before it can shrink.
    fn room(&self) -> u32 {
        let free = rustix::fs::statvfs(&self.path).map_or(u64::MAX, |disk| {
            disk.f_bavail.saturating_mul(disk.f_frsize) / 4_096
        });
        u32::try_from(free / 4)
            .unwrap_or(u32::MAX)
            .clamp(self.long / 8, self.long)
    }
}

impl Log {
    /// Copies as much as readers allow. An error loses nothing: what is in the log is safe there.
    fn copy(&self, connection: &Connection) {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        match connection.wal_checkpoint_v2(DEFAULT_NAME, CheckpointMode::PASSIVE) {
            Ok((_, copied)) => {
                self.copied
                    .store(u32::try_from(copied).unwrap_or(0), Ordering::Relaxed);
            }
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => {}
            Err(error) => {
                tracing::warn!(%error, "the database's log cannot be copied and will grow");
            }
        }
    }

    /// `false` if somebody reads from the log or copies it; then it was copied as far as they allow.
    fn cut(&self, connection: &Connection) -> bool {
        let _turn = match self.turn.try_lock() {
            Ok(turn) => turn,
            Err(TryLockError::Poisoned(turn)) => turn.into_inner(),
            Err(TryLockError::WouldBlock) => return false,
        };
        let _impatience = Impatience::begin(SCRUB_TRIES);
        match connection.wal_checkpoint_v2(DEFAULT_NAME, CheckpointMode::TRUNCATE) {
            Ok(_) => {
                self.length.store(0, Ordering::Relaxed);
                self.copied.store(0, Ordering::Relaxed);
                true
            }
            Err(error) => {
                if error.sqlite_error_code() != Some(ErrorCode::DatabaseBusy) {
                    tracing::warn!(%error, "the database's log cannot be cut off yet");
                }
                false
            }
        }
    }

    fn copy_when(&self, asked: &Receiver<()>, path: &std::path::Path) {
        let mut connection = None;
        while asked.recv().is_ok() {
            if connection.is_none() {
                connection = super::connect(path, super::LITTLE).ok();
            }
            if let Some(connection) = &connection {
                self.copy(connection);
            }
            self.copying.store(false, Ordering::Release);
        }
    }
}

/// Writes the file anew. Where rows came between others, some were moved, and SQLite leaves behind what
/// it moves: zeros take the place of the row when it is deleted, and not of what was left behind.
pub(super) fn write_anew(writer: &Connection) -> Result<(), Error> {
    let _impatience = Impatience::begin(SCRUB_TRIES);
    // Otherwise all of it would be in memory.
    writer.execute_batch("PRAGMA temp_store = FILE")?;
    let written = writer.execute_batch("VACUUM");
    writer.execute_batch("PRAGMA temp_store = MEMORY")?;
    Ok(written?)
}

impl Drop for Checkpoints {
    // The file's last connection to close removes the log, and that should be the writer's.
    fn drop(&mut self) {
        drop(self.ask.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
