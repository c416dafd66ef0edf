//! Connections to WeChat: which certificates are believed, and how long a new one may take.

use std::{
    future::poll_fn,
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use http::Uri;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder, MaybeHttpsStream};
use hyper_util::{client::legacy::connect::HttpConnector, rt::TokioIo};
use rustls::{
    ClientConfig, RootCertStore,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, pem::PemObject},
    version::{TLS12, TLS13},
};
use tokio::net::TcpStream;
use tower_service::Service;

use crate::{error::Error, setup::SetupError};

/// A connection to WeChat, in TLS or not.
pub(crate) type Stream = TokioIo<MaybeHttpsStream<TokioIo<TcpStream>>>;

/// Opens connections within a time limit that covers name, TCP and TLS together; the libraries
/// below limit TCP alone.
pub(crate) struct Connector {
    https: HttpsConnector<HttpConnector>,
    limit: Duration,
}

impl Connector {
    /// # Errors
    ///
    /// [`SetupError::CaFile`] and [`SetupError::Tls`].
    pub(crate) fn new(limit: Duration, ca_file: Option<PathBuf>) -> Result<Self, SetupError> {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        // Shared evenly among the addresses of a name, so that a dead one leaves time for the next.
        tcp.set_connect_timeout(Some(limit));
        let https = HttpsConnectorBuilder::new()
            .with_tls_config(tls(ca_file)?)
            .https_or_http()
            .enable_http1()
            .wrap_connector(tcp);
        Ok(Self { https, limit })
    }

    /// # Errors
    ///
    /// [`Error::TimedOut`] and [`Error::Unreachable`].
    pub(crate) async fn open(&self, origin: &Uri) -> Result<Stream, Error> {
        let mut https = self.https.clone();
        let connecting = tokio::time::timeout(self.limit, async {
            poll_fn(|cx| https.poll_ready(cx)).await?;
            https.call(origin.clone()).await
        });
        match connecting.await {
            Ok(Ok(stream)) => Ok(TokioIo::new(stream)),
            Ok(Err(error)) => Err(Error::Unreachable(error.into())),
            Err(_) => Err(Error::TimedOut),
        }
    }
}

/// TLS 1.2 and 1.3, trusting the bundled roots, so that no certificates need be installed, and
/// those of `ca_file`.
fn tls(ca_file: Option<PathBuf>) -> Result<ClientConfig, SetupError> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter().cloned());
    if let Some(path) = ca_file {
        trust(&mut roots, &path).map_err(|source| SetupError::CaFile { path, source })?;
    }
    // Named here, because the process-wide provider is whatever another library installed.
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(&[&TLS13, &TLS12])?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(config)
}

fn trust(roots: &mut RootCertStore, path: &Path) -> io::Result<()> {
    let pem = std::fs::read(path)?;
    let before = roots.len();
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        roots
            .add(certificate.map_err(io::Error::other)?)
            .map_err(io::Error::other)?;
    }
    if roots.len() == before {
        return Err(io::Error::other("no certificate in it"));
    }
    Ok(())
}
