//! The end of a person here: the account, every identity of it, and what was kept beside them.
//!
//! Deletion is complete and at once. What stays is the audit log's line with the number of the account,
//! which no other account gets, and how often messages went to a number, without who asked.

use std::{
    collections::BTreeSet,
    sync::atomic::{AtomicBool, AtomicI64, Ordering},
};

use menjin_core::{
    Identity, IdentityId, Openid, Refusal, Role, Uid, Unionid, User, clock::Instant,
};
use menjin_store::{Entry, Tx};

use super::{contacts, set_avatar::drop_picture};
use crate::{app::App, bearer::Caller, failure::Failure};

/// Identities that are looked through at once, so that nobody else waits for it.
const PAGE: i64 = 2_000;
/// How often somebody's account may turn out to be another one before it is given up.
const LOOKS: usize = 3;

/// Somebody who is to be deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Person {
    /// The identity that they were named by.
    pub(crate) identity: IdentityId,
    /// The account behind it.
    pub(crate) account: Option<Uid>,
}

impl From<&Identity> for Person {
    fn from(identity: &Identity) -> Self {
        Self {
            identity: identity.id,
            account: identity.user.as_ref().map(|user| user.uid),
        }
    }
}

/// Deletes whoever has this openid: the caller, or anybody if an administrator asks.
pub(crate) async fn delete(app: &App, caller: &Caller, openid: &Openid) -> Result<(), Failure> {
    let actor = caller.name();
    if let Some(own) = own(app, caller, openid).await? {
        // Gone already is as good: the same request may have come twice.
        erase(app, own, &actor).await?;
        return Ok(());
    }
    let is_admin = caller.user.as_ref().map(|user| user.role) == Some(Role::Admin);
    if !is_admin {
        return Err(Refusal::Forbidden.into());
    }
    let person = served(app, openid).await?.ok_or(Refusal::NotFound)?;
    if !erase(app, person, &actor).await? {
        return Err(Refusal::NotFound.into());
    }
    Ok(())
}

/// The caller, if the openid is theirs in this mini program or in another that is served.
async fn own(app: &App, caller: &Caller, openid: &Openid) -> Result<Option<Person>, Failure> {
    let account = caller.user.as_ref().map(|user| user.uid);
    if let Some(identity) = caller.identity.as_ref()
        && identity.openid == *openid
    {
        return Ok(Some(Person {
            identity: identity.id,
            account,
        }));
    }
    let Some(uid) = account else {
        return Ok(None);
    };
    let linked = app.store.read(move |tx| {
        Box::pin(async move { Ok::<_, Failure>(tx.identity_list_of_user(uid).await?) })
    });
    let linked = linked.await?;
    let mut served = linked
        .iter()
        .filter(|identity| app.served(identity.appid.as_str()).is_some());
    let found = served.find(|identity| identity.openid == *openid);
    Ok(found.map(|identity| Person {
        identity: identity.id,
        account,
    }))
}

/// Whoever has this openid in one of the mini programs that are served.
async fn served(app: &App, openid: &Openid) -> Result<Option<Person>, Failure> {
    let appids: Vec<_> = app
        .options
        .apps
        .iter()
        .map(|app| app.appid.clone())
        .collect();
    let openid = openid.clone();
    let found = app.store.read(move |tx| {
        Box::pin(async move {
            for appid in &appids {
                if let Some(identity) = tx.identity_find(appid, &openid).await? {
                    return Ok::<_, Failure>(Some(Person::from(&identity)));
                }
            }
            Ok(None)
        })
    });
    found.await
}

/// Deletes a person; `false` if there was nobody any more. `actor` is who did it: a uid, a guest's id, or
/// a word.
pub(crate) async fn erase(app: &App, person: Person, actor: &str) -> Result<bool, Failure> {
    let others = elsewhere(app, person).await?;
    let mut account = person.account;
    for _ in 0..LOOKS {
        let deletion = Deletion {
            person: person.identity,
            account,
            others: others.clone(),
            actor: actor.to_owned(),
            now: app.clock.now(),
        };
        let with = app.clone();
        let story = app
            .store
            .write(move |tx| Box::pin(async move { deletion.tell(&with, tx).await }));
        match story.await? {
            Told::Deleted(uid) => {
                app.must_scrub.raise();
                let uid = uid.map(Uid::get);
                tracing::info!(uid, actor, "deleted");
                return Ok(true);
            }
            Told::Nobody => return Ok(false),
            Told::Another(uid) => account = Some(uid),
        }
    }
    Err(Failure::broken(Restless))
}

