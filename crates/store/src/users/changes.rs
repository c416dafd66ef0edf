//! What changes of an account while it lasts.

use menjin_core::{Instant, Phone, Role, Uid, User, revocation::Revocation};

use crate::{
    error::Error,
    tx::{Sql, Tx, statements},
    value::Value,
};

statements! {
    CLAIM = "
        UPDATE users
           SET phone_verified_at = $2, consent_version = $3, consent_at = $4, updated_at = $2
         WHERE uid = $1 AND phone_verified_at IS NULL";

    SET_PROFILE = "
        UPDATE users SET nickname = $2, avatar = $3, campus = $4, profile = $5, updated_at = $6
         WHERE uid = $1";

    SET_ROLE = "
        UPDATE users SET role = $2, epoch = epoch + 1, updated_at = $3
         WHERE uid = $1 AND role <> $2
        RETURNING epoch";

    CHANGE_PHONE = "
        UPDATE users SET phone = $2, phone_verified_at = $3, epoch = epoch + 1, updated_at = $3
         WHERE uid = $1 AND NOT EXISTS (SELECT 1 FROM users WHERE phone = $2)
        RETURNING epoch";

    CHANGE_EMAIL = "UPDATE users SET email = $2, updated_at = $3 WHERE uid = $1";

    CONSENT = "
        UPDATE users SET consent_version = $2, consent_at = $3, updated_at = $4 WHERE uid = $1";

    DISABLE = "
        UPDATE users SET disabled_at = $2, epoch = epoch + 1, updated_at = $2
         WHERE uid = $1 AND disabled_at IS NULL
        RETURNING epoch";

    ENABLE = "
        UPDATE users SET disabled_at = NULL WHERE uid = $1 AND disabled_at IS NOT NULL";

    RAISE_EPOCH = "
        UPDATE users SET epoch = epoch + 1, updated_at = $2 WHERE uid = $1 RETURNING epoch";
}

impl Tx {
    /// Makes an imported account a person's own: its number was verified. `false` if it was before,
    /// or is gone.
    ///
    /// # Errors
    ///
    /// As [`Tx::user_create`].
    pub async fn user_claim(
        &mut self,
        uid: Uid,
        consent: Option<&str>,
        now: Instant,
    ) -> Result<bool, Error> {
        let agreed_at = consent.map(|_| now);
        let values = [
            uid.get().into(),
            now.into(),
            consent.into(),
            agreed_at.into(),
        ];
        Ok(self.run(CLAIM, &values).await? > 0)
    }

    /// Writes nickname, avatar, campus and own fields as `user` has them. Others change at the same
    /// time: take the account by [`Tx::user_lock`] first. `false` if it is gone.
    ///
    /// # Errors
    ///
    /// As [`Tx::user_create`].
    pub async fn user_set_profile(&mut self, user: &User, now: Instant) -> Result<bool, Error> {
        let profile = serde_json::Value::Object(user.profile.clone()).to_string();
        let values = [
            user.uid.get().into(),
            user.nickname.as_str().into(),
            user.avatar.as_str().into(),
            user.campus.as_str().into(),
            profile.as_str().into(),
            now.into(),
        ];
        Ok(self.run(SET_PROFILE, &values).await? > 0)
    }

    /// Gives an account another role and makes its tokens worthless. `false` if it had that role, or
    /// is gone.
    ///
    /// # Errors
    ///
    /// As [`Tx::user_create`].
    pub async fn user_set_role(
        &mut self,
        uid: Uid,
        role: Role,
        now: Instant,
    ) -> Result<bool, Error> {
        let values = [uid.get().into(), role.as_str().into(), now.into()];
        Ok(self.raise(SET_ROLE, &values, uid, now).await?.is_some())
    }

    /// Gives an account another verified number and makes its tokens worthless; the new epoch. `None`
    /// if the number is somebody's, or the account is gone. The story takes the turn of the number
    /// first ([`Tx::turn_take`]), since whoever registers it meanwhile is not to be seen too late.
    ///
    /// # Errors
    ///
    /// As [`Tx::user_create`].
    pub async fn user_change_phone(
        &mut self,
        uid: Uid,
        phone: &Phone,
        now: Instant,
    ) -> Result<Option<i64>, Error> {
        let values = [uid.get().into(), phone.as_str().into(), now.into()];
        self.raise(CHANGE_PHONE, &values, uid, now).await
    }

    /// Gives an account another mail address. `false` if it is gone.
    ///
    /// # Errors
    ///
    /// As [`Tx::user_create`].
    pub async fn user_change_email(
        &mut self,
        uid: Uid,
        email: &str,
        now: Instant,
    ) -> Result<bool, Error> {
        let values = [uid.get().into(), email.into(), now.into()];
        Ok(self.run(CHANGE_EMAIL, &values).await? > 0)
    }

    /// Writes down what the person agreed to just now; `None` takes the consent back. `false` if the
    /// account is gone.
    ///
    /// # Errors
    ///
    /// As [`Tx::user_create`].
    pub async fn user_consent(
        &mut self,
        uid: Uid,
        version: Option<&str>,
        now: Instant,
    ) -> Result<bool, Error> {
        let agreed_at = version.map(|_| now);
        let values = [
            uid.get().into(),
            version.into(),
            agreed_at.into(),
            now.into(),
        ];
        Ok(self.run(CONSENT, &values).await? > 0)
    }

    /// Switches an account off and makes its tokens worthless. `false` if it was off or is gone.
    ///
    /// # Errors
    ///
    /// As [`Tx::user_create`].
    pub async fn user_disable(&mut self, uid: Uid, now: Instant) -> Result<bool, Error> {
        let values = [uid.get().into(), now.into()];
        Ok(self.raise(DISABLE, &values, uid, now).await?.is_some())
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
        self.raise(RAISE_EPOCH, &values, uid, now).await
    }

    /// Runs a statement that raises the account's epoch, if it finds the account, and revokes the tokens
    /// of the former ones; the new epoch.
    async fn raise(
        &mut self,
        sql: Sql,
        values: &[Value<'_>],
        uid: Uid,
        now: Instant,
    ) -> Result<Option<i64>, Error> {
        let epoch = self.one(sql, values, |row| row.get(0)).await?;
        if let Some(epoch) = epoch {
            self.revoke_from_now(Revocation::Account { uid, epoch }, now);
        }
        Ok(epoch)
    }
}
