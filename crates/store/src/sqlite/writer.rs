//! The thread that writes.
//!
//! It takes every story that is waiting, tells them inside one transaction, each in a savepoint unless it
//! writes but one row, commits once, and only then answers. An idle database commits at once, a busy one
//! commits hundreds of stories with one `fsync`, and nothing is acknowledged that is not on the disk.
//!
//! Where commits follow one another, stories are let gather a little while before the next one: a
//! commit costs what several stories do, and makes every reader read its pages anew.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use menjin_core::{Instant, clock::millis};
use rusqlite::{DEFAULT_NAME, wal::CheckpointMode};
use tokio::sync::{mpsc, oneshot, watch};

use super::{
    checkpoint::{Checkpoints, LONG, write_anew},
    connect,
    lent::Lent,
    pace::Pace,
    tell,
};
use crate::{
    Telling, Writes,
    error::Error,
    revocations::Bell,
    tx::{Connection, Tx},
};

/// Stories that may wait before callers are told to come back.
const QUEUE: usize = 1024;
/// Stories in one commit: bounds how long the first of them waits.
const BATCH: usize = 256;

/// In kibibytes: the inner pages of every index up to two million people.
const CACHE: u32 = 6_000;

/// The way to the thread that writes.
#[derive(Clone, Debug)]
pub(super) struct Writer {
    queue: mpsc::Sender<Message>,
    connection: Arc<Lent>,
    bell: Bell,
    /// Closes when the thread has ended.
    ended: watch::Receiver<()>,
}

enum Message {
    Story(Box<dyn Job>),
    Scrub(Scrub),
    Close,
}

/// The wish that what was deleted be gone from the files.
struct Scrub {
    /// By writing the whole file anew.
    anew: bool,
    done: oneshot::Sender<Result<(), Error>>,
}

/// What is done at once.
struct Batch {
    stories: Vec<Box<dyn Job>>,
    scrubs: Vec<Scrub>,
}

impl Writer {
    pub(super) fn start(path: PathBuf, tokens_last: Duration) -> Result<Self, Error> {
        let (sender, queue) = mpsc::channel(QUEUE);
        let (ends, ended) = watch::channel(());
        let checkpoints = Checkpoints::start(path.clone(), LONG)?;
        let thread = Thread {
            path,
            checkpoints,
            tx: Arc::default(),
            bell: Bell::new(),
            tokens_last: millis(tokens_last),
            _ends: ends,
        };
        let (connection, bell) = (thread.tx.clone(), thread.bell.clone());
        *thread.tx.lock() = Some(thread.connect()?);
        std::thread::Builder::new()
            .name("store".to_owned())
            .spawn(move || thread.run(queue))
            .map_err(|_| Error::Broken)?;
        Ok(Self {
            queue: sender,
            connection,
            bell,
            ended,
        })
    }

    /// The thread's connection, for others to read from between two transactions.
    pub(super) fn connection(&self) -> Arc<Lent> {
        self.connection.clone()
    }

    pub(super) fn bell(&self) -> &Bell {
        &self.bell
    }

    pub(super) fn queued(&self) -> usize {
        self.queue.max_capacity() - self.queue.capacity()
    }

    /// The outer error means that the story was never begun.
    pub(super) async fn write<T, E, F>(
        &self,
        writes: Writes,
        story: F,
    ) -> Result<Result<T, E>, Error>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
        F: for<'t> FnOnce(&'t mut Tx) -> Telling<'t, T, E> + Send + 'static,
    {
        let (reply, told) = oneshot::channel();
        let job = Waiting {
            story: Some(story),
            writes,
            told: None,
            reply,
        };
        self.queue
            .try_send(Message::Story(Box::new(job)))
            .map_err(|_| Error::Busy)?;
        Ok(told.await.unwrap_or_else(|_| Err(Error::Broken.into())))
    }

    /// Returns when the log was cut off, or could not be, and the file was written `anew`.
    pub(super) async fn scrub(&self, anew: bool) -> Result<(), Error> {
        let (done, scrubbed) = oneshot::channel();
        self.queue
            .try_send(Message::Scrub(Scrub { anew, done }))
            .map_err(|_| Error::Busy)?;
        scrubbed.await.unwrap_or(Err(Error::Busy))
    }

    /// Returns when everything that was waiting is written and the file is closed.
    pub(super) async fn close(&self) {
        let _ = self.queue.send(Message::Close).await;
        let _ = self.ended.clone().changed().await;
    }
}

/// A story that waits for the writer, whatever it returns.
trait Job: Send {
    fn writes(&self) -> Writes;
    /// Tells the story; whether its changes are to be kept.
    fn tell(&mut self, tx: &mut Tx) -> bool;
    /// Answers the caller; `Err` says why nothing was committed.
    fn answer(self: Box<Self>, committed: Result<(), Error>);
}

struct Waiting<T, E, F> {
    story: Option<F>,
    writes: Writes,
    told: Option<Result<T, E>>,
    reply: oneshot::Sender<Result<T, E>>,
}

