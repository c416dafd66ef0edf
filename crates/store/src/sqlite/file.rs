//! The file: what an address means, who may read it, and who serves from it.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::ErrorKind,
    path::{Path, PathBuf},
};

use rusqlite::{Connection, OpenFlags};

use crate::error::Error;

/// The file that an address means; `None` if it is one of PostgreSQL.
pub(crate) fn path(url: &str) -> Result<Option<PathBuf>, Error> {
    let Some(rest) = url.strip_prefix("sqlite:") else {
        return Ok(None);
    };
    let path = rest.strip_prefix("//").unwrap_or(rest);
    if path.is_empty() || path.starts_with(':') {
        return Err(Error::Url(
            "a SQLite address names a file, such as sqlite:///var/lib/menjin/menjin.db".to_owned(),
        ));
    }
    Ok(Some(PathBuf::from(path)))
}

/// Makes the file, for its owner alone, if it is not there; SQLite gives its companions the same
/// permissions. An existing file is not opened: closing it would drop every lock that SQLite holds
/// on it elsewhere in this process.
pub(super) fn create(path: &Path) -> Result<(), Error> {
    if path.exists() {
        return Ok(());
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    match private(&mut options).open(path) {
        Err(cause) if cause.kind() == ErrorKind::AlreadyExists => Ok(()),
        made => made.map(drop).map_err(|cause| unusable(path, cause)),
    }
}

fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}

/// Names the folder, if it is the folder that is missing.
fn unusable(path: &Path, cause: std::io::Error) -> Error {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    match folder {
        Some(folder) if !folder.is_dir() => Error::File {
            path: folder.to_owned(),
            cause: std::io::Error::new(cause.kind(), "the folder of the database is not there"),
        },
        _ => Error::File {
            path: path.to_owned(),
            cause,
        },
    }
}

pub(super) fn open(path: &Path) -> Result<Connection, Error> {
    // No file names in the form of URIs, and no second lock around a connection that one thread has.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Ok(Connection::open_with_flags(path, flags)?)
}

/// Shows that this process alone serves from a SQLite file, for as long as it lives.
#[derive(Debug)]
pub struct Lock(#[expect(dead_code, reason = "the lock lasts as long as the file is open")] File);

/// Claims the right to serve from a SQLite file. `None` for PostgreSQL, which many may serve from.
/// The lock is on a file beside it, so that other commands can still work on the database.
///
/// # Errors
///
/// [`Error::InUse`] if another process serves from it, [`Error::File`] if the lock cannot be made.
pub fn lock(url: &str) -> Result<Option<Lock>, Error> {
    let Some(path) = path(url)? else {
        return Ok(None);
    };
    let mut name = path.clone().into_os_string();
    name.push(".lock");
    let beside = PathBuf::from(name);
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    let file = private(&mut options)
        .open(&beside)
        .map_err(|cause| unusable(&beside, cause))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(Lock(file))),
        Err(TryLockError::WouldBlock) => Err(Error::InUse(path)),
        Err(TryLockError::Error(cause)) => Err(Error::File {
            path: beside,
            cause,
        }),
    }
}
