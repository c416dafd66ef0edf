//! Callers who do not wait for each other: requests are due at a steady rate, whatever became of those
//! before. What an answer took is counted from the moment at which its request was due, so a server
//! that stands still for a while is seen by all who would have called meanwhile.

use std::{
    collections::VecDeque,
    net::SocketAddr,
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use tokio::{task::JoinSet, time::timeout};

use crate::{
    callers::{Outcome, micros, shown},
    http::Connection,
    work::Work,
};

/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(30);

/// How often, and for how long.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    /// Requests that are due in each second.
    pub(crate) per_second: u64,
    /// For how many seconds.
    pub(crate) seconds: u64,
}

/// Connections that take turns. A request that is due while none is free waits for one, and that
/// counts.
pub(crate) struct OpenLoop {
    address: SocketAddr,
    /// Each with the moment since which it is free.
    free: VecDeque<(Connection, Instant)>,
}

/// What the callers met with, and how punctual they were.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    /// Latencies are counted from when requests were due.
    pub(crate) outcome: Outcome,
    /// By how many microseconds each request was sent later than it could have been, when it was due
    /// and a connection was free: so long this program was kept from its core.
    pub(crate) late: Vec<u32>,
}

/// A request whose turn it is.
struct Sending {
    address: SocketAddr,
    request: Vec<u8>,
    /// When it was to be sent.
    due: Instant,
    /// When it could be.
    possible: Instant,
    /// What the answer's body has to hold.
    good: &'static str,
}

/// How a request went.
struct Called {
    /// Absent if the connection broke and there is no other to be had.
    connection: Option<Connection>,
    /// Microseconds from when it could have been sent until it was.
    late: u32,
    /// Microseconds from when it was due until the answer, or what was wrong.
    taken: Result<u32, String>,
}

impl Pace {
    fn total(self) -> u64 {
        self.per_second.saturating_mul(self.seconds)
    }

    /// When a request is due, counted from the first, which has the number 0.
    fn due(self, number: u64) -> Duration {
        let second = Duration::from_secs(number / self.per_second);
        let part = number % self.per_second * 1_000_000_000 / self.per_second;
        second + Duration::from_nanos(part)
    }
}

impl OpenLoop {
    /// Connects so often.
    pub(crate) async fn connect(address: SocketAddr, count: usize) -> anyhow::Result<Self> {
        let mut free = VecDeque::with_capacity(count);
        for _ in 0..count {
            let connection = Connection::open(address).await;
            let connection = connection.with_context(|| format!("cannot connect to {address}"))?;
            free.push_back((connection, Instant::now()));
        }
        Ok(Self { address, free })
    }

    /// Sends what is due when it is due, until all of it was answered. An answer is good if it is a
    /// 200 whose body holds `good`. The core is kept awake meanwhile.
    ///
    /// # Errors
    ///
    /// There is no connection left, nor can one be had.
    pub(crate) async fn run(
        &mut self,
        work: &Work,
        pace: Pace,
        good: &'static str,
    ) -> anyhow::Result<Kept> {
        let begun = Instant::now();
        let Kept {
            mut outcome,
            mut late,
        } = Kept::default();
        let mut calling = JoinSet::new();
        let mut sent = 0;
        while sent < pace.total() || !calling.is_empty() {
            while let Some(called) = calling.try_join_next() {
                let called: Called = called?;
                let connection = called.connection;
                self.free
                    .extend(connection.map(|connection| (connection, Instant::now())));
                late.push(called.late);
                match called.taken {
                    Ok(taken) => outcome.latencies.push(taken),
                    Err(what) => outcome.fail(what),
                }
            }
            let first = outcome.first_failure.as_deref().unwrap_or_default();
            let can_go_on = !self.free.is_empty() || !calling.is_empty();
            ensure!(can_go_on, "every connection broke, the first so: {first}");
            let due = begun + pace.due(sent);
            if sent < pace.total()
                && due <= Instant::now()
                && let Some((connection, free_since)) = self.free.pop_front()
            {
                let mut request = Vec::new();
                ensure!(work.next(0, &mut request), "nothing to ask for");
                let sending = Sending {
                    address: self.address,
                    request,
                    due,
                    possible: due.max(free_since),
                    good,
                };
                calling.spawn(sending.through(connection));
                sent += 1;
                continue;
            }
            tokio::task::yield_now().await;
        }
        outcome.elapsed = begun.elapsed();
        Ok(Kept { outcome, late })
    }
}

