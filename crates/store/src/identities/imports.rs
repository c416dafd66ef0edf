//! Identities that come from elsewhere with their accounts, and go there again.

use menjin_core::{Identity, Release, Uid, Unionid};

use super::{NewIdentity, identity, select};
use crate::{
    error::Error,
    tx::{Tx, statements},
    users,
};

statements! {
    IMPORT = "
        INSERT INTO identities (id, appid, openid, unionid, user_id, release, first_seen_at,
                                last_seen_at, session_key_digest, session_key,
                                previous_session_key)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $7, $8, $9, $10)
        ON CONFLICT (appid, openid) DO UPDATE
           SET user_id = excluded.user_id,
               unionid = COALESCE(identities.unionid, excluded.unionid)
         WHERE identities.user_id IS NULL";

    OWNER = "SELECT user_id FROM identities WHERE appid = $1 AND openid = $2";

    LIST_BETWEEN = select!(
        "WHERE i.user_id >= $1 AND i.user_id <= $2 ORDER BY i.user_id, i.id"
    );
}

/// What became of an identity that was imported for an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Linked {
    /// The account has it now.
    Now,
    /// The account had it.
    Before,
    /// Another account has it, and keeps it.
    Elsewhere(Uid),
}

impl Tx {
    /// Links an identity to an account, and makes it if nobody has been seen with its openid: one
    /// that is there keeps its id, its session keys and its unionid.
    ///
    /// # Errors
    ///
    /// [`Error::Sqlite`], [`Error::Postgres`], also if there is no such account, or [`Error::Column`].
    pub async fn identity_import(&mut self, uid: Uid, new: &NewIdentity) -> Result<Linked, Error> {
        let no_previous = new.no_previous_key();
        let values = [
            new.id.as_bytes().into(),
            new.appid.as_str().into(),
            new.openid.as_str().into(),
            new.unionid.as_ref().map(Unionid::as_str).into(),
            uid.get().into(),
            new.release.map(Release::as_str).into(),
            new.now.into(),
            (&new.session_key_digest).into(),
            new.session_key.as_slice().into(),
            no_previous.as_slice().into(),
        ];
        if self.run(IMPORT, &values).await? > 0 {
            return Ok(Linked::Now);
        }
        let values = [new.appid.as_str().into(), new.openid.as_str().into()];
        let owner = self
            .one(OWNER, &values, |row| row.parse(0, Uid::new))
            .await?;
        match owner {
            Some(owner) if owner == uid => Ok(Linked::Before),
            Some(owner) => Ok(Linked::Elsewhere(owner)),
            None => Err(Error::Broken),
        }
    }

    /// Every identity that is linked to an account whose number is from `first` to `last`, by that
    /// number: those of one page of [`Tx::user_after`].
    ///
    /// # Errors
    ///
    /// [`Error::Sqlite`], [`Error::Postgres`], or [`Error::Column`].
    pub async fn identity_list_between(
        &mut self,
        first: Uid,
        last: Uid,
    ) -> Result<Vec<Identity>, Error> {
        let values = [first.get().into(), last.get().into()];
        self.all(LIST_BETWEEN, &values, identity).await
    }
}
