//! Tokens and keys in the hands of the libraries that other services use.

use std::{path::PathBuf, process::Command, time::SystemTime};

use jsonwebtoken::{
    Algorithm, DecodingKey, Validation, decode, decode_header,
    jwk::{JwkSet, KeyAlgorithm},
};
use menjin_core::{Clock, Role, key::SigningAlgorithm};
use serde_json::{Value, json};

use crate::harness::{
    TestApp,
    database::unique,
    forge::{Forge, text},
};

/// Who checks: a program and a script of `tests/foreign`, or a library in this process.
#[derive(Clone, Copy)]
enum Verifier {
    Script(&'static str, &'static str),
    Rust,
}

/// A deployment whose clock tells the real time, since these libraries look at theirs.
struct Deployment {
    app: TestApp,
    /// A user's token, taken apart.
    user: Forge,
    /// A guest's token.
    guest: String,
    /// The key set, in a file.
    keys: PathBuf,
}

impl Deployment {
    async fn start(algorithm: SigningAlgorithm) -> Self {
        let app = TestApp::sqlite_with(|options| options.rotation.algorithm = algorithm).await;
        let now = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_millis();
        app.clock
            .jump(i64::try_from(now).unwrap() - app.clock.now());
        app.app.start().await.unwrap();
        let openid = app.sign_in("wang").await.json()["openid"].clone();
        app.register(openid.as_str().unwrap(), "+8613800138000", Role::User)
            .await;
        let token = app.sign_in("wang").await.token();
        let keys = std::env::temp_dir().join(format!("menjin-keys-{}.json", unique()));
        std::fs::write(&keys, app.get("/.well-known/jwks.json").await.text).unwrap();
        Self {
            user: app.forge(&token).await,
            guest: app.sign_in("li").await.token(),
            app,
            keys,
        }
    }

    /// What the verifier makes of a token: its subject, or why not.
    fn check(&self, verifier: Verifier, token: &str) -> Result<String, String> {
        let (issuer, audience) = (&self.app.options.issuer, "repairs");
        let Verifier::Script(program, script) = verifier else {
            let keys = std::fs::read_to_string(&self.keys).unwrap();
            return in_rust(&keys, token, issuer, audience).map_err(|error| error.to_string());
        };
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/foreign/");
        let said = Command::new(self::program(program))
            .arg(format!("{folder}{script}"))
            .arg(&self.keys)
            .args([token, issuer, audience])
            .output()
            .unwrap_or_else(|error| panic!("{program} does not run ({error}): run script/test"));
        let words = String::from_utf8_lossy(&said.stderr).into_owned();
        match said.status.code() {
            Some(0) => Ok(String::from_utf8(said.stdout).unwrap().trim().to_owned()),
            Some(1) => Err(words),
            _ => panic!("{program} failed; run script/test: {words}"),
        }
    }

    async fn end(self) {
        std::fs::remove_file(&self.keys).unwrap();
        self.app.end().await;
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "script/test hands its Python in this way"
)]
fn program(name: &str) -> String {
    if name == "python" {
        std::env::var("MENJIN_TEST_PYTHON").expect("no Python: run script/test")
    } else {
        name.to_owned()
    }
}

/// As a service in Rust would, with `jsonwebtoken`.
fn in_rust(
    keys: &str,
    token: &str,
    issuer: &str,
    audience: &str,
) -> Result<String, jsonwebtoken::errors::Error> {
    let keys: JwkSet = serde_json::from_str(keys)?;
    let kid = decode_header(token)?.kid.unwrap_or_default();
    let invalid = jsonwebtoken::errors::ErrorKind::InvalidToken;
    let key = keys.find(&kid).ok_or(invalid)?;
    let algorithm = match key.common.key_algorithm {
        Some(KeyAlgorithm::ES256) => Algorithm::ES256,
        Some(KeyAlgorithm::EdDSA) => Algorithm::EdDSA,
        other => panic!("{other:?}"),
    };
    let mut validation = Validation::new(algorithm);
    validation.leeway = 0;
    validation.set_issuer(&[issuer]);
    validation.set_audience(&[audience]);
    validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    let read = decode::<Value>(token, &DecodingKey::from_jwk(key)?, &validation)?;
    Ok(read.claims["sub"].as_str().unwrap_or_default().to_owned())
}

/// A good token is taken, and what is wrong with the others is noticed.
async fn story(verifier: Verifier) {
    for algorithm in [SigningAlgorithm::Es256, SigningAlgorithm::EdDsa] {
        let deployment = Deployment::start(algorithm).await;
        let (forge, now) = (&deployment.user, deployment.app.clock.now() / 1000);
        let good = forge.with_payload_text(text(&forge.payload));
        let subject = forge.payload["sub"].as_str().unwrap();
        let checked = deployment.check(verifier, &good);
        assert_eq!(checked.as_deref(), Ok(subject), "{algorithm:?}");
        let at = good.rfind('.').unwrap() + 1;
        let first = if good[at..].starts_with('A') {
            "B"
        } else {
            "A"
        };
        let tampered = format!("{}{first}{}", &good[..at], &good[at + 1..]);
        let over = [("iat", json!(now - 7_200)), ("exp", json!(now - 3_600))];
        for token in [
            tampered,
            deployment.guest.clone(),
            forge.with_claims(over),
            forge.with_claim("iss", json!("https://evil.test")),
        ] {
            let checked = deployment.check(verifier, &token);
            assert!(checked.is_err(), "{algorithm:?} {token} {checked:?}");
        }
        deployment.end().await;
    }
}

/// Proves KEY-1.
#[tokio::test]
async fn in_python() {
    story(Verifier::Script("python", "verify.py")).await;
}

/// Proves KEY-1.
#[tokio::test]
async fn on_node() {
    story(Verifier::Script("node", "verify.mjs")).await;
}

/// Proves KEY-1.
#[tokio::test]
async fn in_ruby() {
    story(Verifier::Script("ruby", "verify.rb")).await;
}

/// Proves KEY-1.
#[tokio::test]
async fn in_perl() {
    story(Verifier::Script("perl", "verify.pl")).await;
}

/// Proves KEY-1.
#[tokio::test]
async fn with_another_library_in_rust() {
    story(Verifier::Rust).await;
}