impl<T, E, F> Job for Waiting<T, E, F>
where
    T: Send,
    E: From<Error> + Send,
    F: for<'t> FnOnce(&'t mut Tx) -> Telling<'t, T, E> + Send,
{
    fn writes(&self) -> Writes {
        self.writes
    }

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
        if matches!(self.told, Some(Ok(_))) && !tx.revoked.is_empty() {
            self.told = match tell(Box::pin(tx.number_revocations())) {
                Some(Err(error)) => Some(Err(error.into())),
                Some(Ok(())) => self.told.take(),
                None => None,
            };
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
    checkpoints: Checkpoints,
    tx: Arc<Lent>,
    bell: Bell,
    tokens_last: Instant,
    /// Dropped after the connection, which is how others know.
    _ends: watch::Sender<()>,
}

impl Thread {
    fn run(mut self, mut queue: mpsc::Receiver<Message>) {
        let mut messages = Vec::with_capacity(BATCH);
        let mut batch = Batch {
            stories: Vec::with_capacity(BATCH),
            scrubs: Vec::new(),
        };
        let mut pace = Pace::default();
        while queue.blocking_recv_many(&mut messages, BATCH) > 0 {
            pace.gather(&mut messages, &mut queue, BATCH);
            sort(&mut messages, &mut batch, &mut queue);
            // A story's panic is caught where it is told; this is for the destructors of what it
            // returned.
            let _ = catch_unwind(AssertUnwindSafe(|| {
                self.write_and_answer(&mut batch, &mut queue);
            }));
            batch.stories.clear();
            pace.committed();
            self.tend(&mut batch.scrubs);
        }
        // Out of readers' reach, and the last connection to close.
        let Self {
            tx,
            checkpoints,
            _ends,
            ..
        } = self;
        let tx = tx.lock().take();
        if let Some(writer) = connection(tx.as_ref()) {
            // Does less, and no harm, while another process reads.
            let _ = writer.wal_checkpoint_v2(DEFAULT_NAME, CheckpointMode::TRUNCATE);
        }
        drop(checkpoints);
        drop(tx);
    }

    fn tend(&mut self, scrubs: &mut Vec<Scrub>) {
        let tx = self.tx.lock();
        let writer = connection(tx.as_ref());
        let anew = scrubs.iter().any(|scrub| scrub.anew);
        let written = match writer {
            Some(writer) if anew => write_anew(writer),
            None if anew => Err(Error::Busy),
            _ => Ok(()),
        };
        if let Some(writer) = writer {
            self.checkpoints.tend(writer);
        }
        self.checkpoints.scrub(writer, !scrubs.is_empty());
        for scrub in scrubs.drain(..) {
            let written = written.as_ref().map_err(again).copied();
            let _ = scrub.done.send(if scrub.anew { written } else { Ok(()) });
        }
    }

    fn write_and_answer(&mut self, batch: &mut Batch, queue: &mut mpsc::Receiver<Message>) {
        if batch.stories.is_empty() {
            return;
        }
        let committed = self.write(&mut batch.stories);
        if matches!(&committed, Err(error) if error.is_unavailable()) {
            // Whoever came while this batch waited for a lock would only wait as long again.
            let mut messages = Vec::new();
            while let Ok(message) = queue.try_recv() {
                messages.push(message);
            }
            sort(&mut messages, batch, queue);
        }
        for job in batch.stories.drain(..) {
            let committed = committed.as_ref().map_err(again).copied();
            // Those who come after must still hear that their story was kept.
            let _ = catch_unwind(AssertUnwindSafe(|| job.answer(committed)));
        }
    }

    fn write(&self, batch: &mut [Box<dyn Job>]) -> Result<(), Error> {
        let mut kept = self.tx.lock();
        let mut tx = match kept.take() {
            Some(tx) => tx,
            None => self.connect()?,
        };
        let written = write_batch(&mut tx, batch);
        if std::mem::take(&mut tx.written_down) > 0 && written.is_ok() {
            self.bell.ring();
        }
        if written.is_ok() || roll_back(&tx) {
            *kept = Some(tx);
        }
        written
    }

    fn connect(&self) -> Result<Tx, Error> {
        let mut connection = connect(&self.path, CACHE)?;
        self.checkpoints.attend(&mut connection)?;
        let mut tx = Tx::new(Connection::Sqlite(connection));
        tx.tokens_last = self.tokens_last;
        Ok(tx)
    }
}

fn connection(tx: Option<&Tx>) -> Option<&rusqlite::Connection> {
    match &tx?.connection {
        Connection::Sqlite(connection) => Some(connection),
        Connection::Postgres(_) => None,
    }
}

/// Sorts what was said to the thread into stories, wishes to scrub, and the wish to end.
fn sort(messages: &mut Vec<Message>, batch: &mut Batch, queue: &mut mpsc::Receiver<Message>) {
    for message in messages.drain(..) {
        match message {
            Message::Story(job) => batch.stories.push(job),
            Message::Scrub(done) => batch.scrubs.push(done),
            Message::Close => queue.close(),
        }
    }
}

fn write_batch(tx: &mut Tx, batch: &mut [Box<dyn Job>]) -> Result<(), Error> {
    // The write lock is taken here rather than at the first write, so that two writers queue
    // instead of one of them failing half-way.
    execute(tx, "BEGIN IMMEDIATE")?;
    for job in batch {
        tx.failed = false;
        tx.revoked.clear();
        match job.writes() {
            Writes::OneRow => {
                let before = changes(tx);
                if !job.tell(tx) && changes(tx) != before {
                    // It broke its promise, and nothing less than everybody's changes can be taken back.
                    return Err(Error::Broken);
                }
            }
            Writes::Anything => {
                execute(tx, "SAVEPOINT story")?;
                if !job.tell(tx) {
                    execute(tx, "ROLLBACK TO story")?;
                }
                execute(tx, "RELEASE story")?;
            }
        }
    }
    execute(tx, "COMMIT")
}

/// Rows that were changed on this connection so far.
fn changes(tx: &Tx) -> u64 {
    connection(Some(tx)).map_or(0, rusqlite::Connection::total_changes)
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
