//! How to reach a database.

use std::{fmt, time::Duration};

/// Which database, and how patient to be with it.
#[derive(Clone)]
pub struct Options {
    /// `sqlite:///absolute/path`, `sqlite://relative/path`, `sqlite:path`, or
    /// `postgres://user:password@host/name?sslmode=require`. With `require` the server's certificate
    /// is checked, against the public authorities or those in the file of `sslrootcert`.
    pub url: String,
    /// The most connections to PostgreSQL.
    pub connections: usize,
    /// How long a caller waits for PostgreSQL, connection and statements together.
    pub wait: Duration,
    /// How long an access token can count after it was made, other machines' clocks considered: as long
    /// as that it is kept in mind what was revoked.
    pub tokens_last: Duration,
}

impl Options {
    /// Sixteen connections, two seconds of patience, tokens of an hour.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            connections: 16,
            wait: Duration::from_secs(2),
            tokens_last: Duration::from_mins(62),
        }
    }
}

impl fmt::Debug for Options {
    // The address holds a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("connections", &self.connections)
            .field("wait", &self.wait)
            .field("tokens_last", &self.tokens_last)
            .finish_non_exhaustive()
    }
}
