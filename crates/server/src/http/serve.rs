//! Connections: accepted up to a bound, limited in size and time, and drained at the end.

use std::{convert::Infallible, io, time::Duration};

use axum::{Router, body::Body};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use super::address::Peer;

/// A client has this long to send a whole head, and an idle connection lives this long.
const HEAD_TIME: Duration = Duration::from_secs(10);
/// A head is never this large; past it: 431.
const MAX_HEAD: usize = 16 * 1024;

/// How a listener behaves.
#[derive(Debug, Clone)]
pub struct Listening {
    /// Connections at once; more wait in the kernel's queue.
    pub connections: usize,
    /// How long requests under way may take once no more are accepted.
    pub drain: Duration,
}

impl Listening {
    /// As many connections as the limit on open files leaves room for, beside the database's and
    /// WeChat's: a process that runs out of files can neither.
    #[must_use]
    pub fn within(open_files: usize) -> Self {
        let spare = open_files.saturating_sub(open_files / 4).saturating_sub(32);
        Self {
            connections: spare.clamp(8, 16_384),
            drain: Duration::from_secs(25),
        }
    }
}

/// Serves `router` on `listener` until `stop`, then lets requests that have begun end.
///
/// Connections are watched to the end of [`Listening::drain`] and closed hard after it.
#[expect(
    clippy::disallowed_methods,
    reason = "connections are watched by hyper's own shutdown"
)]
pub async fn serve(
    listener: TcpListener,
    router: Router,
    listening: Listening,
    stop: CancellationToken,
) {
    let places = std::sync::Arc::new(Semaphore::new(listening.connections));
    let graceful = GracefulShutdown::new();
    loop {
        let place = places.clone().acquire_owned();
        let (place, accepted) = tokio::select! {
            () = stop.cancelled() => break,
            accepted = async { (place.await, listener.accept().await) } => accepted,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                pause_after(&error).await;
                continue;
            }
        };
        let connection = connection(stream, Peer(peer), router.clone());
        let watched = graceful.watch(connection);
        tokio::spawn(async move {
            // A client that breaks off is its own affair.
            let _ = watched.await;
            drop(place);
        });
    }
    drop(listener);
    tokio::select! {
        () = graceful.shutdown() => {}
        () = tokio::time::sleep(listening.drain) => {
            tracing::warn!("requests were still under way at the end of the drain");
        }
    }
}

type Connection<S> = http1::Connection<TokioIo<TcpStream>, S>;

fn connection(
    stream: TcpStream,
    peer: Peer,
    router: Router,
) -> Connection<
    impl hyper::service::Service<
        hyper::Request<Incoming>,
        Response = hyper::Response<Body>,
        Error = Infallible,
        Future: Send,
    > + Send
    + use<>,
> {
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(peer);
        router.clone().oneshot(request)
    });
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME)
        .max_header_size(MAX_HEAD)
        .max_buf_size(MAX_HEAD * 2)
        // Head and body are small and go out as one; the kernel takes longer over two pieces.
        .writev(false)
        .serve_connection(TokioIo::new(stream), service)
}

/// Out of files or memory: the next attempt would fail as well, and trying without a pause would
/// take a whole core.
#[expect(
    clippy::disallowed_methods,
    reason = "nothing tells when files are free again"
)]
async fn pause_after(error: &io::Error) {
    use io::ErrorKind::{ConnectionAborted, ConnectionReset};
    if !matches!(error.kind(), ConnectionAborted | ConnectionReset) {
        tracing::warn!(%error, "a connection could not be accepted");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
