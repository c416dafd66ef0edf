//! Errands: what must follow a story and cannot be part of it, such as a notice to send.
//!
//! The story writes the errand, so that there is one if and only if the story happened. Whoever does it
//! takes it for a while, and deletes it when it is done; one that was taken and not deleted is due again.

use menjin_core::Instant;

use crate::{
    error::Error,
    tx::{Row, Tx, statements},
};

statements! {
    ADD = "
        INSERT INTO errands (id, kind, content, due_at, created_at) VALUES ($1, $2, $3, $4, $4)";

    TAKE = "
        UPDATE errands SET due_at = $2, tries = tries + 1
         WHERE id = (SELECT id FROM errands WHERE due_at <= $1 ORDER BY due_at LIMIT 1)
           AND due_at <= $1
        RETURNING id, kind, content, tries, created_at";

    PUT_OFF = "UPDATE errands SET due_at = $2 WHERE id = $1";

    DONE = "DELETE FROM errands WHERE id = $1";

    PURGE = "DELETE FROM errands WHERE created_at < $1";
}

/// Something to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Errand {
    /// Its own id.
    pub id: [u8; 16],
    /// What kind of thing it is.
    pub kind: String,
    /// The rest, sealed.
    pub content: Vec<u8>,
    /// How often it was taken, this time included.
    pub tries: i64,
    /// When it was written.
    pub created_at: Instant,
}

fn errand(row: Row<'_>) -> Result<Errand, Error> {
    Ok(Errand {
        id: row.get(0)?,
        kind: row.get(1)?,
        content: row.get(2)?,
        tries: row.get(3)?,
        created_at: row.get(4)?,
    })
}

impl Tx {
    /// Adds an errand that is due at once.
    ///
    /// # Errors
    ///
    /// [`Error::Sqlite`] or [`Error::Postgres`].
    pub async fn errand_add(
        &mut self,
        id: &[u8; 16],
        kind: &str,
        content: &[u8],
        now: Instant,
    ) -> Result<(), Error> {
        let values = [id.into(), kind.into(), content.into(), now.into()];
        self.run(ADD, &values).await.map(drop)
    }

    /// Takes the errand that has been due for longest, until `again_at`. `None` if none is due, or
    /// somebody else took it at the same moment.
    ///
    /// # Errors
    ///
    /// [`Error::Sqlite`], [`Error::Postgres`], or [`Error::Column`].
    pub async fn errand_take(
        &mut self,
        now: Instant,
        again_at: Instant,
    ) -> Result<Option<Errand>, Error> {
        self.one(TAKE, &[now.into(), again_at.into()], errand).await
    }

    /// Lets an errand that was taken rest until an instant.
    ///
    /// # Errors
    ///
    /// As [`Tx::errand_add`].
    pub async fn errand_put_off(&mut self, id: &[u8; 16], due_at: Instant) -> Result<(), Error> {
        self.run(PUT_OFF, &[id.into(), due_at.into()])
            .await
            .map(drop)
    }

    /// Deletes an errand that is done or given up.
    ///
    /// # Errors
    ///
    /// As [`Tx::errand_add`].
    pub async fn errand_done(&mut self, id: &[u8; 16]) -> Result<(), Error> {
        self.run(DONE, &[id.into()]).await.map(drop)
    }

    /// Deletes those that were written before an instant; how many.
    ///
    /// # Errors
    ///
    /// As [`Tx::errand_add`].
    pub async fn errand_purge(&mut self, before: Instant) -> Result<u64, Error> {
        self.run(PURGE, &[before.into()]).await
    }
}
