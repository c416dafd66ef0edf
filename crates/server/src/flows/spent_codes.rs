//! One code among replicas: claimed in the store before WeChat is asked, so that it is asked once.
//!
//! The claim is a lease: whoever made it may die. It is over a little after WeChat's time limit,
//! and then the next caller takes it.

use std::time::Duration;

use menjin_core::{clock::millis, identity::random_bytes};
use menjin_store::SpentCode;
use menjin_wechat::{self as wechat, Rejection};
use serde::{Deserialize, Serialize};

use crate::{app::App, failure::Failure, replay::Landing};

/// How long a claimant may take beyond WeChat's time limit.
const GRACE: Duration = Duration::from_secs(1);
/// How often the row of somebody else's claim is looked at.
const LOOK: Duration = Duration::from_millis(25);

/// Leave to spend a code.
#[derive(Debug, Clone, Copy)]
pub(super) struct Claim {
    /// The code's.
    pub(super) digest: [u8; 32],
    /// What says to the store that the claim is ours.
    pub(super) id: [u8; 16],
    /// When WeChat has to have answered, in uptime: later than its time limit, unless the claim
    /// had to be waited for.
    pub(super) answer_by: Duration,
}

/// What became of an attempt to claim a code.
pub(super) enum Claimed {
    /// It is ours to spend.
    Ours(Claim),
    /// Another replica spent it, and this is what came of it.
    Landed(Landing),
}

/// What is stored of a code that WeChat refused for good.
#[derive(Serialize, Deserialize)]
struct Refused {
    errcode: i64,
    errmsg: String,
    rid: Option<String>,
}

/// Whether WeChat's word on a code will not change: asking again is of no use to anybody.
pub(super) fn is_final(rejection: &Rejection) -> bool {
    matches!(rejection.errcode, 40_029 | 40_163 | 40_226)
}

/// Claims a code, or waits for the replica that has it.
#[expect(
    clippy::disallowed_methods,
    reason = "another replica's work is only seen by looking"
)]
pub(super) async fn claim(app: &App, digest: [u8; 32]) -> Result<Claimed, Failure> {
    let patience = app.clock.uptime() + app.options.wechat_timeout;
    let claim = Claim {
        digest,
        id: random_bytes(),
        // Half of it, so that whoever waited long and then has to ask is not asking much longer.
        answer_by: patience + GRACE / 2,
    };
    let lease = app.options.wechat_timeout + GRACE;
    loop {
        let now = app.clock.now();
        let until = now + millis(lease);
        let story = app.store.write(move |tx| {
            Box::pin(async move {
                let ours = tx.code_claim(&digest, &claim.id, now, until).await?;
                let row = if ours {
                    None
                } else {
                    tx.code_find(&digest, now).await?
                };
                Ok::<_, Failure>((ours, row))
            })
        });
        let (ours, row) = story.await?;
        if ours {
            return Ok(Claimed::Ours(claim));
        }
        if let Some(landing) = row.and_then(landing) {
            return Ok(Claimed::Landed(landing));
        }
        if app.clock.uptime() >= patience {
            return Err(wechat::Error::TimedOut.into());
        }
        tokio::time::sleep(LOOK).await;
    }
}

fn landing(row: SpentCode) -> Option<Landing> {
    if let Some(id) = row.identity {
        return Some(Landing::Identity(id));
    }
    let refused: Refused = serde_json::from_str(&row.refusal?).ok()?;
    let Refused {
        errcode,
        errmsg,
        rid,
    } = refused;
    Some(Landing::Rejected(Rejection {
        errcode,
        errmsg,
        rid,
    }))
}

/// Ends a claim that led to nobody: a refusal for good is kept for the others, and after anything
/// else the code is free again.
pub(super) async fn give_up(app: &App, claim: Claim, failure: &Failure) {
    let refusal = match failure {
        Failure::WeChat(wechat::Error::Answered(rejection)) if is_final(rejection) => {
            let Rejection {
                errcode,
                errmsg,
                rid,
            } = rejection.clone();
            serde_json::to_string(&Refused {
                errcode,
                errmsg,
                rid,
            })
            .ok()
        }
        _ => None,
    };
    let until = app.clock.now() + millis(app.options.replay_window);
    let story = app.store.write(move |tx| {
        Box::pin(async move {
            match refusal {
                Some(refusal) => {
                    tx.code_settle(&claim.digest, &claim.id, None, Some(&refusal), until)
                        .await?;
                }
                None => {
                    tx.code_release(&claim.digest, &claim.id).await?;
                }
            }
            Ok::<_, Failure>(())
        })
    });
    if let Err(failure) = story.await {
        // The lease ends it anyway.
        tracing::warn!(%failure, "a claim on a code could not be given up");
    }
}
