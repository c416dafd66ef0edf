//! The signing keys: what is shown of them, how they follow one another, where they lie.

mod at_rest;
mod foreign;
mod replicas;
mod rotation;

use menjin_core::keyring::Rotation;
use menjin_store::KeyRow;
use serde_json::{Map, Value};

use crate::harness::{TestApp, forge};

/// The key set as it is served.
async fn published(app: &TestApp) -> Vec<Map<String, Value>> {
    let reply = app.get("/.well-known/jwks.json").await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    let keys = reply.json()["keys"].as_array().unwrap().clone();
    keys.into_iter()
        .map(|key| key.as_object().unwrap().clone())
        .collect()
}

/// Whether a key of that name is in the set.
async fn shows(app: &TestApp, kid: &str) -> bool {
    published(app).await.iter().any(|key| key["kid"] == kid)
}

/// The key that signed a token.
fn kid_of(token: &str) -> String {
    forge::read(token).0["kid"].as_str().unwrap().to_owned()
}

/// What `menjin key rotate` does.
async fn rotate(app: &TestApp) -> Vec<KeyRow> {
    use menjin_core::Clock;
    let (keys, rotation) = (app.options.master_keys.clone(), app.options.rotation);
    let rotated = menjin_server::keys::rotate(&app.store, keys, rotation, app.clock.now());
    rotated.await.unwrap().expect("there is a next key")
}

/// What `menjin key remove` does.
pub(crate) async fn remove(app: &TestApp, kid: &str) {
    use menjin_core::Clock;
    let (keys, rotation): (_, Rotation) = (app.options.master_keys.clone(), app.options.rotation);
    let (kid, now) = (kid.to_owned(), app.clock.now());
    let removed = menjin_server::keys::remove(&app.store, keys, rotation, kid, now);
    removed.await.unwrap().expect("there is such a key");
}
