//! The process: its runtime, clock, listeners, signals, and how it ends.

use std::{
    net::SocketAddr,
    num::NonZero,
    process::ExitCode,
    time::{Duration, Instant as Monotonic, SystemTime},
};

use anyhow::Context;
use axum::Router;
use menjin_core::{Clock, Instant};
use menjin_server::{App, Listening};
use tokio::{
    net::{TcpListener, TcpSocket},
    signal::unix::{Signal, SignalKind, signal},
};
use tokio_util::sync::CancellationToken;

use crate::output::Failure;

/// Between the first signal and the end of accepting: a balancer that asks `/readyz` meanwhile
/// learns that it should look elsewhere.
const NOTICE: Duration = Duration::from_secs(1);

/// The machine's clocks.
pub(crate) struct SystemClock {
    started: Monotonic,
}

impl SystemClock {
    pub(crate) fn new() -> Self {
        let started = Monotonic::now();
        Self { started }
    }
}

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the Clock that everybody asks"
    )]
    fn now(&self) -> Instant {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        since.map_or(0, menjin_core::clock::millis)
    }

    fn uptime(&self) -> Duration {
        self.started.elapsed()
    }
}

/// A thread for each core; on a single one the main thread does everything, since handing work to
/// another would only cost.
pub(crate) fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
    let mut builder = match cores {
        1 => tokio::runtime::Builder::new_current_thread(),
        _ => tokio::runtime::Builder::new_multi_thread(),
    };
    let runtime = builder.enable_all().build();
    Ok(runtime.context("threads cannot be started")?)
}

/// Listens, within a runtime; `key` is what the operator would change.
pub(crate) fn listen(address: SocketAddr, key: &str) -> Result<(TcpListener, SocketAddr), Failure> {
    let listener = queueing(address).map_err(|error| {
        Failure::refused(format!(
            "cannot listen on {address}: {error}. Choose another {key}"
        ))
    })?;
    let bound = listener
        .local_addr()
        .context("the address cannot be read")?;
    Ok((listener, bound))
}

/// Clients of a whole campus come at once: the usual queue of 128 would turn some of them away.
const QUEUE: u32 = 4096;

fn queueing(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    // Else the port of a server that was just stopped could not be taken for a minute.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(QUEUE)
}

/// SIGTERM and SIGINT: the first drains, the second ends.
pub(crate) struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// Watches from now on.
    pub(crate) fn watch() -> Result<Self, Failure> {
        let watched = |kind| signal(kind).context("signals cannot be watched");
        Ok(Self {
            terminate: watched(SignalKind::terminate())?,
            interrupt: watched(SignalKind::interrupt())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }

    /// Completes at the first signal.
    pub(crate) async fn first(mut self) {
        self.next().await;
    }
}

/// What listens where.
pub(crate) struct Routers {
    pub(crate) public: (TcpListener, Router),
    pub(crate) management: Option<(TcpListener, Router)>,
}

/// Serves until a signal, drains, closes the store.
///
/// # Errors
///
/// What waiting will not mend: see [`App::tend`].
pub(crate) async fn serve(
    app: App,
    routers: Routers,
    mut signals: Signals,
) -> Result<ExitCode, Failure> {
    let listening = Listening::within(open_files());
    let (stop, over) = (CancellationToken::new(), CancellationToken::new());
    let (listener, router) = routers.public;
    let public = async {
        menjin_server::serve(listener, router, listening.clone(), stop.clone()).await;
        app.close().await;
        // Health and metrics stay to the end.
        over.cancel();
    };
    let management = async {
        if let Some((listener, router)) = routers.management {
            let listening = Listening {
                // A share of what there is: the database and WeChat need files as well.
                connections: (listening.connections / 4).clamp(2, 64),
                drain: Duration::from_secs(1),
            };
            menjin_server::serve(listener, router, listening, over.clone()).await;
        }
    };
    let tending = async {
        let tended = app.tend(stop.clone()).await;
        if tended.is_err() {
            stop.cancel();
        }
        tended
    };
    let served = async { tokio::join!(public, management, tending).2 };
    tokio::pin!(served);
    tokio::select! {
        tended = &mut served => {
            return match tended {
                Ok(()) => Ok(ExitCode::SUCCESS),
                Err(failure) => Err(Failure::Broken(failure.into())),
            };
        }
        () = signals.next() => {}
    }
    tracing::info!("draining; a second signal ends at once");
    app.drain();
    let noticed = async {
        notice().await;
        stop.cancel();
    };
    // Serving goes on meanwhile: whoever asks has to hear that they should look elsewhere.
    let ending = async { tokio::join!(noticed, served).1 };
    Ok(tokio::select! {
        _ = ending => {
            tracing::info!("ended");
            ExitCode::SUCCESS
        }
        () = signals.next() => {
            tracing::warn!("ended by a second signal");
            ExitCode::from(130)
        }
    })
}

#[expect(
    clippy::disallowed_methods,
    reason = "the time is for others to look, and nothing tells when they have"
)]
async fn notice() {
    tokio::time::sleep(NOTICE).await;
}

/// The limit on open files; a modest guess where it cannot be read.
fn open_files() -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let line = limits
        .lines()
        .find(|line| line.starts_with("Max open files"));
    let soft = line.and_then(|line| line.split_whitespace().nth(3));
    soft.and_then(|soft| soft.parse().ok()).unwrap_or(1024)
}
