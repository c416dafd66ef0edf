//! What WeChat pushes about people: they closed their account there, or took back what they had allowed.
//!
//! An event is done first and noted afterwards, so that one which could not be done comes again; doing it
//! twice changes nothing. What was noted is not done again, however often somebody sends it.

use menjin_core::{Appid, Identity, Uid, User, clock::Instant, identity::random_bytes};
use menjin_store::{Entry, Tx};
use menjin_wechat::Event;
use serde_json::json;

use super::{
    contacts,
    delete::{self, Person},
    set_avatar::drop_picture,
};
use crate::{app::App, failure::Failure};

const MINUTE: Instant = 60_000;
/// How far from now a push may have been signed, either way.
const TIMELY: Instant = 5 * MINUTE;
/// How long an event is noted: longer than a signature is good for, early or late.
const NOTED: Instant = 2 * TIMELY;
/// Who did it, in the audit log.
const ACTOR: &str = "wechat";

/// Whether an event was signed just now.
pub(crate) fn is_timely(app: &App, event: &Event) -> bool {
    let signed_at = event.signed_at.saturating_mul(1_000);
    (app.clock.now() - signed_at).abs() <= TIMELY
}

/// Does what an event asks for.
pub(crate) async fn heed(app: &App, appid: &Appid, event: &Event) -> Result<(), Failure> {
    let digest = app
        .options
        .master_keys
        .digest("push", &[appid.as_str(), &event.id]);
    let Some(identity) = whom(app, appid, event, digest).await? else {
        return Ok(());
    };
    match event.name.as_str() {
        "user_authorization_cancellation" => leave(app, &identity).await?,
        "user_authorization_revoke" => revoke(app, &identity, event).await?,
        "user_info_modified" => modified(app, &identity).await?,
        _ => return Ok(()),
    }
    note(app, digest).await
}

/// Whom it is about; nobody if it is nobody we know, or was heeded before.
async fn whom(
    app: &App,
    appid: &Appid,
    event: &Event,
    digest: [u8; 32],
) -> Result<Option<Identity>, Failure> {
    let Some(openid) = event.openid.clone() else {
        return Ok(None);
    };
    let (appid, now) = (appid.clone(), app.clock.now());
    let read = app.store.read(move |tx| {
        Box::pin(async move {
            if tx.code_find(&digest, now).await?.is_some() {
                return Ok::<_, Failure>(None);
            }
            Ok(tx.identity_find(&appid, &openid).await?)
        })
    });
    read.await
}

/// Notes an event where spent codes are noted: it is good for one use, too.
async fn note(app: &App, digest: [u8; 32]) -> Result<(), Failure> {
    let now = app.clock.now();
    let story = app.store.write(move |tx| {
        Box::pin(async move {
            tx.code_claim(&digest, &random_bytes(), now, now + NOTED)
                .await?;
            Ok::<_, Failure>(())
        })
    });
    story.await
}

/// The person has no WeChat account any more: the identity goes, and the account if this was the only way
/// to it.
async fn leave(app: &App, identity: &Identity) -> Result<(), Failure> {
    let (id, now) = (identity.id, app.clock.now());
    let keys = &app.options.master_keys;
    let turn = keys.digest("turn", &[&id.to_string()]);
    let former = contacts::former(keys, identity);
    let story = app.store.write(move |tx| {
        Box::pin(async move {
            // Whoever registers just now has done so before this, or finds nobody.
            tx.turn_take(&turn, now).await?;
            match tx.identity_find_by_id(&id).await? {
                Some(identity) => leave_one(tx, (&identity, &former), now).await,
                None => Ok(None),
            }
        })
    });
    if let Some(person) = story.await? {
        delete::erase(app, person, ACTOR).await?;
        return Ok(());
    }
    app.must_scrub.raise();
    tracing::info!(identity = %id, "somebody left WeChat");
    Ok(())
}

