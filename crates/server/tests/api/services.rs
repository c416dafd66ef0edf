//! What the team's other services ask.

mod feed;
mod introspection;
mod revocation;
mod verification;
mod wechat_token;

use axum::{body::Body, http::Request};
use base64::{Engine, engine::general_purpose::STANDARD};
use menjin_core::Permission;
use serde_json::json;

use crate::harness::{Reply, TestApp, on_each_database, service};

const INTROSPECT: &str = "/oauth/introspect";
const REVOKE: &str = "/oauth/revoke";
const INACTIVE: &str = r#"200 {"active":false}"#;
/// Every route that asks for a service, and how.
const ROUTES: [(&str, &str); 4] = [
    ("POST", INTROSPECT),
    ("POST", REVOKE),
    ("GET", "/auth/revocations?wait=0"),
    ("GET", "/v1/wechat/token"),
];

/// `Authorization` of a service.
fn basic(id: &str, secret: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{id}:{secret}")))
}

/// A form, with that `Authorization`.
async fn post(app: &TestApp, path: &str, authorization: &str, form: &str) -> Reply {
    let mut request =
        Request::post(path).header("content-type", "application/x-www-form-urlencoded");
    if !authorization.is_empty() {
        request = request.header("authorization", authorization);
    }
    app.send(request.body(Body::from(form.to_owned())).unwrap())
        .await
}

async fn get(app: &TestApp, path: &str, authorization: &str) -> Reply {
    let request = Request::get(path).header("authorization", authorization);
    app.send(request.body(Body::empty()).unwrap()).await
}

/// What the service `repairs`, which may everything, is told of a token.
async fn introspect(app: &TestApp, token: &str) -> Reply {
    let form = format!("token={token}");
    post(app, INTROSPECT, &basic("repairs", "repairs-secret"), &form).await
}

async fn ask(app: &TestApp, (method, path): (&str, &str), authorization: &str) -> Reply {
    match method {
        "POST" => post(app, path, authorization, "token=x").await,
        _ => get(app, path, authorization).await,
    }
}

