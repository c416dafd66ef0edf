//! What is over is deleted, once a minute.

use menjin_core::clock::Instant;

use crate::{app::App, failure::Failure};

const HOUR: Instant = 3_600_000;
const DAY: Instant = 24 * HOUR;
/// Addresses that messages were asked for from are kept no longer than this.
const SENDS: Instant = 30 * DAY;
/// An errand that could not be done in this time never will be.
const ERRANDS: Instant = 7 * DAY;

/// Deletes codes, tries, messages, errands and revocations whose time is over.
pub(crate) async fn purge(app: &App) -> Result<(), Failure> {
    let now = app.clock.now();
    let story = app.store.write(move |tx| {
        Box::pin(async move {
            tx.code_purge(now).await?;
            tx.verification_purge(now).await?;
            tx.guess_purge(now - DAY).await?;
            tx.turn_purge(now - HOUR).await?;
            tx.send_purge(now - SENDS).await?;
            tx.errand_purge(now - ERRANDS).await?;
            tx.revocation_purge(now).await?;
            Ok::<_, Failure>(())
        })
    });
    story.await
}
