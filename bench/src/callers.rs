//! The callers: each has one connection, sends a request, waits for the answer, and sends the next.

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Context;
use tokio::{task::JoinSet, time::timeout};

use crate::{
    http::{Connection, Reply},
    work::Work,
};

/// What answers that are under way get when time is up.
const GRACE: Duration = Duration::from_secs(30);
/// Characters of a wrong answer's body that are shown.
const SHOWN: usize = 200;

/// Connected callers, all on the thread that runs them.
pub(crate) struct Callers(Vec<Connection>);

/// What the callers met with.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// From the first request to the last answer.
    pub(crate) elapsed: Duration,
    /// What each good answer took, in microseconds.
    pub(crate) latencies: Vec<u32>,
    /// Answers other than 200, and connections that broke.
    pub(crate) failed: u64,
    /// What the first of these was.
    pub(crate) first_failure: Option<String>,
}

impl Callers {
    /// Connects so many callers.
    pub(crate) async fn connect(address: SocketAddr, count: usize) -> anyhow::Result<Self> {
        let mut connections = Vec::with_capacity(count);
        for _ in 0..count {
            let connection = Connection::open(address).await;
            connections.push(connection.with_context(|| format!("cannot connect to {address}"))?);
        }
        Ok(Self(connections))
    }

    /// Lets them work for `time`, or until there is no more to do. A caller whose connection
    /// breaks calls no more.
    ///
    /// # Errors
    ///
    /// An answer that was still missing half a minute later.
    pub(crate) async fn run(
        &mut self,
        work: &Arc<Work>,
        time: Duration,
    ) -> anyhow::Result<Outcome> {
        let begun = Instant::now();
        let mut calling = JoinSet::new();
        for (caller, connection) in self.0.drain(..).enumerate() {
            let call = Call {
                connection,
                caller,
                work: Arc::clone(work),
                until: begun + time,
            };
            calling.spawn(call.run());
        }
        // Aborted when it is dropped.
        let mut awake = JoinSet::new();
        awake.spawn(stay_awake());
        let all = timeout(time + GRACE, calling.join_all()).await;
        let all = all.with_context(|| format!("no answer within {} s", GRACE.as_secs()))?;
        let mut total = Outcome {
            elapsed: begun.elapsed(),
            ..Outcome::default()
        };
        for (connection, outcome) in all {
            self.0.extend(connection);
            total.latencies.extend(outcome.latencies);
            total.failed += outcome.failed;
            total.first_failure = total.first_failure.or(outcome.first_failure);
        }
        Ok(total)
    }
}

/// Keeps the callers' core from going to sleep between two answers, which it would beside Menjin and
/// not beside the bare framework. Whoever writes to a core that sleeps pays for waking it, and on a
/// virtual machine that is a fifth of a sign-in's time; real callers are on other machines.
async fn stay_awake() {
    loop {
        tokio::task::yield_now().await;
    }
}

/// One caller at work.
struct Call {
    connection: Connection,
    caller: usize,
    work: Arc<Work>,
    until: Instant,
}

impl Call {
    async fn run(mut self) -> (Option<Connection>, Outcome) {
        let mut outcome = Outcome::default();
        let mut request = Vec::new();
        let mut begun = Instant::now();
        while begun < self.until && self.work.next(self.caller, &mut request) {
            match self.connection.exchange(&request).await {
                Ok(reply) if reply.status == 200 => {
                    // The end of one request is the beginning of the next.
                    let now = Instant::now();
                    outcome.latencies.push(micros(now - begun));
                    begun = now;
                    continue;
                }
                Ok(reply) => outcome.fail(shown(&reply)),
                Err(error) => {
                    outcome.fail(error.to_string());
                    return (None, outcome);
                }
            }
            begun = Instant::now();
        }
        (Some(self.connection), outcome)
    }
}

/// A latency as it is kept.
pub(crate) fn micros(taken: Duration) -> u32 {
    u32::try_from(taken.as_micros()).unwrap_or(u32::MAX)
}

/// The status of a wrong answer, and how its body begins.
pub(crate) fn shown(reply: &Reply<'_>) -> String {
    let body = String::from_utf8_lossy(reply.body);
    let beginning: String = body.chars().take(SHOWN).collect();
    format!("{} {beginning}", reply.status)
}

impl Outcome {
    /// Counts something other than a good answer.
    pub(crate) fn fail(&mut self, what: String) {
        self.failed += 1;
        self.first_failure.get_or_insert(what);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use axum::{Router, http::StatusCode, routing::post};

    use super::*;
    use crate::{people::People, work::Who};

    /// A server whose every third answer is 503, and how often it was asked.
    async fn shaky() -> (SocketAddr, Arc<AtomicU32>, JoinSet<std::io::Result<()>>) {
        let asked = Arc::new(AtomicU32::new(0));
        let counted = Arc::clone(&asked);
        let answer = async move || match counted.fetch_add(1, Ordering::Relaxed) % 3 {
            2 => (StatusCode::SERVICE_UNAVAILABLE, "too much"),
            _ => (StatusCode::OK, "fine"),
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().route("/v1/user/login", post(answer));
        let mut serving = JoinSet::new();
        serving.spawn(axum::serve(listener, router).into_future());
        (address, asked, serving)
    }

    #[tokio::test]
    async fn every_request_is_counted_once() {
        let (address, asked, _serving) = shaky().await;
        let people = Arc::new(People::new(0));
        let work = Arc::new(Work::SignIn {
            people,
            who: Who::NewUpTo(90),
        });
        let mut callers = Callers::connect(address, 4).await.unwrap();
        let outcome = callers.run(&work, Duration::from_mins(1)).await.unwrap();
        assert_eq!(asked.load(Ordering::Relaxed), 90);
        assert_eq!((outcome.latencies.len(), outcome.failed), (60, 30));
        assert_eq!(outcome.first_failure.as_deref(), Some("503 too much"));
        assert_eq!(callers.0.len(), 4);
    }

    #[tokio::test]
    async fn a_broken_connection_is_a_failure() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut callers = Callers::connect(listener.local_addr().unwrap(), 2)
            .await
            .unwrap();
        drop(listener);
        let work = Arc::new(Work::get("/"));
        let outcome = callers.run(&work, Duration::from_mins(1)).await.unwrap();
        assert_eq!((outcome.latencies.len(), outcome.failed), (0, 2));
        assert!(callers.0.is_empty());
    }
}
