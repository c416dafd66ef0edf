//! Everything that is written down: one SQL text, two databases.
//!
//! A *story* is an async function over a [`Tx`]. On PostgreSQL it is awaited on a pooled connection;
//! on SQLite it runs from beginning to end on the thread that owns the connection, so its awaits are
//! always ready at once. That makes one rule checkable: a story may await nothing but its `Tx`.
//!
//! Flows, HTTP and cryptography are elsewhere: what is sealed or digested arrives here that way.

mod error;
mod migrations;
mod options;
mod postgres;
mod sqlite;
mod tx;
mod value;

pub mod audit;
pub mod errands;
pub mod exports;
pub mod guesses;
pub mod identities;
pub mod revocations;
pub mod sends;
pub mod services;
pub mod signing_keys;
pub mod spent_codes;
pub mod turns;
pub mod users;
pub mod verifications;

use std::{future::Future, pin::Pin};

use tokio::sync::watch;

pub use audit::{Entered, Entry};
pub use errands::Errand;
pub use error::{Error, Said};
pub use exports::{ExportedSend, ExportedVerification, Looked};
pub use identities::{NewIdentity, imports::Linked};
pub use options::Options;
pub use revocations::Revocations;
pub use sends::{Channel, NewSend};
pub use services::ServiceRow;
pub use signing_keys::KeyRow;
pub use spent_codes::SpentCode;
pub use sqlite::{Lock, lock};
pub use tx::{Sql, Tx};
pub use users::{NewUser, imports::Imported, lists::UserFilter};
pub use verifications::{NewVerification, Verification};

/// What a story returns: a future that borrows its transaction.
pub type Telling<'t, T, E> = Pin<Box<dyn Future<Output = Result<T, E>> + Send + 't>>;

/// How a story writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Writes {
    /// As it likes; if it fails half-way, what it wrote is taken back.
    Anything,
    /// One row, by one statement, after which nothing fails. On SQLite that costs less, as nothing is kept for
    /// taking it back. A story that breaks this promise takes with it all that were to be committed with it.
    OneRow,
}

/// How busy the store is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Waits {
    /// Stories that wait for the writer or for a connection.
    pub queued: usize,
    /// Open connections.
    pub connections: usize,
    /// Stories that were refused since the start because too many waited, or waited too long.
    pub refused: u64,
}

/// A handle on whichever database the operator chose. Cheap to clone.
#[derive(Clone, Debug)]
pub enum Store {
    /// One file on this machine.
    Sqlite(sqlite::Database),
    /// A server.
    Postgres(postgres::Database),
}

/// Every SQL text that this crate runs on both databases.
pub fn statements() -> impl Iterator<Item = Sql> {
    [
        audit::ALL,
        errands::ALL,
        exports::ALL,
        guesses::ALL,
        identities::ALL,
        identities::imports::ALL,
        revocations::ALL,
        sends::ALL,
        services::ALL,
        signing_keys::ALL,
        spent_codes::ALL,
        turns::ALL,
        users::ALL,
        users::changes::ALL,
        users::imports::ALL,
        users::lists::ALL,
        verifications::ALL,
    ]
    .into_iter()
    .flatten()
    .copied()
}

