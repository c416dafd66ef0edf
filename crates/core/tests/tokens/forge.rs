//! Tokens made by hand: signed as they should be, whatever they say.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use menjin_core::{
    Appid, IdentityId, Instant,
    jwk::VerifyingKey,
    jws::{Compact, Refused},
    key::{SigningAlgorithm, SigningKey},
    token::{Issuer, Subject},
};
use serde_json::Value;

pub(crate) const NOW: Instant = 1_795_000_000_000;

pub(crate) fn issuer() -> Issuer {
    Issuer {
        name: "https://door.example.edu.cn".to_owned(),
        audience: vec!["repairs".to_owned()],
        ttl_seconds: 3600,
    }
}

pub(crate) fn appid() -> Appid {
    Appid::parse("wx0123456789abcdef").unwrap()
}

pub(crate) fn new_key(algorithm: SigningAlgorithm) -> SigningKey {
    let pkcs8 = SigningKey::generate(algorithm).unwrap();
    SigningKey::from_pkcs8(algorithm, &pkcs8).unwrap()
}

/// A key of each kind that Menjin signs with.
pub(crate) fn new_keys() -> [SigningKey; 2] {
    [SigningAlgorithm::Es256, SigningAlgorithm::EdDsa].map(new_key)
}

/// A good token, as a guest gets it.
pub(crate) fn mint(key: &SigningKey) -> String {
    let guest = Subject::Guest(IdentityId::random());
    issuer().mint(key, &guest, &appid(), NOW).unwrap()
}

/// A token with that header and payload, and a signature that fits them.
pub(crate) fn forge(key: &SigningKey, header: impl AsRef<[u8]>, payload: &[u8]) -> String {
    let [header, payload] = [header.as_ref(), payload].map(|part| URL_SAFE_NO_PAD.encode(part));
    sign_parts(key, &header, &payload)
}

/// As [`forge`], from parts that are encoded already, however badly.
pub(crate) fn sign_parts(key: &SigningKey, header: &str, payload: &str) -> String {
    let input = format!("{header}.{payload}");
    let signature = URL_SAFE_NO_PAD.encode(key.sign(input.as_bytes()).unwrap());
    format!("{input}.{signature}")
}

/// The header that a token of that key has, with one member set, or taken out by `null`.
pub(crate) fn header_with(key: &SigningKey, name: &str, value: Value) -> String {
    let mut header = serde_json::json!({
        "typ": "at+jwt", "alg": key.algorithm().algorithm().as_str(), "kid": key.kid(),
    });
    let members = header.as_object_mut().unwrap();
    members.remove(name);
    if !value.is_null() {
        members.insert(name.to_owned(), value);
    }
    header.to_string()
}

/// What a bearer's token goes through before its claims are read.
pub(crate) fn check(key: &VerifyingKey, token: &str) -> Result<(), Refused> {
    key.verify(&Compact::parse(token)?)
}

/// [`check`] against the public half of a key that signs.
pub(crate) fn is_accepted(key: &SigningKey, token: &str) -> bool {
    check(&key.verifying_key().unwrap(), token).is_ok()
}
