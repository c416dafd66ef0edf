//! Tokens that count no more although their time is not over.

use menjin_core::Instant;

use crate::{
    error::Error,
    tx::{Tx, statements},
};

statements! {
    ADD = "INSERT INTO revocations (jti, until) VALUES ($1, $2) ON CONFLICT (jti) DO NOTHING";

    FIND = "SELECT until FROM revocations WHERE jti = $1";

    PURGE = "DELETE FROM revocations WHERE until < $1";
}

impl Tx {
    /// Revokes a token, which would have been over at `until`. Doing it again changes nothing.
    ///
    /// # Errors
    ///
    /// [`Error::Sqlite`] or [`Error::Postgres`].
    pub async fn revocation_add(&mut self, jti: &str, until: Instant) -> Result<(), Error> {
        self.run(ADD, &[jti.into(), until.into()]).await.map(drop)
    }

    /// Whether a token was revoked.
    ///
    /// # Errors
    ///
    /// [`Error::Sqlite`], [`Error::Postgres`], or [`Error::Column`].
    pub async fn revocation_find(&mut self, jti: &str) -> Result<bool, Error> {
        let found = self
            .one(FIND, &[jti.into()], |row| row.get::<i64>(0))
            .await?;
        Ok(found.is_some())
    }

    /// Deletes those that were over before an instant; how many.
    ///
    /// # Errors
    ///
    /// As [`Tx::revocation_add`].
    pub async fn revocation_purge(&mut self, before: Instant) -> Result<u64, Error> {
        self.run(PURGE, &[before.into()]).await
    }
}
