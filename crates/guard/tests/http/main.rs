//! The guard against a Menjin of the tests' own, over real HTTP.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a test that meets the unexpected should stop there, and what it spawns ends with it"
)]

mod away;
mod clock;
mod door;
mod feed;
mod front;
mod keys;
mod life;
mod tokens;

use std::{future::Future, time::Duration};

use axum::{Router, routing::get};
use menjin_core::{IdentityId, Role, Uid, token::Subject};
use menjin_guard::{Builder, Guard, User};
use tokio::{net::TcpListener, time::timeout};

use door::Door;

const ISSUER: &str = "https://door.example.edu.cn";
const SERVICE: &str = "repairs";
const SECRET: &str = "s3cret/+";
const APPID: &str = "wx0123456789abcdef";

const NO_AUTHORIZATION: &str = r#"401 {"error":"Unauthorized for no Authorization"}"#;
const NO_BEARER: &str = r#"401 {"error":"Unauthorized for no Bearer"}"#;
const EXPIRED: &str = r#"401 {"error":"token_expired"}"#;
const INVALID: &str = r#"401 {"error":"invalid_token"}"#;
const FORBIDDEN: &str = r#"403 {"success":false,"error":"forbidden","message":"not allowed"}"#;
const UNAVAILABLE: &str = r#"503 {"success":false,"error":"unavailable","message":"system error"}"#;

/// A guard for `repairs` that follows keys alone.
fn keys_alone(door: &Door) -> Builder {
    Guard::new(ISSUER)
        .url(door.url())
        .audience(SERVICE)
        .time(door.clock.clone())
}

/// A guard for `repairs` that follows the feed as well.
fn following(door: &Door) -> Builder {
    keys_alone(door).service(SERVICE, SECRET)
}

fn user(uid: i64) -> Subject {
    Subject::User {
        uid: Uid::new(uid).unwrap(),
        role: Role::User,
        epoch: 3,
    }
}

fn guest() -> Subject {
    Subject::Guest(IdentityId::random())
}

/// A service on a free port, until the test is over.
async fn run(router: Router) -> Client {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async { axum::serve(listener, router).await });
    Client {
        client: reqwest::Client::builder().no_proxy().build().unwrap(),
        url,
    }
}

/// The service of most tests: `/hello` for users.
async fn hello(guard: &Guard) -> Client {
    let hello = |user: User| async move { format!("hello {}", user.uid()) };
    run(Router::new()
        .route("/hello", get(hello))
        .layer(guard.layer()))
    .await
}

/// Who calls a service.
struct Client {
    client: reqwest::Client,
    url: String,
}

impl Client {
    /// Status and body of `/hello`.
    async fn hello(&self, token: &str) -> String {
        text(self.send("/hello", &[&format!("Bearer {token}")]).await).await
    }

    async fn send(&self, path: &str, authorization: &[&str]) -> reqwest::Response {
        let mut request = self.client.get(format!("{}{path}", self.url));
        for header in authorization {
            request = request.header("authorization", *header);
        }
        request.send().await.unwrap()
    }

    /// Asks again and again until the answer is this one.
    async fn hello_until(&self, token: &str, expected: &str) {
        eventually(|| async { self.hello(token).await == expected }).await;
    }
}

async fn text(response: reqwest::Response) -> String {
    let status = response.status().as_u16();
    format!("{status} {}", response.text().await.unwrap())
}

/// Looks until it is so; each look does I/O or gives way.
async fn eventually<F: Future<Output = bool>>(mut is_so: impl FnMut() -> F) {
    let looking = async {
        while !is_so().await {
            tokio::task::yield_now().await;
        }
    };
    let looked = timeout(Duration::from_secs(30), looking).await;
    looked.expect("it never came to that");
}
