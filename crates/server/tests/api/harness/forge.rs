//! Tokens made by hand, signed with the server's own key.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use menjin_core::key::{SigningAlgorithm, SigningKey};
use serde_json::{Map, Value};

use super::TestApp;

/// A good token taken apart, and the key that it was signed with.
pub(crate) struct Forge {
    pub(crate) key: SigningKey,
    pub(crate) header: Map<String, Value>,
    pub(crate) payload: Map<String, Value>,
}

impl TestApp {
    /// Takes a token of this server apart.
    pub(crate) async fn forge(&self, token: &str) -> Forge {
        let (header, payload) = read(token);
        Forge {
            key: self.signing_key(header["kid"].as_str().unwrap()).await,
            header,
            payload,
        }
    }

    /// The private key of that name, out of the store, opened with the master key.
    pub(crate) async fn signing_key(&self, kid: &str) -> SigningKey {
        let rows = menjin_server::keys::all(&self.store).await.unwrap();
        let row = rows.iter().find(|row| row.kid == kid).unwrap();
        let place = format!("signing_keys/private_key/{kid}");
        let pkcs8 = self.options.master_keys.open(&place, &row.private_key);
        let algorithm = SigningAlgorithm::parse(&row.algorithm).unwrap();
        SigningKey::from_pkcs8(algorithm, &pkcs8.unwrap()).unwrap()
    }
}

impl Forge {
    /// The token with this member of its header set, or taken out by `null`.
    pub(crate) fn with_header(&self, name: &str, value: Value) -> String {
        let header = changed(&self.header, name, value);
        sign(&self.key, header, text(&self.payload))
    }

    /// The token with this claim set, or taken out by `null`.
    pub(crate) fn with_claim(&self, name: &str, value: Value) -> String {
        self.with_claims([(name, value)])
    }

    /// The same for several claims.
    pub(crate) fn with_claims<const N: usize>(&self, claims: [(&str, Value); N]) -> String {
        let mut payload = self.payload.clone();
        for (name, value) in claims {
            set(&mut payload, name, value);
        }
        sign(&self.key, text(&self.header), text(&payload))
    }

    /// The token with another text, JSON or not, in place of its header.
    pub(crate) fn with_header_text(&self, header: impl AsRef<[u8]>) -> String {
        sign(&self.key, header, text(&self.payload))
    }

    /// The token with another text, JSON or not, in place of its payload.
    pub(crate) fn with_payload_text(&self, payload: impl AsRef<[u8]>) -> String {
        sign(&self.key, text(&self.header), payload)
    }
}

/// Header and payload of a token.
pub(crate) fn read(token: &str) -> (Map<String, Value>, Map<String, Value>) {
    let mut parts = token.split('.').map(|part| {
        let bytes = URL_SAFE_NO_PAD.decode(part).unwrap();
        serde_json::from_slice(&bytes).ok()
    });
    let mut part = || parts.next().flatten().expect("a part that is an object");
    (part(), part())
}

/// A token of these parts with a signature that fits.
pub(crate) fn sign(
    key: &SigningKey,
    header: impl AsRef<[u8]>,
    payload: impl AsRef<[u8]>,
) -> String {
    let header = URL_SAFE_NO_PAD.encode(header);
    sign_parts(key, &header, &URL_SAFE_NO_PAD.encode(payload))
}

/// As [`sign`], from parts that are encoded already, however badly.
pub(crate) fn sign_parts(key: &SigningKey, header: &str, payload: &str) -> String {
    let input = format!("{header}.{payload}");
    let signature = URL_SAFE_NO_PAD.encode(key.sign(input.as_bytes()).unwrap());
    format!("{input}.{signature}")
}

/// These members with one set, or taken out by `null`, as JSON.
pub(crate) fn changed(members: &Map<String, Value>, name: &str, value: Value) -> String {
    let mut members = members.clone();
    set(&mut members, name, value);
    text(&members)
}

fn set(members: &mut Map<String, Value>, name: &str, value: Value) {
    if value.is_null() {
        members.remove(name);
    } else {
        members.insert(name.to_owned(), value);
    }
}

pub(crate) fn text(members: &Map<String, Value>) -> String {
    serde_json::to_string(members).unwrap()
}
