//! A small Menjin: keys, metadata and the feed over real HTTP, and what can go wrong with it.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    extract::{Query, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::get,
};
use hyper_util::{rt::TokioIo, service::TowerToHyperService};
use menjin_core::{
    Appid, Clock,
    key::{SigningAlgorithm, SigningKey},
    token::{Issuer, Subject},
};
use serde_json::{Value, json};
use tokio::{
    net::TcpListener,
    sync::watch,
    task::{AbortHandle, JoinSet},
    time::timeout,
};

use crate::{APPID, ISSUER, SERVICE, clock::TestClock};

/// Of `repairs` and `s3cret/+`, each encoded as a form first.
const BASIC: &str = "Basic cmVwYWlyczpzM2NyZXQlMkYlMkI=";

/// A Menjin that listens on a free port until it is dropped.
pub(crate) struct Door {
    pub(crate) state: Arc<Shown>,
    pub(crate) clock: Arc<TestClock>,
    address: SocketAddr,
    serving: AbortHandle,
}

/// What the Menjin shows, and how often it was asked.
pub(crate) struct Shown {
    pub(crate) issuer: Mutex<String>,
    /// Replaces what an endpoint answers: its path, the answer.
    pub(crate) instead: Mutex<Option<(&'static str, StatusCode, String)>>,
    pub(crate) keys: Mutex<Vec<Arc<SigningKey>>>,
    pub(crate) max_age: Mutex<u64>,
    pub(crate) asked_for_keys: watch::Sender<usize>,
    pub(crate) asked_for_metadata: AtomicUsize,
    pub(crate) asked_for_news: watch::Sender<usize>,
    /// Requests that wait for news now.
    pub(crate) waiting: watch::Sender<usize>,
    /// Whether key sets are handed out, or whoever asks must wait.
    pub(crate) gate: watch::Sender<bool>,
    feed: watch::Sender<Feed>,
    on: watch::Sender<bool>,
    base: String,
}

#[derive(Default)]
struct Feed {
    last: i64,
    items: Vec<Value>,
}

impl Door {
    pub(crate) async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(Shown {
            issuer: Mutex::new(ISSUER.to_owned()),
            instead: Mutex::default(),
            keys: Mutex::new(vec![Arc::new(key(SigningAlgorithm::Es256))]),
            max_age: Mutex::new(300),
            asked_for_keys: watch::Sender::default(),
            asked_for_metadata: AtomicUsize::default(),
            asked_for_news: watch::Sender::default(),
            waiting: watch::Sender::default(),
            gate: watch::Sender::new(true),
            feed: watch::Sender::default(),
            on: watch::Sender::new(true),
            base: format!("http://{address}"),
        });
        let serving = tokio::spawn(serve(listener, state.clone())).abort_handle();
        Self {
            state,
            clock: Arc::new(TestClock::new()),
            address,
            serving,
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Everything that is under way is cut off, and whoever comes is turned away.
    pub(crate) fn switch_off(&self) {
        self.state.on.send_replace(false);
    }

    pub(crate) fn switch_on(&self) {
        self.state.on.send_replace(true);
    }

    /// The key that signs.
    pub(crate) fn key(&self) -> Arc<SigningKey> {
        self.state.keys.lock().unwrap().last().unwrap().clone()
    }

    /// Adds a key to the set; it signs from now on.
    pub(crate) fn rotate(&self) -> Arc<SigningKey> {
        let key = Arc::new(key(SigningAlgorithm::Es256));
        self.state.keys.lock().unwrap().push(key.clone());
        key
    }

    /// A token as Menjin makes them.
    pub(crate) fn token(&self, subject: &Subject) -> String {
        self.token_by(&self.key(), subject)
    }

    pub(crate) fn token_by(&self, key: &SigningKey, subject: &Subject) -> String {
        let appid = Appid::parse(APPID).unwrap();
        issuer()
            .mint(key, subject, &appid, self.clock.now())
            .unwrap()
    }

    /// Puts something on the feed; returns its number.
    pub(crate) fn revoke(&self, mut item: Value) -> i64 {
        let mut seq = 0;
        self.state.feed.send_modify(|feed| {
            feed.last += 1;
            seq = feed.last;
            item["seq"] = seq.into();
            let until = jiff::Timestamp::from_millisecond(self.clock.now() + 3_660_000).unwrap();
            item["until"] = until.to_string().into();
            feed.items.push(item);
        });
        seq
    }

    /// The store is an old one again: what came after `last` is gone.
    pub(crate) fn set_back(&self, last: i64) {
        self.state.feed.send_modify(|feed| {
            feed.last = last;
            feed.items
                .retain(|item| item["seq"].as_i64().unwrap() <= last);
        });
    }

    /// What is on the feed is over, and is sent no more.
    pub(crate) fn purge(&self) {
        self.state.feed.send_modify(|feed| feed.items.clear());
    }

    /// Answers one endpoint in this way from now on.
    pub(crate) fn answer(&self, path: &'static str, status: u16, body: &str) {
        let status = StatusCode::from_u16(status).unwrap();
        let instead = Some((path, status, body.to_owned()));
        *self.state.instead.lock().unwrap() = instead;
    }

    pub(crate) fn keys_asked(&self) -> usize {
        *self.state.asked_for_keys.borrow()
    }

    pub(crate) fn news_asked(&self) -> usize {
        *self.state.asked_for_news.borrow()
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

pub(crate) fn key(algorithm: SigningAlgorithm) -> SigningKey {
    let document = SigningKey::generate(algorithm).unwrap();
    SigningKey::from_pkcs8(algorithm, &document).unwrap()
}

pub(crate) fn issuer() -> Issuer {
    Issuer {
        name: ISSUER.to_owned(),
        audience: vec!["canteen".to_owned(), SERVICE.to_owned()],
        ttl_seconds: 3_600,
    }
}

/// Waits until what a part of the door shows is so.
pub(crate) async fn until<T>(shown: &watch::Sender<T>, is_so: impl FnMut(&T) -> bool) {
    let mut shown = shown.subscribe();
    let waited = timeout(Duration::from_secs(30), shown.wait_for(is_so)).await;
    drop(waited.expect("it never came to that").unwrap());
}

async fn serve(listener: TcpListener, state: Arc<Shown>) {
    let router = Router::new()
        .route("/.well-known/oauth-authorization-server", get(metadata))
        .route("/.well-known/jwks.json", get(jwks))
        .route("/auth/revocations", get(news))
        .with_state(state.clone());
    let mut on = state.on.subscribe();
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                if !*on.borrow() { continue; }
                let service = TowerToHyperService::new(router.clone());
                let io = TokioIo::new(accepted.unwrap().0);
                connections.spawn(hyper::server::conn::http1::Builder::new().serve_connection(io, service));
            }
            changed = on.changed() => {
                changed.unwrap();
                connections.abort_all();
            }
        }
    }
}

fn instead(state: &Shown, path: &str) -> Option<Response> {
    let instead = state.instead.lock().unwrap();
    let (_, status, body) = instead.as_ref().filter(|(at, _, _)| *at == path)?;
    let elsewhere = [("location", format!("{}/elsewhere", state.base))];
    Some((*status, elsewhere, body.clone()).into_response())
}

async fn metadata(State(state): State<Arc<Shown>>) -> Response {
    state.asked_for_metadata.fetch_add(1, Ordering::SeqCst);
    if let Some(response) = instead(&state, "/.well-known/oauth-authorization-server") {
        return response;
    }
    let issuer = state.issuer.lock().unwrap().clone();
    let jwks_uri = format!("{}/.well-known/jwks.json", state.base);
    axum::Json(json!({ "issuer": issuer, "jwks_uri": jwks_uri })).into_response()
}

async fn jwks(State(state): State<Arc<Shown>>) -> Response {
    state.asked_for_keys.send_modify(|asked| *asked += 1);
    until(&state.gate, |is_open| *is_open).await;
    if let Some(response) = instead(&state, "/.well-known/jwks.json") {
        return response;
    }
    let keys = state.keys.lock().unwrap();
    let keys: Vec<_> = keys.iter().map(|key| key.public_jwk()).collect();
    let max_age = *state.max_age.lock().unwrap();
    let cache = [("cache-control", format!("public, max-age={max_age}"))];
    (cache, axum::Json(json!({ "keys": keys }))).into_response()
}

#[derive(serde::Deserialize)]
struct After {
    after: i64,
    wait: u64,
}

async fn news(
    State(state): State<Arc<Shown>>,
    Query(asked): Query<After>,
    headers: HeaderMap,
) -> Response {
    state.asked_for_news.send_modify(|asked| *asked += 1);
    if let Some(response) = instead(&state, "/auth/revocations") {
        return response;
    }
    if headers
        .get("authorization")
        .is_none_or(|sent| sent != BASIC)
    {
        return (StatusCode::UNAUTHORIZED, r#"{"error":"invalid_client"}"#).into_response();
    }
    let mut feed = state.feed.subscribe();
    let counted = Counted::new(&state);
    let is_news = |feed: &Feed| feed.last != asked.after;
    let waited = timeout(Duration::from_secs(asked.wait), feed.wait_for(is_news)).await;
    drop((waited, counted));
    let feed = state.feed.borrow();
    let is_after = |item: &&Value| item["seq"].as_i64().unwrap() > asked.after;
    let items: Vec<_> = feed.items.iter().filter(is_after).take(1_000).collect();
    let last = items
        .last()
        .map_or(feed.last, |item| item["seq"].as_i64().unwrap());
    axum::Json(json!({ "last": last, "items": items })).into_response()
}

/// Counts a request for as long as it waits, also if it is cut off.
struct Counted<'s>(&'s Shown);

impl<'s> Counted<'s> {
    fn new(state: &'s Shown) -> Self {
        state.waiting.send_modify(|waiting| *waiting += 1);
        Self(state)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.waiting.send_modify(|waiting| *waiting -= 1);
    }
}
