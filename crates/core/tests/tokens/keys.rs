//! Keys that are not quite keys.

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use menjin_core::{
    jwk::VerifyingKey,
    key::{SigningAlgorithm, SigningKey},
};
use serde_json::{Map, Value, json};

use crate::forge::{check, mint, new_key, new_keys};

/// The key's JWK with one member set, or taken out by `null`.
fn altered(key: &SigningKey, name: &str, value: Value) -> Map<String, Value> {
    let mut jwk = key.public_jwk();
    jwk.remove(name);
    if !value.is_null() {
        jwk.insert(name.to_owned(), value);
    }
    jwk
}

fn reads(jwk: &Map<String, Value>) -> bool {
    VerifyingKey::from_jwk(jwk).is_ok()
}

#[test]
fn a_key_needs_neither_name_nor_purpose() {
    for key in new_keys() {
        let token = mint(&key);
        for optional in ["kid", "use", "alg"] {
            let jwk = altered(&key, optional, Value::Null);
            check(&VerifyingKey::from_jwk(&jwk).unwrap(), &token).unwrap();
        }
        let jwk = altered(&key, "key_ops", json!(["verify"]));
        check(&VerifyingKey::from_jwk(&jwk).unwrap(), &token).unwrap();
    }
}

/// Proves TOK-1: a key that says that it is for something else, or for another algorithm, is not
/// read.
#[test]
fn a_key_is_for_what_it_says() {
    for key in new_keys() {
        for (name, odd) in [
            ("use", json!("enc")),
            ("use", json!("SIG")),
            ("use", json!(["sig"])),
            ("use", json!("")),
            ("key_ops", json!([])),
            ("key_ops", json!(["sign"])),
            ("key_ops", json!(["encrypt", "deriveBits"])),
            ("key_ops", json!("verify")),
            ("key_ops", json!(["sign, verify"])),
            ("alg", json!("none")),
            ("alg", json!("HS256")),
            ("alg", json!("ES384")),
            ("alg", json!("ES512")),
            ("alg", json!("ES521")),
            ("alg", json!("ES256K")),
            ("alg", json!("RS256")),
            ("alg", json!("ECDH-ES")),
            ("alg", json!("")),
            ("alg", json!(["ES256", "EdDSA"])),
            ("kty", json!("oct")),
            ("kty", json!("RSA")),
            ("kty", json!("ec")),
            ("kty", Value::Null),
            ("crv", json!("P-384")),
            ("crv", json!("P-521")),
            ("crv", json!("secp256k1")),
            ("crv", json!("X25519")),
            ("crv", json!("Ed448")),
            ("crv", Value::Null),
            ("x", Value::Null),
            ("x", json!("")),
            ("x", json!(7)),
        ] {
            assert!(!reads(&altered(&key, name, odd.clone())), "{name} {odd}");
        }
    }
}

#[test]
fn a_coordinate_is_as_wide_as_its_curve_and_spelt_one_way() {
    for key in new_keys() {
        let jwk = key.public_jwk();
        for name in ["x", "y"] {
            let Some(encoded) = jwk.get(name).and_then(Value::as_str) else {
                continue;
            };
            let bytes = URL_SAFE_NO_PAD.decode(encoded).unwrap();
            for odd in [
                format!("{encoded}="),
                format!("{encoded} "),
                URL_SAFE_NO_PAD.encode(&bytes[1..]),
                URL_SAFE_NO_PAD.encode([&[0], &bytes[..]].concat()),
                URL_SAFE_NO_PAD.encode([&bytes[..], &[0]].concat()),
            ] {
                assert!(!reads(&altered(&key, name, json!(odd))), "{name} {odd}");
            }
        }
    }
}

/// A point that is not on the curve, and the one at infinity, would give the private key away or
/// accept anything.
#[test]
fn a_point_is_on_its_curve() {
    let key = new_key(SigningAlgorithm::Es256);
    let zero = URL_SAFE_NO_PAD.encode([0; 32]);
    let full = URL_SAFE_NO_PAD.encode([0xff; 32]);
    for odd in [&zero, &full, &mirrored(&key)] {
        assert!(!reads(&altered(&key, "y", json!(odd))));
    }
    for odd in [&zero, &full] {
        let mut jwk = altered(&key, "x", json!(odd));
        jwk.insert("y".to_owned(), json!(odd));
        assert!(!reads(&jwk));
    }
}

/// The point's other coordinate, with its last bit turned.
fn mirrored(key: &SigningKey) -> String {
    let y = key.public_jwk()["y"].as_str().unwrap().to_owned();
    let mut y = URL_SAFE_NO_PAD.decode(y).unwrap();
    *y.last_mut().unwrap() ^= 1;
    URL_SAFE_NO_PAD.encode(y)
}

/// RFC 8037 §2: `x` is the 32 bytes of the key, and no other container of them.
#[test]
fn an_ed25519_key_is_bare() {
    let key = new_key(SigningAlgorithm::EdDsa);
    let jwk = key.public_jwk();
    let x = URL_SAFE_NO_PAD.decode(jwk["x"].as_str().unwrap()).unwrap();
    let prefix = STANDARD.decode("MCowBQYDK2VwAyEA").unwrap();
    let wrapped = URL_SAFE_NO_PAD.encode([&prefix[..], &x].concat());
    assert!(!reads(&altered(&key, "x", json!(wrapped))));
}

/// RSA keys that would accept anything, and shared keys that could be guessed, accept nothing.
#[test]
fn a_weak_key_checks_nothing() {
    let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"RS256"}"#);
    for (n, e) in [
        (vec![0xff; 256], vec![0]),
        (vec![0xff; 256], vec![1]),
        (vec![0xff; 256], vec![2]),
        (vec![0xff; 256], Vec::new()),
        (vec![0xff; 256], vec![0xff; 256]),
        (vec![0; 256], vec![1, 0, 1]),
        (vec![1], vec![1, 0, 1]),
        (Vec::new(), vec![1, 0, 1]),
        (vec![0xff; 4096], vec![1, 0, 1]),
    ] {
        let [n, e] = [n, e].map(|bytes| URL_SAFE_NO_PAD.encode(bytes));
        let jwk = json!({ "kty": "RSA", "n": n, "e": e });
        let key = VerifyingKey::from_jwk(jwk.as_object().unwrap());
        for signature in [vec![], vec![0], vec![1], vec![0; 256], vec![0xff; 256]] {
            let token = format!("{header}.e30.{}", URL_SAFE_NO_PAD.encode(signature));
            assert!(key.as_ref().map_or(true, |key| check(key, &token).is_err()));
        }
    }
}

/// A signature in DER, as most tools write it, is not the one that RFC 7518 §3.4 asks for.
#[test]
fn a_signature_is_two_numbers_of_full_width() {
    let key = new_key(SigningAlgorithm::Es256);
    let token = mint(&key);
    let (body, signature) = token.rsplit_once('.').unwrap();
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let (r, s) = signature.split_at(32);
    let number = |n: &[u8]| [&[2, 33, 0], n].concat();
    let der = [&[0x30, 70][..], &number(r), &number(s)].concat();
    for odd in [
        der,
        [r, &[0], s].concat(),
        [&[0], r, &[0], s].concat(),
        r.to_vec(),
    ] {
        let token = format!("{body}.{}", URL_SAFE_NO_PAD.encode(odd));
        assert!(check(&key.verifying_key().unwrap(), &token).is_err());
    }
}
