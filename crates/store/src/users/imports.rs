//! Accounts that come from elsewhere, in great numbers.

use menjin_core::Uid;

use super::NewUser;
use crate::{
    error::Error,
    tx::{Tx, statements},
};

statements! {
    FILL_IN = "
        UPDATE users SET email = $2, nickname = $3, avatar = $4, campus = $5, role = $6, profile = $7,
               updated_at = $8
         WHERE uid = $1";
}

impl Tx {
    /// Writes all that an import says of an account but its phone number. `false` if it is gone.
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
