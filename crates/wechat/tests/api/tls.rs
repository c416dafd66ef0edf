//! Whom the client believes.

use std::{path::PathBuf, sync::Arc};

use menjin_wechat::{Client, Error, Options, SetupError};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use tokio_rustls::rustls::{
    ServerConfig, SupportedProtocolVersion,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer},
    version::{TLS12, TLS13},
};

use crate::{
    SESSION, TestClock, app, appid, client, code, options,
    stub::{Play, Stub, answer},
};

/// An authority of one's own, whose certificate lies in a file.
struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    file: Scratch,
}

/// A file that goes away with its test.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str, text: &str) -> Self {
        let name = format!("menjin-wechat-{}-{name}.pem", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, text).unwrap();
        Self(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

impl Authority {
    fn new(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let file = Scratch::new(name, &issuer.pem());
        Self { issuer, file }
    }

    /// A certificate for `host`, changed by `change` before it is signed.
    fn vouch(&self, host: &str, change: impl FnOnce(&mut CertificateParams)) -> Shown {
        let mut params = CertificateParams::new(vec![host.to_owned()]).unwrap();
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        (
            certificate.der().clone(),
            PrivateKeyDer::Pkcs8(key.serialize_der().into()),
        )
    }
}

/// What a server shows of itself, and the key behind it.
type Shown = (CertificateDer<'static>, PrivateKeyDer<'static>);

fn config(shown: Shown, version: &'static SupportedProtocolVersion) -> ServerConfig {
    let (certificate, key) = shown;
    ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(&[version])
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap()
}

async fn stub(shown: Shown) -> Stub {
    let play = Play::Say(answer("200 OK", SESSION.as_bytes()));
    Stub::over_tls(play, config(shown, &TLS13)).await
}

fn trusting(url: &str, authority: &Authority) -> Options {
    Options {
        ca_file: Some(authority.file.0.clone()),
        ..options(url)
    }
}

/// Asserts that nothing was asked of a server that shows this.
async fn refuses(options: impl FnOnce(&str) -> Options, shown: Shown) {
    let stub = stub(shown).await;
    let client = client(options(&stub.url()));
    let error = client.code_to_session(&appid(), &code()).await.unwrap_err();
    assert!(matches!(error, Error::Unreachable(_)), "{error:?}");
    assert!(stub.seen.requests().is_empty());
}

/// Proves LGN-7: with the right name and a known authority the call works, so that what is refused
/// elsewhere is refused for its own sake.
#[tokio::test]
async fn a_certificate_that_is_right_is_believed() {
    let authority = Authority::new("right");
    for version in [&TLS13, &TLS12] {
        let shown = authority.vouch("127.0.0.1", |_| {});
        let play = Play::Say(answer("200 OK", SESSION.as_bytes()));
        let stub = Stub::over_tls(play, config(shown, version)).await;
        let client = client(trusting(&stub.url(), &authority));
        client.code_to_session(&appid(), &code()).await.unwrap();
        client.code_to_session(&appid(), &code()).await.unwrap();
        assert_eq!(stub.seen.requests().len(), 2);
        assert_eq!(
            stub.seen
                .connections
                .load(std::sync::atomic::Ordering::SeqCst),
            1
        );
    }
}

/// Proves LGN-7: an authority that nobody vouched for, though the name is right.
#[tokio::test]
async fn an_unknown_authority_is_refused() {
    let authority = Authority::new("unknown");
    let known = Authority::new("known");
    refuses(options, authority.vouch("127.0.0.1", |_| {})).await;
    refuses(
        |url| trusting(url, &known),
        authority.vouch("127.0.0.1", |_| {}),
    )
    .await;
}

/// Proves LGN-7: a self-signed certificate.
#[tokio::test]
async fn a_self_signed_certificate_is_refused() {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    let certificate = params.self_signed(&key).unwrap().der().clone();
    let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
    refuses(options, (certificate, key)).await;
}

/// Proves LGN-7: another host's certificate, from a known authority.
#[tokio::test]
async fn a_wrong_host_is_refused() {
    let authority = Authority::new("host");
    for host in ["127.0.0.2", "api.weixin.qq.com", "localhost"] {
        refuses(
            |url| trusting(url, &authority),
            authority.vouch(host, |_| {}),
        )
        .await;
    }
}

/// Proves LGN-7: a certificate that is over, or has not begun.
#[tokio::test]
async fn a_certificate_out_of_time_is_refused() {
    let authority = Authority::new("time");
    let expired = authority.vouch("127.0.0.1", |params| {
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(2021, 1, 1);
    });
    refuses(|url| trusting(url, &authority), expired).await;
    let early = authority.vouch("127.0.0.1", |params| {
        params.not_before = date_time_ymd(4000, 1, 1);
        params.not_after = date_time_ymd(4001, 1, 1);
    });
    refuses(|url| trusting(url, &authority), early).await;
}

/// Proves F14: a server that speaks no TLS, or half of it.
#[tokio::test]
async fn bad_tls_is_refused() {
    for said in [
        answer("200 OK", SESSION.as_bytes()),
        vec![0x16, 3, 3, 0, 5, 2, 0, 0, 1, 0],
    ] {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = client(options(&format!(
            "https://{}",
            listener.local_addr().unwrap()
        )));
        let speak = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            tokio::io::AsyncWriteExt::write_all(&mut stream, &said)
                .await
                .unwrap();
            stream
        };
        let (appid, code) = (appid(), code());
        let (outcome, _stream) = tokio::join!(client.code_to_session(&appid, &code), speak);
        assert!(matches!(outcome, Err(Error::Unreachable(_))), "{outcome:?}");
    }
}

#[test]
fn a_file_of_no_certificates_is_refused() {
    let made = |path: PathBuf| {
        let options = Options {
            ca_file: Some(path),
            ..options("https://127.0.0.1")
        };
        Client::new(options, vec![app()], Arc::<TestClock>::default()).map(|_| ())
    };
    let bad = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let no_base64 = "-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n";
    for (name, text) in [("empty", ""), ("bad", bad), ("no-base64", no_base64)] {
        let file = Scratch::new(name, text);
        let error = made(file.0.clone()).unwrap_err();
        assert!(
            matches!(&error, SetupError::CaFile { path, .. } if *path == file.0),
            "{name}"
        );
    }
    let error = made(PathBuf::from("/nowhere/ca.pem")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot use the certificates in /nowhere/ca.pem"
    );
}
