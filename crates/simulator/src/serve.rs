//! The accept loop. It owns its connections, so that none outlives it.

use std::{future::Future, io, pin::pin, time::Duration};

use axum::Router;
use hyper::{Request, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
    time::timeout,
};
use tower::ServiceExt;

use crate::line::{Line, Socket};

const MOST_CONNECTIONS: usize = 4096;
/// A connection that sends no request for so long is closed.
const IDLE: Duration = Duration::from_mins(2);
/// What requests that have begun get when the simulator stops.
const DRAIN: Duration = Duration::from_secs(5);
/// The longest request line with headers.
const HEAD: usize = 64 * 1024;

pub(crate) async fn serve(
    router: Router,
    listener: TcpListener,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    tracing::debug!(address = %listener.local_addr()?, "the simulator listens");
    let (stopped, stopping) = watch::channel(false);
    let mut connections = JoinSet::new();
    let mut stop = pin!(stop);
    loop {
        tokio::select! {
            () = &mut stop => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept(), if connections.len() < MOST_CONNECTIONS => {
                match accepted {
                    Ok((stream, _)) => {
                        connections.spawn(converse(stream, router.clone(), stopping.clone()));
                    }
                    Err(error) => recover(&error).await,
                }
            }
        }
    }
    drop(listener);
    stopped.send_replace(true);
    while connections.join_next().await.is_some() {}
    Ok(())
}

/// A failed accept is never the end: the peer left early, or file descriptors ran out for a while.
async fn recover(error: &io::Error) {
    tracing::warn!(%error, "a connection could not be accepted");
    #[expect(
        clippy::disallowed_methods,
        reason = "nothing announces that descriptors are back"
    )]
    tokio::time::sleep(Duration::from_millis(50)).await;
}

async fn converse(stream: TcpStream, router: Router, mut stopping: watch::Receiver<bool>) {
    // Answers are small and whole; waiting for more to send only delays them.
    let _ = stream.set_nodelay(true);
    let line = Line::new(stopping.clone());
    let socket = TokioIo::new(Socket::new(stream, &line));
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(line.clone());
        router.clone().oneshot(request)
    });
    let mut connection = pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(IDLE)
            .max_buf_size(HEAD)
            .serve_connection(socket, service)
    );
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = async { drop(stopping.wait_for(|stopping| *stopping).await) } => {
            connection.as_mut().graceful_shutdown();
            timeout(DRAIN, connection).await.unwrap_or(Ok(()))
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}
