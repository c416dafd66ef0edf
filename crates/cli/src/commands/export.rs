//! `menjin export`

use std::{
    collections::HashMap,
    fs::File,
    io::{self, BufWriter, ErrorKind, Write},
    path::Path,
};

use anyhow::Context;
use menjin_core::{Identity, Uid, User};
use menjin_store::{Error, Store};

use super::with_store;
use crate::{
    args::ExportArgs,
    config::Config,
    output::{Failure, complain},
    people::{Format, write::Writer},
    wiring,
};

/// Accounts that are read at once.
const PAGE: i64 = 1_000;

pub(super) fn run(args: &ExportArgs) -> Result<(), Failure> {
    let file = args.file.as_deref().filter(|path| *path != Path::new("-"));
    let format = match (file, args.format) {
        (Some(path), asked) => Format::of(path, asked)?,
        (None, asked) => asked.unwrap_or(Format::Csv),
    };
    with_store(&args.config, async |config, store| {
        let Some(path) = file else {
            let out = BufWriter::new(io::stdout().lock());
            let written = write(store, config, (out, format)).await;
            return match written {
                // As `head` does: whoever closed the pipe has read enough.
                Err(Stopped::Out(error)) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
                written => Ok(written.context("the accounts could not be written")?),
            };
        };
        let shown = path.display();
        if path.exists() && !args.force {
            return Err(Failure::refused(format!(
                "{shown} is there already: choose another file, or say --force to write over it"
            )));
        }
        let file = wiring::create_private(path, args.force);
        let file = file.with_context(|| format!("{shown} cannot be written"))?;
        let synced = file.try_clone();
        write(store, config, (BufWriter::new(file), format))
            .await
            .with_context(|| format!("{shown} is not whole"))?;
        let synced = synced.and_then(|file: File| file.sync_all());
        synced.with_context(|| format!("{shown} is not on the disk"))?;
        Ok(())
    })
}

/// Why not everything was written.
#[derive(Debug, thiserror::Error)]
enum Stopped {
    #[error("the accounts could not be read")]
    Store(#[from] Error),
    #[error("what was read could not be written")]
    Out(#[from] io::Error),
}

async fn write<W: Write>(
    store: &Store,
    config: &Config,
    (out, format): (W, Format),
) -> Result<(), Stopped> {
    let mut writer = Writer::begin(out, format, &config.profile.fields)?;
    let (mut after, mut without) = (0, 0_usize);
    loop {
        let (users, identities) = page(store, after).await?;
        let Some(last) = users.last() else {
            break;
        };
        after = last.uid.get();
        for user in &users {
            if user.phone.is_empty() {
                without += 1;
            } else {
                let own = identities.get(&user.uid).map_or(&[][..], Vec::as_slice);
                writer.account(user, own)?;
            }
        }
    }
    writer.end()?;
    if without > 0 {
        complain(format_args!(
            "{without} accounts without a phone number were left out"
        ));
    }
    Ok(())
}

/// Accounts, and the identities of each.
type Page = (Vec<User>, HashMap<Uid, Vec<Identity>>);

async fn page(store: &Store, after: i64) -> Result<Page, Error> {
    let reading = store.read(move |tx| {
        Box::pin(async move {
            let users = tx.user_after(after, PAGE).await?;
            let ends = users.first().zip(users.last());
            let identities = match ends {
                Some((first, last)) => tx.identity_list_between(first.uid, last.uid).await?,
                None => Vec::new(),
            };
            let mut of_each: HashMap<Uid, Vec<Identity>> = HashMap::new();
            for identity in identities {
                if let Some(user) = &identity.user {
                    of_each.entry(user.uid).or_default().push(identity);
                }
            }
            Ok((users, of_each))
        })
    });
    reading.await
}