impl Sending {
    async fn through(self, mut connection: Connection) -> Called {
        let late = micros(self.possible.elapsed());
        let answered = timeout(PATIENCE, connection.exchange(&self.request)).await;
        let broken = match answered {
            Ok(Ok(reply)) => {
                let is_good = reply.status == 200 && holds(reply.body, self.good);
                let taken = if is_good {
                    Ok(micros(self.due.elapsed()))
                } else {
                    Err(shown(&reply))
                };
                return Called {
                    connection: Some(connection),
                    late,
                    taken,
                };
            }
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("no answer within {} s", PATIENCE.as_secs()),
        };
        Called {
            connection: Connection::open(self.address).await.ok(),
            late,
            taken: Err(broken),
        }
    }
}

fn holds(body: &[u8], wanted: &str) -> bool {
    let wanted = wanted.as_bytes();
    wanted.is_empty() || body.windows(wanted.len()).any(|part| part == wanted)
}

#[cfg(test)]
mod tests {
    use std::{
        future::IntoFuture,
        sync::{
            Arc,
            atomic::{AtomicU64, Ordering},
        },
    };

    use axum::{Router, routing::get};
    use tokio::net::TcpListener;

    use super::*;

    const PACE: Pace = Pace {
        per_second: 100,
        seconds: 1,
    };

    /// A server that answers with how many requests came before.
    async fn counting(first_takes: Duration) -> (SocketAddr, JoinSet<std::io::Result<()>>) {
        let asked = Arc::new(AtomicU64::new(0));
        let answer = async move || {
            let before = asked.fetch_add(1, Ordering::Relaxed);
            if before == 0 {
                let begun = tokio::time::Instant::now();
                tokio::time::timeout_at(begun + first_takes, std::future::pending::<()>())
                    .await
                    .unwrap_err();
            }
            format!("number {before}")
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut serving = JoinSet::new();
        let router = Router::new().route("/", get(answer));
        serving.spawn(axum::serve(listener, router).into_future());
        (address, serving)
    }

    #[test]
    fn requests_are_due_at_even_distances() {
        let pace = Pace {
            per_second: 3,
            seconds: 2,
        };
        assert_eq!(pace.total(), 6);
        let due: Vec<_> = (0..5).map(|number| pace.due(number).as_millis()).collect();
        assert_eq!(due, [0, 333, 666, 1000, 1333]);
    }

    #[tokio::test]
    async fn whoever_was_due_while_the_server_stood_still_has_waited() {
        let (address, _serving) = counting(Duration::from_millis(500)).await;
        let mut calls = OpenLoop::connect(address, 1).await.unwrap();
        let work = Work::get("/");
        let Kept { mut outcome, late } = calls.run(&work, PACE, "number").await.unwrap();
        assert_eq!((outcome.latencies.len(), outcome.failed), (100, 0));
        outcome.latencies.sort_unstable();
        // Whatever was due in the first half second waited for the first answer: what was due in its
        // first tenth of a second, for 400 ms, however slow this machine is.
        assert!(outcome.latencies[90] >= 400_000, "{:?}", outcome.latencies);
        // But that was not their own doing.
        let late: u64 = late.into_iter().map(u64::from).sum();
        let waited: u64 = outcome.latencies.into_iter().map(u64::from).sum();
        assert!(late < waited / 2, "{late} of {waited}");
    }

    #[tokio::test]
    async fn an_answer_that_says_something_else_is_a_failure() {
        let (address, _serving) = counting(Duration::ZERO).await;
        let mut calls = OpenLoop::connect(address, 4).await.unwrap();
        let work = Work::get("/");
        let outcome = calls.run(&work, PACE, "number 7").await.unwrap().outcome;
        // 7, and 70 to 79.
        assert_eq!((outcome.latencies.len(), outcome.failed), (11, 89));
        assert!(outcome.first_failure.unwrap().starts_with("200 number"));
        assert_eq!(calls.free.len(), 4);
    }

    #[tokio::test]
    async fn a_server_that_is_gone_ends_the_run() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut calls = OpenLoop::connect(address, 2).await.unwrap();
        drop(listener);
        let error = calls.run(&Work::get("/"), PACE, "").await.unwrap_err();
        assert!(error.to_string().starts_with("every connection broke"));
    }
}
