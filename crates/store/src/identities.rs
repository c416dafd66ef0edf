//! Who came from which mini program.

pub mod imports;

use menjin_core::{Appid, Identity, IdentityId, Instant, Openid, Release, Uid, Unionid, User};

use crate::{
    error::Error,
    tx::{Row, Tx, statements},
    users,
};

/// The columns that [`identity`] reads. The account is the identity's own; failing that, the one
/// that any identity with its unionid has.
macro_rules! select {
    ($($rest:literal),+) => {
        concat!(
            "SELECT i.id, i.appid, i.openid, i.unionid, i.session_key_digest, i.release,
                    i.last_seen_at, i.user_id, ",
            users::columns!("u."),
            "  FROM identities i
               LEFT JOIN users u ON u.uid = COALESCE(i.user_id,
                    (SELECT MIN(o.user_id) FROM identities o
                      WHERE o.unionid = i.unionid AND o.user_id IS NOT NULL)) ",
            $($rest),+
        )
    };
}
pub(crate) use select;

statements! {
    FIND = select!("WHERE i.appid = $1 AND i.openid = $2");

    FIND_BY_ID = select!("WHERE i.id = $1");

    FIND_OF_USER = select!(
        "WHERE i.user_id = $2 AND i.appid = $1 ORDER BY i.last_seen_at DESC, i.id LIMIT 1"
    );

    LIST_OF_USER = select!("WHERE i.user_id = $1 ORDER BY i.first_seen_at, i.id LIMIT 1000");

    CREATE = "
        INSERT INTO identities (id, appid, openid, unionid, user_id, release, first_seen_at,
                                last_seen_at, session_key_digest, session_key,
                                previous_session_key)
        VALUES ($1, $2, $3, $4, $10, $5, $6, $6, $7, $8, $9)
        ON CONFLICT (appid, openid) DO NOTHING";

    CHANGE_SESSION_KEY = "
        UPDATE identities
           SET previous_session_key = session_key, session_key = $2, session_key_digest = $3
         WHERE id = $1 AND session_key_digest <> $3";

    LEARN_UNIONID = "
        UPDATE identities SET unionid = $2 WHERE id = $1 AND unionid IS DISTINCT FROM $2";

    LINK = "
        UPDATE identities SET user_id = $2
         WHERE id = $1 AND user_id IS NULL AND EXISTS (SELECT 1 FROM users WHERE uid = $2)";

    RELINK = "UPDATE identities SET user_id = $2 WHERE id = $1";

    TOUCH = "
        UPDATE identities SET release = COALESCE($2, release), last_seen_at = $3 WHERE id = $1";

    SEEN = "SELECT first_seen_at FROM identities WHERE id = $1";

    DELETE = "DELETE FROM identities WHERE id = $1";

    SESSION_KEYS = "SELECT session_key, previous_session_key FROM identities WHERE id = $1";
}

/// Somebody who was never seen before.
#[derive(Clone, Debug)]
pub struct NewIdentity {
    /// Our own id, drawn at random.
    pub id: IdentityId,
    /// The mini program.
    pub appid: Appid,
    /// WeChat's id of the person there.
    pub openid: Openid,
    /// WeChat's id of the person across linked apps, if it was told.
    pub unionid: Option<Unionid>,
    /// The session key, sealed.
    pub session_key: Vec<u8>,
    /// The session key, as a keyed digest.
    pub session_key_digest: [u8; 32],
    /// The build of the mini program, if it was told.
    pub release: Option<Release>,
    /// First and last seen.
    pub now: Instant,
}

impl NewIdentity {
    /// Zeros stand for no previous key, at the length that one will have: a row that grew at its
    /// first change would split the page that it stands on.
    fn no_previous_key(&self) -> Vec<u8> {
        vec![0; self.session_key.len()]
    }

