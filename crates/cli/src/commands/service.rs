//! `menjin service`: the team's other services, in the database, beside a server that runs.

mod list;

use std::io::{ErrorKind, Write};

use anyhow::Context;
use jiff::Timestamp;
use menjin_core::{Clock, Instant, Permission, Secret, Service, ServiceId};
use menjin_store::{Entry, Error, ServiceRow, Store, Tx};
use serde_json::json;

use super::with_store;
use crate::{
    args::ServiceCommand,
    config::{Config, hex},
    output::{Failure, note, say},
    process::SystemClock,
};

pub(super) fn run(command: ServiceCommand) -> Result<(), Failure> {
    let now = SystemClock::new().now();
    match command {
        ServiceCommand::Add {
            id, may, as_config, ..
        } if as_config => section(&id, &sorted(&may)),
        ServiceCommand::Add {
            config, id, may, ..
        } => with_store(&config, async |config, store| {
            add(config, store, (id, sorted(&may)), now).await
        }),
        ServiceCommand::List { config, json } => with_store(&config, async |config, store| {
            let rows = rows(store).await?;
            list::show(&list::lines(&config.services, &rows, now), json)
        }),
        ServiceCommand::Rotate {
            config,
            id,
            former_for,
        } => with_store(&config, async |config, store| {
            rotate(config, store, (id, former_for), now).await
        }),
        ServiceCommand::Remove { config, id } => with_store(&config, async |config, store| {
            remove(config, store, id, now).await
        }),
    }
}

async fn add(
    config: &Config,
    store: &Store,
    (id, may): (ServiceId, Vec<Permission>),
    now: Instant,
) -> Result<(), Failure> {
    if is_configured(config, &id) {
        return Err(Failure::refused(format!(
            "the configuration has a service {id} already: choose another name, or change its \
             [[services]] section"
        )));
    }
    let (secret, digest) = Service::fresh_secret();
    let words = may.iter().map(|word| word.as_str());
    let words = words.collect::<Vec<_>>().join(" ");
    let (name, detail) = (id.to_string(), json!({ "may": words }).to_string());
    let added = words.clone();
    let told = store.write(move |tx| {
        Box::pin(async move {
            let is_new = tx.service_insert(&name, &digest, &added, now).await?;
            if is_new {
                audit(tx, ("service_added", &name, &detail), now).await?;
            }
            Ok::<_, Error>(is_new)
        })
    });
    if !told.await.context("the service could not be added")? {
        return Err(Failure::refused(format!(
            "there is a service {id} already: `menjin service rotate {id}` gives it another secret, \
             `menjin service remove {id}` makes room"
        )));
    }
    note(format_args!(
        "{id} is added and may {}. This is its secret, shown now and never again:",
        words.replace(' ', ", ")
    ));
    hand_over(&id, &secret)
}

async fn rotate(
    config: &Config,
    store: &Store,
    (id, former_for): (ServiceId, Instant),
    now: Instant,
) -> Result<(), Failure> {
    if is_configured(config, &id) {
        return Err(Failure::refused(format!(
            "the service {id} stands in the configuration, which no command changes: make another \
             secret with `menjin service add {id} --may .. --as-config`, put its secret_digest there, \
             and restart"
        )));
    }
    let (secret, digest) = Service::fresh_secret();
    let until = now.saturating_add(former_for);
    let (name, detail) = (id.to_string(), json!({ "former_until": until }).to_string());
    let told = store.write(move |tx| {
        Box::pin(async move {
            let is_there = tx.service_rotate(&name, &digest, until, now).await?;
            if is_there {
                audit(tx, ("service_rotated", &name, &detail), now).await?;
            }
            Ok::<_, Error>(is_there)
        })
    });
    if !told.await.context("the service has its former secret")? {
        return Err(unknown(&id));
    }
    let former = match former_for {
        0 => "the former one counts no more".to_owned(),
        _ => format!("the former one counts until {}", time(until)),
    };
    note(format_args!(
        "{id} has another secret, and {former}. This is the new one, shown now and never again:"
    ));
    hand_over(&id, &secret)
}

