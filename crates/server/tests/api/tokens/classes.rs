//! Which class of token opens what.

use axum::{body::Body, http::Request};
use menjin_core::Role;
use serde_json::json;

use super::INVALID;
use crate::harness::{TestApp, on_each_database};

/// A person of that role, signed in.
async fn token_of(app: &TestApp, person: &str, phone: &str, role: Role) -> String {
    let openid = app.sign_in(person).await.json()["openid"].clone();
    app.register(openid.as_str().unwrap(), phone, role).await;
    app.sign_in(person).await.token()
}

on_each_database! {
    /// Proves TOK-8: every class of token against every route that asks for one. Tokens of another
    /// kind are signed by our own key and say the same; still they open nothing.
    async fn a_token_opens_what_its_class_may(app) {
        let classes = [
            ("guest", app.sign_in("guest").await.token(), "guest", None),
            (
                "user",
                token_of(app, "user", "+8613800138000", Role::User).await,
                "user",
                Some("user"),
            ),
            (
                "admin",
                token_of(app, "admin", "+8613800138001", Role::Admin).await,
                "user admin",
                Some("admin"),
            ),
        ];
        for (class, token, scope, role) in classes {
            let forge = app.forge(&token).await;
            assert_eq!(forge.payload["scope"], scope);
            let services = usize::from(class != "guest");
            assert_eq!(forge.payload["aud"].as_array().unwrap().len(), 1 + services);
            let me = app.me(&token).await.json();
            assert_eq!((&me["registered"], &me["role"]), (&json!(role.is_some()), &json!(role)));
            for typ in ["JWT", "mail+jwt", "logout+jwt", "id+jwt"] {
                let other = forge.with_header("typ", json!(typ));
                assert_eq!(app.me(&other).await.line(), INVALID, "{class} as {typ}");
            }
            for (claim, value) in [("scope", "guest"), ("scope", "user"), ("scope", "user admin")] {
                if value != scope {
                    let raised = forge.with_claim(claim, json!(value));
                    assert_eq!(app.me(&raised).await.line(), INVALID, "{class} as {value}");
                }
            }
        }
    }
}

/// The routes that ask for a token are those of which the reference says so.
#[tokio::test]
async fn a_protected_route_is_documented_as_one() {
    let app = TestApp::sqlite().await;
    let document = app.get("/openapi.json").await.json();
    let mut protected = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, route) in methods.as_object().unwrap() {
            let request = Request::builder()
                .method(method.to_uppercase().as_str())
                .uri(path);
            let reply = app.send(request.body(Body::empty()).unwrap()).await;
            let asks = reply.header("www-authenticate").starts_with("Bearer");
            assert_eq!(asks, route.get("security").is_some(), "{path}");
            if asks {
                protected.push(path.clone());
            }
        }
    }
    assert_eq!(protected, ["/v1/user/me"]);
    app.end().await;
}