    /// As the row that it becomes.
    fn identity(&self, user: Option<User>) -> Identity {
        Identity {
            id: self.id,
            appid: self.appid.clone(),
            openid: self.openid.clone(),
            unionid: self.unionid.clone(),
            linked: user.is_some(),
            user,
            session_key_digest: self.session_key_digest,
            release: self.release,
            last_seen_at: self.now,
        }
    }
}

fn identity(row: Row<'_>) -> Result<Identity, Error> {
    let release: Option<String> = row.get(5)?;
    let unionid: Option<String> = row.get(3)?;
    Ok(Identity {
        id: IdentityId::from_bytes(&row.get::<[u8; 16]>(0)?).ok_or(Error::Column(0))?,
        appid: row.parse(1, |text: String| Appid::parse(&text).ok())?,
        openid: row.parse(2, |text: String| Openid::parse(&text).ok())?,
        unionid: unionid
            .map(|text| Unionid::parse(&text).map_err(|_| Error::Column(3)))
            .transpose()?,
        user: users::joined(row, 8)?,
        linked: row.get::<Option<i64>>(7)?.is_some(),
        session_key_digest: row.get(4)?,
        release: release
            .map(|word| Release::parse(&word).ok_or(Error::Column(5)))
            .transpose()?,
        last_seen_at: row.get(6)?,
    })
}

impl Tx {
    /// The identity of `openid` in `appid` and the account behind it, in one statement.
    ///
    /// # Errors
    ///
    /// [`Error::Sqlite`], [`Error::Postgres`], or [`Error::Column`].
    pub async fn identity_find(
        &mut self,
        appid: &Appid,
        openid: &Openid,
    ) -> Result<Option<Identity>, Error> {
        let values = [appid.as_str().into(), openid.as_str().into()];
        self.one(FIND, &values, identity).await
    }

    /// The identity that we call `id` and the account behind it, in one statement.
    ///
    /// # Errors
    ///
    /// As [`Tx::identity_find`].
    pub async fn identity_find_by_id(
        &mut self,
        id: &IdentityId,
    ) -> Result<Option<Identity>, Error> {
        self.one(FIND_BY_ID, &[id.as_bytes().into()], identity)
            .await
    }

    /// The identity that an account was last seen with in `appid`; only one that is linked to it.
    ///
    /// # Errors
    ///
    /// As [`Tx::identity_find`].
    pub async fn identity_find_of_user(
        &mut self,
        appid: &Appid,
        uid: Uid,
    ) -> Result<Option<Identity>, Error> {
        let values = [appid.as_str().into(), uid.get().into()];
        self.one(FIND_OF_USER, &values, identity).await
    }

    /// Links an identity to an account, whatever it was linked to before: an imported account that
    /// nobody has claimed. `false` if nobody has this id.
    ///
    /// # Errors
    ///
    /// As [`Tx::identity_find`].
    pub async fn identity_relink(&mut self, id: &IdentityId, uid: Uid) -> Result<bool, Error> {
        let values = [id.as_bytes().into(), uid.get().into()];
        Ok(self.run(RELINK, &values).await? > 0)
    }

    /// Every identity that is linked to an account, the oldest first; a thousand at most.
    ///
    /// # Errors
    ///
    /// As [`Tx::identity_find`].
    pub async fn identity_list_of_user(&mut self, uid: Uid) -> Result<Vec<Identity>, Error> {
        self.all(LIST_OF_USER, &[uid.get().into()], identity).await
    }

    /// When a person was seen for the first time; `None` if nobody has this id.
    ///
    /// # Errors
    ///
    /// As [`Tx::identity_find`].
    pub async fn identity_first_seen(&mut self, id: &IdentityId) -> Result<Option<Instant>, Error> {
        self.one(SEEN, &[id.as_bytes().into()], |row| row.get(0))
            .await
    }

    /// Deletes somebody who has no account, or whose account stays. `false` if nobody has this id.
    ///
    /// # Errors
    ///
    /// As [`Tx::identity_find`].
    pub async fn identity_delete(&mut self, id: &IdentityId) -> Result<bool, Error> {
        Ok(self.run(DELETE, &[id.as_bytes().into()]).await? > 0)
    }

