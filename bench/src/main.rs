//! The benchmark: Menjin and the bare web framework on one core, callers and a stub of WeChat on
//! another. This file holds the roles that the program plays, since it also starts itself as the
//! bare framework, as a service behind a guard, and as the launcher that pins a server to its core.

mod accounts;
mod arguments;
mod bare;
mod callers;
mod cores;
mod growth;
mod guarded;
mod http;
mod launcher;
mod machine;
mod menjin;
mod numbers;
mod open_loop;
mod own;
mod people;
mod process;
mod progress;
mod report;
mod requests;
mod round;
mod run;
mod scenario;
mod service;
mod start;
mod stub;
mod subject;
mod sustained;
mod table;
mod targets;
mod work;

use std::{
    io::{self, Write},
    process::ExitCode,
};

use anyhow::Context;
use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};

use crate::{
    arguments::{Arguments, Role},
    report::Report,
};

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let played = match &arguments.role {
        Some(Role::Bare(bare)) => bare::serve(bare).map(|()| ExitCode::SUCCESS),
        Some(Role::Guarded(service)) => guarded::serve(service).map(|()| ExitCode::SUCCESS),
        Some(Role::Launch(launch)) => Err(launcher::launch(launch)),
        None => benchmark(&arguments),
    };
    played.unwrap_or_else(|error| {
        // There is nobody left to tell when standard error is gone.
        let _ = writeln!(io::stderr(), "menjin-bench: {error:#}");
        ExitCode::from(2)
    })
}

/// Measures and reports; exit code 1 if anything was answered otherwise than it should be.
fn benchmark(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let report = runtime.block_on(async {
        tokio::select! {
            report = run::run(arguments) => report,
            ended = interrupted() => Err(ended),
        }
    })?;
    publish(&report, arguments)?;
    Ok(if report.problems.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Waits for Ctrl-C or SIGTERM. Whatever was started is stopped when the run is dropped.
async fn interrupted() -> anyhow::Error {
    let signals = || {
        Ok::<_, io::Error>((
            signal(SignalKind::interrupt())?,
            signal(SignalKind::terminate())?,
        ))
    };
    match signals() {
        Ok((mut interrupt, mut terminate)) => {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            anyhow::anyhow!("interrupted; everything that was started is stopped")
        }
        Err(error) => anyhow::Error::new(error).context("cannot listen for signals"),
    }
}

fn publish(report: &Report, arguments: &Arguments) -> anyhow::Result<()> {
    if let Some(path) = &arguments.json {
        let mut json = serde_json::to_string_pretty(report)?;
        json.push('\n');
        std::fs::write(path, json).with_context(|| format!("cannot write {}", path.display()))?;
    }
    match io::stdout().write_all(table::render(report).as_bytes()) {
        // A reader that has seen enough, such as `head`.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => Ok(written?),
    }
}
