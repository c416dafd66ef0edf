//! A sign-in: from a login code to who this is.
//!
//! Validated input comes in; WeChat is asked before anything is written; then one story reads, and
//! writes only what changed. The same code twice is one flight, here and across replicas.

mod conflict;
mod spent;

use std::{panic::AssertUnwindSafe, sync::Arc};

use futures_util::FutureExt;
use menjin_core::{
    Appid, Identity, IdentityId, LoginCode, Refusal, Release, SessionKey,
    clock::{Instant, millis},
    secret::same,
};
use menjin_store::{NewIdentity, Tx, Writes};
use menjin_wechat::{self as wechat, Session};
use tracing::Instrument;

pub(crate) use self::spent::Spent;
use super::spent_codes::{self, Claim, Claimed};
use crate::{
    app::App,
    failure::Failure,
    replay::{Digest, Landing, Turn},
};

/// Somebody wants to sign in.
#[derive(Debug, Clone)]
pub(crate) struct SignIn {
    /// Where.
    pub(crate) appid: Appid,
    /// With what `wx.login()` gave.
    pub(crate) code: LoginCode,
    /// From which build, if WeChat's client said so.
    pub(crate) release: Option<Release>,
    /// Filled in on the way: what the time went to.
    pub(crate) spent: Arc<Spent>,
}

/// How stale `last_seen_at` may become before a sign-in writes it.
const SEEN_TO_THE: Instant = 3_600_000;

/// Signs somebody in: the identity, and the account behind it, which was admitted.
pub(crate) async fn sign_in(app: &App, request: SignIn) -> Result<Identity, Failure> {
    let identity = if app.replay.is_off() {
        // In a box, as whatever else is long and seldom: it would make every sign-in as large.
        Box::pin(exchange(app, request, None)).await?
    } else {
        once(app, request).await?
    };
    if let Some(user) = &identity.user {
        user.admit()?;
    }
    Ok(identity)
}

/// One flight for one code, however many ask.
async fn once(app: &App, request: SignIn) -> Result<Identity, Failure> {
    let parts = [request.appid.as_str(), request.code.expose()];
    let digest = app.options.master_keys.digest("login code", &parts);
    let mut short: Digest = Digest::default();
    short.copy_from_slice(digest.split_at(16).0);
    match app.replay.join(short, app.clock.uptime()) {
        Turn::Landed(landing) => Box::pin(arrive(app, landing)).await,
        Turn::Wait(mut landing) => {
            let landed = landing.wait_for(Option::is_some).await;
            let landed = landed.map_err(|_| Failure::broken(Lost))?.clone();
            let landed = landed.ok_or_else(|| Failure::broken(Lost))?;
            Box::pin(arrive(app, landed)).await
        }
        Turn::Fly => {
            let flight = fly_and_land(app.clone(), request, (digest, short));
            // A task of its own: the first caller may hang up while others wait. It is cheaper, too: flight
            // after flight runs the same code, which costs a fifth less CPU than each in its caller's task.
            let flight = app.tracker.spawn(flight.in_current_span());
            flight.await.map_err(Failure::broken)?
        }
    }
}

async fn fly_and_land(
    app: App,
    request: SignIn,
    (digest, short): ([u8; 32], Digest),
) -> Result<Identity, Failure> {
    // A flight that panicked lands too, or its code would be in the air for ever.
    let flown = AssertUnwindSafe(Box::pin(fly(&app, request, digest))).catch_unwind();
    let flown = flown.await.unwrap_or_else(|_| Err(Failure::broken(Lost)));
    let land = |landing| app.replay.land(short, landing, app.clock.uptime());
    match flown {
        Ok(Flown::Here(identity)) => {
            land(Landing::Identity(identity.id));
            Ok(identity)
        }
        Ok(Flown::Elsewhere(landing)) => {
            // Remembered there, and for no longer than there.
            app.replay.pass_on(short, landing.clone());
            Box::pin(arrive(&app, landing)).await
        }
        Err(failure) => {
            land(match &failure {
                Failure::WeChat(wechat::Error::Answered(rejection))
                    if spent_codes::is_final(rejection) =>
                {
                    Landing::Rejected(rejection.clone())
                }
                _ => Landing::Failed(failure.clone()),
            });
            Err(failure)
        }
    }
}

/// Somebody else's flight, for this caller: read anew, so that the token says what holds now.
async fn arrive(app: &App, landing: Landing) -> Result<Identity, Failure> {
    match landing {
        Landing::Identity(id) => again(app, id).await,
        Landing::Rejected(rejection) => Err(wechat::Error::Answered(rejection).into()),
        Landing::Failed(failure) => Err(failure),
    }
}

