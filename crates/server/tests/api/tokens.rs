//! Access tokens as somebody with bad intentions would write them, through HTTP.

mod claims;
mod classes;
mod jumps;
mod texts;

use std::{
    net::{TcpListener, TcpStream},
    time::Duration,
};

use aws_lc_rs::hmac;
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use menjin_core::key::{SigningAlgorithm, SigningKey};
use serde_json::{Value, json};

use crate::harness::{
    TestApp,
    forge::{Forge, changed, sign, text},
    on_each_database,
};

const INVALID: &str = r#"401 {"error":"invalid_token"}"#;
const EXPIRED: &str = r#"401 {"error":"token_expired"}"#;

/// A server for each way of signing, and a guest's token on it, taken apart.
async fn each_algorithm() -> Vec<(TestApp, Forge)> {
    let mut all = Vec::new();
    for algorithm in [SigningAlgorithm::Es256, SigningAlgorithm::EdDsa] {
        let app = TestApp::sqlite_with(|options| options.rotation.algorithm = algorithm).await;
        let token = app.sign_in("wang").await.token();
        let forge = app.forge(&token).await;
        assert_eq!(forge.key.algorithm(), algorithm);
        // What is made by hand is as good as the server's own, as long as nothing is wrong with it.
        assert_eq!(
            app.me(&forge.with_claim("extra", json!(1))).await.status,
            200
        );
        all.push((app, forge));
    }
    all
}

async fn refused(app: &TestApp, token: &str) {
    let reply = app.me(token).await;
    let shown: String = token.chars().take(400).collect();
    assert_eq!(reply.line(), INVALID, "{shown}");
    assert_eq!(
        reply.header("www-authenticate"),
        r#"Bearer realm="menjin", error="invalid_token""#
    );
}

/// Proves TOK-1: without a signature, whatever the token calls that.
#[tokio::test]
async fn none_is_no_algorithm() {
    for (app, forge) in each_algorithm().await {
        for none in ["none", "None", "NONE", "nOnE", ""] {
            let whole = forge.with_header("alg", json!(none));
            let (unsigned, _) = whole.rsplit_once('.').unwrap();
            refused(&app, &whole).await;
            refused(&app, &format!("{unsigned}.")).await;
            refused(&app, unsigned).await;
        }
        refused(&app, &forge.with_header("alg", Value::Null)).await;
        app.end().await;
    }
}

/// The public key as a verifier may hold it: its bytes, its point, as DER, PEM and JWK.
fn public_spellings(key: &SigningKey) -> Vec<Vec<u8>> {
    let jwk = key.public_jwk();
    let member = |name: &str| {
        let text = jwk.get(name).and_then(Value::as_str).unwrap_or_default();
        URL_SAFE_NO_PAD.decode(text).unwrap()
    };
    let raw = [member("x"), member("y")].concat();
    // What stands before the key itself in a SubjectPublicKeyInfo (RFC 5480, RFC 8410).
    let prefix = match key.algorithm() {
        SigningAlgorithm::Es256 => "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE",
        SigningAlgorithm::EdDsa => "MCowBQYDK2VwAyEA",
    };
    let der = [STANDARD.decode(prefix).unwrap(), raw.clone()].concat();
    let (head, tail) = ("-----BEGIN PUBLIC KEY-----", "-----END PUBLIC KEY-----");
    let pem = format!("{head}\n{}\n{tail}\n", STANDARD.encode(&der));
    let set = json!({ "keys": [jwk] }).to_string();
    vec![
        member("x"),
        [&[4][..], &raw].concat(),
        raw,
        der,
        pem.trim().as_bytes().to_vec(),
        pem.into_bytes(),
        text(&jwk).into_bytes(),
        set.into_bytes(),
    ]
}

/// Proves TOK-1: what everybody may know of the key is no shared secret.
#[tokio::test]
async fn the_public_key_is_no_shared_secret() {
    for (app, forge) in each_algorithm().await {
        for (alg, hash) in [
            ("HS256", hmac::HMAC_SHA256),
            ("HS384", hmac::HMAC_SHA384),
            ("HS512", hmac::HMAC_SHA512),
        ] {
            let whole = forge.with_header("alg", json!(alg));
            let (input, _) = whole.rsplit_once('.').unwrap();
            for secret in public_spellings(&forge.key) {
                let tag = hmac::sign(&hmac::Key::new(hash, &secret), input.as_bytes());
                refused(&app, &format!("{input}.{}", URL_SAFE_NO_PAD.encode(tag))).await;
            }
        }
        app.end().await;
    }
}

