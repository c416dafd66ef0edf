//! Accounts.

use menjin_core::{Instant, Role, Uid, Unionid, User};

use crate::{
    error::Error,
    tx::{Row, Tx, statements},
};

statements! {
    CREATE = "
        INSERT INTO users (phone, phone_verified_at, email, nickname, avatar, campus, role,
                           created_at, updated_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8)
        ON CONFLICT (phone) DO NOTHING
        RETURNING uid";

    FIND = "
        SELECT uid, phone, phone_verified_at, email, nickname, avatar, campus, role, epoch,
               disabled_at
          FROM users WHERE uid = $1";

    FIND_BY_UNIONID = "
        SELECT uid, phone, phone_verified_at, email, nickname, avatar, campus, role, epoch,
               disabled_at
          FROM users
         WHERE uid = (SELECT MIN(user_id) FROM identities
                       WHERE unionid = $1 AND user_id IS NOT NULL)";

    DISABLE = "
        UPDATE users SET disabled_at = $2, epoch = epoch + 1, updated_at = $2
         WHERE uid = $1 AND disabled_at IS NULL";

    ENABLE = "
        UPDATE users SET disabled_at = NULL WHERE uid = $1 AND disabled_at IS NOT NULL";

    RAISE_EPOCH = "
        UPDATE users SET epoch = epoch + 1, updated_at = $2 WHERE uid = $1 RETURNING epoch";

    DELETE = "DELETE FROM users WHERE uid = $1";
}

/// An account that is about to be.
#[derive(Clone, Copy, Debug)]
pub struct NewUser<'a> {
    /// E.164, if a number is known. No two accounts have the same.
    pub phone: Option<&'a str>,
    /// When the number was verified.
    pub phone_verified_at: Option<Instant>,
    /// Mail address, or nothing.
    pub email: &'a str,
    /// What the person is called, or nothing.
    pub nickname: &'a str,
    /// The address of a picture, or nothing.
    pub avatar: &'a str,
    /// Where the person belongs, or nothing.
    pub campus: &'a str,
    /// What the account may do.
    pub role: Role,
    /// When it is made.
    pub now: Instant,
}

/// The account whose columns begin at `first`; `None` where a join found none.
pub(crate) fn joined(row: Row<'_>, first: usize) -> Result<Option<User>, Error> {
    let Some(number) = row.get::<Option<i64>>(first)? else {
        return Ok(None);
    };
    Ok(Some(User {
        uid: Uid::new(number).ok_or(Error::Column(first))?,
        phone: row.get::<Option<String>>(first + 1)?.unwrap_or_default(),
        phone_verified_at: row.get(first + 2)?,
        email: row.get(first + 3)?,
        nickname: row.get(first + 4)?,
        avatar: row.get(first + 5)?,
        campus: row.get(first + 6)?,
        role: row.parse(first + 7, |word: String| Role::parse(&word))?,
        epoch: row.get(first + 8)?,
        disabled_at: row.get(first + 9)?,
    }))
}

fn user(row: Row<'_>) -> Result<User, Error> {
    joined(row, 0)?.ok_or(Error::Column(0))
}

impl Tx {
    /// Makes an account; its number. `None` if the phone number belongs to somebody.
    ///
    /// # Errors
    ///
    /// [`Error::Sqlite`] or [`Error::Postgres`].
    pub async fn user_create(&mut self, new: &NewUser<'_>) -> Result<Option<Uid>, Error> {
        let values = [
            new.phone.into(),
            new.phone_verified_at.into(),
            new.email.into(),
            new.nickname.into(),
            new.avatar.into(),
            new.campus.into(),
            new.role.as_str().into(),
            new.now.into(),
        ];
        self.one(CREATE, &values, |row| row.parse(0, Uid::new))
            .await
    }

    /// The account of that number.
    ///
    /// # Errors
    ///
    /// [`Error::Sqlite`], [`Error::Postgres`], or [`Error::Column`].
    pub async fn user_find(&mut self, uid: Uid) -> Result<Option<User>, Error> {
        self.one(FIND, &[uid.get().into()], user).await
    }

    /// The account of any identity with that unionid; of several, the oldest.
    ///
    /// # Errors
    ///
    /// As [`Tx::user_find`].
    pub async fn user_find_by_unionid(&mut self, unionid: &Unionid) -> Result<Option<User>, Error> {
        self.one(FIND_BY_UNIONID, &[unionid.as_str().into()], user)
            .await
    }

    /// Switches an account off and makes its tokens worthless. `false` if it was off or is gone.
    ///
    /// # Errors
    ///
    /// As [`Tx::user_create`].
    pub async fn user_disable(&mut self, uid: Uid, now: Instant) -> Result<bool, Error> {
        Ok(self.run(DISABLE, &[uid.get().into(), now.into()]).await? > 0)
    }

    /// Switches an account on again. `false` if it was on or is gone.
    ///
    /// # Errors
    ///
    /// As [`Tx::user_create`].
    pub async fn user_enable(&mut self, uid: Uid) -> Result<bool, Error> {
        Ok(self.run(ENABLE, &[uid.get().into()]).await? > 0)
    }

    /// Makes the account's tokens worthless; the new epoch. `None` if the account is gone.
    ///
    /// # Errors
    ///
    /// As [`Tx::user_create`].
    pub async fn user_raise_epoch(&mut self, uid: Uid, now: Instant) -> Result<Option<i64>, Error> {
        let values = [uid.get().into(), now.into()];
        self.one(RAISE_EPOCH, &values, |row| row.get(0)).await
    }

    /// Deletes an account and its identities. `false` if it was gone.
    ///
    /// # Errors
    ///
    /// As [`Tx::user_create`].
    pub async fn user_delete(&mut self, uid: Uid) -> Result<bool, Error> {
        Ok(self.run(DELETE, &[uid.get().into()]).await? > 0)
    }
}
