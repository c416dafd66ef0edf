//! Accounts.

use menjin_core::{Instant, Phone, Role, Uid, Unionid, User, user::Consent};
use serde_json::Value;

use crate::{
    error::Error,
    tx::{Row, Tx, statements},
};

/// The columns that [`joined`] reads, each with the same prefix: nothing, or `u.`.
macro_rules! columns {
    ($prefix:literal) => {
        concat!(
            $prefix,
            "uid, ",
            $prefix,
            "phone, ",
            $prefix,
            "phone_verified_at, ",
            $prefix,
            "email, ",
            $prefix,
            "nickname, ",
            $prefix,
            "avatar, ",
            $prefix,
            "campus, ",
            $prefix,
            "role, ",
            $prefix,
            "epoch, ",
            $prefix,
            "disabled_at, ",
            $prefix,
            "profile, ",
            $prefix,
            "consent_version, ",
            $prefix,
            "consent_at "
        )
    };
}
pub(crate) use columns;

/// Accounts under a condition.
macro_rules! select {
    ($($rest:literal),+) => {
        concat!("SELECT ", columns!(""), " FROM users ", $($rest),+)
    };
}

statements! {
    CREATE = "
        INSERT INTO users (phone, phone_verified_at, email, nickname, avatar, campus, role,
                           created_at, updated_at, profile, consent_version, consent_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8, $9, $10, $11)
        ON CONFLICT (phone) DO NOTHING
        RETURNING uid";

    FIND = select!("WHERE uid = $1");

    FIND_BY_PHONE = select!("WHERE phone = $1");

    FIND_BY_UNIONID = select!(
        "WHERE uid = (SELECT MIN(user_id) FROM identities
                       WHERE unionid = $1 AND user_id IS NOT NULL)"
    );

    LOCK = concat!(
        "UPDATE users SET updated_at = $2 WHERE uid = $1 RETURNING ", columns!("")
    );

    LIST = select!(
        "WHERE uid > $1
           AND (CAST($2 AS BIGINT) IS NULL OR uid = $2)
           AND (CAST($3 AS TEXT) IS NULL OR phone = $3)
           AND (CAST($4 AS TEXT) IS NULL OR LOWER(email) = LOWER($4))
           AND (CAST($5 AS TEXT) IS NULL OR campus = $5)
           AND (CAST($6 AS TEXT) IS NULL OR role = $6)
           AND (CAST($7 AS TEXT) IS NULL OR LOWER(profile) LIKE LOWER($7) ESCAPE '!'
                OR LOWER(profile) LIKE LOWER($8) ESCAPE '!')
         ORDER BY uid LIMIT $9 OFFSET $10"
    );

    CLAIM = "
        UPDATE users
           SET phone_verified_at = $2, consent_version = $3, consent_at = $4, updated_at = $2
         WHERE uid = $1 AND phone_verified_at IS NULL";

    SET_PROFILE = "
        UPDATE users SET nickname = $2, avatar = $3, campus = $4, profile = $5, updated_at = $6
         WHERE uid = $1";

    SET_ROLE = "
        UPDATE users SET role = $2, epoch = epoch + 1, updated_at = $3
         WHERE uid = $1 AND role <> $2";

    CHANGE_PHONE = "
        UPDATE users SET phone = $2, phone_verified_at = $3, epoch = epoch + 1, updated_at = $3
         WHERE uid = $1 AND NOT EXISTS (SELECT 1 FROM users WHERE phone = $2)
        RETURNING epoch";

    CHANGE_EMAIL = "UPDATE users SET email = $2, updated_at = $3 WHERE uid = $1";

    CONSENT = "
        UPDATE users SET consent_version = $2, consent_at = $3, updated_at = $4 WHERE uid = $1";

    COUNT_AVATAR = "SELECT COUNT(*) FROM users WHERE avatar = $1";

    DISABLE = "
        UPDATE users SET disabled_at = $2, epoch = epoch + 1, updated_at = $2
         WHERE uid = $1 AND disabled_at IS NULL";

    ENABLE = "
        UPDATE users SET disabled_at = NULL WHERE uid = $1 AND disabled_at IS NOT NULL";

    RAISE_EPOCH = "
        UPDATE users SET epoch = epoch + 1, updated_at = $2 WHERE uid = $1 RETURNING epoch";

    DELETE = "DELETE FROM users WHERE uid = $1";

    FILL_IN = "
        UPDATE users SET email = $2, nickname = $3, avatar = $4, campus = $5, role = $6, profile = $7,
               updated_at = $8
         WHERE uid = $1";

    AFTER = select!("WHERE uid > $1 ORDER BY uid LIMIT $2");
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
    /// The deployment's own fields, as a JSON object.
    pub profile: &'a str,
    /// The version of the privacy policy that was agreed to just now, if there is one.
    pub consent: Option<&'a str>,
    /// What the account may do.
    pub role: Role,
    /// When it is made.
    pub now: Instant,
}