/// Proves TOK-1: the algorithm is the key's, and the key is ours.
#[tokio::test]
async fn neither_algorithm_nor_key_is_the_tokens_to_choose() {
    for (app, forge) in each_algorithm().await {
        let own = forge.key.algorithm();
        let name = own.algorithm().as_str();
        let all = [
            "ES256", "ES384", "ES512", "ES256K", "EdDSA", "RS256", "RS512", "PS256", "HS256",
        ];
        for alg in all.into_iter().filter(|alg| *alg != name) {
            refused(&app, &forge.with_header("alg", json!(alg))).await;
        }
        refused(&app, &forge.with_header("alg", json!(name.to_lowercase()))).await;
        refused(&app, &forge.with_header("alg", json!([name]))).await;
        for algorithm in [SigningAlgorithm::Es256, SigningAlgorithm::EdDsa] {
            let pkcs8 = SigningKey::generate(algorithm).unwrap();
            let stranger = SigningKey::from_pkcs8(algorithm, &pkcs8).unwrap();
            for alg in [algorithm.algorithm().as_str(), name] {
                let header = changed(&forge.header, "alg", json!(alg));
                refused(&app, &sign(&stranger, header, text(&forge.payload))).await;
                let header = changed(&forge.header, "kid", json!(stranger.kid()));
                refused(&app, &sign(&stranger, header, text(&forge.payload))).await;
            }
        }
        app.end().await;
    }
}

/// Proves TOK-2: a token brings neither keys nor ways to them, and nobody goes and looks.
#[tokio::test]
async fn a_header_brings_no_key_and_no_extension() {
    let trap = TcpListener::bind("127.0.0.1:0").unwrap();
    trap.set_nonblocking(true).unwrap();
    let url = format!("http://{}/keys", trap.local_addr().unwrap());
    for (app, forge) in each_algorithm().await {
        let jwk = Value::Object(forge.key.public_jwk());
        for (name, value) in [
            ("jku", json!(url)),
            ("x5u", json!(url)),
            ("jwk", jwk.clone()),
            ("jwk", json!({ "keys": [jwk] })),
            ("x5c", json!(["MIIB"])),
            ("crit", json!(["exp"])),
            ("crit", json!(["b64"])),
            ("crit", json!([])),
            ("b64", json!(false)),
            ("zip", json!("DEF")),
        ] {
            refused(&app, &forge.with_header(name, value)).await;
        }
        app.end().await;
    }
    // Whoever had come would wait here by now, as this one does.
    assert!(trap.accept().is_err(), "somebody came for the keys");
    let _visitor = TcpStream::connect(trap.local_addr().unwrap()).unwrap();
    assert!(trap.accept().is_ok());
}

/// Proves TOK-4: what else the key may sign one day is no access token.
#[tokio::test]
async fn only_an_access_token_is_one() {
    for (app, forge) in each_algorithm().await {
        assert_eq!(forge.header["typ"], "at+jwt");
        for typ in [
            json!("JWT"),
            json!("jwt"),
            json!("at+JWT"),
            json!("application/at+jwt"),
            json!("id+jwt"),
            json!("mail+jwt"),
            json!(" at+jwt"),
            json!(""),
            json!(1),
            json!(["at+jwt"]),
            Value::Null,
        ] {
            refused(&app, &forge.with_header("typ", typ)).await;
        }
        app.end().await;
    }
}

on_each_database! {
    /// Proves TOK-3: a `kid` is looked up in memory alone. The store is closed, so that any question
    /// to it would be a 503.
    async fn a_strange_kid_costs_no_query(app) {
        let token = app.sign_in("wang").await.token();
        let forge = app.forge(&token).await;
        assert_eq!(app.me(&token).await.status, 200);
        app.store.close().await;
        assert_eq!(app.me(&token).await.status, 503, "a good token is looked up");
        for kid in [
            Value::Null,
            json!(""),
            json!("unknown"),
            json!(forge.header["kid"].as_str().unwrap().to_lowercase()),
            json!("../../../../etc/passwd"),
            json!("/dev/null"),
            json!("file:///etc/passwd"),
            json!("' OR '1'='1"),
            json!("x'; DROP TABLE signing_keys; --"),
            json!("\0"),
            json!("k".repeat(6_000)),
            json!("k".repeat(1 << 20)),
            json!(1),
            json!([forge.header["kid"]]),
            json!({}),
        ] {
            refused(app, &forge.with_header("kid", kid)).await;
        }
    }
}

/// Proves TOK-1: with former, present and next key published, each signs for itself alone.
#[tokio::test]
async fn one_of_our_keys_does_not_sign_for_another() {
    let app = TestApp::sqlite().await;
    let token = app.sign_in("wang").await.token();
    let forge = app.forge(&token).await;
    app.clock.advance(Duration::from_secs(1));
    let rows = menjin_server::keys::all(&app.store).await.unwrap();
    let next = rows.iter().find(|row| row.kid != forge.key.kid()).unwrap();
    refused(&app, &forge.with_header("kid", json!(next.kid))).await;
    // A replica whose clock runs ahead may sign with the next key already.
    let key = app.signing_key(&next.kid).await;
    let header = changed(&forge.header, "kid", json!(next.kid));
    let ahead = sign(&key, header, text(&forge.payload));
    assert_eq!(app.me(&ahead).await.status, 200);
    app.end().await;
}
