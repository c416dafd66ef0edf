//! SQLite: one thread that writes, and reads on the spot.

mod checkpoint;
mod file;
mod lent;
mod pace;
mod readers;
mod writer;

use std::{
    cell::Cell,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, Waker},
    time::Duration,
};

use rusqlite::{Connection, OptionalExtension, TransactionBehavior, config::DbConfig};
use tokio::sync::watch;

pub(crate) use file::path;
pub use file::{Lock, lock};

use self::{readers::Readers, writer::Writer};
use crate::{Options, Telling, Waits, Writes, error::Error, migrations, tx::Tx};

/// How often a locked file is tried again, once a millisecond: five seconds in all.
const WRITE_TRIES: i32 = 5_000;
/// As much for readers, who hold up a thread of the server.
const READ_TRIES: i32 = 600;
/// As much for what can be done later, and holds up the writer.
const SCRUB_TRIES: i32 = 50;
/// The cache of a connection that is used now and then, in kibibytes.
const LITTLE: u32 = 500;

/// One file, its writer, and the connections that read it.
#[derive(Clone, Debug)]
pub struct Database {
    writer: Writer,
    readers: Arc<Readers>,
    refused: Arc<AtomicU64>,
}

impl Database {
    pub(crate) fn open(path: PathBuf, options: &Options) -> Result<Self, Error> {
        file::create(&path)?;
        connect(&path, LITTLE)?.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
        let writer = Writer::start(path.clone(), options.tokens_last)?;
        let readers = Arc::new(Readers::new(path, writer.connection()));
        Ok(Self {
            writer,
            readers,
            refused: Arc::default(),
        })
    }

    pub(crate) fn migrate(&self) -> Result<Vec<String>, Error> {
        let mut connection = connect(self.readers.path(), LITTLE)?;
        connection.set_transaction_behavior(TransactionBehavior::Immediate);
        let pending = pending(&connection)?;
        let runner = migrations::runner(migrations::SQLITE)?;
        match runner.run(&mut connection) {
            Ok(report) => Ok(migrations::names(&report)),
            // Refinery looks before it takes the write lock, so another process may have been faster.
            Err(_) if self::pending(&connection)? != pending => self.migrate(),
            Err(error) => Err(error.into()),
        }
    }

    pub(crate) fn pending(&self) -> Result<Vec<String>, Error> {
        pending(&connect(self.readers.path(), LITTLE)?)
    }

    pub(crate) fn check(&self) -> Result<(), Error> {
        let _impatience = Impatience::begin(READ_TRIES);
        self.readers.check()
    }

    pub(crate) async fn scrub(&self, anew: bool) -> Result<(), Error> {
        self.writer.scrub(anew).await.inspect_err(|_| {
            self.refused.fetch_add(1, Ordering::Relaxed);
        })
    }

    pub(crate) fn waits(&self) -> Waits {
        Waits {
            queued: self.writer.queued(),
            connections: 1 + self.readers.open(),
            refused: self.refused.load(Ordering::Relaxed),
        }
    }

    pub(crate) fn revocation_bell(&self) -> watch::Receiver<u64> {
        self.writer.bell().hear()
    }

    pub(crate) async fn close(&self) {
        self.readers.close();
        self.writer.close().await;
    }

    pub(crate) async fn write<T, E, F>(&self, writes: Writes, story: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
        F: for<'t> FnOnce(&'t mut Tx) -> Telling<'t, T, E> + Send + 'static,
    {
        self.writer
            .write(writes, story)
            .await
            .unwrap_or_else(|error| {
                self.refused.fetch_add(1, Ordering::Relaxed);
                Err(error.into())
            })
    }

    /// Reads on the calling thread: a page that is in memory costs microseconds, a hop to another
    /// thread costs more than that.
    pub(crate) fn read<T, E, F>(&self, story: F) -> Result<T, E>
    where
        E: From<Error>,
        F: for<'t> FnOnce(&'t mut Tx) -> Telling<'t, T, E>,
    {
        let _impatience = Impatience::begin(READ_TRIES);
        let mut reader = self.readers.take()?;
        tell(story(reader.tx()?)).ok_or(Error::Broken)?
    }
}

/// Opens a connection with the settings that all of them share. What is read again and again stays
/// in `cache` kibibytes.
///
/// No `mmap`: a reader that sees a commit throws its mapping away and makes it anew. With a million
/// people and a commit to every ten reads, a read costs 29 us with it and 24 without; only where
/// nobody writes is it ahead, by 10 to 14. And what is mapped counts as memory, all 300 MB of it.
///
/// What is deleted is written over with zeros.
fn connect(path: &Path, cache: u32) -> Result<Connection, Error> {
    let mut connection = file::open(path)?;
    // First, since everything after it may find the file locked.
    connection.busy_handler(Some(try_again))?;
    connection.set_prepared_statement_cache_capacity(64);
    // Plans that do not depend on the values bound: otherwise each new value makes SQLite compile a
    // join with a partially indexed table anew, which costs ten times what the lookup does.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.execute_batch(&format!(
        "PRAGMA synchronous = FULL;
         PRAGMA foreign_keys = ON;
         PRAGMA secure_delete = ON;
         PRAGMA temp_store = MEMORY;
         PRAGMA cache_size = -{cache};"
    ))?;
    Ok(connection)
}

thread_local! {
    /// How often this thread tries a locked file again. Not the connection's affair, since readers
    /// borrow the writer's.
    static TRIES: Cell<i32> = const { Cell::new(WRITE_TRIES) };
}

/// While it lives, this thread gives a locked file up early.
struct Impatience;

impl Impatience {
    fn begin(tries: i32) -> Self {
        TRIES.set(tries);
        Self
    }
}

impl Drop for Impatience {
    fn drop(&mut self) {
        TRIES.set(WRITE_TRIES);
    }
}

/// Waits for another process to let go of the file. SQLite's own way waits a tenth of a second between
/// tries, and a process that writes one transaction after the other leaves no gap as long as that.
fn try_again(tries: i32) -> bool {
    std::thread::sleep(Duration::from_millis(1));
    tries < TRIES.get()
}

/// What the file lacks.
fn pending(connection: &Connection) -> Result<Vec<String>, Error> {
    let history = connection
        .query_row(
            "SELECT 1 FROM sqlite_schema WHERE name = ?1",
            [migrations::HISTORY],
            |_| Ok(()),
        )
        .optional()?;
    let sql = format!("SELECT MAX(version) FROM {}", migrations::HISTORY);
    let applied = match history {
        Some(()) => connection.query_row(&sql, [], |row| row.get(0))?,
        None => None,
    };
    migrations::pending(migrations::SQLITE, applied)
}

/// Runs a story to its end without waiting. `None` if it awaited something that was not ready.
fn tell<T, E>(mut telling: Telling<'_, T, E>) -> Option<Result<T, E>> {
    match telling
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()))
    {
        Poll::Ready(told) => Some(told),
        Poll::Pending => None,
    }
}

#[cfg(test)]
mod tests;