/// The person's identities in other mini programs that no account is linked to: they were there as a
/// guest, and the account is reached from there by the unionid alone.
async fn elsewhere(app: &App, person: Person) -> Result<Vec<IdentityId>, Failure> {
    let unionids = unionids(app, person).await?;
    let mut found = Vec::new();
    if unionids.is_empty() || app.options.apps.len() < 2 {
        return Ok(found);
    }
    let mut after = None;
    loop {
        let wanted = unionids.clone();
        let page = app.store.read(move |tx| {
            Box::pin(async move {
                let page = tx.identity_look_for(&wanted, after, PAGE).await?;
                Ok::<_, Failure>(page)
            })
        });
        let page = page.await?;
        found.extend(page.found);
        after = page.after;
        if after.is_none() {
            return Ok(found);
        }
        // On SQLite a page is read without waiting for anything.
        tokio::task::yield_now().await;
    }
}

/// What WeChat calls the owner of an account across mini programs. A guest goes from one alone.
async fn unionids(app: &App, person: Person) -> Result<Vec<Unionid>, Failure> {
    let Some(uid) = person.account else {
        return Ok(Vec::new());
    };
    let read = app.store.read(move |tx| {
        Box::pin(async move {
            let mut all = tx.identity_list_of_user(uid).await?;
            all.extend(tx.identity_find_by_id(&person.identity).await?);
            Ok::<_, Failure>(all)
        })
    });
    let all: BTreeSet<_> = read
        .await?
        .into_iter()
        .filter_map(|one| one.unionid)
        .collect();
    Ok(all.into_iter().collect())
}

/// What came of it.
enum Told {
    /// They are gone; the number of the account, if there was one.
    Deleted(Option<Uid>),
    /// They were gone.
    Nobody,
    /// They have another account by now, whose turn is taken first.
    Another(Uid),
}

struct Deletion {
    person: IdentityId,
    account: Option<Uid>,
    others: Vec<IdentityId>,
    actor: String,
    now: Instant,
}

impl Deletion {
    async fn tell(&self, app: &App, tx: &mut Tx) -> Result<Told, Failure> {
        let ids = self.take_turns(app, tx).await?;
        let named = tx.identity_find_by_id(&self.person).await?;
        let account = named.as_ref().and_then(|named| Person::from(named).account);
        if let Some(uid) = account.filter(|_| account != self.account) {
            return Ok(Told::Another(uid));
        }
        let user = match self.account {
            Some(uid) => tx.user_lock(uid, self.now).await?,
            None => None,
        };
        if named.is_none() && user.is_none() {
            return Ok(Told::Nobody);
        }
        let mut former = String::new();
        for id in &ids {
            if let Some(identity) = tx.identity_find_by_id(id).await? {
                former = contacts::former(&app.options.master_keys, &identity);
                forget(tx, &id.to_string(), &former).await?;
            }
        }
        if let Some(named) = &named {
            former = contacts::former(&app.options.master_keys, named);
        }
        if let Some(user) = &user {
            forget(tx, &user.uid.to_string(), &former).await?;
            self.delete_account(app, tx, user).await?;
        }
        self.delete_identities(tx).await?;
        self.audit(tx, user.as_ref()).await?;
        Ok(Told::Deleted(user.map(|user| user.uid)))
    }

    /// Whoever registers, or changes a number, does so before this or after it. First the account's turn,
    /// then those of the identities in order, then the number's.
    async fn take_turns(&self, app: &App, tx: &mut Tx) -> Result<BTreeSet<IdentityId>, Failure> {
        let keys = &app.options.master_keys;
        let mut ids: BTreeSet<_> = self.others.iter().copied().chain([self.person]).collect();
        if let Some(uid) = self.account {
            let turn = keys.digest("turn", &[&uid.to_string()]);
            tx.turn_take(&turn, self.now).await?;
            let linked = tx.identity_list_of_user(uid).await?;
            ids.extend(linked.iter().map(|identity| identity.id));
        }
        for id in &ids {
            let turn = keys.digest("turn", &[&id.to_string()]);
            tx.turn_take(&turn, self.now).await?;
        }
        if let Some(uid) = self.account
            && let Some(user) = tx.user_find(uid).await?
        {
            let turn = contacts::digest(keys, &user.phone);
            tx.turn_take(&turn, self.now).await?;
        }
        Ok(ids)
    }

