//! Accounts that come from elsewhere, in great numbers.

use menjin_core::{Uid, User};
use serde_json::{Map, Value};

use super::{FIND_BY_PHONE, NewUser, user};
use crate::{
    error::Error,
    tx::{Tx, statements},
};

statements! {
    /// No token was ever made for an account that nobody has claimed, so its epoch stays.
    FILL_IN = "
        UPDATE users SET email = $2, nickname = $3, avatar = $4, campus = $5, role = $6, profile = $7,
               updated_at = $8
         WHERE uid = $1 AND phone_verified_at IS NULL";
}

/// What became of an account that was imported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Imported {
    /// It is new.
    Created(Uid),
    /// Nobody had claimed it, and it is now as the import says.
    Updated(Uid),
    /// It was already as the import says.
    Unchanged(Uid),
    /// A person has claimed it, so that it is theirs to change, and was left alone.
    Claimed(Uid),
}

impl Imported {
    /// The account's number, whatever became of it.
    #[must_use]
    pub const fn uid(self) -> Uid {
        match self {
            Self::Created(uid) | Self::Updated(uid) | Self::Unchanged(uid) | Self::Claimed(uid) => {
                uid
            }
        }
    }
}

impl NewUser<'_> {
    /// Whether an account has all that an import can say of it.
    fn describes(&self, user: &User) -> bool {
        let profile: Option<Map<String, Value>> = serde_json::from_str(self.profile).ok();
        self.email == user.email
            && self.nickname == user.nickname
            && self.avatar == user.avatar
            && self.campus == user.campus
            && self.role == user.role
            && profile.as_ref() == Some(&user.profile)
    }
}

impl Tx {
    /// Makes the account of a phone number, or brings it up to date if nobody has claimed it yet. The
    /// same once more changes nothing. An account that is there keeps its number, its verification,
    /// and the consent to a policy.
    ///
    /// # Errors
    ///
    /// [`Error::Sqlite`] or [`Error::Postgres`]; [`Error::Broken`] if `new` has no number, by which it
    /// would be known again.
    pub async fn user_import(&mut self, new: &NewUser<'_>) -> Result<Imported, Error> {
        let phone = [new.phone.ok_or(Error::Broken)?.into()];
        let mut there = self.one(FIND_BY_PHONE, &phone, user).await?;
        if there.is_none() {
            if let Some(uid) = self.user_create(new).await? {
                return Ok(Imported::Created(uid));
            }
            // Somebody registered it just now.
            there = self.one(FIND_BY_PHONE, &phone, user).await?;
        }
        let there = there.ok_or(Error::Broken)?;
        if there.is_registered() {
            return Ok(Imported::Claimed(there.uid));
        }
        if new.describes(&there) {
            return Ok(Imported::Unchanged(there.uid));
        }
        if self.user_fill_in(there.uid, new).await? {
            return Ok(Imported::Updated(there.uid));
        }
        Ok(Imported::Claimed(there.uid))
    }

    /// What [`Tx::user_import`] would make of an account, without doing it; `None` if it would be new.
    ///
    /// # Errors
    ///
    /// As [`Tx::user_import`].
    pub async fn user_foresee_import(
        &mut self,
        new: &NewUser<'_>,
    ) -> Result<Option<Imported>, Error> {
        let phone = [new.phone.ok_or(Error::Broken)?.into()];
        let there = self.one(FIND_BY_PHONE, &phone, user).await?;
        Ok(there.map(|there| match there.uid {
            uid if there.is_registered() => Imported::Claimed(uid),
            uid if new.describes(&there) => Imported::Unchanged(uid),
            uid => Imported::Updated(uid),
        }))
    }

    /// Writes all that an import says of an account but its phone number. `false` if a person has
    /// claimed it, or it is gone.
    ///
    /// # Errors
    ///
    /// As [`Tx::user_create`].
    pub async fn user_fill_in(&mut self, uid: Uid, new: &NewUser<'_>) -> Result<bool, Error> {
        let values = [
            uid.get().into(),
            new.email.into(),
            new.nickname.into(),
            new.avatar.into(),
            new.campus.into(),
            new.role.as_str().into(),
            new.profile.into(),
            new.now.into(),
        ];
        Ok(self.run(FILL_IN, &values).await? > 0)
    }
}
