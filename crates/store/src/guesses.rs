//! Tries at codes, counted for each number over all codes that it gets.

use menjin_core::Instant;

use crate::{
    error::Error,
    tx::{Tx, statements},
};

statements! {
    LATEST = "
        SELECT at FROM guesses WHERE contact_digest = $1 AND at > $2 ORDER BY at DESC LIMIT 20";

    ADD = "INSERT INTO guesses (id, contact_digest, at) VALUES ($1, $2, $3)";

    TAKE_BACK = "DELETE FROM guesses WHERE id = $1";

    PURGE = "DELETE FROM guesses WHERE at < $1";
}

impl Tx {
    /// When codes for a number were tried after an instant, the latest first; twenty at most.
    ///
    /// # Errors
    ///
    /// [`Error::Sqlite`], [`Error::Postgres`], or [`Error::Column`].
    pub async fn guess_latest(
        &mut self,
        contact_digest: &[u8; 32],
        after: Instant,
    ) -> Result<Vec<Instant>, Error> {
        let values = [contact_digest.into(), after.into()];
        self.all(LATEST, &values, |row| row.get(0)).await
    }

    /// Counts a try as wrong.
    ///
    /// # Errors
    ///
    /// [`Error::Sqlite`] or [`Error::Postgres`].
    pub async fn guess_add(
        &mut self,
        id: &[u8; 16],
        contact_digest: &[u8; 32],
        now: Instant,
    ) -> Result<(), Error> {
        let values = [id.into(), contact_digest.into(), now.into()];
        self.run(ADD, &values).await.map(drop)
    }

    /// Takes a try back that turned out right.
    ///
    /// # Errors
    ///
    /// As [`Tx::guess_add`].
    pub async fn guess_take_back(&mut self, id: &[u8; 16]) -> Result<(), Error> {
        self.run(TAKE_BACK, &[id.into()]).await.map(drop)
    }

    /// Deletes those before an instant; how many.
    ///
    /// # Errors
    ///
    /// As [`Tx::guess_add`].
    pub async fn guess_purge(&mut self, before: Instant) -> Result<u64, Error> {
        self.run(PURGE, &[before.into()]).await
    }
}
