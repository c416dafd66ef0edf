//! What other services find out by themselves: the key set, the metadata, the reference.

use menjin_core::key::SigningAlgorithm;
use serde_json::{Value, json};

use crate::harness::{TestApp, forge, on_each_database};

const METADATA: [&str; 2] = [
    "/.well-known/oauth-authorization-server",
    "/.well-known/openid-configuration",
];

on_each_database! {
    /// Proves KEY-1: public members alone, each key named and told apart, cacheable for an hour at
    /// the most.
    async fn the_key_set_is_public(app) {
        let reply = app.get("/.well-known/jwks.json").await;
        assert_eq!(reply.status, 200);
        assert_eq!(reply.header("content-type"), "application/jwk-set+json");
        assert_eq!(reply.header("cache-control"), "public, max-age=300");
        let set = reply.json();
        assert_eq!(set.as_object().unwrap().len(), 1);
        let keys = set["keys"].as_array().unwrap();
        assert_eq!(keys.len(), 2, "the one that signs and the next");
        assert_ne!(keys[0]["kid"], keys[1]["kid"]);
        for key in keys {
            let names: Vec<_> = key.as_object().unwrap().keys().map(String::as_str).collect();
            assert_eq!(names, ["alg", "crv", "kid", "kty", "use", "x", "y"]);
            assert_eq!((&key["alg"], &key["use"]), (&json!("ES256"), &json!("sig")));
            assert_eq!((&key["kty"], &key["crv"]), (&json!("EC"), &json!("P-256")));
        }
        let token = app.sign_in("wang").await.token();
        assert_eq!(forge::read(&token).0["kid"], keys[0]["kid"]);
    }
}

#[tokio::test]
async fn a_key_set_of_eddsa_is_public_too() {
    let app = TestApp::sqlite_with(|options| {
        options.rotation.algorithm = SigningAlgorithm::EdDsa;
    })
    .await;
    let keys = app.get("/.well-known/jwks.json").await.json()["keys"].clone();
    for key in keys.as_array().unwrap() {
        let names: Vec<_> = key.as_object().unwrap().keys().collect();
        assert_eq!(names, ["alg", "crv", "kid", "kty", "use", "x"]);
        assert_eq!(
            (&key["kty"], &key["crv"]),
            (&json!("OKP"), &json!("Ed25519"))
        );
    }
    let metadata = app.get(METADATA[0]).await.json();
    let algorithms = &metadata["id_token_signing_alg_values_supported"];
    assert_eq!(*algorithms, json!(["EdDSA"]));
    app.end().await;
}

/// Both documents say the same, and what RFC 8414 §2 demands of a server without authorization and
/// token endpoints: the issuer, the keys, and the response types, of which there are none.
#[tokio::test]
async fn the_metadata_says_where_everything_is() {
    let app = TestApp::sqlite_with(|options| {
        options.public_url = "https://door.test/menjin".to_owned();
        options.issuer = "https://issuer.test".to_owned();
    })
    .await;
    let expected = json!({
        "issuer": "https://issuer.test",
        "jwks_uri": "https://door.test/menjin/.well-known/jwks.json",
        "introspection_endpoint": "https://door.test/menjin/oauth/introspect",
        "introspection_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "revocation_endpoint": "https://door.test/menjin/oauth/revoke",
        "revocation_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "service_documentation": "https://door.test/menjin/openapi.json",
        "scopes_supported": ["guest", "user", "admin"],
        "token_endpoint": "https://door.test/menjin/oauth/token",
        "response_types_supported": ["none"],
        "grant_types_supported": [],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256"],
        "claims_supported": [
            "iss", "sub", "aud", "exp", "iat", "jti", "client_id", "scope", "uid", "role", "ep",
        ],
    });
    for path in METADATA {
        let reply = app.get(path).await;
        assert_eq!(
            (reply.status.as_u16(), reply.json()),
            (200, expected.clone())
        );
        assert_eq!(reply.header("content-type"), "application/json");
    }
    let token = app.sign_in("wang").await.token();
    let (header, payload) = forge::read(&token);
    assert_eq!(payload["iss"], expected["issuer"]);
    let algorithms = expected["id_token_signing_alg_values_supported"].as_array();
    assert!(algorithms.unwrap().contains(&header["alg"]));
    for claim in payload.keys() {
        let known = expected["claims_supported"].as_array().unwrap();
        assert!(known.contains(&json!(claim)), "{claim}");
    }
    app.end().await;
}

/// During a change of algorithm both are in use.
#[tokio::test]
async fn the_metadata_names_every_algorithm_in_use() {
    let app = TestApp::sqlite().await;
    let eddsa = |options: &mut menjin_server::Options| {
        options.rotation.algorithm = SigningAlgorithm::EdDsa;
    };
    app.app.close().await;
    let app_after = app.replica_with(&app.wechat, eddsa).await;
    let algorithms = app_after.get(METADATA[0]).await.json();
    let algorithms = &algorithms["id_token_signing_alg_values_supported"];
    assert_eq!(*algorithms, json!(["ES256", "EdDSA"]));
    app_after.app.close().await;
    app.end().await;
}

#[tokio::test]
async fn the_reference_is_served() {
    let app = TestApp::sqlite().await;
    let reply = app.get("/openapi.json").await;
    assert_eq!(reply.header("content-type"), "application/json");
    assert_eq!(reply.text, menjin_server::openapi());
    assert_eq!(
        reply.json()["openapi"].as_str().unwrap().split('.').nth(1),
        Some("1")
    );
    assert_ne!(reply.json()["info"]["version"], Value::Null);
    app.end().await;
}
