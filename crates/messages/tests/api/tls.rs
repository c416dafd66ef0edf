//! Whom the senders believe.

use std::{path::PathBuf, sync::Arc};

use menjin_messages::{Reach, SendError, SetupError, WebhookSms};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio_rustls::rustls::{
    ServerConfig,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer},
};

use crate::{
    TestClock, code, reach, senders,
    stub::{Play, Stub, answer},
    webhook_options,
};

/// An authority of one's own, whose certificate lies in a file.
pub(crate) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    pub(crate) file: Scratch,
}

/// A file that goes away with its test.
pub(crate) struct Scratch(pub(crate) PathBuf);

impl Scratch {
    fn new(name: &str, text: &str) -> Self {
        let name = format!("menjin-messages-{}-{name}.pem", std::process::id());
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
    pub(crate) fn new(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let file = Scratch::new(name, &issuer.pem());
        Self { issuer, file }
    }

    /// A server with a certificate for `host`.
    pub(crate) fn vouch(&self, host: &str) -> ServerConfig {
        let params = CertificateParams::new(vec![host.to_owned()]).unwrap();
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap().der().clone();
        config(
            certificate,
            PrivateKeyDer::Pkcs8(key.serialize_der().into()),
        )
    }

    /// [`reach`], believing this authority.
    pub(crate) fn trusted(&self) -> Reach {
        Reach {
            ca_file: Some(self.file.0.clone()),
            ..reach()
        }
    }
}

/// A server whose certificate nobody has signed but itself.
pub(crate) fn self_signed() -> ServerConfig {
    let key = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    config(key.cert.der().clone(), key.signing_key.into())
}

fn config(certificate: CertificateDer<'static>, key: PrivateKeyDer<'static>) -> ServerConfig {
    ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap()
}

/// With the right name and a known authority it works, so that what is refused elsewhere is refused
/// for its own sake.
#[tokio::test]
async fn a_certificate_that_is_right_is_believed() {
    let authority = Authority::new("right");
    let said = r#"{"Code":"OK","Response":{"SendStatusSet":[{"Code":"Ok"}]}}"#;
    for n in 0..3 {
        let play = Play::Say(answer("200 OK", "", said.as_bytes()));
        let stub = Stub::over_tls(play, authority.vouch("127.0.0.1")).await;
        let (name, sender) = senders(stub.url(), &authority.trusted()).swap_remove(n);
        sender
            .send(&code())
            .await
            .unwrap_or_else(|e| panic!("{name}: {e:?}"));
        sender.try_out().await.unwrap();
        assert!(!stub.requests().is_empty());
    }
}

/// Nothing is said to a server whose certificate is self-signed, another host's, or from an
/// authority that is not known.
#[tokio::test]
async fn a_certificate_that_is_wrong_is_refused() {
    let authority = Authority::new("wrong");
    let other = Authority::new("other");
    for (config, reach) in [
        (self_signed(), reach()),
        (self_signed(), authority.trusted()),
        (authority.vouch("127.0.0.2"), authority.trusted()),
        (authority.vouch("localhost"), authority.trusted()),
        (authority.vouch("127.0.0.1"), other.trusted()),
        (authority.vouch("127.0.0.1"), reach()),
    ] {
        let stub = Stub::over_tls(Play::Say(answer("200 OK", "", b"{}")), config).await;
        for (name, sender) in senders(stub.url(), &reach) {
            for outcome in [sender.send(&code()).await.map(drop), sender.try_out().await] {
                assert!(
                    matches!(outcome, Err(SendError::Unreachable(_))),
                    "{name}: {outcome:?}"
                );
            }
        }
        assert!(stub.requests().is_empty());
    }
}

#[test]
fn a_file_of_no_certificates_is_refused() {
    let made = |path: PathBuf| {
        let reach = Reach {
            ca_file: Some(path),
            ..reach()
        };
        WebhookSms::new(&webhook_options("https://a", reach), Arc::new(TestClock)).map(|_| ())
    };
    let bad = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    for (name, text) in [("empty", ""), ("bad", bad)] {
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
