//! A WeChat that says of each code what it was told to, and when it was told to.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    extract::{Query, State},
    http::{HeaderName, header::CONTENT_TYPE},
    routing::get,
};
use menjin_core::{Clock, Instant};
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};

use crate::harness::TestClock;

/// The session key of everybody who is not given another.
pub(crate) const SESSION_KEY: &str = "dGhlIHNlc3Npb24ga2V5IQ==";

/// Runs until it is dropped.
pub(crate) struct Stub {
    /// Where it listens.
    pub(crate) url: String,
    told: Arc<Told>,
    serving: JoinHandle<()>,
}

struct Told {
    clock: Arc<TestClock>,
    answers: Mutex<HashMap<String, Vec<u8>>>,
    asked: Mutex<Vec<(String, Instant)>>,
    open: watch::Sender<bool>,
}

impl Stub {
    pub(crate) async fn start(clock: &Arc<TestClock>) -> Self {
        let told = Arc::new(Told {
            clock: clock.clone(),
            answers: Mutex::default(),
            asked: Mutex::default(),
            open: watch::Sender::new(true),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().route("/sns/jscode2session", get(answer));
        let router = router.with_state(told.clone());
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, told, serving }
    }

    /// What it says of a code from now on; of others it says 40029.
    pub(crate) fn say(&self, code: &str, answer: impl Into<Vec<u8>>) {
        let mut answers = self.told.answers.lock().unwrap();
        answers.insert(code.to_owned(), answer.into());
    }

    /// The code stands for this person, with or without a unionid.
    pub(crate) fn person(&self, code: &str, openid: &str, unionid: Option<&str>) {
        let mut session = json!({ "openid": openid, "session_key": SESSION_KEY });
        if let Some(unionid) = unionid {
            session["unionid"] = unionid.into();
        }
        self.say(code, session.to_string());
    }

    /// Says nothing until [`Stub::release`].
    pub(crate) fn hold(&self) {
        self.told.open.send_replace(false);
    }

    pub(crate) fn release(&self) {
        self.told.open.send_replace(true);
    }

    /// When it was asked about a code, by the clock of the test.
    pub(crate) fn asked(&self, code: &str) -> Vec<Instant> {
        let asked = self.told.asked.lock().unwrap();
        let times = asked.iter().filter(|(about, _)| about == code);
        times.map(|(_, at)| *at).collect()
    }
}

impl Drop for Stub {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn answer(
    State(told): State<Arc<Told>>,
    Query(query): Query<HashMap<String, String>>,
) -> ([(HeaderName, &'static str); 1], Vec<u8>) {
    let code = &query["js_code"];
    let asked = (code.clone(), told.clock.now());
    told.asked.lock().unwrap().push(asked);
    let _ = told.open.subscribe().wait_for(|open| *open).await;
    let answer = told.answers.lock().unwrap().get(code).cloned();
    let unknown = || rejection(40029, "invalid code").to_string().into_bytes();
    (
        [(CONTENT_TYPE, "text/plain")],
        answer.unwrap_or_else(unknown),
    )
}

/// WeChat's no.
pub(crate) fn rejection(errcode: i64, errmsg: &str) -> Value {
    json!({ "errcode": errcode, "errmsg": errmsg })
}
