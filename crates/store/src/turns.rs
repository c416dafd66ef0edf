//! Turns: what keeps one story from counting while another that counts the same has not ended.
//!
//! On SQLite stories follow one another anyway. On PostgreSQL two stories that count rows before they
//! add one would both see room for one; the row of a turn makes the second wait.

use menjin_core::Instant;

use crate::{
    error::Error,
    tx::{Tx, statements},
};

statements! {
    TAKE = "
        INSERT INTO turns (name, taken_at) VALUES ($1, $2)
        ON CONFLICT (name) DO UPDATE SET taken_at = excluded.taken_at";

    PURGE = "DELETE FROM turns WHERE taken_at < $1";
}

impl Tx {
    /// Waits until no other story has this turn, and keeps it until this story ends. Two stories that
    /// take several take them in the same order.
    ///
    /// # Errors
    ///
    /// [`Error::Sqlite`] or [`Error::Postgres`].
    pub async fn turn_take(&mut self, name: &[u8; 32], now: Instant) -> Result<(), Error> {
        self.run(TAKE, &[name.into(), now.into()]).await.map(drop)
    }

    /// Forgets turns that were last taken before an instant; how many.
    ///
    /// # Errors
    ///
    /// As [`Tx::turn_take`].
    pub async fn turn_purge(&mut self, before: Instant) -> Result<u64, Error> {
        self.run(PURGE, &[before.into()]).await
    }
}
