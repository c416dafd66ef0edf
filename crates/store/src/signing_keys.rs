//! The keys that sign tokens, private parts sealed.

use menjin_core::{Instant, revocation::Revocation};

use crate::{
    error::Error,
    tx::{Row, Tx, statements},
};

statements! {
    ALL_KEYS = "
        SELECT number, kid, algorithm, public_jwk, private_key, created_at, signs_from, removed_at
          FROM signing_keys ORDER BY number";

    INSERT = "
        INSERT INTO signing_keys (number, kid, algorithm, public_jwk, private_key, created_at,
                                  signs_from, removed_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
        ON CONFLICT DO NOTHING";

    SCHEDULE = "
        UPDATE signing_keys SET signs_from = $2 WHERE number = $1 AND removed_at IS NULL";

    REMOVE = "
        UPDATE signing_keys SET removed_at = $2, private_key = $3
         WHERE kid = $1 AND removed_at IS NULL";

    RESEAL = "
        UPDATE signing_keys SET private_key = $2 WHERE number = $1 AND removed_at IS NULL";

    DELETE = "DELETE FROM signing_keys WHERE number = $1";
}

/// One signing key as it is written down.
#[derive(Clone, PartialEq, Eq)]
pub struct KeyRow {
    /// Its place in the order; the next key has the next number.
    pub number: i64,
    /// The name in tokens and in the key set.
    pub kid: String,
    /// `ES256` or `EdDSA`.
    pub algorithm: String,
    /// The public part, as JSON.
    pub public_jwk: String,
    /// The private part, sealed; empty once the key is removed.
    pub private_key: Vec<u8>,
    /// When it was made.
    pub created_at: Instant,
    /// When it takes over from the one before.
    pub signs_from: Instant,
    /// When it was taken out of use for good.
    pub removed_at: Option<Instant>,
}

impl std::fmt::Debug for KeyRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "KeyRow({}, {})", self.number, self.kid)
    }
}

fn key(row: Row<'_>) -> Result<KeyRow, Error> {
    Ok(KeyRow {
        number: row.get(0)?,
        kid: row.get(1)?,
        algorithm: row.get(2)?,
        public_jwk: row.get(3)?,
        private_key: row.get(4)?,
        created_at: row.get(5)?,
        signs_from: row.get(6)?,
        removed_at: row.get(7)?,
    })
}

impl Tx {
    /// Every key, removed ones too, in order.
    ///
    /// # Errors
    ///
    /// [`Error::Sqlite`], [`Error::Postgres`], or [`Error::Column`].
    pub async fn key_all(&mut self) -> Result<Vec<KeyRow>, Error> {
        self.all(ALL_KEYS, &[], key).await
    }

    /// Adds a key. `false` if its number or kid is taken: of replicas that make the next key at
    /// the same time, one succeeds.
    ///
    /// # Errors
    ///
    /// [`Error::Sqlite`] or [`Error::Postgres`].
    pub async fn key_insert(&mut self, key: &KeyRow) -> Result<bool, Error> {
        let values = [
            key.number.into(),
            key.kid.as_str().into(),
            key.algorithm.as_str().into(),
            key.public_jwk.as_str().into(),
            key.private_key.as_slice().into(),
            key.created_at.into(),
            key.signs_from.into(),
            key.removed_at.into(),
        ];
        Ok(self.run(INSERT, &values).await? > 0)
    }

    /// Changes when a key takes over. `false` if it is removed or not there.
    ///
    /// # Errors
    ///
    /// As [`Tx::key_insert`].
    pub async fn key_schedule(&mut self, number: i64, signs_from: Instant) -> Result<bool, Error> {
        Ok(self
            .run(SCHEDULE, &[number.into(), signs_from.into()])
            .await?
            > 0)
    }

    /// Takes a key out of use: its row stays, its private part goes. `false` if it was removed
    /// already or is not there.
    ///
    /// # Errors
    ///
    /// As [`Tx::key_insert`].
    pub async fn key_remove(&mut self, kid: &str, now: Instant) -> Result<bool, Error> {
        let values = [kid.into(), now.into(), (&[0; 0]).into()];
        let is_removed = self.run(REMOVE, &values).await? > 0;
        if is_removed {
            self.revoke_from_now(Revocation::Key(kid.to_owned()), now);
        }
        Ok(is_removed)
    }

    /// Replaces the sealed private part. `false` if the key is removed or not there.
    ///
    /// # Errors
    ///
    /// As [`Tx::key_insert`].
    pub async fn key_reseal(&mut self, number: i64, sealed: &[u8]) -> Result<bool, Error> {
        Ok(self.run(RESEAL, &[number.into(), sealed.into()]).await? > 0)
    }

    /// Deletes the row of a key whose tokens are all over. `false` if it was gone.
    ///
    /// # Errors
    ///
    /// As [`Tx::key_insert`].
    pub async fn key_delete(&mut self, number: i64) -> Result<bool, Error> {
        Ok(self.run(DELETE, &[number.into()]).await? > 0)
    }
}
