//! The launcher: pins itself to a core, then becomes the program that it was asked to start, which
//! so is pinned from its first instruction and counts the cores that it really has.

use std::{os::unix::process::CommandExt, process::Command};

use anyhow::Context;
use rustix::process::{Signal, set_parent_process_death_signal};

use crate::{arguments::Launch, cores};

/// Becomes the program; returns only to say why not.
pub(crate) fn launch(launch: &Launch) -> anyhow::Error {
    become_it(launch)
        .err()
        .unwrap_or_else(|| anyhow::anyhow!("nothing to start"))
}

fn become_it(launch: &Launch) -> anyhow::Result<()> {
    cores::pin(launch.core)?;
    // A benchmark that is killed outright cannot stop what it has started; this outlives `exec`.
    set_parent_process_death_signal(Some(Signal::KILL))?;
    let Some((program, arguments)) = launch.command.split_first() else {
        return Ok(());
    };
    let error = Command::new(program).args(arguments).exec();
    Err(error).with_context(|| format!("cannot start {}", program.display()))
}
