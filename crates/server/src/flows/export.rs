//! All that is stored of a person, for that person.

use std::collections::BTreeSet;

use menjin_core::{Identity, IdentityId, Phone, Refusal, Uid, User, clock::Instant, secret::same};
use menjin_store::{Channel, Entered, ExportedSend, ExportedVerification, Tx};

use super::contacts;
use crate::{app::App, bearer::Caller, failure::Failure};

/// Audit entries that are read at once.
const PAGE: i64 = 1_000;
/// Audit entries that are told; there is no end to how often somebody changes their mind.
const LATEST: usize = 10_000;

/// All that is stored of one person.
#[derive(Debug)]
pub(crate) struct Export {
    /// The account, when it was made, and when it was last changed.
    pub(crate) account: Option<(User, Instant, Instant)>,
    pub(crate) identities: Vec<Known>,
    pub(crate) verifications: Vec<Asked>,
    pub(crate) sends: Vec<Sent>,
    /// The latest, oldest first.
    pub(crate) audit: Vec<Entered>,
    /// Whether there are older ones.
    pub(crate) audit_truncated: bool,
    /// By what names the person stands in the other tables.
    pub(crate) names: BTreeSet<String>,
}

/// An identity, and what is not part of one otherwise.
#[derive(Debug)]
pub(crate) struct Known {
    pub(crate) identity: Identity,
    pub(crate) first_seen_at: Instant,
    pub(crate) has_session_key: bool,
    pub(crate) has_previous_session_key: bool,
}

/// A verification, and what it is of as far as that is known.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) row: ExportedVerification,
    pub(crate) contact: String,
}

/// A message, and where it went as far as that is known: there is a digest alone, which only numbers and
/// addresses of the person's own are compared with.
#[derive(Debug)]
pub(crate) struct Sent {
    pub(crate) row: ExportedSend,
    pub(crate) contact: String,
    /// Whether the person asked for it themselves.
    pub(crate) own: bool,
}

/// Reads all that is stored of the caller.
pub(crate) async fn export(app: &App, caller: &Caller) -> Result<Export, Failure> {
    let (with, caller) = (app.clone(), caller.clone());
    let read = app
        .store
        .read(move |tx| Box::pin(async move { gather(&with, tx, &caller).await }));
    let mut export = read.await?;
    if let Some((user, ..)) = &export.account {
        export.audit = audit(app, user.uid).await?;
    }
    if export.audit.len() > LATEST {
        export.audit.truncate(LATEST);
        export.audit_truncated = true;
    }
    export.audit.reverse();
    Ok(export)
}

async fn gather(app: &App, tx: &mut Tx, caller: &Caller) -> Result<Export, Failure> {
    let account = match &caller.user {
        Some(user) => Some(account(tx, user).await?),
        None => None,
    };
    let identities = identities(tx, caller).await?;
    let ids = identities.iter().map(|known| known.identity.id.to_string());
    let uid = account.as_ref().map(|(user, ..)| user.uid.to_string());
    let names: BTreeSet<_> = ids.chain(uid).collect();
    let user = account.as_ref().map(|(user, ..)| user);
    let verifications = verifications(app, tx, &names).await?;
    let mut sends = sends(app, tx, (&names, user)).await?;
    let own = user
        .into_iter()
        .flat_map(|user| [&user.phone, &user.email])
        .chain(verifications.iter().map(|asked| &asked.contact));
    for contact in own.filter(|contact| !contact.is_empty()) {
        let digest = contacts::digest(&app.options.master_keys, contact);
        for sent in &mut sends {
            if same(&sent.row.contact_digest, &digest) {
                sent.contact.clone_from(contact);
            }
        }
    }
    Ok(Export {
        verifications,
        sends,
        audit: Vec::new(),
        audit_truncated: false,
        account,
        identities,
        names,
    })
}

async fn account(tx: &mut Tx, user: &User) -> Result<(User, Instant, Instant), Failure> {
    let times = tx.user_times(user.uid).await?;
    let user = tx.user_find(user.uid).await?;
    // Gone since the token was looked at.
    let ((made, changed), user) = times.zip(user).ok_or(Refusal::TokenInvalid)?;
    Ok((user, made, changed))
}

/// Those of the account, and the one that the token was made for.
async fn identities(tx: &mut Tx, caller: &Caller) -> Result<Vec<Known>, Failure> {
    let mut all = match &caller.user {
        Some(user) => tx.identity_list_of_user(user.uid).await?,
        None => Vec::new(),
    };
    if let Some(own) = &caller.identity
        && all.iter().all(|identity| identity.id != own.id)
    {
        all.extend(tx.identity_find_by_id(&own.id).await?);
    }
    let mut known = Vec::new();
    for identity in all {
        let id: IdentityId = identity.id;
        let keys = tx.identity_session_keys(&id).await?;
        let first_seen_at = tx.identity_first_seen(&id).await?;
        known.push(Known {
            first_seen_at: first_seen_at.unwrap_or(identity.last_seen_at),
            has_session_key: keys.is_some(),
            has_previous_session_key: keys.is_some_and(|(_, previous)| previous.is_some()),
            identity,
        });
    }
    Ok(known)
}

async fn verifications(
    app: &App,
    tx: &mut Tx,
    names: &BTreeSet<String>,
) -> Result<Vec<Asked>, Failure> {
    let keys = &app.options.master_keys;
    let mut all = Vec::new();
    for name in names {
        for row in tx.verification_export(name).await? {
            let sealed = row.contact.as_deref();
            let contact = sealed.and_then(|sealed| contacts::open(keys, &row.id, sealed));
            all.push(Asked {
                contact: contact.unwrap_or_default(),
                row,
            });
        }
    }
    Ok(all)
}

/// Those that the person asked for, and those to their number since it is theirs: before that, it may have
/// been somebody else's.
async fn sends(
    app: &App,
    tx: &mut Tx,
    (names, user): (&BTreeSet<String>, Option<&User>),
) -> Result<Vec<Sent>, Failure> {
    let mut rows = Vec::new();
    for name in names {
        rows.extend(tx.send_export(name).await?);
    }
    if let Some(user) = user
        && let Some(phone) = Phone::stored(&user.phone)
    {
        let digest = contacts::digest(&app.options.master_keys, phone.as_str());
        let since = user.phone_verified_at.unwrap_or(Instant::MAX);
        let to = tx.send_export_to(Channel::Sms, &digest, since).await?;
        rows.extend(to.into_iter().filter(|row| !names.contains(&row.asker)));
    }
    let sent = rows.into_iter().map(|row| Sent {
        contact: String::new(),
        own: names.contains(&row.asker),
        row,
    });
    Ok(sent.collect())
}

/// What was done to an account, the latest first: page by page, and a little more than is told.
async fn audit(app: &App, uid: Uid) -> Result<Vec<Entered>, Failure> {
    let mut all: Vec<Entered> = Vec::new();
    loop {
        let before = all.last().map_or(i64::MAX, |entry| entry.seq);
        let page = app.store.read(move |tx| {
            Box::pin(async move {
                let page = tx.audit_before(&uid.to_string(), before, PAGE).await;
                Ok::<_, Failure>(page?)
            })
        });
        let page = page.await?;
        let last = page.is_empty();
        all.extend(page);
        if last || all.len() > LATEST {
            return Ok(all);
        }
        // On SQLite a page is read without waiting for anything.
        tokio::task::yield_now().await;
    }
}
