//! Connections that wait for their next call.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};

use tokio::time::Instant;

use super::connection::Connection;

/// How long a connection waits for its next call.
const IDLE: Duration = Duration::from_secs(30);
/// Connections that may wait at once; each keeps about 2 KiB, and with TLS 20.
const MOST: usize = 256;

/// The one that was used last is the next to be used, so that what is not needed grows old.
#[derive(Default)]
pub(super) struct Idle(Arc<Mutex<Waiting>>);

#[derive(Default)]
struct Waiting {
    /// The oldest first.
    connections: Vec<(Connection, Instant)>,
    /// Somebody comes by to close those that are too old.
    watched: bool,
}

impl Idle {
    pub(super) fn take(&self) -> Option<Connection> {
        let (connection, until) = lock(&self.0).connections.pop()?;
        (Instant::now() < until).then_some(connection)
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "ends by itself, and soon after the client is gone"
    )]
    pub(super) fn put(&self, connection: Connection) {
        let mut waiting = lock(&self.0);
        if waiting.connections.len() < MOST {
            let until = Instant::now() + IDLE;
            waiting.connections.push((connection.rested(), until));
        }
        if !std::mem::replace(&mut waiting.watched, true) {
            tokio::spawn(watch(Arc::downgrade(&self.0)));
        }
    }
}

/// Closes those that have waited for too long, until none waits.
#[expect(
    clippy::disallowed_methods,
    reason = "time alone makes a connection old"
)]
async fn watch(waiting: Weak<Mutex<Waiting>>) {
    loop {
        tokio::time::sleep(IDLE).await;
        let Some(waiting) = waiting.upgrade() else {
            return;
        };
        let mut waiting = lock(&waiting);
        let now = Instant::now();
        waiting.connections.retain(|(_, until)| now < *until);
        if waiting.connections.is_empty() {
            waiting.watched = false;
            return;
        }
    }
}

fn lock(waiting: &Mutex<Waiting>) -> MutexGuard<'_, Waiting> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner)
}
