//! The client against real HTTP: the simulator for what WeChat does, a bare stub for what it
//! should never do.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that meets the unexpected should stop there"
)]

mod calls;
mod circuit;
mod connections;
mod decrypt;
mod faults;
mod limits;
mod push;
mod replies;
mod secrets;
mod simulated;
mod stub;
mod tls;
mod tokens;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use menjin_core::{Appid, Clock, LoginCode, Secret, clock::Instant};
use menjin_wechat::{App, Client, Options};
use tokio::time::timeout;

use stub::Stub;

const APPID: &str = "wx0123456789abcdef";
const SECRET: &str = "0123456789abcdef0123456789abcdef";
/// What the stub answers when all is well.
const SESSION: &str = r#"{"session_key":"tiihtNczf5v6AKRyjwEUhQ==","openid":"oGZUI0egBJY1zhBYw2KhdUfwVJJE","unionid":"o6_bmasdasdsad6_2sgVt7hMZOPfL"}"#;

/// A clock that stands still until a test moves it.
#[derive(Default)]
struct TestClock(AtomicU64);

impl TestClock {
    fn advance(&self, time: Duration) {
        self.0
            .fetch_add(time.as_millis().try_into().unwrap(), Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Instant {
        1_700_000_000_000
    }

    fn uptime(&self) -> Duration {
        Duration::from_millis(self.0.load(Ordering::SeqCst))
    }
}

fn appid() -> Appid {
    Appid::parse(APPID).unwrap()
}

fn code() -> LoginCode {
    LoginCode::parse("0a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P").unwrap()
}

fn app() -> App {
    App {
        appid: appid(),
        secret: Secret::new(SECRET),
    }
}

/// The production limits, or nearly: what is tried with them ends long before, on a busy machine too.
fn options(base_url: &str) -> Options {
    Options {
        base_url: base_url.to_owned(),
        connect_timeout: Duration::from_secs(4),
        timeout: Duration::from_secs(5),
        ..Options::default()
    }
}

/// Options for a call that is meant to run into its time limit.
fn impatient(base_url: &str) -> Options {
    Options {
        timeout: Duration::from_secs(1),
        ..options(base_url)
    }
}

fn client(options: Options) -> Client {
    client_with(options, &Arc::default())
}

fn client_with(options: Options, clock: &Arc<TestClock>) -> Client {
    Client::new(options, vec![app()], clock.clone()).unwrap()
}

/// Starts a call, waits until the stub has read it, and gives up on it.
async fn abandon(client: &Client, appid: &Appid, stub: &Stub) {
    let before = stub.seen.requests().len();
    let code = code();
    let mut call = Box::pin(client.code_to_session(appid, &code));
    while stub.seen.requests().len() == before {
        assert!(timeout(Duration::from_millis(1), &mut call).await.is_err());
    }
}