/// Deletes an identity alone, or hands the person out if nobody could reach the account without it.
async fn leave_one(
    tx: &mut Tx,
    (identity, former): (&Identity, &str),
    now: Instant,
) -> Result<Option<Person>, Failure> {
    let linked = identity.user.as_ref().filter(|_| identity.linked);
    if let Some(user) = linked {
        // Two events about one account are counted one after the other.
        tx.user_lock(user.uid, now).await?;
        if tx.identity_list_of_user(user.uid).await?.len() == 1 {
            return Ok(Some(Person::from(identity)));
        }
        // The account's tokens for this mini program name no identity.
        tx.user_raise_epoch(user.uid, now).await?;
        audit(tx, ("identity_deleted", user.uid, "{}"), now).await?;
    }
    delete::forget(tx, &identity.id.to_string(), former).await?;
    tx.identity_delete(&identity.id).await?;
    Ok(None)
}

/// Forgets what the person took back, as far as there is any, and writes down that they did.
async fn revoke(app: &App, identity: &Identity, event: &Event) -> Result<(), Failure> {
    let Some(uid) = identity.user.as_ref().map(|user| user.uid) else {
        return Ok(());
    };
    let now = app.clock.now();
    let revoked = Revoked(event.revoke_info.clone());
    let (forgets, phone) = (revoked.has(&["6", "19", "20", "16"]), revoked.has(&["8"]));
    let detail = json!({ "revoked": event.revoke_info });
    let with = app.clone();
    let story = app.store.write(move |tx| {
        Box::pin(async move {
            if let Some(user) = tx.user_lock(uid, now).await? {
                revoked.forget(&with, tx, user, now).await?;
                let what = ("authorization_revoked", uid, &*detail.to_string());
                audit(tx, what, now).await?;
            }
            Ok::<_, Failure>(())
        })
    });
    story.await?;
    if forgets {
        app.must_scrub.raise();
    }
    if phone {
        tracing::warn!(%uid, "the person took their phone number back: an administrator decides");
    }
    tracing::info!(%uid, "an authorisation was taken back");
    Ok(())
}

/// Writes down that the person is called otherwise at WeChat by now. What they are called here is theirs to
/// change.
async fn modified(app: &App, identity: &Identity) -> Result<(), Failure> {
    let Some(uid) = identity.user.as_ref().map(|user| user.uid) else {
        return Ok(());
    };
    let now = app.clock.now();
    let story = app.store.write(move |tx| {
        Box::pin(async move { audit(tx, ("wechat_profile_changed", uid, "{}"), now).await })
    });
    story.await
}

/// What a person took back, in WeChat's numbers: 6 nickname and picture, 19 the nickname, 20 the picture, 16
/// the mail address, 8 the phone number.
/// <https://developers.weixin.qq.com/miniprogram/dev/server/event_push/platform/authorized_user_information_changes>
/// (seen 2026-11-25). What each of them does is in `docs/decisions/0011-revoked-authorisations.md`.
struct Revoked(Vec<String>);

impl Revoked {
    fn has(&self, any: &[&str]) -> bool {
        self.0.iter().any(|kind| any.contains(&kind.as_str()))
    }

    /// Forgets it, as far as an account can be without.
    async fn forget(
        &self,
        app: &App,
        tx: &mut Tx,
        mut user: User,
        now: Instant,
    ) -> Result<(), Failure> {
        if self.has(&["6", "20"]) {
            drop_picture(app, tx, &user.avatar).await?;
            user.avatar.clear();
        }
        if self.has(&["6", "19"]) {
            user.nickname.clear();
        }
        tx.user_set_profile(&user, now).await?;
        if self.has(&["16"]) {
            tx.user_change_email(user.uid, "", now).await?;
        }
        Ok(())
    }
}

async fn audit(
    tx: &mut Tx,
    (event, uid, detail): (&str, Uid, &str),
    now: Instant,
) -> Result<(), Failure> {
    let entry = Entry {
        event,
        actor: ACTOR,
        subject: &uid.to_string(),
        detail,
    };
    Ok(tx.audit(&entry, now).await?)
}
