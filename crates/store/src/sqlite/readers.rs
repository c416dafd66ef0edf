//! Connections that read, kept for the next reader.

use std::{
    path::{Path, PathBuf},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use crate::{
    error::Error,
    tx::{Connection, Tx},
};

/// In kibibytes: the inner pages of every index up to a million people. More would not help, since
/// a reader forgets all of it when it sees a commit.
const CACHE: u32 = 4_000;

#[derive(Debug)]
pub(super) struct Readers {
    path: PathBuf,
    /// The last one given back is the next one taken: its pages are the warmest. `None` once closed.
    idle: Mutex<Option<Vec<rusqlite::Connection>>>,
    /// Idle connections that are kept: reads run on the server's threads, and there are as many.
    keep: usize,
    open: AtomicUsize,
}

/// A connection that is being read from; dropped, it goes back.
pub(super) struct Reader<'a> {
    readers: &'a Readers,
    tx: Option<Tx>,
}

impl Readers {
    pub(super) fn new(path: PathBuf) -> Self {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let idle = Mutex::new(Some(Vec::new()));
        Self {
            path,
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
        let idle = {
            let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
            idle.as_mut().ok_or(Error::Busy)?.pop()
        };
        let connection = match idle {
            Some(connection) => connection,
            None => self.connect()?,
        };
        Ok(Reader {
            readers: self,
            tx: Some(Tx::new(Connection::Sqlite(connection))),
        })
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
        let mut connection = super::connect(&self.path, CACHE)?;
        connection.busy_handler(Some(|tries| super::try_again(tries, super::READ_TRIES)))?;
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
        self.tx.as_mut().ok_or(Error::Broken)
    }
}

impl Drop for Reader<'_> {
    // A story that failed or panicked is no reason to give the connection up, since each of its
    // statements stood alone; a file that cannot be read is.
    fn drop(&mut self) {
        match self.tx.take() {
            Some(Tx {
                connection: Connection::Sqlite(connection),
                unfit: false,
                ..
            }) => {
                self.readers.give_back(connection);
            }
            _ => self.readers.forget(),
        }
    }
}
