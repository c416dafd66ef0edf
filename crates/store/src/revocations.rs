//! What counts no more although its time is not over: tokens, the former tokens of accounts, keys.
//!
//! A story says what it revokes whenever it comes to it. The numbers are drawn when it ends, under a
//! lock that only its commit lets go: a number drawn early could become visible late, and whoever asks
//! for what came after the last one they know would never see it.

use menjin_core::{
    Instant, Uid,
    revocation::{Entry, Revocation},
};
use tokio::sync::watch;

use crate::{
    error::Error,
    tx::{Row, Tx, statements},
};

statements! {
    DRAW = "UPDATE revocation_numbers SET last = last + $1 WHERE id = 1 RETURNING last";

    LAST = "SELECT last FROM revocation_numbers WHERE id = 1";

    TOKEN = "
        INSERT INTO revocations (seq, until, jti) VALUES ($1, $2, $3) ON CONFLICT (jti) DO NOTHING";

    ACCOUNT = "
        INSERT INTO revocations (seq, until, uid, epoch) VALUES ($1, $2, $3, $4)
        ON CONFLICT (uid) DO UPDATE
           SET seq = excluded.seq, until = excluded.until, epoch = excluded.epoch";

    KEY = "
        INSERT INTO revocations (seq, until, kid) VALUES ($1, $2, $3) ON CONFLICT (kid) DO NOTHING";

    FIND = "SELECT until FROM revocations WHERE jti = $1";

    AFTER = "
        SELECT seq, until, jti, uid, epoch, kid FROM revocations
         WHERE seq > $1 ORDER BY seq LIMIT $2";

    PURGE = "
        DELETE FROM revocations WHERE seq IN
               (SELECT seq FROM revocations WHERE until < $1 ORDER BY until LIMIT $2)";
}

/// A million at once would keep SQLite's only writer for seconds, and PostgreSQL would give up half-way.
const PURGED_AT_ONCE: i64 = 10_000;

/// A part of the feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revocations {
    /// What came after the number that was asked for, in order.
    pub entries: Vec<Entry>,
    /// After which number to ask next: nothing up to it is missing. Below the one that was asked for
    /// if the store knows less than that, since an older one was put in its place.
    pub last: i64,
}

/// What a story revoked so far, and until when each would have counted.
pub(crate) type Pending = Vec<(Revocation, Instant)>;

/// Rings when something was revoked: in this process, or, on PostgreSQL, in another one that said so.
#[derive(Clone, Debug)]
pub(crate) struct Bell(watch::Sender<u64>);

impl Bell {
    pub(crate) fn new() -> Self {
        Self(watch::Sender::new(0))
    }

    pub(crate) fn ring(&self) {
        self.0.send_modify(|rung| *rung += 1);
    }

    pub(crate) fn hear(&self) -> watch::Receiver<u64> {
        self.0.subscribe()
    }
}

impl Tx {
    /// Revokes something that would have been over at `until`, once this story ends well.
    pub fn revoke(&mut self, what: Revocation, until: Instant) {
        self.revoked.push((what, until));
    }

    /// Revokes what would last as long as a token that is made now.
    pub(crate) fn revoke_from_now(&mut self, what: Revocation, now: Instant) {
        let until = now.saturating_add(self.tokens_last);
        self.revoke(what, until);
    }

    /// Writes down what the story revoked. The last that it does.
    pub(crate) async fn number_revocations(&mut self) -> Result<(), Error> {
        let pending = std::mem::take(&mut self.revoked);
        let count = i64::try_from(pending.len()).unwrap_or(i64::MAX);
        self.written_down += count;
        let values = [count.into()];
        let last = self.one(DRAW, &values, |row| row.get::<i64>(0)).await?;
        let first = last.ok_or(Error::Broken)? - count + 1;
        for (seq, (what, until)) in (first..).zip(pending) {
            match what {
                Revocation::Token(jti) => {
                    let values = [seq.into(), until.into(), jti.as_str().into()];
                    self.run(TOKEN, &values).await?;
                }
                Revocation::Account { uid, epoch } => {
                    let values = [seq.into(), until.into(), uid.get().into(), epoch.into()];
                    self.run(ACCOUNT, &values).await?;
                }
                Revocation::Key(kid) => {
                    let values = [seq.into(), until.into(), kid.as_str().into()];
                    self.run(KEY, &values).await?;
                }
            }
        }
        Ok(())
    }

    /// Whether a token was revoked by itself.
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

    /// What was revoked after the number `after`, at most `limit` entries.
    ///
    /// # Errors
    ///
    /// As [`Tx::revocation_find`].
    pub async fn revocation_after(&mut self, after: i64, limit: i64) -> Result<Revocations, Error> {
        // Read first, and only believed where nothing came after: whatever is committed between the
        // two statements is not skipped.
        let last = self.one(LAST, &[], |row| row.get(0)).await?;
        let entries = self
            .all(AFTER, &[after.into(), limit.into()], entry)
            .await?;
        let last = match entries.last() {
            Some(newest) => newest.seq,
            None => last.unwrap_or(0),
        };
        Ok(Revocations { entries, last })
    }

    /// Deletes those that were over before an instant, so many that nobody waits long behind it; how
    /// many. More may be left, unless it is 0.
    ///
    /// # Errors
    ///
    /// [`Error::Sqlite`] or [`Error::Postgres`].
    pub async fn revocation_purge(&mut self, before: Instant) -> Result<u64, Error> {
        self.run(PURGE, &[before.into(), PURGED_AT_ONCE.into()])
            .await
    }
}

fn entry(row: Row<'_>) -> Result<Entry, Error> {
    let (jti, uid, kid) = (row.get(2)?, row.get::<Option<i64>>(3)?, row.get(5)?);
    let what = match (jti, uid, kid) {
        (Some(jti), None, None) => Revocation::Token(jti),
        (None, Some(uid), None) => Revocation::Account {
            uid: Uid::new(uid).ok_or(Error::Column(3))?,
            epoch: row.get(4)?,
        },
        (None, None, Some(kid)) => Revocation::Key(kid),
        _ => return Err(Error::Column(2)),
    };
    Ok(Entry {
        seq: row.get(0)?,
        what,
        until: row.get(1)?,
    })
}
