//! Connections to providers: whom they believe, how long anybody waits for them, how much is read.

use std::{
    error::Error as StdError,
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use lettre::transport::smtp::client::AsyncTokioStream;
use rustls::{
    ClientConfig, RootCertStore,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
    version::{TLS12, TLS13},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::TlsConnector;

use crate::error::{SendError, SetupError};

/// How a provider is reached, and how long anybody waits for it.
#[derive(Clone, Debug)]
pub struct Reach {
    /// Time for name, connection and TLS together.
    pub connect_timeout: Duration,
    /// Time for the whole message, connecting included.
    pub timeout: Duration,
    /// Certificates in PEM that are trusted besides the built-in roots: an egress proxy's.
    pub ca_file: Option<PathBuf>,
}

impl Default for Reach {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(2),
            timeout: Duration::from_secs(5),
            ca_file: None,
        }
    }
}

/// Every certificate that is trusted: the bundled roots, so that none need be installed, and those
/// of `ca_file`.
pub(crate) fn roots(ca_file: Option<&Path>) -> Result<Vec<CertificateDer<'static>>, SetupError> {
    let mut roots = webpki_root_certs::TLS_SERVER_ROOT_CERTS.to_vec();
    if let Some(path) = ca_file {
        let more = read(path).map_err(|source| SetupError::CaFile {
            path: path.to_owned(),
            source,
        })?;
        roots.extend(more);
    }
    Ok(roots)
}

fn read(path: &Path) -> io::Result<Vec<CertificateDer<'static>>> {
    let pem = std::fs::read(path)?;
    let mut found = Vec::new();
    let mut probe = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        let certificate = certificate.map_err(io::Error::other)?;
        probe.add(certificate.clone()).map_err(io::Error::other)?;
        found.push(certificate);
    }
    if found.is_empty() {
        return Err(io::Error::other("no certificate in it"));
    }
    Ok(found)
}

/// TLS 1.2 and 1.3, trusting `roots`.
pub(crate) fn tls(roots: Vec<CertificateDer<'static>>) -> Result<ClientConfig, SetupError> {
    let mut store = RootCertStore::empty();
    store.add_parsable_certificates(roots);
    // Named here, because the process-wide provider is whatever another library installed.
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(&[&TLS13, &TLS12])
        .map_err(|error| SetupError::Tls(Box::new(error)))?
        .with_root_certificates(store)
        .with_no_client_auth();
    Ok(config)
}

/// Opens a connection to a host within `limit`, over TLS if a configuration for it is given.
pub(crate) async fn open(
    (host, port): (&str, u16),
    tls: Option<&Arc<ClientConfig>>,
    limit: Duration,
) -> Result<Box<dyn AsyncTokioStream>, SendError> {
    // A literal IPv6 address has brackets in URLs alone.
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let connect = async {
        let tcp = TcpStream::connect((host, port)).await.map_err(broken)?;
        let peer = tcp.peer_addr().map_err(broken)?;
        let Some(tls) = tls else {
            return Ok(Bounded::boxed(tcp, peer));
        };
        let name = ServerName::try_from(host.to_owned()).map_err(broken)?;
        let connector = TlsConnector::from(tls.clone());
        let stream = connector.connect(name, tcp).await.map_err(broken)?;
        Ok(Bounded::boxed(stream, peer))
    };
    timeout(limit, connect)
        .await
        .unwrap_or(Err(SendError::TimedOut))
}

fn broken(cause: impl StdError + Send + Sync + 'static) -> SendError {
    SendError::Unreachable(Arc::new(cause))
}

/// Bytes that are read of one connection. A whole conversation has some hundred, and the
/// certificates of a server some thousand.
const BOUND: usize = 256 * 1024;

/// More than that arrived.
#[derive(Debug, thiserror::Error)]
#[error("too much was said")]
pub(crate) struct TooMuch;

/// A connection of which only so much is read: who reads it line by line would otherwise keep a
/// line without end.
#[derive(Debug)]
struct Bounded<S> {
    stream: S,
    left: usize,
    peer: SocketAddr,
}

/// What [`Bounded`] needs of a stream.
trait Stream: AsyncRead + AsyncWrite + Send + Sync + Unpin + std::fmt::Debug {}

impl<S: AsyncRead + AsyncWrite + Send + Sync + Unpin + std::fmt::Debug> Stream for S {}

impl<S: Stream + 'static> Bounded<S> {
    fn boxed(stream: S, peer: SocketAddr) -> Box<dyn AsyncTokioStream> {
        Box::new(Self {
            stream,
            left: BOUND,
            peer,
        })
    }
}

impl<S: Stream> AsyncTokioStream for Bounded<S> {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.peer)
    }
}

impl<S: Stream> AsyncRead for Bounded<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.left == 0 {
            return Poll::Ready(Err(io::Error::other(TooMuch)));
        }
        let before = buffer.filled().len();
        let outcome = ready!(Pin::new(&mut self.stream).poll_read(cx, buffer));
        let read = buffer.filled().len().saturating_sub(before);
        self.left = self.left.saturating_sub(read);
        Poll::Ready(outcome)
    }
}

impl<S: Stream> AsyncWrite for Bounded<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
