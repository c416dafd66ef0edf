//! Signing out: this token, or every token of the account.

use menjin_core::{Refusal, User};
use menjin_store::Entry;

use crate::{
    app::App,
    bearer::Caller,
    failure::Failure,
    flows::revoke::{place, revocation_of},
};

/// Ends the caller's token. This replica refuses it from the moment this returns, the others within a
/// second, or five where they cannot be told.
pub(crate) async fn logout(app: &App, caller: &Caller) -> Result<(), Failure> {
    let now = app.clock.now();
    let claims = &caller.claims;
    let (what, until) = revocation_of(claims);
    let uid = caller.user.as_ref().map(|user| user.uid.to_string());
    let named = uid.clone();
    let place = place(app).await?;
    let story = app.store.write(move |tx| {
        Box::pin(async move {
            let _place = place;
            tx.revoke(what, until);
            if let Some(uid) = &named {
                tx.audit(&done("signed_out", uid), now).await?;
            }
            Ok::<_, Failure>(())
        })
    });
    story.await?;
    tracing::info!(uid, "signed out");
    Ok(())
}

/// Ends every token that the caller's account has; the account as it is then, for a fresh one.
pub(crate) async fn logout_all(app: &App, caller: &Caller) -> Result<User, Failure> {
    let now = app.clock.now();
    let before = caller.user()?.clone();
    let (uid, claims) = (before.uid, caller.claims.clone());
    let keys = &app.options.master_keys;
    let turn = keys.digest("turn", &[&uid.to_string()]);
    let place = place(app).await?;
    let story = app.store.write(move |tx| {
        Box::pin(async move {
            let _place = place;
            // Before the account, as whoever confirms a link does.
            tx.turn_take(&turn, now).await?;
            let user = tx.user_lock(uid, now).await?;
            let mut user = user.ok_or(Refusal::TokenInvalid)?;
            // Whatever ended the caller's token since it was looked at ends this as well: a token that
            // is dead must not become a fresh one.
            if user.epoch != before.epoch || user.admit().is_err() {
                return Err(Refusal::TokenInvalid.into());
            }
            if tx.revocation_find(&claims.jti).await? {
                return Err(Refusal::TokenInvalid.into());
            }
            // A link that somebody else asked for with a token that is dead now.
            tx.verification_forget_asker(&uid.to_string()).await?;
            let epoch = tx.user_raise_epoch(uid, now).await?;
            user.epoch = epoch.ok_or(Refusal::TokenInvalid)?;
            tx.audit(&done("signed_out_everywhere", &uid.to_string()), now)
                .await?;
            Ok::<_, Failure>(user)
        })
    });
    let user = story.await?;
    tracing::info!(%uid, "signed out everywhere");
    Ok(user)
}

/// Somebody did something to their own account.
fn done<'e>(event: &'e str, uid: &'e str) -> Entry<'e> {
    Entry {
        event,
        actor: uid,
        subject: uid,
        detail: "{}",
    }
}
