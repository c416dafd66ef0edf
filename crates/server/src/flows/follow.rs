//! Following what other replicas and the command line wrote down: revocations and services.

use std::time::Duration;

use menjin_core::{
    Permission, Refusal, Service, ServiceId,
    revocation::{Entry, Revocation},
};
use menjin_store::{Revocations, ServiceRow};
use tokio::{
    sync::MutexGuard,
    time::{Instant, timeout, timeout_at},
};
use tokio_util::sync::CancellationToken;

use crate::{
    app::{App, pause},
    failure::Failure,
    flows::keys,
    revocations::Unanswered,
    tokens::Known,
};

/// Revocations that are read at once, and how often the store is asked without cause.
const AT_ONCE: i64 = 10_000;
const EVERY: Duration = Duration::from_secs(1);
/// For how long whoever could not be answered is told so without asking the store again.
const LET_ALONE: Duration = Duration::from_millis(500);
/// How long whoever asks for news waits once the drain has begun, so that nobody who was let go asks
/// again and again until the door is shut.
const LAST_WAIT: Duration = Duration::from_millis(500);
/// How long other replicas must have been heard for it to be told when they are not any more.
const LISTENED: Duration = Duration::from_secs(30);
/// How long revocations gather before whoever waits for one is answered.
const GATHER: Duration = Duration::from_millis(50);
/// Revocations in one reply to a service.
const PAGE: i64 = 1_000;

/// Reads what is new in the store.
pub(crate) async fn poll(app: &App) -> Result<(), Failure> {
    let mut failed = app.revocations.asking.lock().await;
    let polled = read_news(app).await;
    *failed = polled.clone().err().map(|why| (app.clock.uptime(), why));
    polled
}

/// Lets nobody go on who might not know what was revoked: asks the store, unless it was asked lately.
pub(crate) async fn catch_up(app: &App) -> Result<(), Failure> {
    let rung = app.revocations.bell();
    if app.revocations.is_current(rung, app.clock.uptime()) {
        return Ok(());
    }
    let failed = app.revocations.asking.lock().await;
    // Whoever had it may have asked for this request's sake too, though the bell rang again since.
    if app.revocations.is_current(rung, app.clock.uptime()) {
        return Ok(());
    }
    ask(app, failed).await
}

/// Reads what is new, unless that could not be done a moment ago: of many who wait for an answer that
/// does not come, one waits.
async fn ask(app: &App, mut failed: MutexGuard<'_, Option<Unanswered>>) -> Result<(), Failure> {
    if let Some((at, failure)) = &*failed
        && app.clock.uptime() < *at + LET_ALONE
    {
        return Err(failure.clone());
    }
    let polled = Box::pin(read_news(app)).await;
    *failed = polled.clone().err().map(|why| (app.clock.uptime(), why));
    polled
}

/// Refuses a token that counts no more, and everybody while it cannot be known.
pub(crate) async fn refuse_revoked(app: &App, known: &Known) -> Result<(), Failure> {
    catch_up(app).await?;
    if app.revocations.is_revoked(known) {
        return Err(Refusal::TokenInvalid.into());
    }
    Ok(())
}

/// Follows until `stop`, whether or not anybody asks.
pub(crate) async fn follow(app: &App, stop: &CancellationToken) {
    let mut bell = app.store.revocation_bell();
    let mut is_known = true;
    while !stop.is_cancelled() {
        let polled = ask(app, app.revocations.asking.lock().await).await;
        if let (Err(failure), true) = (&polled, is_known) {
            tracing::warn!(%failure, "what was revoked cannot be asked; will go on trying");
        }
        is_known = polled.is_ok();
        let woken = async { timeout(EVERY, bell.changed()).await };
        tokio::select! {
            _ = woken => {}
            () = stop.cancelled() => {}
        }
        if !is_known {
            pause(stop, LET_ALONE).await;
        }
    }
}

/// Hears other replicas until `stop`. What is missed is found by [`follow`].
pub(crate) async fn listen(app: &App, stop: &CancellationToken) {
    let mut was_told = false;
    while !stop.is_cancelled() {
        let began = Instant::now();
        tokio::select! {
            heard = app.store.listen() => {
                // Once, until it has worked for a while.
                was_told &= began.elapsed() < LISTENED;
                if let (Err(error), false) = (&heard, was_told) {
                    let error = error as &(dyn std::error::Error + 'static);
                    tracing::info!(error, "other replicas cannot be heard; will ask each second");
                }
                was_told = true;
            }
            () = stop.cancelled() => {}
        }
        pause(stop, EVERY).await;
    }
}

/// What was revoked after the number `after`, as soon as there is anything, and nothing after `wait`.
pub(crate) async fn feed(app: &App, after: i64, wait: Duration) -> Result<Revocations, Failure> {
    let was_draining = app.is_draining();
    let wait = if was_draining {
        wait.min(LAST_WAIT)
    } else {
        wait
    };
    let deadline = Instant::now() + wait;
    let mut changes = app.revocations.changes();
    loop {
        changes.mark_unchanged();
        let page = page(app, after, PAGE).await?;
        // Another number without entries: they are over, or the store is an older one.
        let is_news = !page.entries.is_empty() || page.last != after;
        if is_news || (app.is_draining() && !was_draining) {
            return Ok(page);
        }
        if timeout_at(deadline, changes.changed()).await.is_err() {
            return Ok(page);
        }
        // Where one revocation follows another, each would cost every follower a request.
        let gathered = changes.wait_for(|_| app.is_draining());
        let _ = timeout(GATHER, gathered).await;
    }
}

async fn page(app: &App, after: i64, limit: i64) -> Result<Revocations, Failure> {
    let story = app.store.read(move |tx| {
        Box::pin(async move { Ok::<_, Failure>(tx.revocation_after(after, limit).await?) })
    });
    story.await
}

async fn read_news(app: &App) -> Result<(), Failure> {
    let known = &app.revocations;
    // Before the store is asked: what is revoked from here on may be missing.
    let (bell, uptime) = (known.bell(), app.clock.uptime());
    loop {
        let after = known.last();
        let page = page(app, after, AT_ONCE).await?;
        known.apply(&page.entries, page.last);
        if page.last < after {
            tracing::warn!(after, last = page.last, "the store was set back");
            known.apply(&[], 0);
            continue;
        }
        if page.entries.iter().any(is_of_key) {
            keys::refresh(app).await?;
        }
        if page.entries.is_empty() {
            break;
        }
    }
    let rows = app
        .store
        .read(|tx| Box::pin(async move { Ok::<_, Failure>(tx.service_all().await?) }));
    known.replace_services(rows.await?.iter().filter_map(service).collect());
    known.is_heard(bell, uptime);
    Ok(())
}

fn is_of_key(entry: &Entry) -> bool {
    matches!(entry.what, Revocation::Key(_))
}

/// A service of the store. What a newer version may ask is not known here, and not allowed.
fn service(row: &ServiceRow) -> Option<Service> {
    let digest = |bytes: &[u8]| <[u8; 32]>::try_from(bytes).ok();
    let former = row.former_digest.as_deref().and_then(digest);
    Some(Service {
        id: ServiceId::parse(&row.id).ok()?,
        secret_digest: digest(&row.secret_digest)?,
        former: former.zip(row.former_until),
        may: row.may.split(' ').filter_map(Permission::parse).collect(),
    })
}
