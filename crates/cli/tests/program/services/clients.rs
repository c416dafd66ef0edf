//! Foreign libraries for OAuth clients, which know an issuer and find the rest by its metadata.

use serde_json::{Value, json};

use super::deployment::{AUDIENCE, Deployment, ID, SECRET};
use crate::harness::{Ran, command, given, me, run};

/// How a client shows its secret.
const WAYS: [&str; 2] = ["basic", "form"];

struct Client<'t> {
    program: &'t str,
    script: &'t str,
    deployment: &'t Deployment,
}

impl Client<'_> {
    /// Finds the endpoints, asks about the token, takes it back and asks again.
    fn run(&self, secret: &str, way: &str, token: &str) -> Ran {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/foreign/");
        let mut client = command(self.program, &self.deployment.folder);
        client.arg(format!("{folder}{}", self.script));
        client.args([&self.deployment.url(), ID, secret, way, token]);
        run(&mut client)
    }
}

fn story(program: &str, script: &str) {
    let deployment = Deployment::start();
    let client = Client {
        program,
        script,
        deployment: &deployment,
    };
    for way in WAYS {
        let token = deployment.user();
        let account = deployment.account(&token);
        let stranger = client.run("another-secret", way, &token);
        assert_eq!(stranger.code, Some(1), "{way}: {stranger:?}");
        let refused =
            |line: &str| line.starts_with("invalid_client: ") || line.starts_with("401: ");
        assert!(stranger.err.lines().any(refused), "{way}: {stranger:?}");

        let ran = client.run(SECRET, way, &token);
        assert_eq!(ran.code, Some(0), "{way}: {ran:?}");
        let said: Vec<Value> = ran
            .out
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        let [before, after] = &said[..] else {
            panic!("{way}: {ran:?}");
        };
        assert_eq!(before["active"], true, "{before}");
        assert_eq!(before["uid"], account["uid"], "{before}");
        assert_eq!(before["sub"], account["uid"].to_string(), "{before}");
        assert_eq!(before["aud"][1], AUDIENCE, "{before}");
        assert_eq!(before["iss"], deployment.url(), "{before}");
        assert_eq!(*after, json!({ "active": false }));
        assert_eq!(me(deployment.server.public, &token).status, 401);
    }
}

/// Proves INT-3 and INT-5 with a library that was not made for Menjin.
#[test]
fn in_python_with_authlib() {
    story(&given("MENJIN_TEST_PYTHON"), "oauth.py");
}

/// Proves INT-3 and INT-5 with a library that was not made for Menjin.
#[test]
fn on_node_with_openid_client() {
    story("node", "oauth.mjs");
}

/// Proves INT-3 and INT-5 with a library that was not made for Menjin, and KEY-1 by the letter of
/// RFC 9068.
#[test]
fn on_node_with_oauth4webapi() {
    story("node", "oauth4webapi.mjs");
}

/// Proves INT-3 and INT-5 with a library that was not made for Menjin.
#[test]
fn in_ruby_with_oauth2() {
    story("ruby", "oauth.rb");
}