/// The identity that a code led to before. Gone since then: the code is as good as spent.
pub(super) async fn again(app: &App, id: IdentityId) -> Result<Identity, Failure> {
    let found = app.store.read(move |tx| {
        Box::pin(async move { Ok::<_, Failure>(tx.identity_find_by_id(&id).await?) })
    });
    found.await?.ok_or_else(|| Refusal::CodeMalformed.into())
}

/// Where a flight was made.
#[expect(clippy::large_enum_variant, reason = "there is one, and not for long")]
enum Flown {
    Here(Identity),
    /// On another replica, a while ago.
    Elsewhere(Landing),
}

/// Asks WeChat and writes down what it says. Where there can be replicas, the code is claimed
/// first, so that WeChat is asked once among all of them.
async fn fly(app: &App, request: SignIn, digest: [u8; 32]) -> Result<Flown, Failure> {
    if !app.store.is_shared() {
        return exchange(app, request, None).await.map(Flown::Here);
    }
    Box::pin(async {
        match spent_codes::claim(app, digest).await? {
            Claimed::Ours(claim) => {
                let flown = exchange(app, request, Some(claim)).await;
                if let Err(failure) = &flown {
                    spent_codes::give_up(app, claim, failure).await;
                }
                flown.map(Flown::Here)
            }
            Claimed::Landed(landing) => Ok(Flown::Elsewhere(landing)),
        }
    })
    .await
}

async fn exchange(app: &App, request: SignIn, claim: Option<Claim>) -> Result<Identity, Failure> {
    let began = app.clock.uptime();
    let asking = app.wechat.code_to_session(&request.appid, &request.code);
    let session = match claim {
        Some(claim) => {
            let left = claim.answer_by.saturating_sub(began);
            let asked = tokio::time::timeout(left, asking).await;
            asked.unwrap_or(Err(wechat::Error::TimedOut))
        }
        None => asking.await,
    };
    let asked = app.clock.uptime();
    request.spent.note_wechat(asked.saturating_sub(began));
    let identity = identify(app, &request, session?, claim).await;
    let told = app.clock.uptime();
    request.spent.note_store(told.saturating_sub(asked));
    identity
}

/// What WeChat said of a person, on its way into the story.
struct Seen {
    appid: Appid,
    session: Session,
    digest: [u8; 32],
    release: Option<Release>,
    now: Instant,
}

/// Who this is: read first, and written only if something changed.
async fn identify(
    app: &App,
    request: &SignIn,
    session: Session,
    claim: Option<Claim>,
) -> Result<Identity, Failure> {
    let openid = session.openid.as_str();
    let parts = [request.appid.as_str(), openid, session.session_key.expose()];
    let seen = Arc::new(Seen {
        digest: app.options.master_keys.digest("session key", &parts),
        appid: request.appid.clone(),
        session,
        release: request.release,
        now: app.clock.now(),
    });
    let reading = seen.clone();
    let known = app
        .store
        .read(move |tx| Box::pin(async move { reading.find(tx).await }));
    let known = known.await?;
    let writes = seen.writes(known.as_ref());
    let is_new = known.is_none();
    let writes = match (known, writes, claim) {
        (Some(known), None, None) => return Ok(known),
        (_, Some(writes), None) => writes,
        _ => Writes::Anything,
    };
    let settle = || Box::pin(settle(app, seen.clone(), (is_new, writes), claim));
    let identity = match settle().await {
        // The account was deleted while the identity was about to join it: there is none to join now.
        Err(failure) if failure.is_overtaken() => settle().await?,
        settled => settled?,
    };
    if is_new {
        tracing::debug!(identity = %identity.id, appid = %identity.appid, "somebody new");
    }
    Ok(identity)
}

/// Writes down whoever was seen, and that the code led to them.
async fn settle(
    app: &App,
    seen: Arc<Seen>,
    (is_new, writes): (bool, Writes),
    claim: Option<Claim>,
) -> Result<Identity, Failure> {
    let app_of_story = app.clone();
    let story = app.store.write_as(writes, move |tx| {
        Box::pin(async move {
            let identity = seen.write_down(&app_of_story, tx, is_new).await?;
            if let Some(claim) = claim {
                let until = seen.now + millis(app_of_story.options.replay_window);
                tx.code_settle(&claim.digest, &claim.id, Some(identity.id), None, until)
                    .await?;
            }
            Ok::<_, Failure>(identity)
        })
    });
    story.await
}

