//! The team's other services: who they are, and what each may ask.

use menjin_core::Instant;

use crate::{
    error::Error,
    tx::{Row, Tx, statements},
};

statements! {
    ALL_SERVICES = "
        SELECT id, secret_digest, former_digest, former_until, may, created_at, rotated_at
          FROM services ORDER BY id";

    INSERT = "
        INSERT INTO services (id, secret_digest, may, created_at) VALUES ($1, $2, $3, $4)
        ON CONFLICT (id) DO NOTHING";

    ROTATE = "
        UPDATE services
           SET former_digest = secret_digest, former_until = $3, secret_digest = $2, rotated_at = $4
         WHERE id = $1";

    REMOVE = "DELETE FROM services WHERE id = $1";
}

/// One service as it is written down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceRow {
    /// Its name.
    pub id: String,
    /// SHA-256 of its secret.
    pub secret_digest: Vec<u8>,
    /// SHA-256 of the secret before that one.
    pub former_digest: Option<Vec<u8>>,
    /// How long that one still counts.
    pub former_until: Option<Instant>,
    /// The words of what it may do, with blanks between them.
    pub may: String,
    /// When it was added.
    pub created_at: Instant,
    /// When it was given another secret.
    pub rotated_at: Option<Instant>,
}

impl Tx {
    /// Every service, by name.
    ///
    /// # Errors
    ///
    /// [`Error::Sqlite`], [`Error::Postgres`], or [`Error::Column`].
    pub async fn service_all(&mut self) -> Result<Vec<ServiceRow>, Error> {
        self.all(ALL_SERVICES, &[], service).await
    }

    /// Adds a service. `false` if there is one of that name.
    ///
    /// # Errors
    ///
    /// [`Error::Sqlite`] or [`Error::Postgres`].
    pub async fn service_insert(
        &mut self,
        id: &str,
        secret_digest: &[u8; 32],
        may: &str,
        now: Instant,
    ) -> Result<bool, Error> {
        let values = [id.into(), secret_digest.into(), may.into(), now.into()];
        Ok(self.run(INSERT, &values).await? > 0)
    }

    /// Gives a service another secret; the one before counts until `former_until`. `false` if there is
    /// no such service.
    ///
    /// # Errors
    ///
    /// As [`Tx::service_insert`].
    pub async fn service_rotate(
        &mut self,
        id: &str,
        secret_digest: &[u8; 32],
        former_until: Instant,
        now: Instant,
    ) -> Result<bool, Error> {
        let values = [
            id.into(),
            secret_digest.into(),
            former_until.into(),
            now.into(),
        ];
        Ok(self.run(ROTATE, &values).await? > 0)
    }

    /// Removes a service. `false` if there is none of that name.
    ///
    /// # Errors
    ///
    /// As [`Tx::service_insert`].
    pub async fn service_remove(&mut self, id: &str) -> Result<bool, Error> {
        Ok(self.run(REMOVE, &[id.into()]).await? > 0)
    }
}

fn service(row: Row<'_>) -> Result<ServiceRow, Error> {
    Ok(ServiceRow {
        id: row.get(0)?,
        secret_digest: row.get(1)?,
        former_digest: row.get(2)?,
        former_until: row.get(3)?,
        may: row.get(4)?,
        created_at: row.get(5)?,
        rotated_at: row.get(6)?,
    })
}
