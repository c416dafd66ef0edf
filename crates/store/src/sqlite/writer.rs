//! The thread that writes.
//!
//! It takes every story that is waiting, gives each a savepoint inside one transaction, commits
//! once, and only then answers. An idle database commits at once, a busy one commits hundreds of
//! stories with one `fsync`, and nothing is acknowledged that is not on the disk.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    path::PathBuf,
};

use rusqlite::{DEFAULT_NAME, wal::CheckpointMode};
use tokio::sync::{mpsc, oneshot, watch};

use super::{
    checkpoint::{Checkpoints, LONG},
    connect, tell,
};
use crate::{
    Telling,
    error::Error,
    tx::{Connection, Tx},
};

/// Stories that may wait before callers are told to come back.
const QUEUE: usize = 1024;
/// Stories in one commit: bounds how long the first of them waits.
const BATCH: usize = 256;

/// In kibibytes: the inner pages of every index up to a few million people.
const CACHE: u32 = 8_000;

/// The way to the thread that writes.
#[derive(Clone, Debug)]
pub(super) struct Writer {
    queue: mpsc::Sender<Message>,
    /// Closes when the thread has ended.
    ended: watch::Receiver<()>,
}

enum Message {
    Story(Box<dyn Job>),
    Close,
}

impl Writer {
    pub(super) fn start(path: PathBuf) -> Result<Self, Error> {
        let (sender, queue) = mpsc::channel(QUEUE);
        let (ends, ended) = watch::channel(());
        let checkpoints = Checkpoints::start(path.clone(), LONG)?;
        let mut thread = Thread {
            path,
            checkpoints,
            tx: None,
            _ends: ends,
        };
        thread.tx = Some(thread.connect()?);
        std::thread::Builder::new()
            .name("store".to_owned())
            .spawn(move || thread.run(queue))
            .map_err(|_| Error::Broken)?;
        Ok(Self {
            queue: sender,
            ended,
        })
    }

    pub(super) fn queued(&self) -> usize {
        self.queue.max_capacity() - self.queue.capacity()
    }

    /// The outer error means that the story was never begun.
    pub(super) async fn write<T, E, F>(&self, story: F) -> Result<Result<T, E>, Error>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
        F: for<'t> FnOnce(&'t mut Tx) -> Telling<'t, T, E> + Send + 'static,
    {
        let (reply, told) = oneshot::channel();
        let job = Waiting {
            story: Some(story),
            told: None,
            reply,
        };
        self.queue
            .try_send(Message::Story(Box::new(job)))
            .map_err(|_| Error::Busy)?;
        Ok(told.await.unwrap_or_else(|_| Err(Error::Broken.into())))
    }

    /// Returns when everything that was waiting is written and the file is closed.
    pub(super) async fn close(&self) {
        let _ = self.queue.send(Message::Close).await;
        let _ = self.ended.clone().changed().await;
    }
}

/// A story that waits for the writer, whatever it returns.
trait Job: Send {
    /// Tells the story; whether its changes are to be kept.
    fn tell(&mut self, tx: &mut Tx) -> bool;
    /// Answers the caller; `Err` says why nothing was committed.
    fn answer(self: Box<Self>, committed: Result<(), Error>);
}

struct Waiting<T, E, F> {
    story: Option<F>,
    told: Option<Result<T, E>>,
    reply: oneshot::Sender<Result<T, E>>,
}

impl<T, E, F> Job for Waiting<T, E, F>
where
    T: Send,
    E: From<Error> + Send,
    F: for<'t> FnOnce(&'t mut Tx) -> Telling<'t, T, E> + Send,
{
    fn tell(&mut self, tx: &mut Tx) -> bool {
        self.told = self.story.take().and_then(|story| {
            // A panic ends this story, not the writer.
            catch_unwind(AssertUnwindSafe(|| tell(story(tx))))
                .ok()
                .flatten()
        });
        if tx.failed && matches!(self.told, Some(Ok(_))) {
            self.told = None;
        }
        matches!(self.told, Some(Ok(_)))
    }

    fn answer(self: Box<Self>, committed: Result<(), Error>) {
        let told = match (self.told, committed) {
            (Some(Ok(_)) | None, Err(error)) => Err(error.into()),
            (Some(told), _) => told,
            (None, Ok(())) => Err(Error::Broken.into()),
        };
        // The caller may have gone; what was written stays written.
        let _ = self.reply.send(told);
    }
}

