//! Connections that read: the writer's between two of its transactions, and a few that are kept.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use super::lent::Lent;
use crate::{
    error::Error,
    tx::{Connection, Tx},
};

/// In kibibytes: the inner pages of every index up to a million people. More would not help, since
/// a reader forgets all of it when it sees a commit.
const CACHE: u32 = 3_000;

#[derive(Debug)]
pub(super) struct Readers {
    path: PathBuf,
    /// Does not forget its pages when it commits, as the others do when they see it.
    writer: Arc<Lent>,
    /// The last one given back is the next one taken: its pages are the warmest. `None` once closed.
    idle: Mutex<Option<Vec<rusqlite::Connection>>>,
    /// Idle connections that are kept: reads run on the server's threads, and there are as many.
    keep: usize,
    open: AtomicUsize,
}

/// A connection that is being read from; dropped, it goes back.
#[expect(clippy::large_enum_variant, reason = "it lasts for microseconds")]
pub(super) enum Reader<'a> {
    Writers(MutexGuard<'a, Option<Tx>>),
    Kept(&'a Readers, Option<Tx>),
}

impl Readers {
    pub(super) fn new(path: PathBuf, writer: Arc<Lent>) -> Self {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let idle = Mutex::new(Some(Vec::new()));
        Self {
            path,
            writer,
            idle,
            keep: threads.clamp(2, 8),
            open: AtomicUsize::new(0),
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn open(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }

    pub(super) fn take(&self) -> Result<Reader<'_>, Error> {
        // It may be at a transaction, or have lost its connection.
        if let Some(mut writer) = self.writer.borrow()
            && let Some(tx) = writer.as_mut()
        {
            (tx.failed, tx.reads_only) = (false, true);
            return Ok(Reader::Writers(writer));
        }
        let idle = {
            let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
            idle.as_mut().ok_or(Error::Busy)?.pop()
        };
        let connection = match idle {
            Some(connection) => connection,
            None => self.connect()?,
        };
        let tx = Tx::new(Connection::Sqlite(connection));
        Ok(Reader::Kept(self, Some(tx)))
    }

    /// Reads the file's first page at the least, unlike `SELECT 1`.
    pub(super) fn check(&self) -> Result<(), Error> {
        let mut reader = self.take()?;
        if let Connection::Sqlite(connection) = &reader.tx()?.connection {
            let mut statement = connection.prepare_cached("SELECT COUNT(*) FROM sqlite_schema")?;
            statement.query_row([], |_| Ok(()))?;
        }
        Ok(())
    }

    pub(super) fn close(&self) {
        let closed = self
            .idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        self.open
            .fetch_sub(closed.map_or(0, |idle| idle.len()), Ordering::Relaxed);
    }

    fn connect(&self) -> Result<rusqlite::Connection, Error> {
        let connection = super::connect(&self.path, CACHE)?;
        connection.execute_batch("PRAGMA query_only = ON")?;
        self.open.fetch_add(1, Ordering::Relaxed);
        Ok(connection)
    }

    fn give_back(&self, connection: rusqlite::Connection) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        match idle.as_mut() {
            Some(idle) if idle.len() < self.keep => idle.push(connection),
            _ => self.forget(),
        }
    }

    fn forget(&self) {
        self.open.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Reader<'_> {
    pub(super) fn tx(&mut self) -> Result<&mut Tx, Error> {
        match self {
            Self::Writers(writer) => writer.as_mut(),
            Self::Kept(_, tx) => tx.as_mut(),
        }
        .ok_or(Error::Broken)
    }
}

impl Drop for Reader<'_> {
    // A story that failed or panicked is no reason to give the connection up, since each of its
    // statements stood alone; a file that cannot be read is.
    fn drop(&mut self) {
        match self {
            Self::Writers(writer) => match writer.as_mut() {
                Some(tx) if !tx.unfit => tx.reads_only = false,
                _ => **writer = None,
            },
            Self::Kept(readers, tx) => match tx.take() {
                Some(Tx {
                    connection: Connection::Sqlite(connection),
                    unfit: false,
                    ..
                }) => readers.give_back(connection),
                _ => readers.forget(),
            },
        }
    }
}
