//! Accounts: what one is made of, and how it is made, found and deleted.

pub mod changes;
pub mod imports;
pub mod lists;

use menjin_core::{
    Instant, Phone, Role, Uid, Unionid, User, revocation::Revocation, user::Consent,
};

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
pub(crate) use select;

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

    DELETE = "DELETE FROM users WHERE uid = $1 RETURNING epoch";
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
    /// The deployment's own fields, as a JSON object without blanks, which is how `serde_json` writes
    /// one and [`lists::UserFilter`] looks for its fields.
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

    /// Deletes an account and its identities, and makes its tokens worthless. `false` if it was gone.
    ///
    /// # Errors
    ///
    /// As [`Tx::user_create`].
    pub async fn user_delete(&mut self, uid: Uid, now: Instant) -> Result<bool, Error> {
        let values = [uid.get().into()];
        let epoch = self.one(DELETE, &values, |row| row.get::<i64>(0)).await?;
        let Some(epoch) = epoch else {
            return Ok(false);
        };
        let epoch = epoch + 1;
        self.revoke_from_now(Revocation::Account { uid, epoch }, now);
        Ok(true)
    }
}
