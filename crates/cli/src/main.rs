//! The program `menjin`: configuration, logging, commands, wiring. Nothing else.

mod args;
mod commands;
mod config;
mod logging;
mod output;
mod people;
mod process;
mod wiring;

use std::process::ExitCode;

use clap::Parser;

use args::Args;

/// A sign-in makes and drops hundreds of small things; this allocator takes a tenth off its time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // Two libraries bring a provider each; without a word here, TLS would panic over which to use.
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    let _ = provider.install_default();
    let args = Args::parse();
    match commands::run(args) {
        Ok(code) => code,
        Err(failure) => {
            output::complain(&failure);
            failure.exit_code()
        }
    }
}
