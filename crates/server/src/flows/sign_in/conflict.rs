//! One unionid, two accounts.

use menjin_core::{Identity, Unionid, clock::Instant};
use menjin_store::{Entry, Tx};

use crate::failure::Failure;

/// Two accounts are never merged silently: the audit log says so and an administrator decides.
pub(super) async fn warn(
    tx: &mut Tx,
    known: &Identity,
    unionid: &Unionid,
    now: Instant,
) -> Result<(), Failure> {
    let own = known.user.as_ref().filter(|_| known.linked);
    let own = own.map(|user| user.uid);
    let other = tx.user_find_by_unionid(unionid).await?.map(|user| user.uid);
    let (Some(own), Some(other)) = (own, other) else {
        return Ok(());
    };
    if own != other {
        let detail = serde_json::json!({ "identity": known.id.to_string(), "other": other.get() });
        let entry = Entry {
            event: "unionid_of_two_accounts",
            actor: "sign-in",
            subject: &own.to_string(),
            detail: &detail.to_string(),
        };
        tx.audit(&entry, now).await?;
        tracing::warn!(%own, %other, "one unionid, two accounts: an administrator decides");
    }
    Ok(())
}
