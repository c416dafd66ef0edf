//! A service that greets whoever is signed in.
//!
//! `MENJIN_TOKEN__AUDIENCE=hello script/server` runs a Menjin to try it with; its issuer, and a service
//! that may follow the feed, are the ones below. Sign in and register as README.md of Menjin shows, and
//! then: `curl -H "Authorization: Bearer $token" 127.0.0.1:8090/hello`

use axum::{Router, routing::get};
use menjin_guard::{Guard, User};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    tracing_subscriber::fmt().init();
    let guard = Guard::new("http://127.0.0.1:8080")
        .audience("hello")
        .service("dev", "dev-secret")
        .start()
        .await?;
    let app = Router::new()
        .route("/hello", get(hello))
        .layer(guard.layer());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:8090").await?;
    Ok(axum::serve(listener, app).await?)
}

async fn hello(user: User) -> String {
    format!("hello {}\n", user.uid())
}
