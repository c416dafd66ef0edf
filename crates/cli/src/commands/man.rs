//! `menjin man`

use std::path::Path;

use anyhow::Context;
use clap::CommandFactory;

use crate::{
    args::Args,
    output::{Failure, say},
};

pub(super) fn run(folder: Option<&Path>) -> Result<(), Failure> {
    let Some(folder) = folder else {
        let mut page = Vec::new();
        let rendered = clap_mangen::Man::new(Args::command()).render(&mut page);
        rendered.context("the manual page could not be made")?;
        return say(String::from_utf8_lossy(&page).trim_end());
    };
    let made = std::fs::create_dir_all(folder)
        .and_then(|()| clap_mangen::generate_to(Args::command(), folder));
    made.with_context(|| format!("{} could not be written", folder.display()))?;
    say(format_args!("the pages are in {}", folder.display()))
}
