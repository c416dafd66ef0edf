//! One command a file.

mod config;
mod dev;
mod doctor;
mod export;
mod import;
mod init;
mod jws_verify;
mod key;
mod man;
mod migrate;
mod serve;
mod service;
mod simulator;

use std::process::ExitCode;

use clap::CommandFactory;
use menjin_store::Store;

use crate::{
    args::{Args, Command, ConfigArgs},
    config::Config,
    output::{Failure, say},
    process, wiring,
};

/// Runs what was asked for.
pub(crate) fn run(args: Args) -> Result<ExitCode, Failure> {
    match args.command {
        Command::Dev(args) => dev::run(&args),
        Command::Serve(args) => serve::run(&args),
        Command::Init(args) => init::run(&args).map(done),
        Command::Config(command) => config::run(&command).map(done),
        Command::Doctor(args) => doctor::run(&args),
        Command::Migrate(args) => migrate::run(&args).map(done),
        Command::Key(command) => key::run(command).map(done),
        Command::Service(command) => service::run(command).map(done),
        Command::Import(args) => import::run(&args),
        Command::Export(args) => export::run(&args).map(done),
        Command::Simulator(args) => simulator::run(args),
        Command::Openapi => say(menjin_server::openapi().trim_end()).map(done),
        Command::Errors(args) => {
            say(menjin_server::error_reference(args.language.into()).trim_end()).map(done)
        }
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Args::command(), "menjin", &mut script);
            say(String::from_utf8_lossy(&script).trim_end()).map(done)
        }
        Command::Man { folder } => man::run(folder.as_deref()).map(done),
        Command::JwsVerify { jwk } => jws_verify::run(&jwk).map(done),
    }
}

fn done((): ()) -> ExitCode {
    ExitCode::SUCCESS
}

/// Opens the store that the configuration names, works on it, and closes it.
fn with_store<T>(
    args: &ConfigArgs,
    work: impl AsyncFnOnce(&Config, &Store) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let config = wiring::load(args)?;
    process::runtime()?.block_on(async {
        let store = wiring::store(&config).await?;
        let worked = match store.pending().await {
            Ok(pending) if pending.is_empty() => work(&config, &store).await,
            Ok(_) => Err(Failure::refused(
                "the database is not up to date: run `menjin migrate` first",
            )),
            Err(error) => Err(Failure::Broken(error.into())),
        };
        store.close().await;
        worked
    })
}
