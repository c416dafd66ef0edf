//! What is over is deleted, once a minute.

use menjin_core::clock::Instant;
use menjin_store::Tx;

use crate::{app::App, failure::Failure};

const HOUR: Instant = 3_600_000;
const DAY: Instant = 24 * HOUR;
/// Addresses that messages were asked for from are kept no longer than this.
const SENDS: Instant = 30 * DAY;
/// An errand that could not be done in this time never will be.
const ERRANDS: Instant = 7 * DAY;

/// Where rows lie whose time comes.
#[derive(Debug, Clone, Copy)]
enum Table {
    SpentCodes,
    Verifications,
    Guesses,
    Turns,
    Sends,
    Errands,
    Revocations,
}

impl Table {
    const ALL: [Self; 7] = [
        Self::SpentCodes,
        Self::Verifications,
        Self::Guesses,
        Self::Turns,
        Self::Sends,
        Self::Errands,
        Self::Revocations,
    ];

    /// Whether one story leaves something for the next.
    const fn is_purged_in_parts(self) -> bool {
        matches!(self, Self::Revocations)
    }

    async fn purge(self, tx: &mut Tx, now: Instant) -> Result<u64, Failure> {
        let purged = match self {
            Self::SpentCodes => tx.code_purge(now).await,
            Self::Verifications => tx.verification_purge(now).await,
            Self::Guesses => tx.guess_purge(now - DAY).await,
            Self::Turns => tx.turn_purge(now - HOUR).await,
            Self::Sends => tx.send_purge(now - SENDS).await,
            Self::Errands => tx.errand_purge(now - ERRANDS).await,
            Self::Revocations => tx.revocation_purge(now).await,
        };
        Ok(purged?)
    }
}

/// Deletes codes, tries, messages, errands and revocations whose time is over. Each table in a story of its
/// own: one that fails keeps nothing in the others. Whether some may be left, or the first failure, once
/// all were tried.
pub(crate) async fn purge(app: &App) -> Result<bool, Failure> {
    let now = app.clock.now();
    let mut outcome = Ok(false);
    for table in Table::ALL {
        let story = app
            .store
            .write(move |tx| Box::pin(async move { table.purge(tx, now).await }));
        let purged = story.await;
        if purged.is_err() {
            tracing::warn!(?table, "a table could not be purged");
        }
        let is_left = purged.map(|count| count > 0 && table.is_purged_in_parts());
        outcome = outcome.and_then(|before| is_left.map(|now| before || now));
    }
    outcome
}
