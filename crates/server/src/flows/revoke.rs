//! A service says that a token counts no more (RFC 7009).

use menjin_core::{
    Refusal, Service,
    revocation::Revocation,
    token::{Claims, LEEWAY_SECONDS, Subject},
};
use menjin_store::Entry;
use tokio::sync::OwnedSemaphorePermit;

use crate::{app::App, failure::Failure};

/// Revokes a token, durably. One that counts for nothing anyway is no failure.
pub(crate) async fn revoke(app: &App, service: &Service, token: &str) -> Result<(), Failure> {
    let known = match app.tokens.check(token) {
        Ok(known) => known,
        // RFC 7009 §2.2: what the client wanted is the case.
        Err(Refusal::TokenExpired | Refusal::TokenInvalid) => return Ok(()),
        Err(refusal) => return Err(refusal.into()),
    };
    let now = app.clock.now();
    let (actor, subject) = (service.id.to_string(), holder(&known));
    let (what, until) = revocation_of(&known);
    let place = place(app).await?;
    let story = app.store.write(move |tx| {
        Box::pin(async move {
            let _place = place;
            tx.revoke(what, until);
            let entry = Entry {
                event: "token_revoked",
                actor: &actor,
                subject: &subject,
                detail: "{}",
            };
            Ok::<_, Failure>(tx.audit(&entry, now).await?)
        })
    });
    story.await?;
    tracing::info!(service = %service.id, "token revoked");
    Ok(())
}

/// A place among those who revoke. Where there are replicas, one that hangs can keep the rest waiting for a
/// number, and whoever waits in the database holds a connection. The story keeps the place: a caller who
/// hangs up does not end it.
pub(crate) async fn place(app: &App) -> Result<Option<OwnedSemaphorePermit>, Failure> {
    if app.store.is_shared() {
        return Ok(Some(app.revoking.enter().await?));
    }
    Ok(None)
}

/// What ends one token, and until when that is to be known: a replica whose clock is behind may still
/// take it a little after its end.
pub(crate) fn revocation_of(claims: &Claims) -> (Revocation, i64) {
    let until = (claims.exp + LEEWAY_SECONDS).saturating_mul(1_000);
    (Revocation::Token(claims.jti.clone()), until)
}

fn holder(claims: &Claims) -> String {
    match claims.subject {
        Subject::Guest(id) => id.to_string(),
        Subject::User { uid, .. } => uid.to_string(),
    }
}
