//! Looking accounts up: an administrator anybody's, a person their own.

use menjin_core::{Appid, Openid, Phone, Refusal, Role, Uid, User};
use menjin_store::{Tx, UserFilter};

use crate::{app::App, bearer::Caller, failure::Failure};

/// Accounts on one page.
pub(crate) const LIMIT: i64 = 10;

/// Which accounts somebody asks for: those for which all that is named holds.
#[derive(Debug, Clone, Default)]
pub(crate) struct Search {
    pub(crate) filter: UserFilter,
    /// WeChat's id of the person in any mini program that is served.
    pub(crate) openid: Option<Openid>,
    /// From 1.
    pub(crate) page: i64,
}

/// An account, and who it is in the default mini program.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) user: User,
    pub(crate) openid: String,
}

/// Whether an account is an administrator's.
pub(crate) fn is_admin(user: &User) -> bool {
    user.role == Role::Admin
}

/// Ten accounts at most.
pub(crate) async fn search(app: &App, search: Search) -> Result<Vec<Found>, Failure> {
    let appids: Vec<_> = app
        .options
        .apps
        .iter()
        .map(|app| app.appid.clone())
        .collect();
    let found = app
        .store
        .read(move |tx| Box::pin(async move { search.ask(tx, &appids).await }));
    found.await
}

impl Search {
    async fn ask(mut self, tx: &mut Tx, appids: &[Appid]) -> Result<Vec<Found>, Failure> {
        if let Some(openid) = &self.openid {
            let uid = account_of(tx, appids, openid).await?;
            if uid.is_none() || self.filter.uid.is_some_and(|asked| Some(asked) != uid) {
                return Ok(Vec::new());
            }
            self.filter.uid = uid;
        }
        if let Some(phone) = self.filter.phone.as_deref().and_then(Phone::stored) {
            // By the number's own index: a list looks at every account for it.
            let owner = tx.user_find_by_phone(&phone).await?.map(|user| user.uid);
            if owner.is_none() || self.filter.uid.is_some_and(|asked| Some(asked) != owner) {
                return Ok(Vec::new());
            }
            self.filter.uid = owner;
        }
        let offset = (self.page - 1) * LIMIT;
        let users = tx.user_list(&self.filter, LIMIT, offset).await?;
        let mut found = Vec::new();
        for user in users {
            let identity = match appids.first() {
                Some(appid) => tx.identity_find_of_user(appid, user.uid).await?,
                None => None,
            };
            let openid = identity.map(|identity| identity.openid.to_string());
            found.push(Found {
                user,
                openid: openid.unwrap_or_default(),
            });
        }
        Ok(found)
    }
}

async fn account_of(
    tx: &mut Tx,
    appids: &[Appid],
    openid: &Openid,
) -> Result<Option<Uid>, Failure> {
    for appid in appids {
        if let Some(identity) = tx.identity_find(appid, openid).await? {
            return Ok(identity.user.map(|user| user.uid));
        }
    }
    Ok(None)
}

/// What somebody may ask for who is no administrator: each of these names the caller.
#[derive(Debug, Default)]
pub(crate) struct Own<'a> {
    pub(crate) uid: Option<&'a str>,
    pub(crate) openid: Option<&'a str>,
    pub(crate) phone: Option<&'a str>,
    pub(crate) email: Option<&'a str>,
}

impl Own<'_> {
    /// Whether nobody is named.
    pub(crate) fn is_empty(&self) -> bool {
        [self.uid, self.openid, self.phone, self.email]
            .iter()
            .all(Option::is_none)
    }

    /// The caller's account, if every name is one of its own.
    pub(crate) async fn check(&self, app: &App, caller: &Caller) -> Result<Uid, Failure> {
        let user = caller.user()?;
        let calling_codes = &app.options.registration.calling_codes;
        let is_phone = |text: &str| {
            let phone = Phone::parse(text, calling_codes);
            text == user.phone || phone.is_ok_and(|phone| phone.as_str() == user.phone)
        };
        let own = self.uid.is_none_or(|uid| uid == user.uid.to_string())
            && self.phone.is_none_or(is_phone)
            && self
                .email
                .is_none_or(|email| !email.is_empty() && email.eq_ignore_ascii_case(&user.email));
        if !own {
            return Err(Refusal::Forbidden.into());
        }
        if let Some(openid) = self.openid
            && !is_openid(app, caller, user.uid, openid).await?
        {
            return Err(Refusal::Forbidden.into());
        }
        Ok(user.uid)
    }
}

/// Whether an openid is the caller's, in this mini program or in another that is served.
async fn is_openid(app: &App, caller: &Caller, uid: Uid, openid: &str) -> Result<bool, Failure> {
    if let Some(identity) = &caller.identity
        && identity.openid.as_str() == openid
    {
        return Ok(true);
    }
    let linked = app.store.read(move |tx| {
        Box::pin(async move { Ok::<_, Failure>(tx.identity_list_of_user(uid).await?) })
    });
    Ok(linked.await?.iter().any(|identity| {
        identity.openid.as_str() == openid && app.served(identity.appid.as_str()).is_some()
    }))
}