impl NewUser<'_> {
    /// An account about which nothing is known.
    #[must_use]
    pub const fn empty(now: Instant) -> Self {
        Self {
            phone: None,
            phone_verified_at: None,
            email: "",
            nickname: "",
            avatar: "",
            campus: "",
            profile: "{}",
            consent: None,
            role: Role::User,
            now,
        }
    }
}

/// Which accounts are asked for: those for which all that is named holds.
#[derive(Clone, Debug, Default)]
pub struct UserFilter {
    /// Its number.
    pub uid: Option<Uid>,
    /// Its phone number in E.164.
    pub phone: Option<String>,
    /// Its mail address, whatever the case.
    pub email: Option<String>,
    /// Its campus.
    pub campus: Option<String>,
    /// What it may do.
    pub role: Option<Role>,
    /// A field of the deployment's own and its value: `true`, a number, or a text.
    pub field: Option<(String, Value)>,
}

impl UserFilter {
    /// How the field stands in the stored object, which is written without blanks. No text can look
    /// like it, since the quotes in a text are escaped.
    fn pattern(&self) -> Option<String> {
        let (name, value) = self.field.as_ref()?;
        let member = format!("{}:{value}", Value::from(name.as_str()));
        let mut pattern = "%".to_owned();
        for c in member.chars() {
            if matches!(c, '%' | '_' | '!') {
                pattern.push('!');
            }
            pattern.push(c);
        }
        Some(pattern)
    }

    /// The value ends at a comma or with the object, or 1 would be found in 12.
    fn patterns(&self) -> [Option<String>; 2] {
        let behind = |end: &str| self.pattern().map(|pattern| format!("{pattern}{end}"));
        [behind(",%"), behind("}")]
    }
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
        profile: row.parse(first + 10, |text: String| serde_json::from_str(&text).ok())?,
        consent: consent(row, first + 11)?,
    }))
}

fn consent(row: Row<'_>, first: usize) -> Result<Option<Consent>, Error> {
    let version: Option<String> = row.get(first)?;
    let at: Option<Instant> = row.get(first + 1)?;
    Ok(version.zip(at).map(|(version, at)| Consent { version, at }))
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
            new.profile.into(),
            new.consent.into(),
            new.consent.map(|_| new.now).into(),
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

    /// The account that a phone number belongs to, verified or not.
    ///
    /// # Errors
    ///
    /// As [`Tx::user_find`].
    pub async fn user_find_by_phone(&mut self, phone: &Phone) -> Result<Option<User>, Error> {
        self.one(FIND_BY_PHONE, &[phone.as_str().into()], user)
            .await
    }

    /// The account of that number, which no other story changes until this one ends.
    ///
    /// # Errors
    ///
    /// As [`Tx::user_find`].
    pub async fn user_lock(&mut self, uid: Uid, now: Instant) -> Result<Option<User>, Error> {
        self.one(LOCK, &[uid.get().into(), now.into()], user).await
    }

    /// The accounts that `filter` lets through, by uid: `limit` of them after the first `offset`.
    ///
    /// # Errors
    ///
    /// As [`Tx::user_find`].
    pub async fn user_list(
        &mut self,
        filter: &UserFilter,
        limit: i64,
        offset: i64,
    ) -> Result<Vec<User>, Error> {
        let [inside, last] = filter.patterns();
        let values = [
            0.into(),
            filter.uid.map(Uid::get).into(),
            filter.phone.as_deref().into(),
            filter.email.as_deref().into(),
            filter.campus.as_deref().into(),
            filter.role.map(Role::as_str).into(),
            inside.as_deref().into(),
            last.as_deref().into(),
            limit.into(),
            offset.into(),
        ];
        self.all(LIST, &values, user).await
    }

    /// At most `limit` accounts with a number above `after`, by number: everybody, page by page.
    ///
    /// # Errors
    ///
    /// As [`Tx::user_find`].
    pub async fn user_after(&mut self, after: i64, limit: i64) -> Result<Vec<User>, Error> {
        self.all(AFTER, &[after.into(), limit.into()], user).await
    }

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
        let profile = Value::Object(user.profile.clone()).to_string();
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
        Ok(self.run(SET_ROLE, &values).await? > 0)
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
        self.one(CHANGE_PHONE, &values, |row| row.get(0)).await
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

    /// How many accounts show this picture.
    ///
    /// # Errors
    ///
    /// As [`Tx::user_find`].
    pub async fn user_count_avatar(&mut self, avatar: &str) -> Result<i64, Error> {
        let values = [avatar.into()];
        let count = self.one(COUNT_AVATAR, &values, |row| row.get(0)).await?;
        Ok(count.unwrap_or(0))
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