impl Store {
    /// Opens a SQLite file, making it if need be, or prepares a pool of connections to PostgreSQL
    /// without making any, so that a program can start before its database.
    ///
    /// # Errors
    ///
    /// [`Error::Url`] for an address that cannot be used, [`Error::File`] or [`Error::Sqlite`] for a
    /// file that cannot.
    #[expect(
        clippy::unused_async,
        reason = "opening may come to wait without a change for callers"
    )]
    pub async fn open(options: &Options) -> Result<Self, Error> {
        match sqlite::path(&options.url)? {
            Some(path) => Ok(Self::Sqlite(sqlite::Database::open(path, options)?)),
            None => Ok(Self::Postgres(postgres::Database::open(options)?)),
        }
    }

    /// Brings the schema up to date; the names of the migrations that this took. Safe to call from
    /// several replicas at once.
    ///
    /// # Errors
    ///
    /// [`Error::Newer`] if a newer version of the program was here, [`Error::Migration`] if one
    /// fails, which then changed nothing.
    pub async fn migrate(&self) -> Result<Vec<String>, Error> {
        match self {
            Self::Sqlite(database) => database.migrate(),
            Self::Postgres(database) => database.migrate().await,
        }
    }

    /// What [`Store::migrate`] would apply. Changes nothing.
    ///
    /// # Errors
    ///
    /// [`Error::Newer`], or the database's own.
    pub async fn pending(&self) -> Result<Vec<String>, Error> {
        match self {
            Self::Sqlite(database) => database.pending(),
            Self::Postgres(database) => database.pending().await,
        }
    }

    /// Asks the database for anything at all; answers within 800 ms.
    ///
    /// # Errors
    ///
    /// The database's own, or [`Error::Late`].
    pub async fn check(&self) -> Result<(), Error> {
        match self {
            Self::Sqlite(database) => database.check(),
            Self::Postgres(database) => database.check().await,
        }
    }

    /// Takes out of SQLite's files what was deleted: copies the log into the file, where deleted rows
    /// are zeros already, and cuts it off. Holds up the writer for as long as the copying takes. If
    /// somebody reads just then, or another process does, it is left and done after a later story,
    /// which is no error. PostgreSQL sees to its own files, and nothing happens.
    ///
    /// # Errors
    ///
    /// [`Error::Busy`] if too many stories wait, or the store is closed.
    pub async fn scrub(&self) -> Result<(), Error> {
        match self {
            Self::Sqlite(database) => database.scrub(false).await,
            Self::Postgres(_) => Ok(()),
        }
    }

    /// Writes SQLite's file anew, and scrubs: what was deleted may have been moved before that, one row in
    /// a thousand, and be left behind where it was. Stories that write wait meanwhile, about a second for
    /// every 100 MB; the disk holds the database three times. PostgreSQL sees to its own files, and nothing
    /// happens.
    ///
    /// # Errors
    ///
    /// [`Error::Busy`] as for [`Store::scrub`], [`Error::Sqlite`] if another process writes just then or
    /// the disk is too full; the file is as it was.
    pub async fn rewrite(&self) -> Result<(), Error> {
        match self {
            Self::Sqlite(database) => database.scrub(true).await,
            Self::Postgres(_) => Ok(()),
        }
    }

    /// Changes whenever something was revoked through this handle, before that is acknowledged, and while
    /// [`Store::listen`] runs whenever another replica says that it did.
    #[must_use]
    pub fn revocation_bell(&self) -> watch::Receiver<u64> {
        match self {
            Self::Sqlite(database) => database.revocation_bell(),
            Self::Postgres(database) => database.revocation_bell(),
        }
    }

    /// Hears what other replicas revoke, until the connection for it is lost. For SQLite there are no
    /// others, and this never returns.
    ///
    /// # Errors
    ///
    /// Why the connection was lost or could not be made. What was said meanwhile was not heard.
    pub async fn listen(&self) -> Result<(), Error> {
        match self {
            Self::Sqlite(_) => std::future::pending().await,
            Self::Postgres(database) => Box::pin(database.listen()).await,
        }
    }

    /// Whether other replicas may use this database too.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        matches!(self, Self::Postgres(_))
    }

    /// How busy the store is just now.
    #[must_use]
    pub fn waits(&self) -> Waits {
        match self {
            Self::Sqlite(database) => database.waits(),
            Self::Postgres(database) => database.waits(),
        }
    }

    /// Lets running stories finish, and leaves the database as if nobody had used it. Later stories
    /// get [`Error::Busy`]; closing again does nothing.
    pub async fn close(&self) {
        match self {
            Self::Sqlite(database) => database.close().await,
            Self::Postgres(database) => database.close().await,
        }
    }

    /// Runs a story that may write. It has happened, durably and whole, when this returns `Ok`, and
    /// not at all when it returns `Err`, save [`Error::Late`], which does not know; a caller that
    /// stops waiting does not stop it.
    ///
    /// # Errors
    ///
    /// The story's own error, or the database's.
    pub async fn write<T, E, F>(&self, story: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
        F: for<'t> FnOnce(&'t mut Tx) -> Telling<'t, T, E> + Send + 'static,
    {
        self.write_as(Writes::Anything, story).await
    }

    /// As [`Store::write`], for a story that promises how it writes.
    ///
    /// # Errors
    ///
    /// As [`Store::write`].
    pub async fn write_as<T, E, F>(&self, writes: Writes, story: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
        F: for<'t> FnOnce(&'t mut Tx) -> Telling<'t, T, E> + Send + 'static,
    {
        match self {
            Self::Sqlite(database) => database.write(writes, story).await,
            // In a box, or every future that writes would be as large as this one.
            Self::Postgres(database) => Box::pin(database.write(story)).await,
        }
    }

    /// Runs a story that only reads. On SQLite it runs on the calling thread, in microseconds.
    ///
    /// # Errors
    ///
    /// The story's own error, or the database's.
    pub async fn read<T, E, F>(&self, story: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
        F: for<'t> FnOnce(&'t mut Tx) -> Telling<'t, T, E> + Send + 'static,
    {
        match self {
            Self::Sqlite(database) => database.read(story),
            Self::Postgres(database) => Box::pin(database.read(story)).await,
        }
    }
}