    /// The account and every identity that is linked to it.
    async fn delete_account(&self, app: &App, tx: &mut Tx, user: &User) -> Result<(), Failure> {
        let keys = &app.options.master_keys;
        for contact in [&user.phone, &user.email] {
            if !contact.is_empty() {
                tx.verification_forget_contact(&contacts::digest(keys, contact))
                    .await?;
            }
        }
        tx.user_delete(user.uid, self.now).await?;
        drop_picture(app, tx, &user.avatar).await
    }

    /// What is left: a guest, and the person in other mini programs.
    async fn delete_identities(&self, tx: &mut Tx) -> Result<(), Failure> {
        for id in self.others.iter().chain([&self.person]) {
            let left = tx.identity_find_by_id(id).await?;
            // Somebody who made an account of their own there since then keeps it.
            if left.is_some_and(|left| left.user.is_none()) {
                tx.identity_delete(id).await?;
            }
        }
        Ok(())
    }

    async fn audit(&self, tx: &mut Tx, user: Option<&User>) -> Result<(), Failure> {
        let subject = match user {
            Some(user) => user.uid.to_string(),
            None => self.person.to_string(),
        };
        let entry = Entry {
            event: "deleted",
            actor: &self.actor,
            subject: &subject,
            detail: "{}",
        };
        Ok(tx.audit(&entry, self.now).await?)
    }
}

/// Forgets what somebody had sent, and that it was they who asked; it counts under `former` from then on.
pub(super) async fn forget(tx: &mut Tx, asker: &str, former: &str) -> Result<(), Failure> {
    tx.verification_forget_asker(asker).await?;
    tx.send_forget_asker(asker, former).await?;
    Ok(())
}

/// Whether something was deleted or written over that may still be readable in the database's files. Something
/// may have been by a process that was killed before it could do anything about it, so each begins with yes.
#[derive(Debug)]
pub(crate) struct MustScrub {
    /// In the log of SQLite.
    log: AtomicBool,
    /// In a page that SQLite split: it leaves behind what it moves.
    pages: AtomicBool,
    /// The week in which the file was last written anew; none at first.
    week: AtomicI64,
}

impl Default for MustScrub {
    fn default() -> Self {
        Self {
            log: AtomicBool::new(true),
            pages: AtomicBool::new(true),
            week: AtomicI64::new(Instant::MIN),
        }
    }
}

/// Milliseconds of a week, and of the hour in which the file is written anew, from Monday 1970-01-05 on:
/// Sundays from 19:00 UTC, when it is Monday at three in China.
const WEEK: Instant = 7 * DAY;
const DAY: Instant = 86_400_000;
const QUIET: std::ops::Range<Instant> = (6 * 24 + 19) * 3_600_000..(6 * 24 + 20) * 3_600_000;

impl MustScrub {
    /// Something was.
    pub(crate) fn raise(&self) {
        self.log.store(true, Ordering::Release);
        self.pages.store(true, Ordering::Release);
    }

    /// Writes the file anew once a week, in the quietest hour, if anything was deleted since: whoever wants
    /// to write waits meanwhile.
    pub(crate) async fn rewrite(&self, app: &App) -> Result<(), Failure> {
        let since_monday = app.clock.now() - 4 * DAY;
        let week = since_monday.div_euclid(WEEK);
        if !QUIET.contains(&since_monday.rem_euclid(WEEK))
            || self.week.load(Ordering::Acquire) == week
            || !self.pages.swap(false, Ordering::AcqRel)
        {
            return Ok(());
        }
        let rewritten = app.store.rewrite().await;
        if rewritten.is_ok() {
            self.week.store(week, Ordering::Release);
        } else {
            self.pages.store(true, Ordering::Release);
        }
        Ok(rewritten?)
    }

    /// Makes what was deleted unreadable, if there is any; again the next time if that fails.
    pub(crate) async fn attend(&self, app: &App) -> Result<(), Failure> {
        if !self.log.swap(false, Ordering::AcqRel) {
            return Ok(());
        }
        let scrubbed = app.store.scrub().await;
        if scrubbed.is_err() {
            self.log.store(true, Ordering::Release);
        }
        Ok(scrubbed?)
    }
}

/// Somebody's account kept changing.
#[derive(Debug, thiserror::Error)]
#[error("whom the identity belongs to kept changing")]
struct Restless;
