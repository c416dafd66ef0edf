//! Encryption on the way to PostgreSQL.
//!
//! `sslmode=require` is what libpq calls `verify-full`: the server's certificate must be signed by a
//! known authority and name the host. `prefer`, the default, keeps out who only listens: it takes
//! any certificate, and none, which is what lets a database on the same machine work unasked.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use rustls::{
    ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject},
};
use tokio_postgres::config::SslMode;
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::error::Error;

/// Takes out of an address what tokio-postgres does not know: the file of `sslrootcert`, and libpq's
/// words for what `require` means here.
pub(super) fn split(url: &str) -> (String, Option<PathBuf>) {
    let Some((address, query)) = url.split_once('?') else {
        return (url.to_owned(), None);
    };
    let mut root = None;
    let mut kept = Vec::new();
    for pair in query.split('&') {
        match pair.split_once('=') {
            Some(("sslrootcert", file)) => root = Some(PathBuf::from(file)),
            Some(("sslmode", "verify-full" | "verify-ca")) => kept.push("sslmode=require"),
            _ => kept.push(pair),
        }
    }
    (format!("{address}?{}", kept.join("&")), root)
}

/// How connections are encrypted; `root` is a file of authorities in place of the public ones.
pub(super) fn connector(mode: SslMode, root: Option<&Path>) -> Result<MakeRustlsConnect, Error> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::Url(error.to_string()))?;
    let config = match mode {
        SslMode::Prefer => config
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Anybody(provider))),
        _ => config.with_root_certificates(authorities(root)?),
    };
    Ok(MakeRustlsConnect::new(config.with_no_client_auth()))
}

fn authorities(root: Option<&Path>) -> Result<RootCertStore, Error> {
    let mut authorities = RootCertStore::empty();
    let Some(path) = root else {
        let public = webpki_root_certs::TLS_SERVER_ROOT_CERTS;
        authorities.add_parsable_certificates(public.iter().cloned());
        return Ok(authorities);
    };
    let unusable = |error: &dyn std::error::Error| {
        Error::Url(format!(
            "{}: no certificates can be read: {error}",
            path.display()
        ))
    };
    for certificate in CertificateDer::pem_file_iter(path).map_err(|error| unusable(&error))? {
        let certificate = certificate.map_err(|error| unusable(&error))?;
        authorities
            .add(certificate)
            .map_err(|error| unusable(&error))?;
    }
    if authorities.is_empty() {
        return Err(Error::Url(format!(
            "{}: holds no certificates",
            path.display()
        )));
    }
    Ok(authorities)
}

/// Takes any certificate whose key the server really has.
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
