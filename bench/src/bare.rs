//! The bare web framework: axum, and a constant JSON answer from memory. What it costs is what any
//! service on it costs before it has done anything.

use std::net::{Ipv4Addr, SocketAddr};

use anyhow::Context;
use axum::{
    Router, http::header::CONTENT_TYPE, response::IntoResponse, routing::get, serve::ListenerExt,
};
use bytes::Bytes;
use tokio::net::TcpListener;

use crate::{
    arguments::Bare,
    process::{Output, Process},
};

/// The bare framework in a process of its own.
pub(crate) struct BareServer {
    /// What to read its costs from.
    pub(crate) process: Process,
    /// Where it listens.
    pub(crate) address: SocketAddr,
}

impl BareServer {
    /// Starts it on `core`. The answer at `/0` has the first of `sizes`, and so on.
    pub(crate) fn start(core: usize, sizes: &[usize]) -> anyhow::Result<Self> {
        let sizes = sizes
            .iter()
            .map(usize::to_string)
            .collect::<Vec<_>>()
            .join(",");
        let program = std::env::current_exe().context("cannot find this program")?;
        let command = [
            program.into_os_string(),
            "bare".into(),
            "--sizes".into(),
            sizes.into(),
        ];
        let mut process = Process::start(core, &command, Output::Line)?;
        let line = process
            .first_line()
            .context("the bare framework did not start")?;
        let address = line
            .trim()
            .parse()
            .context("the bare framework gave no address")?;
        Ok(Self { process, address })
    }
}

/// Serves until the process is ended; the first line of standard output is the address.
pub(crate) fn serve(bare: &Bare) -> anyhow::Result<()> {
    // As `#[tokio::main]` would have it: as many workers as there are cores to use.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        announce(listener.local_addr()?)?;
        let listener = listener.tap_io(|stream| {
            let _ = stream.set_nodelay(true);
        });
        axum::serve(listener, router(&bare.sizes)).await?;
        Ok(())
    })
}

fn announce(address: SocketAddr) -> std::io::Result<()> {
    use std::io::Write;
    writeln!(std::io::stdout(), "{address}")
}

fn router(sizes: &[usize]) -> Router {
    sizes
        .iter()
        .enumerate()
        .fold(Router::new(), |router, (index, size)| {
            let body = Bytes::from(json(*size));
            router.route(&format!("/{index}"), get(async move || constant(body)))
        })
}

fn constant(body: Bytes) -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/json")], body)
}

/// A JSON object of exactly `size` bytes, if there is one of that size.
fn json(size: usize) -> String {
    let frame = r#"{"success":true,"constant":""}"#.len();
    let filling = "x".repeat(size.saturating_sub(frame));
    match size {
        _ if size >= frame => format!(r#"{{"success":true,"constant":"{filling}"}}"#),
        _ => format!("{{{}}}", " ".repeat(size.saturating_sub(2))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Connection;

    #[tokio::test]
    async fn answers_are_json_of_the_size_that_was_asked() {
        let sizes = [2, 17, 30, 700];
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut serving = tokio::task::JoinSet::new();
        serving.spawn(axum::serve(listener, router(&sizes)).into_future());
        let mut connection = Connection::open(address).await.unwrap();
        for (index, size) in sizes.iter().enumerate() {
            let request = format!("GET /{index} HTTP/1.1\r\nhost: bare\r\n\r\n");
            let reply = connection.exchange(request.as_bytes()).await.unwrap();
            assert_eq!((reply.status, reply.body.len()), (200, *size));
            assert!(
                serde_json::from_slice::<serde_json::Value>(reply.body)
                    .unwrap()
                    .is_object()
            );
        }
    }
}
