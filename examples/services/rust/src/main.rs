//! `GET /hello` for a user of Menjin. The guard checks tokens by itself, follows what was taken back, and
//! answers everybody else in Menjin's own words.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a service of one page is its own configuration and log"
)]

use std::{env, error::Error};

use axum::{Json, Router, routing::get};
use menjin_guard::{Guard, User};
use serde_json::{Value, json};
use tokio::net::TcpListener;

async fn hello(user: User) -> Json<Value> {
    let role = if user.is_admin() { "admin" } else { "user" };
    Json(json!({ "hello": user.uid(), "role": role }))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let url = env::var("MENJIN_URL")?;
    let issuer = env::var("MENJIN_ISSUER").unwrap_or_else(|_| url.clone());
    let port = env::var("PORT").map_or(Ok(0), |port| port.parse())?;
    let guard = Guard::new(issuer)
        .url(url)
        .audience(env::var("MENJIN_AUDIENCE")?)
        .service(
            env::var("MENJIN_SERVICE_ID")?,
            env::var("MENJIN_SERVICE_SECRET")?,
        )
        .start()
        .await?;
    let app = Router::new()
        .route("/hello", get(hello))
        .layer(guard.layer());
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    println!("listens on http://{}", listener.local_addr()?);
    Ok(axum::serve(listener, app).await?)
}
