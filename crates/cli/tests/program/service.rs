//! `menjin service`, as an operator uses it.

mod canaries;
mod life;
mod mistakes;

use std::net::SocketAddr;

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::Value;

use crate::harness::{Folder, Ran, Reply, configure, menjin, run, try_ask};

/// `menjin service` with these words.
fn service(folder: &Folder, words: &[&str]) -> Ran {
    run(menjin(folder).arg("service").args(words))
}

/// The secret that a command showed, and nothing beside it on standard output.
fn secret(ran: &Ran) -> String {
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let secret = ran.out.trim_end();
    assert!(secret.starts_with("mjs_") && secret.len() == 47, "{ran:?}");
    assert_eq!(ran.out, format!("{secret}\n"));
    assert!(!ran.err.contains("mjs_"), "{ran:?}");
    secret.to_owned()
}

/// What was refused, in one line and without anything on standard output.
fn refused(ran: &Ran) -> &str {
    assert_eq!((ran.code, &*ran.out), (Some(1), ""), "{ran:?}");
    assert_eq!(ran.err.lines().count(), 1, "{ran:?}");
    &ran.err
}

fn listed(folder: &Folder) -> Vec<Value> {
    let ran = service(folder, &["list", "--json"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    serde_json::from_str(&ran.out).unwrap()
}

/// Asks about a token, as the service of that name and secret.
fn introspect(address: SocketAddr, (id, secret): (&str, &str), token: &str) -> Reply {
    let basic = STANDARD.encode(format!("{id}:{secret}"));
    let body = format!("token={token}");
    let asked = format!(
        "POST /oauth/introspect HTTP/1.1\r\nHost: menjin.test\r\nAuthorization: Basic {basic}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    try_ask(address, asked.as_bytes()).unwrap()
}

/// A folder with a database that is up to date.
fn migrated() -> Folder {
    let folder = Folder::new();
    configure(&folder, "http://127.0.0.1:1");
    let ran = run(menjin(&folder).arg("migrate"));
    assert_eq!(ran.code, Some(0), "{ran:?}");
    folder
}
