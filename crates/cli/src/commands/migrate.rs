//! `menjin migrate`

use anyhow::Context;

use crate::{
    args::MigrateArgs,
    output::{Failure, say},
    process, wiring,
};

pub(super) fn run(args: &MigrateArgs) -> Result<(), Failure> {
    let config = wiring::load(&args.config)?;
    process::runtime()?.block_on(async {
        let store = wiring::store(&config).await?;
        let (verb, names) = if args.dry_run {
            ("would apply", store.pending().await)
        } else {
            ("applied", store.migrate().await)
        };
        let names = names.context("the database could not be migrated")?;
        store.close().await;
        if names.is_empty() {
            return say("the database is up to date");
        }
        names
            .iter()
            .try_for_each(|name| say(format_args!("{verb} {name}")))
    })
}
