//! What a person's session key is for: whether WeChat honours it, and what was encrypted with it.

use menjin_core::{Identity, IdentityId, Refusal, SessionKey};
use menjin_wechat::{DecryptError, decrypt, signature_matches};
use serde_json::{Map, Value};

use crate::{app::App, failure::Failure};

/// What `wx.getUserInfo` and its like gave a person's client.
#[derive(Clone, Copy)]
pub(crate) struct Encrypted<'a> {
    /// `encryptedData`, in base64.
    pub(crate) sealed: &'a str,
    /// In base64.
    pub(crate) iv: &'a str,
    /// `rawData` and `signature`, if they came along.
    pub(crate) signed: Option<(&'a str, &'a str)>,
}

/// Asks WeChat whether it still honours the person's session key.
pub(crate) async fn check(app: &App, identity: &Identity) -> Result<(), Failure> {
    let keys = keys(app, identity.id).await?;
    let Some(Some(key)) = keys.first() else {
        return Err(Refusal::SessionExpired.into());
    };
    let asking = app
        .wechat
        .check_session(&identity.appid, &identity.openid, key);
    if !asking.await? {
        return Err(Refusal::SessionExpired.into());
    }
    Ok(())
}

/// Opens what was encrypted for the person, with their session key or the one before it.
pub(crate) async fn open(
    app: &App,
    identity: &Identity,
    encrypted: Encrypted<'_>,
) -> Result<Map<String, Value>, Failure> {
    let keys = keys(app, identity.id).await?;
    for key in keys.iter().flatten() {
        let opened = decrypt(&identity.appid, key, encrypted.sealed, encrypted.iv);
        match opened {
            Ok(object) => {
                let right = encrypted.signed.is_none_or(|(raw_data, signature)| {
                    signature_matches(raw_data, key, signature)
                });
                if !right {
                    return Err(Refusal::InvalidEncryptedData.into());
                }
                return Ok(object);
            }
            Err(DecryptError::WrongKey) => {}
            Err(DecryptError::Malformed | DecryptError::WrongApp) => {
                return Err(Refusal::InvalidEncryptedData.into());
            }
        }
    }
    Err(Refusal::SessionExpired.into())
}

/// The session key and the one before it; `None` in the place of one that cannot be opened any more.
async fn keys(app: &App, id: IdentityId) -> Result<Vec<Option<SessionKey>>, Failure> {
    let sealed = app.store.read(move |tx| {
        Box::pin(async move { Ok::<_, Failure>(tx.identity_session_keys(&id).await?) })
    });
    // Somebody who was deleted since the token was looked at has none.
    let Some((now, before)) = sealed.await? else {
        return Ok(Vec::new());
    };
    let place = format!("identities/session_key/{id}");
    let open = |sealed: &Vec<u8>| {
        let plain = app.options.master_keys.open(&place, sealed).ok()?;
        SessionKey::parse(std::str::from_utf8(&plain).ok()?).ok()
    };
    Ok([Some(now), before].iter().flatten().map(open).collect())
}