on_each_database! {
    /// Proves INT-1: without a service's name and secret nothing is said, and a user's token is neither.
    async fn only_services_are_answered(app) {
        let user = app.user("wang", "13800138000").await;
        let strangers = [
            String::new(),
            "Basic".to_owned(),
            "Basic !!!".to_owned(),
            basic("repairs", ""),
            basic("repairs", "Repairs-secret"),
            basic("repairs", "repairs-secret "),
            basic("Repairs", "repairs-secret"),
            basic("shop", "repairs-secret"),
            basic("", ""),
            format!("Basic {}", STANDARD.encode("repairs")),
            format!("Bearer {}", user.token),
            "Bearer repairs-secret".to_owned(),
        ];
        for route in ROUTES {
            for stranger in &strangers {
                let reply = ask(app, route, stranger).await;
                assert_eq!(reply.status, 401, "{route:?} {stranger}");
                assert_eq!(reply.json()["error"], "invalid_client");
                assert_eq!(reply.header("www-authenticate"), r#"Basic realm="menjin""#);
            }
            let reply = ask(app, route, &basic("repairs", "repairs-secret")).await;
            assert_eq!(reply.status, 200, "{route:?} {}", reply.text);
            assert_eq!(reply.header("cache-control"), "no-store");
        }
    }

    async fn the_secret_may_stand_in_the_form_and_then_nowhere_else(app) {
        let secret = "client_id=repairs&client_secret=repairs-secret";
        let form = format!("{secret}&token=x");
        for path in [INTROSPECT, REVOKE] {
            assert_eq!(post(app, path, "", &form).await.status, 200, "{path}");
            let twice = post(app, path, &basic("repairs", "repairs-secret"), &form).await;
            assert_eq!((twice.status.as_u16(), &twice.json()["error"]), (400, &json!("invalid_request")));
            // The name alone, which some clients send along, is no second way.
            let service = basic("repairs", "repairs-secret");
            let named = post(app, path, &service, "client_id=repairs&token=x");
            assert_eq!(named.await.status, 200, "{path}");
            let reply = post(app, path, "", "client_id=repairs&client_secret=x&token=x").await;
            assert_eq!(reply.status, 401, "{path}");
        }
        let query = get(app, &format!("/auth/revocations?wait=0&{secret}"), "").await;
        assert_eq!(query.status, 401, "a secret in an address is in every log");
    }

    /// A service of the store is known within a second of being written down, by either secret while the
    /// former still counts, and until it is removed.
    async fn services_of_the_store_come_and_go(app) {
        let asked = || async { introspect_as(app, "shop", "shop-secret").await.status.as_u16() };
        assert_eq!(asked().await, 401);
        let shop = service("shop", &[]);
        let (digest, other) = (shop.secret_digest, service("new", &[]).secret_digest);
        let now = menjin_core::Clock::now(&*app.clock);
        tell(app, move |tx| Box::pin(async move {
            tx.service_insert("shop", &digest, "introspect juggle", now).await
        })).await;
        assert_eq!(asked().await, 200, "what a later version may is no hindrance");
        tell(app, move |tx| Box::pin(async move {
            tx.service_rotate("shop", &other, now + 60_000, now).await
        })).await;
        assert_eq!(asked().await, 200);
        assert_eq!(introspect_as(app, "shop", "new-secret").await.status, 200);
        app.clock.advance(std::time::Duration::from_mins(1));
        assert_eq!(asked().await, 401, "the former secret is over");
        assert_eq!(introspect_as(app, "shop", "new-secret").await.status, 200);
        tell(app, |tx| Box::pin(async move { tx.service_remove("shop").await })).await;
        assert_eq!(introspect_as(app, "shop", "new-secret").await.status, 401);
    }
}

/// Writes, and lets the server hear of it as it would within a second.
async fn tell<F>(app: &TestApp, story: F)
where
    F: for<'t> FnOnce(
            &'t mut menjin_store::Tx,
        ) -> menjin_store::Telling<'t, bool, menjin_store::Error>
        + Send
        + 'static,
{
    assert!(app.store.write(story).await.unwrap());
    app.clock.advance(std::time::Duration::from_secs(5));
}

async fn introspect_as(app: &TestApp, id: &str, secret: &str) -> Reply {
    post(app, INTROSPECT, &basic(id, secret), "token=x").await
}

/// Proves INT-1: each permission opens its own route alone.
#[tokio::test]
async fn a_service_may_what_it_was_given() {
    let app = TestApp::sqlite_with(|options| {
        options.services = Permission::ALL
            .into_iter()
            .map(|permission| service(permission.as_str(), &[permission]))
            .collect();
    })
    .await;
    for (n, route) in ROUTES.into_iter().enumerate() {
        for (m, permission) in Permission::ALL.into_iter().enumerate() {
            let id = permission.as_str();
            let reply = ask(&app, route, &basic(id, &format!("{id}-secret"))).await;
            if n == m {
                assert_eq!(reply.status, 200, "{route:?} {id}");
            } else {
                assert_eq!(reply.status, 403, "{route:?} {id}");
                assert_eq!(reply.json()["error"], "unauthorized_client");
            }
        }
    }
    app.end().await;
}

/// A secret with odd characters, as it stands and as RFC 6749 wants it encoded.
#[tokio::test]
async fn an_odd_secret_is_read_in_both_spellings() {
    let app = TestApp::sqlite_with(|options| {
        let mut odd = service("odd", &Permission::ALL);
        odd.secret_digest = menjin_core::secret::sha256("a%b+c:d é".as_bytes());
        options.services = vec![odd];
    })
    .await;
    for (secret, status) in [
        ("a%b+c:d é", 200),
        ("a%25b%2Bc%3Ad+%C3%A9", 200),
        ("a%b c:d é", 401),
    ] {
        let reply = introspect_as(&app, "odd", secret).await;
        assert_eq!(reply.status, status, "{secret}");
    }
    app.end().await;
}
