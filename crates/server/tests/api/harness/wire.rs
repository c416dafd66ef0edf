//! The server behind a real listener, spoken to in bytes.

use std::{net::SocketAddr, time::Duration};

use axum::Router;
use menjin_server::Listening;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
    time::timeout,
};
use tokio_util::sync::CancellationToken;

use super::TestApp;

/// Longer than any answer takes.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A listener on loopback, until [`Served::end`].
pub(crate) struct Served {
    pub(crate) address: SocketAddr,
    stop: CancellationToken,
    serving: JoinHandle<()>,
}

impl TestApp {
    /// Puts the public listener on a port of its own.
    pub(crate) async fn serve(&self) -> Served {
        Served::start(menjin_server::public(&self.app)).await
    }
}

impl Served {
    pub(crate) async fn start(router: Router) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        let serving = menjin_server::serve(listener, router, Listening::within(1024), stop.clone());
        Self {
            address,
            stop,
            serving: tokio::spawn(serving),
        }
    }

    /// Sends bytes on a connection of their own, and reads whatever comes until it is closed.
    pub(crate) async fn say(&self, bytes: impl AsRef<[u8]>) -> String {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        // The server may have answered and closed before it has read all of it.
        let _ = stream.write_all(bytes.as_ref()).await;
        let mut answer = Vec::new();
        let read = timeout(PATIENCE, stream.read_to_end(&mut answer)).await;
        let _ = read.expect("the server answers and closes");
        String::from_utf8(answer).unwrap()
    }

    /// Stops the listener, and lets what has begun end.
    pub(crate) async fn end(self) {
        self.stop.cancel();
        timeout(PATIENCE, self.serving).await.unwrap().unwrap();
    }
}
