//! Connections that wait for their next call.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};

use tokio::time::Instant;

use super::connection::Connection;

/// How long a connection waits for its next call. It is closed within as long again.
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
        let (old, watched) = {
            let mut waiting = lock(&waiting);
            let old = waiting.old(Instant::now());
            waiting.watched = !waiting.connections.is_empty();
            (old, waiting.watched)
        };
        // Closed while nobody has to wait for it.
        drop(old);
        if !watched {
            return;
        }
    }
}

impl Waiting {
    fn old(&mut self, now: Instant) -> Vec<(Connection, Instant)> {
        let old = |(_, until): &(Connection, Instant)| *until <= now;
        let count = self.connections.partition_point(old);
        self.connections.drain(..count).collect()
    }
}

fn lock(waiting: &Mutex<Waiting>) -> MutexGuard<'_, Waiting> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use hyper_rustls::MaybeHttpsStream;
    use hyper_util::rt::TokioIo;
    use tokio::{
        io::AsyncReadExt,
        net::{TcpListener, TcpStream},
        time::{advance, timeout},
    };

    use super::*;

    /// A connection, and the server's end of it.
    async fn connection(listener: &TcpListener) -> (Connection, TcpStream) {
        let address = listener.local_addr().unwrap();
        let (client, server) = tokio::join!(TcpStream::connect(address), listener.accept());
        let stream = MaybeHttpsStream::Http(TokioIo::new(client.unwrap()));
        (Connection::new(TokioIo::new(stream)), server.unwrap().0)
    }

    #[tokio::test]
    async fn so_many_wait_and_no_more() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (idle, mut servers) = (Idle::default(), Vec::new());
        for _ in 0..MOST + 9 {
            let (connection, server) = connection(&listener).await;
            servers.push(server);
            idle.put(connection);
        }
        let mut taken = 0;
        while idle.take().is_some() {
            taken += 1;
        }
        assert_eq!(taken, MOST);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_old_is_not_taken() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let idle = Idle::default();
        let (first, _server) = connection(&listener).await;
        idle.put(first);
        advance(IDLE / 2).await;
        let young = idle.take().unwrap();
        idle.put(young);
        advance(IDLE).await;
        assert!(idle.take().is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_old_is_closed_though_nobody_asks() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let idle = Idle::default();
        // A second time, when nobody has come by for long.
        for _ in 0..2 {
            let (connection, mut server) = connection(&listener).await;
            idle.put(connection);
            let closed = timeout(3 * IDLE, server.read_u8()).await;
            assert!(closed.unwrap().is_err());
            assert!(!lock(&idle.0).watched);
            advance(10 * IDLE).await;
        }
    }
}