struct Thread {
    path: PathBuf,
    /// Dropped first, so that the writer's connection is the last.
    checkpoints: Checkpoints,
    /// `None` after an error that the connection did not survive.
    tx: Option<Tx>,
    /// Dropped after the connection, which is how others know.
    _ends: watch::Sender<()>,
}

impl Thread {
    fn run(mut self, mut queue: mpsc::Receiver<Message>) {
        let mut messages = Vec::with_capacity(BATCH);
        let mut batch = Vec::with_capacity(BATCH);
        while queue.blocking_recv_many(&mut messages, BATCH) > 0 {
            sort(&mut messages, &mut batch, &mut queue);
            // A story's panic is caught where it is told; this is for the destructors of what it
            // returned.
            let _ = catch_unwind(AssertUnwindSafe(|| {
                self.write_and_answer(&mut batch, &mut queue);
            }));
            batch.clear();
            if let Some(writer) = connection(self.tx.as_ref()) {
                self.checkpoints.tend(writer);
            }
        }
        if let Some(writer) = connection(self.tx.as_ref()) {
            // Does less, and no harm, while another process reads.
            let _ = writer.wal_checkpoint_v2(DEFAULT_NAME, CheckpointMode::TRUNCATE);
        }
    }

    fn write_and_answer(
        &mut self,
        batch: &mut Vec<Box<dyn Job>>,
        queue: &mut mpsc::Receiver<Message>,
    ) {
        let committed = self.write(batch);
        if matches!(&committed, Err(error) if error.is_unavailable()) {
            // Whoever came while this batch waited for a lock would only wait as long again.
            let mut messages = Vec::new();
            while let Ok(message) = queue.try_recv() {
                messages.push(message);
            }
            sort(&mut messages, batch, queue);
        }
        for job in batch.drain(..) {
            let committed = committed.as_ref().map_err(again).copied();
            // Those who come after must still hear that their story was kept.
            let _ = catch_unwind(AssertUnwindSafe(|| job.answer(committed)));
        }
    }

    fn write(&mut self, batch: &mut [Box<dyn Job>]) -> Result<(), Error> {
        let mut tx = match self.tx.take() {
            Some(tx) => tx,
            None => self.connect()?,
        };
        let written = write_batch(&mut tx, batch);
        if written.is_ok() || roll_back(&tx) {
            self.tx = Some(tx);
        }
        written
    }

    fn connect(&self) -> Result<Tx, Error> {
        let mut connection = connect(&self.path, CACHE)?;
        self.checkpoints.attend(&mut connection)?;
        Ok(Tx::new(Connection::Sqlite(connection)))
    }
}

fn connection(tx: Option<&Tx>) -> Option<&rusqlite::Connection> {
    match &tx?.connection {
        Connection::Sqlite(connection) => Some(connection),
        Connection::Postgres(_) => None,
    }
}

/// Sorts what was said to the thread into stories and the wish to end.
fn sort(
    messages: &mut Vec<Message>,
    batch: &mut Vec<Box<dyn Job>>,
    queue: &mut mpsc::Receiver<Message>,
) {
    for message in messages.drain(..) {
        match message {
            Message::Story(job) => batch.push(job),
            Message::Close => queue.close(),
        }
    }
}

fn write_batch(tx: &mut Tx, batch: &mut [Box<dyn Job>]) -> Result<(), Error> {
    // The write lock is taken here rather than at the first write, so that two writers queue
    // instead of one of them failing half-way.
    execute(tx, "BEGIN IMMEDIATE")?;
    for job in batch {
        execute(tx, "SAVEPOINT story")?;
        tx.failed = false;
        if !job.tell(tx) {
            execute(tx, "ROLLBACK TO story")?;
        }
        execute(tx, "RELEASE story")?;
    }
    execute(tx, "COMMIT")
}

/// Whether the connection is fit for another transaction. SQLite itself has rolled back after the
/// worst errors, so that a `ROLLBACK` that fails says nothing.
fn roll_back(tx: &Tx) -> bool {
    let _ = execute(tx, "ROLLBACK");
    connection(Some(tx)).is_some_and(rusqlite::Connection::is_autocommit)
}

fn execute(tx: &Tx, sql: &str) -> Result<(), Error> {
    let connection = connection(Some(tx)).ok_or(Error::Broken)?;
    connection.prepare_cached(sql)?.execute([])?;
    Ok(())
}

/// The same error for one more caller.
fn again(error: &Error) -> Error {
    match error {
        Error::Sqlite(rusqlite::Error::SqliteFailure(code, message)) => {
            Error::Sqlite(rusqlite::Error::SqliteFailure(*code, message.clone()))
        }
        _ => Error::Broken,
    }
}
