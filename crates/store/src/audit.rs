//! What was done, by whom and to whom: rows that are added and never changed.

use menjin_core::Instant;

use crate::{
    error::Error,
    tx::{Row, Tx, statements},
};

statements! {
    ADD = "INSERT INTO audit (at, event, actor, subject, detail) VALUES ($1, $2, $3, $4, $5)";

    AFTER = "
        SELECT seq, at, event, actor, subject, detail FROM audit
         WHERE seq > $1 ORDER BY seq LIMIT $2";
}

/// Something worth remembering.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// What happened.
    pub event: &'a str,
    /// Who did it.
    pub actor: &'a str,
    /// To whom or what.
    pub subject: &'a str,
    /// The rest, as JSON.
    pub detail: &'a str,
}

/// An entry as it was written down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entered {
    /// Its place in the log; grows.
    pub seq: i64,
    /// When.
    pub at: Instant,
    /// What happened.
    pub event: String,
    /// Who did it.
    pub actor: String,
    /// To whom or what.
    pub subject: String,
    /// The rest, as JSON.
    pub detail: String,
}

pub(crate) fn entered(row: Row<'_>) -> Result<Entered, Error> {
    Ok(Entered {
        seq: row.get(0)?,
        at: row.get(1)?,
        event: row.get(2)?,
        actor: row.get(3)?,
        subject: row.get(4)?,
        detail: row.get(5)?,
    })
}

impl Tx {
    /// Adds an entry.
    ///
    /// # Errors
    ///
    /// [`Error::Sqlite`] or [`Error::Postgres`].
    pub async fn audit(&mut self, entry: &Entry<'_>, now: Instant) -> Result<(), Error> {
        let values = [
            now.into(),
            entry.event.into(),
            entry.actor.into(),
            entry.subject.into(),
            entry.detail.into(),
        ];
        self.run(ADD, &values).await.map(drop)
    }

    /// At most `limit` entries after `after_seq`, oldest first.
    ///
    /// # Errors
    ///
    /// [`Error::Sqlite`], [`Error::Postgres`], or [`Error::Column`].
    pub async fn audit_all(&mut self, after_seq: i64, limit: i64) -> Result<Vec<Entered>, Error> {
        self.all(AFTER, &[after_seq.into(), limit.into()], entered)
            .await
    }
}
