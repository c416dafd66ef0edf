//! The public key as a shared secret: a token signed with HMAC and what everybody may know.

use aws_lc_rs::{digest, hmac};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use menjin_core::key::{SigningAlgorithm, SigningKey};
use serde_json::{Value, json};

use crate::forge::{check, header_with, new_keys};

/// The key in every form in which libraries and people pass public keys around.
fn spellings(key: &SigningKey) -> Vec<Vec<u8>> {
    let jwk = key.public_jwk();
    let text = |name: &str| jwk[name].as_str().unwrap();
    let x = URL_SAFE_NO_PAD.decode(text("x")).unwrap();
    let y = jwk.get("y").and_then(Value::as_str).unwrap_or_default();
    let y = URL_SAFE_NO_PAD.decode(y).unwrap();
    // What stands before the key itself in a SubjectPublicKeyInfo (RFC 5480, RFC 8410).
    let (prefix, point) = match key.algorithm() {
        SigningAlgorithm::Es256 => (
            "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE",
            [&[4][..], &x, &y].concat(),
        ),
        SigningAlgorithm::EdDsa => ("MCowBQYDK2VwAyEA", x.clone()),
    };
    let raw = [&x[..], &y].concat();
    let spki = [&STANDARD.decode(prefix).unwrap()[..], &raw].concat();
    let pem = format!(
        "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----",
        STANDARD.encode(&spki)
    );
    let even = y.last().is_none_or(|last| last % 2 == 0);
    let compressed = [&[if even { 2 } else { 3 }][..], &x].concat();
    let written = Value::Object(jwk.clone()).to_string();
    let set = json!({ "keys": [jwk] }).to_string();
    vec![
        x,
        y,
        raw,
        point,
        compressed,
        STANDARD.encode(&spki).into_bytes(),
        spki,
        format!("{pem}\n").into_bytes(),
        pem.replace('\n', "\r\n").into_bytes(),
        pem.into_bytes(),
        digest::digest(&digest::SHA256, written.as_bytes())
            .as_ref()
            .to_vec(),
        written.into_bytes(),
        set.into_bytes(),
        text("x").as_bytes().to_vec(),
        text("kid").as_bytes().to_vec(),
        Vec::new(),
        vec![0; 32],
        vec![0; 64],
    ]
}

/// Proves TOK-1: HMAC with the public key in 18 spellings, three hashes and with the `alg` that goes
/// with it or the key's own, is accepted by none of our keys.
#[test]
fn a_public_key_is_no_shared_secret() {
    for key in new_keys() {
        let verifying = key.verifying_key().unwrap();
        let own = key.algorithm().algorithm().as_str();
        for (name, hash) in [
            ("HS256", hmac::HMAC_SHA256),
            ("HS384", hmac::HMAC_SHA384),
            ("HS512", hmac::HMAC_SHA512),
        ] {
            for secret in spellings(&key) {
                for alg in [name, own] {
                    let header = URL_SAFE_NO_PAD.encode(header_with(&key, "alg", json!(alg)));
                    let input = format!("{header}.e30");
                    let tag = hmac::sign(&hmac::Key::new(hash, &secret), input.as_bytes());
                    let token = format!("{input}.{}", URL_SAFE_NO_PAD.encode(tag));
                    assert!(check(&verifying, &token).is_err(), "{alg} {secret:?}");
                }
            }
        }
    }
}
