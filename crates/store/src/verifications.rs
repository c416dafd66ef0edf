//! What was sent to somebody to prove that a number or an address is theirs, until it is spent.

use menjin_core::{
    Instant,
    verification::{Purpose, TRIES},
};

use crate::{
    error::Error,
    tx::{Row, Tx, statements},
};

statements! {
    FORGET_OF_ASKER = "DELETE FROM verifications WHERE asker = $1 AND purpose = $2";

    OPEN = "
        INSERT INTO verifications (id, purpose, contact_digest, contact, asker, code_digest,
                                   consent, expires_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
        ON CONFLICT (contact_digest, purpose) DO UPDATE
           SET id = excluded.id, contact = excluded.contact, asker = excluded.asker,
               code_digest = excluded.code_digest, consent = excluded.consent, tries = 0,
               expires_at = excluded.expires_at";

    TRY = "
        UPDATE verifications SET tries = tries + 1
         WHERE purpose = $1 AND contact_digest = $2 AND tries < $3 AND expires_at > $4
        RETURNING id, contact_digest, contact, asker, code_digest, consent";

    FIND_OF_ASKER = "
        SELECT contact_digest FROM verifications WHERE asker = $1 AND purpose = $2";

    FIND = "
        SELECT id, contact_digest, contact, asker, code_digest, consent FROM verifications
         WHERE id = $1 AND purpose = $2 AND expires_at > $3";

    SPEND = "DELETE FROM verifications WHERE id = $1 AND expires_at > $2";

    FORGET_CONTACT = "DELETE FROM verifications WHERE contact_digest = $1";

    FORGET_ASKER = "DELETE FROM verifications WHERE asker = $1";

    PURGE = "DELETE FROM verifications WHERE expires_at <= $1";
}

/// A verification that is about to be sent.
#[derive(Clone, Debug)]
pub struct NewVerification {
    /// Its own id, drawn at random.
    pub id: [u8; 16],
    /// What it is for.
    pub purpose: Purpose,
    /// The number or address, as a keyed digest.
    pub contact_digest: [u8; 32],
    /// The number or address, sealed, if the request that spends will not repeat it.
    pub contact: Option<Vec<u8>>,
    /// Who asked: an identity's id, or a uid.
    pub asker: String,
    /// The code, as a keyed digest.
    pub code_digest: [u8; 32],
    /// The version of the privacy policy that the person agreed to when asking.
    pub consent: Option<String>,
    /// When it is over.
    pub expires_at: Instant,
}

/// A verification that may be compared with what somebody sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verification {
    /// Its own id.
    pub id: [u8; 16],
    /// The number or address, as a keyed digest.
    pub contact_digest: [u8; 32],
    /// The number or address, sealed, if it was kept.
    pub contact: Option<Vec<u8>>,
    /// Who asked.
    pub asker: String,
    /// The code, as a keyed digest.
    pub code_digest: [u8; 32],
    /// The version of the privacy policy that the person agreed to when asking.
    pub consent: Option<String>,
}

fn verification(row: Row<'_>) -> Result<Verification, Error> {
    Ok(Verification {
        id: row.get(0)?,
        contact_digest: row.get(1)?,
        contact: row.get(2)?,
        asker: row.get(3)?,
        code_digest: row.get(4)?,
        consent: row.get(5)?,
    })
}

impl Tx {
    /// Puts a verification in place of those that the same person, or for the same number or address,
    /// had for the same purpose.
    ///
    /// # Errors
    ///
    /// [`Error::Sqlite`] or [`Error::Postgres`].
    pub async fn verification_open(&mut self, new: &NewVerification) -> Result<(), Error> {
        let of_asker = [new.asker.as_str().into(), new.purpose.as_str().into()];
        self.run(FORGET_OF_ASKER, &of_asker).await?;
        let values = [
            (&new.id).into(),
            new.purpose.as_str().into(),
            (&new.contact_digest).into(),
            new.contact.as_deref().into(),
            new.asker.as_str().into(),
            (&new.code_digest).into(),
            new.consent.as_deref().into(),
            new.expires_at.into(),
        ];
        self.run(OPEN, &values).await.map(drop)
    }

    /// Counts a try and hands out what to compare it with. `None` if there is none, it is over, or it
    /// has been tried five times. The count stands once the story has ended well, so the comparison
    /// belongs behind it.
    ///
    /// # Errors
    ///
    /// [`Error::Sqlite`], [`Error::Postgres`], or [`Error::Column`].
    pub async fn verification_try(
        &mut self,
        purpose: Purpose,
        contact_digest: &[u8; 32],
        now: Instant,
    ) -> Result<Option<Verification>, Error> {
        let values = [
            purpose.as_str().into(),
            contact_digest.into(),
            TRIES.into(),
            now.into(),
        ];
        self.one(TRY, &values, verification).await
    }

    /// The number or address, as a keyed digest, for which somebody has a verification open.
    ///
    /// # Errors
    ///
    /// As [`Tx::verification_try`].
    pub async fn verification_contact(
        &mut self,
        purpose: Purpose,
        asker: &str,
    ) -> Result<Option<[u8; 32]>, Error> {
        let values = [asker.into(), purpose.as_str().into()];
        self.one(FIND_OF_ASKER, &values, |row| row.get(0)).await
    }

    /// A verification by its own id, which only a link holds. Counts nothing.
    ///
    /// # Errors
    ///
    /// As [`Tx::verification_try`].
    pub async fn verification_find(
        &mut self,
        purpose: Purpose,
        id: &[u8; 16],
        now: Instant,
    ) -> Result<Option<Verification>, Error> {
        let values = [id.into(), purpose.as_str().into(), now.into()];
        self.one(FIND, &values, verification).await
    }

    /// Uses a verification up. `true` for one caller of however many.
    ///
    /// # Errors
    ///
    /// As [`Tx::verification_open`].
    pub async fn verification_spend(&mut self, id: &[u8; 16], now: Instant) -> Result<bool, Error> {
        Ok(self.run(SPEND, &[id.into(), now.into()]).await? > 0)
    }

    /// Forgets all that is open for a number or an address.
    ///
    /// # Errors
    ///
    /// As [`Tx::verification_open`].
    pub async fn verification_forget_contact(
        &mut self,
        contact_digest: &[u8; 32],
    ) -> Result<(), Error> {
        self.run(FORGET_CONTACT, &[contact_digest.into()])
            .await
            .map(drop)
    }

    /// Forgets all that somebody has asked for.
    ///
    /// # Errors
    ///
    /// As [`Tx::verification_open`].
    pub async fn verification_forget_asker(&mut self, asker: &str) -> Result<(), Error> {
        self.run(FORGET_ASKER, &[asker.into()]).await.map(drop)
    }

    /// Deletes what is over; how many.
    ///
    /// # Errors
    ///
    /// As [`Tx::verification_open`].
    pub async fn verification_purge(&mut self, now: Instant) -> Result<u64, Error> {
        self.run(PURGE, &[now.into()]).await
    }
}
