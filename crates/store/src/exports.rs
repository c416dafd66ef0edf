//! What is stored of one person, for that person to read.
//!
//! Rows that are found by a number may be somebody else's, who asked about it: the caller looks at
//! `asker`.

use menjin_core::{IdentityId, Instant, Uid, Unionid};

use crate::{
    audit::{Entered, entered},
    error::Error,
    sends::Channel,
    tx::{Row, Tx, statements},
};

/// Rows of one kind that are read at once; the limits of messages let nobody have more.
const MANY: i64 = 1_000;

statements! {
    TIMES = "SELECT created_at, updated_at FROM users WHERE uid = $1";

    VERIFICATIONS = "
        SELECT id, purpose, contact, consent, tries, expires_at FROM verifications
         WHERE asker = $1 ORDER BY purpose LIMIT 100";

    SENDS = "
        SELECT channel, purpose, at, contact_digest, asker, address, provider_id, cost FROM sends
         WHERE asker = $1 ORDER BY at DESC LIMIT $2";

    SENDS_TO = "
        SELECT channel, purpose, at, contact_digest, asker, address, provider_id, cost FROM sends
         WHERE contact_digest = $1 AND channel = $2 AND at >= $3 ORDER BY at DESC LIMIT $4";

    AUDIT = "
        SELECT seq, at, event, actor, subject, detail FROM audit
         WHERE subject = $1 AND seq < $2 ORDER BY seq DESC LIMIT $3";

    UNLINKED = "
        SELECT id, unionid, user_id FROM identities WHERE id > $1 ORDER BY id LIMIT $2";
}

/// A verification that somebody asked for and has not spent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportedVerification {
    /// Its own id, which the contact is sealed under.
    pub id: [u8; 16],
    /// What it is for.
    pub purpose: String,
    /// The number or address, sealed, if it was kept.
    pub contact: Option<Vec<u8>>,
    /// The version of the privacy policy that the person agreed to when asking.
    pub consent: Option<String>,
    /// How often it was tried.
    pub tries: i64,
    /// When it is over.
    pub expires_at: Instant,
}

/// A message that was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportedSend {
    /// `sms`, `mail`, or `none` for a question that counted as one.
    pub channel: String,
    /// Why.
    pub purpose: String,
    /// When.
    pub at: Instant,
    /// To which number or address, as a keyed digest.
    pub contact_digest: [u8; 32],
    /// Who asked: an identity's id, or a uid; empty once that was forgotten.
    pub asker: String,
    /// From where it was asked for; empty once that was forgotten.
    pub address: String,
    /// What the provider calls it.
    pub provider_id: Option<String>,
    /// What it cost, in the provider's units.
    pub cost: Option<i64>,
}

/// Some identities in the order of their ids, looked through for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Looked {
    /// Those of the person.
    pub found: Vec<IdentityId>,
    /// Where to go on; `None` at the end.
    pub after: Option<IdentityId>,
}

fn verification(row: Row<'_>) -> Result<ExportedVerification, Error> {
    Ok(ExportedVerification {
        id: row.get(0)?,
        purpose: row.get(1)?,
        contact: row.get(2)?,
        consent: row.get(3)?,
        tries: row.get(4)?,
        expires_at: row.get(5)?,
    })
}

fn send(row: Row<'_>) -> Result<ExportedSend, Error> {
    Ok(ExportedSend {
        channel: row.get(0)?,
        purpose: row.get(1)?,
        at: row.get(2)?,
        contact_digest: row.get(3)?,
        asker: row.get(4)?,
        address: row.get(5)?,
        provider_id: row.get(6)?,
        cost: row.get(7)?,
    })
}

/// An identity's id, its unionid, and whether it is linked to an account.
type Seen = (IdentityId, Option<String>, bool);

fn seen(row: Row<'_>) -> Result<Seen, Error> {
    Ok((
        row.parse(0, |id: Vec<u8>| IdentityId::from_bytes(&id))?,
        row.get(1)?,
        row.get::<Option<i64>>(2)?.is_some(),
    ))
}

impl Tx {
    /// When an account was made and when it was last changed; `None` if it is gone.
    ///
    /// # Errors
    ///
    /// [`Error::Sqlite`], [`Error::Postgres`], or [`Error::Column`].
    pub async fn user_times(&mut self, uid: Uid) -> Result<Option<(Instant, Instant)>, Error> {
        let read = |row: Row<'_>| Ok((row.get(0)?, row.get(1)?));
        self.one(TIMES, &[uid.get().into()], read).await
    }

    /// What somebody asked to prove and has not; a hundred at most.
    ///
    /// # Errors
    ///
    /// As [`Tx::user_times`].
    pub async fn verification_export(
        &mut self,
        asker: &str,
    ) -> Result<Vec<ExportedVerification>, Error> {
        self.all(VERIFICATIONS, &[asker.into()], verification).await
    }

    /// The messages that somebody asked for, the latest first; a thousand at most.
    ///
    /// # Errors
    ///
    /// As [`Tx::user_times`].
    pub async fn send_export(&mut self, asker: &str) -> Result<Vec<ExportedSend>, Error> {
        self.all(SENDS, &[asker.into(), MANY.into()], send).await
    }

    /// The messages to a number or an address from an instant on, whoever asked, the latest first; a
    /// thousand at most.
    ///
    /// # Errors
    ///
    /// As [`Tx::user_times`].
    pub async fn send_export_to(
        &mut self,
        channel: Channel,
        contact_digest: &[u8; 32],
        from: Instant,
    ) -> Result<Vec<ExportedSend>, Error> {
        let values = [
            contact_digest.into(),
            channel.as_str().into(),
            from.into(),
            MANY.into(),
        ];
        self.all(SENDS_TO, &values, send).await
    }

    /// At most `limit` audit entries about `subject` before `before_seq`, the latest first.
    ///
    /// # Errors
    ///
    /// As [`Tx::user_times`].
    pub async fn audit_before(
        &mut self,
        subject: &str,
        before_seq: i64,
        limit: i64,
    ) -> Result<Vec<Entered>, Error> {
        let values = [subject.into(), before_seq.into(), limit.into()];
        self.all(AUDIT, &values, entered).await
    }

    /// Looks through `limit` identities above `after` for those with a unionid that no account is
    /// linked to. There is no index for it, since every sign-in of a guest would pay for one; page by
    /// page, nobody waits.
    ///
    /// # Errors
    ///
    /// As [`Tx::user_times`].
    pub async fn identity_look_for(
        &mut self,
        unionids: &[Unionid],
        after: Option<IdentityId>,
        limit: i64,
    ) -> Result<Looked, Error> {
        let after = after.map_or([0; 16], |id| *id.as_bytes());
        let values = [(&after).into(), limit.into()];
        let page = self.all(UNLINKED, &values, seen).await?;
        let whole = i64::try_from(page.len()).is_ok_and(|length| length == limit);
        let after = page.last().filter(|_| whole).map(|(id, ..)| *id);
        let is_theirs = |told: &str| unionids.iter().any(|unionid| unionid.as_str() == told);
        let found = page
            .into_iter()
            .filter_map(|(id, unionid, linked)| (!linked && is_theirs(&unionid?)).then_some(id));
        Ok(Looked {
            found: found.collect(),
            after,
        })
    }
}
