//! The way to PostgreSQL, encrypted: by a proxy here that takes the encryption off.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use menjin_store::{Error, Options, Store};
use rustls::{ServerConfig, crypto::aws_lc_rs, pki_types::PrivateKeyDer};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};
use tokio_rustls::TlsAcceptor;

use crate::harness::{Folder, server};

/// What a client sends to ask for encryption: its own length, and a number that is no version.
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];

struct Proxy {
    /// An address that ends where a query may follow.
    url: String,
    /// Connections that were encrypted.
    encrypted: Arc<AtomicUsize>,
    certificate: String,
    _task: JoinSet<()>,
}

async fn proxy() -> Proxy {
    let names = ["127.0.0.1".to_owned()];
    let made = rcgen::generate_simple_self_signed(names).unwrap();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let host = server().rsplit('@').next().unwrap().to_owned();
    let url = format!(
        "postgres://postgres@{}/postgres",
        listener.local_addr().unwrap()
    );
    let encrypted = Arc::new(AtomicUsize::new(0));
    let count = encrypted.clone();
    let mut task = JoinSet::new();
    task.spawn(async move {
        let mut connections = JoinSet::new();
        while let Ok((client, _)) = listener.accept().await {
            connections.spawn(pass(client, host.clone(), acceptor.clone(), count.clone()));
        }
    });
    Proxy {
        url,
        encrypted,
        certificate: made.cert.pem(),
        _task: task,
    }
}

async fn pass(mut client: TcpStream, host: String, acceptor: TlsAcceptor, count: Arc<AtomicUsize>) {
    let mut server = TcpStream::connect(host).await.unwrap();
    let mut first = [0; 8];
    if client.read_exact(&mut first).await.is_err() {
        return;
    }
    if first != SSL_REQUEST {
        server.write_all(&first).await.unwrap();
        let _ = copy_bidirectional(&mut client, &mut server).await;
        return;
    }
    client.write_all(b"S").await.unwrap();
    if let Ok(mut client) = acceptor.accept(client).await {
        count.fetch_add(1, Ordering::Relaxed);
        let _ = copy_bidirectional(&mut client, &mut server).await;
    }
}

async fn check(url: String) -> Result<(), Error> {
    Store::open(&Options::new(url)).await?.check().await
}

#[tokio::test]
async fn unasked_any_certificate_will_do() {
    let proxy = proxy().await;
    for (query, encrypted) in [("?sslmode=disable", 0), ("?sslmode=prefer", 1), ("", 2)] {
        check(format!("{}{query}", proxy.url)).await.unwrap();
        assert_eq!(
            proxy.encrypted.load(Ordering::Relaxed),
            encrypted,
            "{query}"
        );
    }
    // The server itself offers no encryption, and prefer goes without.
    check(format!("{}/postgres?sslmode=prefer", server()))
        .await
        .unwrap();
}

#[tokio::test]
async fn asked_for_the_certificate_is_checked() {
    let (proxy, folder) = (proxy().await, Folder::new());
    for mode in ["require", "verify-full"] {
        let refused = check(format!("{}?sslmode={mode}", proxy.url))
            .await
            .unwrap_err();
        assert!(refused.to_string().contains("certificate"), "{refused}");
        assert!(refused.is_unavailable());
    }
    let authority = folder.path().join("ca.pem");
    std::fs::write(&authority, &proxy.certificate).unwrap();
    let root = authority.display();
    check(format!("{}?sslmode=require&sslrootcert={root}", proxy.url))
        .await
        .unwrap();
    // The name counts too: the certificate is for 127.0.0.1.
    let other = proxy.url.replace("127.0.0.1", "localhost");
    let refused = check(format!("{other}?sslrootcert={root}&sslmode=verify-full")).await;
    assert!(refused.unwrap_err().to_string().contains("certificate"));
    let plain = check(format!("{}/postgres?sslmode=require", server()))
        .await
        .unwrap_err();
    assert!(plain.to_string().contains("TLS"), "{plain}");
}

#[tokio::test]
async fn a_file_of_authorities_must_hold_some() {
    let folder = Folder::new();
    let empty = folder.path().join("empty.pem");
    std::fs::write(&empty, "").unwrap();
    for file in [empty, folder.path().join("missing.pem")] {
        let url = format!(
            "postgres://127.0.0.1/x?sslmode=require&sslrootcert={}",
            file.display()
        );
        let refused = Store::open(&Options::new(url)).await.unwrap_err();
        assert!(
            refused.to_string().contains(&file.display().to_string()),
            "{refused}"
        );
    }
}
