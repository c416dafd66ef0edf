//! Many accounts at once: those that an administrator looks for, and everybody page by page.

use menjin_core::{Role, Uid, User};
use serde_json::Value;

use super::{columns, select, user};
use crate::{
    error::Error,
    tx::{Tx, statements},
};

statements! {
    /// `REPLACE` looks to the letter on both databases; `LIKE` minds the case on one of them only.
    LIST = select!(
        "WHERE uid > $1 AND uid <= $2
           AND (CAST($3 AS TEXT) IS NULL OR phone = $3)
           AND (CAST($4 AS TEXT) IS NULL OR LOWER(email) = LOWER($4))
           AND (CAST($5 AS TEXT) IS NULL OR campus = $5)
           AND (CAST($6 AS TEXT) IS NULL OR role = $6)
           AND (CAST($7 AS TEXT) IS NULL OR REPLACE(profile, $7, '') <> profile
                OR REPLACE(profile, $8, '') <> profile)
         ORDER BY uid LIMIT $9 OFFSET $10"
    );

    AFTER = select!("WHERE uid > $1 ORDER BY uid LIMIT $2");

    COUNT_AVATAR = "SELECT COUNT(*) FROM users WHERE avatar = $1 AND avatar <> ''";
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
    /// A field of the deployment's own and its value to the letter: `true`, a number, or a text.
    pub field: Option<(String, Value)>,
}

impl UserFilter {
    /// How the field stands in the stored object, which is written without blanks: with a comma behind
    /// it, or at the end, or 1 would be found in 12. No text can look like it, since the quotes in a text
    /// are escaped.
    fn members(&self) -> [Option<String>; 2] {
        let ending = |end: char| {
            let (name, value) = self.field.as_ref()?;
            Some(format!("{}:{value}{end}", Value::from(name.as_str())))
        };
        [ending(','), ending('}')]
    }
}

impl Tx {
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
        let [inside, last] = filter.members();
        let values = [
            // Bounds, or a look for one account would read all of them.
            filter.uid.map_or(0, |uid| uid.get() - 1).into(),
            filter.uid.map_or(i64::MAX, Uid::get).into(),
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
}
