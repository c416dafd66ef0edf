//! Which class of token opens what.

use axum::{body::Body, http::Request};
use menjin_core::Role;
use serde_json::{Value, json};

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

/// Where a guest's token is good: to register, for what is the guest's own, and to leave.
const FOR_GUESTS: [&str; 9] = [
    "/v1/user/checksession",
    "/v1/user/delete",
    "/v1/user/export",
    "/v1/user/logout",
    "/v1/user/me",
    "/v1/user/migration",
    "/v1/user/register",
    "/v1/user/verify",
    "/v1/wechat/decrypt",
];
/// Where it is good for nothing.
const FOR_USERS: [&str; 8] = [
    "/v1/status/getUser",
    "/v1/user/avatar",
    "/v1/user/consent",
    "/v1/user/logout_all",
    "/v1/user/newemail",
    "/v1/user/newphone",
    "/v1/user/phonechange_verify",
    "/v1/user/setuser",
];

/// The method, path and security of every documented operation.
async fn operations(app: &TestApp) -> Vec<(String, String, Value)> {
    let document = app.get("/openapi.json").await.json();
    let mut all = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, route) in methods.as_object().unwrap() {
            let security = route.get("security").cloned().unwrap_or_default();
            all.push((method.to_uppercase(), path.clone(), security));
        }
    }
    all
}

fn needs_a_bearer(security: &Value) -> bool {
    let mut ways = security.as_array().into_iter().flatten();
    ways.any(|way| way.get("bearer").is_some())
}

/// The routes that ask for a token are those of which the reference says so.
#[tokio::test]
async fn a_protected_route_is_documented_as_one() {
    let app = TestApp::sqlite().await;
    let mut protected = Vec::new();
    for (method, path, security) in operations(&app).await {
        let request = Request::builder().method(method.as_str()).uri(&path);
        let reply = app.send(request.body(Body::empty()).unwrap()).await;
        let asks = reply.header("www-authenticate").starts_with("Bearer");
        let ways = security.as_array();
        let optional = ways.is_some_and(|ways| ways.contains(&json!({})));
        let needed = needs_a_bearer(&security) && !optional;
        assert_eq!(asks, needed, "{path}");
        if needs_a_bearer(&security) {
            protected.push(path);
        }
    }
    let mut known = [&FOR_GUESTS[..], &FOR_USERS, &["/auth/verify"]].concat();
    known.sort_unstable();
    protected.sort_unstable();
    assert_eq!(protected, known);
    app.end().await;
}

on_each_database! {
    /// Proves LGN-11: a guest's token gets 403 at every route but those that are for guests as well,
    /// whatever else is wrong with the request.
    async fn a_guest_is_kept_out_of_what_is_for_users(app) {
        let guest = app.sign_in("guest").await.token();
        let mut kept_out = 0;
        for (method, path, _) in operations(app).await {
            if !FOR_USERS.contains(&path.as_str()) {
                continue;
            }
            let request = Request::builder().method(method.as_str()).uri(&path)
                .header("authorization", format!("Bearer {guest}"))
                .header("content-type", "application/json");
            let reply = app.send(request.body(Body::from("{}")).unwrap()).await;
            assert_eq!(reply.status, 403, "{path}: {}", reply.text);
            kept_out += 1;
        }
        assert_eq!(kept_out, FOR_USERS.len());
    }
}
