//! Agreeing to the deployment's privacy policy, and taking that back.

use menjin_core::{Refusal, Uid, user::Consent};
use menjin_store::Entry;
use serde_json::json;

use crate::{app::App, failure::Failure};

/// Writes down that a person agrees to a version of the policy; `None` takes their consent back. What
/// holds then. Nothing is written for what held already: the first time stays.
pub(crate) async fn consent(
    app: &App,
    uid: Uid,
    version: Option<String>,
) -> Result<Option<Consent>, Failure> {
    let now = app.clock.now();
    let story = app.store.write(move |tx| {
        Box::pin(async move {
            let user = tx.user_lock(uid, now).await?;
            let before = user.ok_or(Refusal::TokenInvalid)?.consent;
            let held = before.as_ref().map(|consent| &consent.version);
            if held == version.as_ref() {
                return Ok(before);
            }
            tx.user_consent(uid, version.as_deref(), now).await?;
            let (event, about) = match &version {
                Some(version) => ("consent_given", Some(version)),
                None => ("consent_withdrawn", held),
            };
            let entry = Entry {
                event,
                actor: &uid.to_string(),
                subject: &uid.to_string(),
                detail: &json!({ "version": about }).to_string(),
            };
            tx.audit(&entry, now).await?;
            let after = version.map(|version| Consent { version, at: now });
            Ok::<_, Failure>(after)
        })
    });
    let holds = story.await?;
    tracing::info!(%uid, given = holds.is_some(), "consent");
    Ok(holds)
}
