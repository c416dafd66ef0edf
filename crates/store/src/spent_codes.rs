//! Login codes that somebody is spending or has spent, where several replicas must know of it.
//!
//! A row is over when it has expired. One whose claim lies more than a minute ahead was written by
//! a clock that has been set back since, and is as good as over: its expiry says nothing.

use menjin_core::{IdentityId, Instant};

use crate::{
    error::Error,
    tx::{Row, Tx, statements},
};

statements! {
    CLAIM = "
        INSERT INTO spent_codes (digest, claim, claimed_at, expires_at) VALUES ($1, $2, $3, $4)
        ON CONFLICT (digest) DO UPDATE
           SET claim = excluded.claim, identity_id = NULL, refusal = NULL,
               claimed_at = excluded.claimed_at, expires_at = excluded.expires_at
         WHERE spent_codes.expires_at <= excluded.claimed_at
            OR spent_codes.claimed_at > excluded.claimed_at + 60000";

    FIND = "
        SELECT claim, identity_id, refusal, claimed_at FROM spent_codes
         WHERE digest = $1 AND expires_at > $2 AND claimed_at - 60000 <= $2";

    SETTLE = "
        UPDATE spent_codes SET identity_id = $3, refusal = $4, expires_at = $5
         WHERE digest = $1 AND claim = $2";

    RELEASE = "DELETE FROM spent_codes WHERE digest = $1 AND claim = $2";

    PURGE = "DELETE FROM spent_codes WHERE expires_at <= $1 OR claimed_at > $1 + 60000";
}

/// What became of a login code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpentCode {
    /// Who claimed it.
    pub claim: [u8; 16],
    /// Whom it signed in, once that is known.
    pub identity: Option<IdentityId>,
    /// Why it signed nobody in, as JSON, once that is known.
    pub refusal: Option<String>,
    /// When it was claimed.
    pub claimed_at: Instant,
}

fn spent_code(row: Row<'_>) -> Result<SpentCode, Error> {
    let identity: Option<[u8; 16]> = row.get(1)?;
    Ok(SpentCode {
        claim: row.get(0)?,
        identity: identity.and_then(|bytes| IdentityId::from_bytes(&bytes)),
        refusal: row.get(2)?,
        claimed_at: row.get(3)?,
    })
}

impl Tx {
    /// Claims a login code until `expires_at`. `true` for one caller of however many, until the
    /// claim is over or released.
    ///
    /// # Errors
    ///
    /// [`Error::Sqlite`] or [`Error::Postgres`].
    pub async fn code_claim(
        &mut self,
        digest: &[u8; 32],
        claim: &[u8; 16],
        now: Instant,
        expires_at: Instant,
    ) -> Result<bool, Error> {
        let values = [digest.into(), claim.into(), now.into(), expires_at.into()];
        Ok(self.run(CLAIM, &values).await? > 0)
    }

    /// What is known of a login code, unless that is over.
    ///
    /// # Errors
    ///
    /// [`Error::Sqlite`], [`Error::Postgres`], or [`Error::Column`].
    pub async fn code_find(
        &mut self,
        digest: &[u8; 32],
        now: Instant,
    ) -> Result<Option<SpentCode>, Error> {
        self.one(FIND, &[digest.into(), now.into()], spent_code)
            .await
    }

    /// Writes down what became of a claimed code. `false` if the claim is no longer the caller's.
    ///
    /// # Errors
    ///
    /// As [`Tx::code_claim`].
    #[expect(clippy::too_many_arguments, reason = "five and the transaction")]
    pub async fn code_settle(
        &mut self,
        digest: &[u8; 32],
        claim: &[u8; 16],
        identity: Option<IdentityId>,
        refusal: Option<&str>,
        expires_at: Instant,
    ) -> Result<bool, Error> {
        let values = [
            digest.into(),
            claim.into(),
            identity.as_ref().map(IdentityId::as_bytes).into(),
            refusal.into(),
            expires_at.into(),
        ];
        Ok(self.run(SETTLE, &values).await? > 0)
    }

    /// Gives a claim up. `false` if it is no longer the caller's.
    ///
    /// # Errors
    ///
    /// As [`Tx::code_claim`].
    pub async fn code_release(
        &mut self,
        digest: &[u8; 32],
        claim: &[u8; 16],
    ) -> Result<bool, Error> {
        Ok(self.run(RELEASE, &[digest.into(), claim.into()]).await? > 0)
    }

    /// Deletes what is over; how many.
    ///
    /// # Errors
    ///
    /// As [`Tx::code_claim`].
    pub async fn code_purge(&mut self, now: Instant) -> Result<u64, Error> {
        self.run(PURGE, &[now.into()]).await
    }
}
