//! One command a file.

mod config;
mod dev;
mod doctor;
mod init;
mod jws_verify;
mod key;
mod man;
mod migrate;
mod serve;
mod simulator;

use std::process::ExitCode;

use clap::CommandFactory;

use crate::{
    args::{Args, Command},
    output::{Failure, say},
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
        Command::Simulator(args) => simulator::run(args),
        Command::Openapi => say(menjin_server::openapi().trim_end()).map(done),
        Command::Errors => say(menjin_server::error_reference().trim_end()).map(done),
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
