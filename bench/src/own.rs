//! Servers that this program is itself, in a process of their own on the server's core.

use std::{
    ffi::OsString,
    io::{self, Write},
    net::{Ipv4Addr, SocketAddr},
};

use anyhow::Context;
use axum::{Router, serve::ListenerExt};
use tokio::net::TcpListener;

use crate::process::{Output, Process};

/// One that has said where it listens.
pub(crate) struct OwnServer {
    /// What to read its costs from.
    pub(crate) process: Process,
    /// Where it listens.
    pub(crate) address: SocketAddr,
}

impl OwnServer {
    /// Starts this program in the role that `arguments` name, on `core`.
    pub(crate) fn start(core: usize, arguments: &[&str]) -> anyhow::Result<Self> {
        let program = std::env::current_exe().context("cannot find this program")?;
        let arguments = arguments.iter().map(OsString::from);
        let command: Vec<_> = [program.into_os_string()]
            .into_iter()
            .chain(arguments)
            .collect();
        let mut process = Process::start(core, &command, Output::Line)?;
        let line = process.first_line().context("it did not start")?;
        let address = line.trim().parse().context("it gave no address")?;
        Ok(Self { process, address })
    }
}

/// Serves until the process is ended; the first line of standard output is the address.
pub(crate) fn serve(router: impl Future<Output = anyhow::Result<Router>>) -> anyhow::Result<()> {
    // As `#[tokio::main]` would have it: as many workers as there are cores to use.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let router = router.await?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        writeln!(io::stdout(), "{}", listener.local_addr()?)?;
        let listener = listener.tap_io(|stream| {
            let _ = stream.set_nodelay(true);
        });
        axum::serve(listener, router).await?;
        Ok(())
    })
}
