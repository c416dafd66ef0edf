//! A code that somebody read off a message: counted before it is compared.

use std::time::Duration;

use menjin_core::{
    Refusal,
    clock::Instant,
    identity::random_bytes,
    secret::same,
    verification::{Code, Purpose, WRONG_A_DAY, WRONG_AN_HOUR},
};
use menjin_store::Verification;

use super::send_code::code_digest;
use crate::{app::App, failure::Failure};

const HOUR: Instant = 3_600_000;
const DAY: Instant = 24 * HOUR;

/// A code that was right, and what was kept with it. Not spent yet.
#[derive(Debug, Clone)]
pub(crate) struct Checked {
    /// What was asked for.
    pub(crate) verification: Verification,
    /// The try, which counts as a wrong one until it is taken back.
    pub(crate) guess: [u8; 16],
}

/// Compares a code for a number with what was sent there. `asker`, if it is told, has to be who asked.
///
/// The try is counted, for the code and for the number, in a story of its own before anything is
/// compared: of fifty tries at once, five are compared.
pub(crate) async fn check_code(
    app: &App,
    purpose: Purpose,
    contact_digest: [u8; 32],
    code: &Code,
    asker: Option<&str>,
) -> Result<Checked, Failure> {
    let now = app.clock.now();
    let guess: [u8; 16] = random_bytes();
    let place = app.queue.enter().await?;
    let story = app.store.write(move |tx| {
        Box::pin(async move {
            tx.turn_take(&contact_digest, now).await?;
            let tries = tx.guess_latest(&contact_digest, now - DAY).await?;
            if let Some(retry_after) = wait(&tries, now) {
                return Ok(Err(retry_after));
            }
            // A try where there is nothing to try tells nobody anything, and must not lock anybody out.
            let found = tx.verification_try(purpose, &contact_digest, now).await?;
            if found.is_some() {
                tx.guess_add(&guess, &contact_digest, now).await?;
            }
            Ok::<_, Failure>(Ok(found))
        })
    });
    let tried = story.await?;
    drop(place);
    let found = tried.map_err(|retry_after| {
        tracing::warn!(purpose = purpose.as_str(), "too many wrong codes");
        Refusal::TooManyRequests { retry_after }
    })?;
    let right = found.filter(|found| {
        let whose = asker.is_none_or(|asker| asker == found.asker);
        // Both are looked at, whatever the first says.
        same(&code_digest(app, &found.id, code), &found.code_digest) & whose
    });
    let verification = right.ok_or_else(|| {
        tracing::info!(purpose = purpose.as_str(), "wrong code");
        Refusal::WrongCode(purpose)
    })?;
    Ok(Checked {
        verification,
        guess,
    })
}

/// Takes a try back that was right, and came too late all the same: somebody else's had spent the code.
pub(crate) async fn take_back(app: &App, guess: [u8; 16]) -> Result<(), Failure> {
    let story = app.store.write(move |tx| {
        Box::pin(async move { Ok::<_, Failure>(tx.guess_take_back(&guess).await?) })
    });
    story.await
}

/// How long a number has to wait that had too many wrong tries; the latest come first.
fn wait(tries: &[Instant], now: Instant) -> Option<Duration> {
    let limits = [(WRONG_AN_HOUR, HOUR), (WRONG_A_DAY, DAY)];
    let waits = limits.into_iter().filter_map(|(most, window)| {
        let oldest = tries.get(most - 1)?;
        let left = oldest.min(&now) + window - now;
        u64::try_from(left).ok().filter(|left| *left > 0)
    });
    waits.max().map(Duration::from_millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves OTP-5: ten wrong tries an hour, twenty a day.
    #[test]
    fn wrong_tries_run_out() {
        let now = 1_000 * DAY;
        let tries = |count: i64, apart| (0..count).map(|n| now - n * apart).collect::<Vec<_>>();
        assert_eq!(wait(&tries(9, 1_000), now), None);
        let hour = Duration::from_millis((HOUR - 9_000).unsigned_abs());
        assert_eq!(wait(&tries(10, 1_000), now), Some(hour));
        assert_eq!(wait(&tries(19, HOUR), now), None);
        let day = Duration::from_millis((5 * HOUR).unsigned_abs());
        assert_eq!(wait(&tries(20, HOUR), now), Some(day));
    }
}