async fn remove(
    config: &Config,
    store: &Store,
    id: ServiceId,
    now: Instant,
) -> Result<(), Failure> {
    let name = id.to_string();
    let told = store.write(move |tx| {
        Box::pin(async move {
            let was_there = tx.service_remove(&name).await?;
            if was_there {
                audit(tx, ("service_removed", &name, "{}"), now).await?;
            }
            Ok::<_, Error>(was_there)
        })
    });
    let was_there = told.await.context("the service could not be removed")?;
    match (was_there, is_configured(config, &id)) {
        (true, false) => say(format_args!(
            "removed {id}; it is refused within five seconds"
        )),
        (true, true) => say(format_args!(
            "removed {id} from the database; the configuration has a service of that name, which \
             stays"
        )),
        (false, true) => Err(Failure::refused(format!(
            "the service {id} stands in the configuration, which no command changes: take its \
             [[services]] section out, and restart"
        ))),
        (false, false) => Err(unknown(&id)),
    }
}

/// Makes a section of a configuration, and writes nothing down. What goes to standard error is TOML, so
/// that it can be appended to a file.
fn section(id: &ServiceId, may: &[Permission]) -> Result<(), Failure> {
    let (secret, digest) = Service::fresh_secret();
    let words = may.iter().map(|word| format!("\"{}\"", word.as_str()));
    let words = words.collect::<Vec<_>>().join(", ");
    note(format_args!(
        "\n# Made by menjin service add, which showed the secret once. Menjin reads this at its start.\n\
         [[services]]\nid = \"{id}\"\nsecret_digest = \"{}\"\nmay = [{words}]",
        hex(&digest)
    ));
    write_alone(&secret).context("nobody could take the secret: run it again")?;
    Ok(())
}

/// Writes a secret to standard output, alone, so that it can go through a pipe. Whoever closed the pipe
/// has not got it.
fn hand_over(id: &ServiceId, secret: &Secret) -> Result<(), Failure> {
    write_alone(secret).map_err(|error| {
        let lost = format!(
            "nobody could take the secret of {id}, which is in force: \
             `menjin service rotate {id} --former-for 0` makes another"
        );
        match error.kind() {
            ErrorKind::BrokenPipe => Failure::refused(lost),
            _ => Failure::Broken(anyhow::Error::new(error).context(lost)),
        }
    })
}

fn write_alone(secret: &Secret) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", secret.expose())?;
    out.flush()
}

/// The services of the database.
pub(super) async fn rows(store: &Store) -> Result<Vec<ServiceRow>, Failure> {
    let told = store.read(|tx| Box::pin(async move { tx.service_all().await }));
    Ok(told.await.context("the services could not be read")?)
}

async fn audit(
    tx: &mut Tx,
    (event, subject, detail): (&str, &str, &str),
    now: Instant,
) -> Result<(), Error> {
    let entry = Entry {
        event,
        actor: "operator",
        subject,
        detail,
    };
    tx.audit(&entry, now).await
}

fn is_configured(config: &Config, id: &ServiceId) -> bool {
    config.services.iter().any(|service| service.id == *id)
}

fn unknown(id: &ServiceId) -> Failure {
    Failure::refused(format!(
        "there is no service {id}; `menjin service list` shows them"
    ))
}

/// Each permission once, in one order.
fn sorted(may: &[Permission]) -> Vec<Permission> {
    let all = Permission::ALL.into_iter();
    all.filter(|permission| may.contains(permission)).collect()
}

/// RFC 3339, to the second.
fn time(instant: Instant) -> String {
    let time = Timestamp::from_second(instant.div_euclid(1000));
    time.map_or_else(|_| instant.to_string(), |time| time.to_string())
}