    /// Writes down somebody new, linked to the account that the unionid leads to, if there is one:
    /// the identity as it is now. `None` if the openid is known already; then nothing changed.
    ///
    /// # Errors
    ///
    /// As [`Tx::identity_find`].
    pub async fn identity_create(&mut self, new: &NewIdentity) -> Result<Option<Identity>, Error> {
        // Read before the row is written, after which nothing may fail.
        let user = match &new.unionid {
            Some(unionid) => self.user_find_by_unionid(unionid).await?,
            None => None,
        };
        let no_previous = new.no_previous_key();
        let values = [
            new.id.as_bytes().into(),
            new.appid.as_str().into(),
            new.openid.as_str().into(),
            new.unionid.as_ref().map(Unionid::as_str).into(),
            new.release.map(Release::as_str).into(),
            new.now.into(),
            (&new.session_key_digest).into(),
            new.session_key.as_slice().into(),
            no_previous.as_slice().into(),
            user.as_ref().map(|user| user.uid.get()).into(),
        ];
        let created = self.run(CREATE, &values).await? > 0;
        Ok(created.then(|| new.identity(user)))
    }

    /// Puts a new session key in place; the present one becomes the previous one. `false` if the
    /// identity is gone, or if this is its session key already.
    ///
    /// # Errors
    ///
    /// As [`Tx::identity_create`].
    pub async fn identity_change_session_key(
        &mut self,
        id: &IdentityId,
        sealed: &[u8],
        digest: &[u8; 32],
    ) -> Result<bool, Error> {
        let values = [id.as_bytes().into(), sealed.into(), digest.into()];
        Ok(self.run(CHANGE_SESSION_KEY, &values).await? > 0)
    }

    /// Writes down a unionid that came late or was changed. `false` if it was known.
    ///
    /// # Errors
    ///
    /// As [`Tx::identity_create`].
    pub async fn identity_learn_unionid(
        &mut self,
        id: &IdentityId,
        unionid: &Unionid,
    ) -> Result<bool, Error> {
        let values = [id.as_bytes().into(), unionid.as_str().into()];
        Ok(self.run(LEARN_UNIONID, &values).await? > 0)
    }

    /// Gives a guest an account. `false` if it has one, or either of them is gone.
    ///
    /// # Errors
    ///
    /// As [`Tx::identity_create`].
    pub async fn identity_link(&mut self, id: &IdentityId, uid: Uid) -> Result<bool, Error> {
        let values = [id.as_bytes().into(), uid.get().into()];
        Ok(self.run(LINK, &values).await? > 0)
    }

    /// Notes when and with which build somebody was seen; without a build, the last one stays.
    /// `false` if the identity is gone.
    ///
    /// # Errors
    ///
    /// As [`Tx::identity_create`].
    pub async fn identity_touch(
        &mut self,
        id: &IdentityId,
        release: Option<Release>,
        now: Instant,
    ) -> Result<bool, Error> {
        let values = [
            id.as_bytes().into(),
            release.map(Release::as_str).into(),
            now.into(),
        ];
        Ok(self.run(TOUCH, &values).await? > 0)
    }

    /// The session key and the one before it, both sealed.
    ///
    /// # Errors
    ///
    /// As [`Tx::identity_find`].
    pub async fn identity_session_keys(
        &mut self,
        id: &IdentityId,
    ) -> Result<Option<(Vec<u8>, Option<Vec<u8>>)>, Error> {
        let read = |row: Row<'_>| {
            let previous: Option<Vec<u8>> = row.get(1)?;
            let is_one = |sealed: &Vec<u8>| sealed.iter().any(|byte| *byte != 0);
            Ok((row.get(0)?, previous.filter(is_one)))
        };
        self.one(SESSION_KEYS, &[id.as_bytes().into()], read).await
    }
}
