//! What the guard adds to a request, measured against the same service without it.
//!
//! `cargo run --release --example cost -p menjin-guard`

#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a measurement is for whoever runs it"
)]

use std::{
    convert::Infallible,
    error::Error,
    hint::black_box,
    time::{Duration, Instant, SystemTime},
};

use axum::{Json, Router, routing::get};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use menjin_core::{
    Appid, Role, Uid,
    clock::millis,
    key::{SigningAlgorithm, SigningKey},
    token::{Issuer, Subject},
};
use menjin_guard::Guard;
use serde_json::json;
use tower::{Layer, Service, ServiceExt, service_fn};

const SEEN: u32 = 500_000;
const NEW: u32 = 2_000;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let document = SigningKey::generate(SigningAlgorithm::Es256)?;
    let key = SigningKey::from_pkcs8(SigningAlgorithm::Es256, &document)?;
    let url = menjin(&key).await?;
    let guard = Guard::new(&*url)
        .audience("repairs")
        .service("repairs", "secret")
        .start()
        .await?;
    let tokens = tokens(&url, &key)?;

    let bare = service_fn(|request: Request<()>| async move {
        black_box(request);
        Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
    });
    let same = tokens.iter().take(1).cycle();
    let guarded = guard.layer().layer(bare);
    // Once before, so that caches and branches are as warm for the one as for the other.
    measure(bare, same.clone(), SEEN / 10).await?;
    measure(guarded.clone(), same.clone(), SEEN / 10).await?;
    let without = measure(bare, same.clone(), SEEN).await?;
    let with = measure(guarded.clone(), same, SEEN).await?;
    let new = measure(guarded, tokens.iter().skip(1), NEW).await?;
    println!("without the guard   {without:>9.2?} a request");
    println!(
        "a token seen before {with:>9.2?}, {:.2?} more",
        with.saturating_sub(without)
    );
    println!(
        "a new token         {new:>9.2?}, {:.2?} more",
        new.saturating_sub(without)
    );
    Ok(())
}

/// The mean time of `count` requests, one after the other.
async fn measure<S>(
    mut service: S,
    tokens: impl Iterator<Item = &String>,
    count: u32,
) -> Result<Duration, Box<dyn Error>>
where
    S: Service<Request<()>, Response = Response<Full<Bytes>>, Error = Infallible>,
{
    let mut took = Duration::ZERO;
    for token in tokens.take(usize::try_from(count)?) {
        let request = Request::get("/").header("authorization", format!("Bearer {token}"));
        let request = request.body(())?;
        let begin = Instant::now();
        let response = service.ready().await?.call(request).await?;
        took += begin.elapsed();
        if response.status() != 200 {
            return Err(format!("answered {}", response.status()).into());
        }
    }
    Ok(took / count)
}

fn tokens(issuer: &str, key: &SigningKey) -> Result<Vec<String>, Box<dyn Error>> {
    let issuer = Issuer {
        name: issuer.to_owned(),
        audience: vec!["repairs".to_owned()],
        ttl_seconds: 3_600,
    };
    let subject = Subject::User {
        uid: Uid::new(100_001).ok_or("no uid")?,
        role: Role::User,
        epoch: 0,
    };
    let appid = Appid::parse("wx0123456789abcdef")?;
    let now = millis(SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?);
    let mint = |_| Ok(issuer.mint(key, &subject, &appid, now)?);
    (0..=NEW).map(mint).collect()
}

/// As much of a Menjin as a guard asks for.
async fn menjin(key: &SigningKey) -> Result<String, Box<dyn Error>> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    let metadata = json!({ "issuer": url, "jwks_uri": format!("{url}/.well-known/jwks.json") });
    let keys = json!({ "keys": [key.public_jwk()] });
    let feed = json!({ "last": 0, "items": [] });
    let show = |value| get(move || async { Json(value) });
    let router = Router::new()
        .route("/.well-known/oauth-authorization-server", show(metadata))
        .route("/.well-known/jwks.json", show(keys))
        .route("/auth/revocations", show(feed));
    tokio::spawn(async { axum::serve(listener, router).await });
    Ok(url)
}
