//! What can break here, and which of it passes by itself.

use std::{fmt, path::PathBuf};

use deadpool_postgres::PoolError;
use rusqlite::{
    ErrorCode,
    ffi::{SQLITE_CONSTRAINT_PRIMARYKEY, SQLITE_CONSTRAINT_UNIQUE},
};
use tokio_postgres::error::SqlState;

/// The database failed, or will not take more work, or holds what we do not understand.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Too many stories are waiting already, or the store is closed. Nothing happened.
    #[error("the database has too much to do")]
    Busy,
    /// The database did not answer in time. Whether the story happened is not known.
    #[error("the database did not answer in time")]
    Late,
    /// A story awaited something other than its transaction, went on after an error, or panicked.
    #[error("a story did not run to its end")]
    Broken,
    /// A column does not hold what the code expects there.
    #[error("column {0} holds something unexpected")]
    Column(usize),
    /// The database's schema comes from a newer version of this program.
    #[error(
        "the database has schema version {found}, and this program knows only {known}: \
         it was migrated by a newer version, so run that one"
    )]
    Newer {
        /// The newest migration in the database.
        found: i64,
        /// The newest migration in this program.
        known: i64,
    },
    /// Another process serves from the same SQLite file.
    #[error("{} is in use by another process: one SQLite file is served by one process", .0.display())]
    InUse(PathBuf),
    /// The address of the database cannot be used; the text says why, without the address.
    #[error("{0}")]
    Url(String),
    /// The database's file cannot be made or reached.
    #[error("{}: {cause}", path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        cause: std::io::Error,
    },
    /// SQLite said no.
    #[error("SQLite: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// PostgreSQL said no.
    #[error("PostgreSQL: {0}")]
    Postgres(Said),
    /// No connection to PostgreSQL was to be had.
    #[error("PostgreSQL is out of reach: {0}")]
    Pool(Said),
    /// The schema could not be brought up to date.
    #[error("a migration failed: {0}")]
    Migration(String),
}

impl Error {
    /// Whether a row that the story was about to refer to was deleted meanwhile. Only on PostgreSQL,
    /// since on SQLite stories follow one another.
    #[must_use]
    pub fn is_overtaken(&self) -> bool {
        match self {
            Self::Postgres(said) => said.code == Some(SqlState::FOREIGN_KEY_VIOLATION),
            _ => false,
        }
    }

    /// Whether there is a row already that no two may be alike with.
    #[must_use]
    pub fn is_duplicate(&self) -> bool {
        match self {
            Self::Sqlite(error) => error.sqlite_error().is_some_and(|error| {
                let alike = [SQLITE_CONSTRAINT_UNIQUE, SQLITE_CONSTRAINT_PRIMARYKEY];
                alike.contains(&error.extended_code)
            }),
            Self::Postgres(said) => said.code == Some(SqlState::UNIQUE_VIOLATION),
            _ => false,
        }
    }

    /// Whether the database cannot be asked just now, so that the caller should come back later.
    #[must_use]
    pub fn is_unavailable(&self) -> bool {
        match self {
            Self::Busy | Self::Late | Self::Pool(_) => true,
            Self::Sqlite(error) => is_passing(error.sqlite_error_code()),
            Self::Postgres(said) => said.is_passing(),
            _ => false,
        }
    }
}

/// Whether SQLite's complaint is about the disk or another process, and not about the statement.
fn is_passing(code: Option<ErrorCode>) -> bool {
    matches!(
        code,
        Some(
            ErrorCode::DatabaseBusy
                | ErrorCode::DatabaseLocked
                | ErrorCode::DiskFull
                | ErrorCode::SystemIoFailure
                | ErrorCode::CannotOpen
                | ErrorCode::FileLockingProtocolFailed
                | ErrorCode::OutOfMemory
        )
    )
}

/// An error of PostgreSQL or of the way to it, without the values that its details would show.
#[derive(Clone, Debug)]
pub struct Said {
    /// The five characters that say what went wrong, if it was the server that spoke.
    pub code: Option<SqlState>,
    /// What went wrong, in words.
    pub message: String,
}

impl Said {
    /// Whether it is the connection or the server's state that is at fault: no code means that the
    /// server never spoke.
    fn is_passing(&self) -> bool {
        const STATES: [&str; 6] = ["25006", "40001", "40P01", "55P03", "57014", "58030"];
        const CLASSES: [&str; 3] = ["08", "53", "57P"];
        self.code.as_ref().is_none_or(|code| {
            let code = code.code();
            STATES.contains(&code) || CLASSES.iter().any(|class| code.starts_with(class))
        })
    }
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match &self.code {
            Some(code) => write!(f, " ({})", code.code()),
            None => Ok(()),
        }
    }
}

impl From<&tokio_postgres::Error> for Said {
    fn from(error: &tokio_postgres::Error) -> Self {
        // The server's detail quotes the row, and with it phone numbers: only its message is kept.
        if let Some(said) = error.as_db_error() {
            let message = said.message().to_owned();
            return Self {
                code: Some(said.code().clone()),
                message,
            };
        }
        let message = match std::error::Error::source(error) {
            Some(cause) => format!("{error}: {cause}"),
            None => error.to_string(),
        };
        Self {
            code: None,
            message,
        }
    }
}

impl From<tokio_postgres::Error> for Error {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Postgres(Said::from(&error))
    }
}

impl From<PoolError> for Error {
    fn from(error: PoolError) -> Self {
        match error {
            PoolError::Timeout(_) | PoolError::Closed => Self::Busy,
            PoolError::Backend(error) => Self::Pool(Said::from(&error)),
            other => Self::Pool(Said {
                code: None,
                message: other.to_string(),
            }),
        }
    }
}
