//! Private keys as they lie in the database, and the master keys that seal them.

use base64::{
    Engine,
    engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};
use menjin_core::{IdentityId, MasterKeys};
use menjin_server::Options;

use super::{published, remove, rotate};
use crate::harness::{MASTER_KEY, TestApp, on_each_database};

const NEW_KEY: &str = "YW5vdGhlciB0ZXN0IGtleSwgZXF1YWxseSB1bnNlY3JldCEh";

fn holds(all: &[u8], needle: &[u8]) -> bool {
    all.windows(needle.len()).any(|window| window == needle)
}

/// Bytes in every form in which they might have been written down.
fn forms(bytes: &[u8]) -> [Vec<u8>; 5] {
    let hex: Vec<_> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let hex = hex.concat();
    [
        bytes.to_vec(),
        STANDARD_NO_PAD.encode(bytes).into_bytes(),
        URL_SAFE_NO_PAD.encode(bytes).into_bytes(),
        hex.to_uppercase().into_bytes(),
        hex.into_bytes(),
    ]
}

/// Every private key: whole, and the secret number alone.
async fn private_parts(app: &TestApp) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    for row in menjin_server::keys::all(&app.store).await.unwrap() {
        if row.removed_at.is_some() {
            continue;
        }
        let place = format!("signing_keys/private_key/{}", row.kid);
        let pkcs8 = app.options.master_keys.open(&place, &row.private_key);
        let pkcs8 = pkcs8.unwrap().to_vec();
        // An octet string of 32 bytes, in either kind of key.
        let at = pkcs8.windows(2).position(|pair| pair == [4, 32]).unwrap() + 2;
        all.push(pkcs8[at..at + 32].to_vec());
        all.push(pkcs8);
    }
    all
}

on_each_database! {
    /// Proves KEY-5: nothing of a private key is found in what lies on the disk, neither of one that
    /// signs nor of one that was removed.
    async fn no_private_key_is_written_down(app) {
        app.sign_in("wang").await;
        let mut secrets = private_parts(app).await;
        rotate(app).await;
        let signing = &published(app).await[0]["kid"];
        remove(app, signing.as_str().unwrap()).await;
        app.app.start().await.unwrap();
        secrets.extend(private_parts(app).await);
        assert!(secrets.len() >= 8);
        let all = app.stored().await;
        // What is public is found, so what is looked for would be.
        for key in published(app).await {
            assert!(holds(&all, key["x"].as_str().unwrap().as_bytes()));
        }
        for marker in ["PRIVATE KEY", "\"d\":", "\"d\" :", "\\\"d\\\":"] {
            assert!(!holds(&all, marker.as_bytes()), "{marker}");
        }
        for secret in &secrets {
            for form in forms(secret) {
                assert!(!holds(&all, &form));
            }
        }
    }

    /// Proves KEY-6: with a new master key before the old one, everything is sealed anew and every
    /// token stays good; then the old one can go.
    async fn the_master_key_is_replaced(app) {
        let token = app.sign_in("wang").await.token();
        let openid = app.me(&token).await.json()["openid"].as_str().unwrap().to_owned();
        let id = app.identity(&openid).await.id;
        app.app.close().await;
        let keys = |texts: &[&'static str]| {
            let keys = MasterKeys::parse(texts.iter().copied()).unwrap();
            move |options: &mut Options| options.master_keys = keys
        };
        let new = MasterKeys::parse([NEW_KEY]).unwrap();

        let both = app.replica_with(&app.wechat, keys(&[NEW_KEY, MASTER_KEY])).await;
        assert_eq!(both.me(&token).await.status, 200);
        for row in menjin_server::keys::all(&both.store).await.unwrap() {
            assert!(new.is_current(&row.private_key), "{}", row.kid);
        }
        assert!(!new.is_current(&session_key(&both, id).await), "nobody has asked for it yet");
        let later = both.sign_in("wang").await.token();
        assert!(new.is_current(&session_key(&both, id).await), "sealed anew at the sign-in");
        both.app.close().await;

        let alone = app.replica_with(&app.wechat, keys(&[NEW_KEY])).await;
        for token in [token, later, alone.sign_in("wang").await.token()] {
            assert_eq!(alone.me(&token).await.json()["openid"], openid);
        }
        alone.app.close().await;

        let lost = app.unstarted(keys(&[MASTER_KEY])).await;
        let failure = format!("{:?}", lost.app.start().await.unwrap_err());
        assert!(failure.contains("Unusable"), "{failure}");
        assert_eq!(lost.sign_in("wang").await.status, 503);
        lost.app.close().await;
    }
}

/// The session key of an identity, sealed.
async fn session_key(app: &TestApp, id: IdentityId) -> Vec<u8> {
    let story = app
        .store
        .read(move |tx| Box::pin(async move { tx.identity_session_keys(&id).await }));
    let keys: Result<_, menjin_store::Error> = story.await;
    keys.unwrap().expect("the identity is there").0
}