/// What a sign-in changes of somebody known.
#[derive(Debug, PartialEq, Eq)]
struct Changes {
    session_key: bool,
    unionid: bool,
    touch: bool,
}

impl Seen {
    async fn find(&self, tx: &mut Tx) -> Result<Option<Identity>, Failure> {
        Ok(tx.identity_find(&self.appid, &self.session.openid).await?)
    }

    /// `None` if everything is as it was.
    fn changes(&self, known: &Identity) -> Option<Changes> {
        let told = self.session.unionid.as_ref();
        let changes = Changes {
            session_key: !same(&known.session_key_digest, &self.digest),
            unionid: told.is_some() && known.unionid.as_ref() != told,
            touch: (self.now - known.last_seen_at).abs() > SEEN_TO_THE
                || (self.release.is_some() && self.release != known.release),
        };
        let any = joins(known) || changes.session_key || changes.unionid || changes.touch;
        any.then_some(changes)
    }

    /// How that is written, if nothing changes meanwhile; `None` if there is nothing to write.
    fn writes(&self, known: Option<&Identity>) -> Option<Writes> {
        let Some(known) = known else {
            return Some(Writes::OneRow);
        };
        let changes = self.changes(known)?;
        let all = (
            changes.session_key,
            changes.touch,
            changes.unionid || joins(known),
        );
        Some(match all {
            (true, false, false) | (false, true, false) => Writes::OneRow,
            _ => Writes::Anything,
        })
    }

    /// The story: finds the person or makes a row, and writes what changed. Whoever was known may have
    /// been deleted since, and is new then.
    async fn write_down(&self, app: &App, tx: &mut Tx, is_new: bool) -> Result<Identity, Failure> {
        if is_new && let Some(identity) = self.create(app, tx).await? {
            return Ok(identity);
        }
        let Some(known) = self.find(tx).await? else {
            return self.create_now(app, tx).await;
        };
        match self.changes(&known) {
            Some(changes) => self.update(app, tx, known, &changes).await,
            None => Ok(known),
        }
    }

    /// `None` if somebody else made the row first.
    async fn create(&self, app: &App, tx: &mut Tx) -> Result<Option<Identity>, Failure> {
        let id = IdentityId::random();
        let new = NewIdentity {
            id,
            appid: self.appid.clone(),
            openid: self.session.openid.clone(),
            unionid: self.session.unionid.clone(),
            session_key: seal(app, id, &self.session.session_key),
            session_key_digest: self.digest,
            release: self.release,
            now: self.now,
        };
        Ok(tx.identity_create(&new).await?)
    }

    async fn create_now(&self, app: &App, tx: &mut Tx) -> Result<Identity, Failure> {
        let created = self.create(app, tx).await?;
        created.ok_or_else(|| Failure::broken(Lost))
    }

    async fn update(
        &self,
        app: &App,
        tx: &mut Tx,
        mut known: Identity,
        changes: &Changes,
    ) -> Result<Identity, Failure> {
        if changes.session_key {
            let sealed = seal(app, known.id, &self.session.session_key);
            tx.identity_change_session_key(&known.id, &sealed, &self.digest)
                .await?;
            known.session_key_digest = self.digest;
        }
        if changes.touch {
            tx.identity_touch(&known.id, self.release, self.now).await?;
            known.last_seen_at = self.now;
            known.release = self.release.or(known.release);
        }
        if let Some(unionid) = self.session.unionid.as_ref().filter(|_| changes.unionid) {
            // Asked first: from then on this identity's own account may be the answer.
            conflict::warn(tx, &known, unionid, self.now).await?;
            tx.identity_learn_unionid(&known.id, unionid).await?;
            let Some(found) = self.find(tx).await? else {
                return self.create_now(app, tx).await;
            };
            known = found;
        }
        if let Some(user) = known.user.as_ref().filter(|_| !known.linked) {
            known.linked = tx.identity_link(&known.id, user.uid).await?;
        }
        Ok(known)
    }
}

/// Whether somebody's account was only reached through the unionid so far.
fn joins(known: &Identity) -> bool {
    !known.linked && known.user.is_some()
}

fn seal(app: &App, id: IdentityId, key: &SessionKey) -> Vec<u8> {
    let place = format!("identities/session_key/{id}");
    app.options
        .master_keys
        .seal(&place, key.expose().as_bytes())
}

/// What was just written, or was to be told, is not there.
#[derive(Debug, thiserror::Error)]
#[error("what was just there is gone")]
struct Lost;
