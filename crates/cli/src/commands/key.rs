//! `menjin key`

use jiff::Timestamp;
use menjin_core::{Clock, Instant};
use menjin_server::keys;
use menjin_store::KeyRow;
use serde_json::json;

use super::with_store;
use crate::{
    args::KeyCommand,
    output::{Failure, say},
    process::SystemClock,
    wiring,
};

pub(super) fn run(command: KeyCommand) -> Result<(), Failure> {
    let now = SystemClock::new().now();
    match command {
        KeyCommand::List { config, json } => with_store(&config, async |_, store| {
            let rows = keys::all(store).await.map_err(broken)?;
            if json {
                list_json(&rows, now)
            } else {
                list(&rows, now)
            }
        }),
        KeyCommand::Rotate(config) => with_store(&config, async |config, store| {
            let (master, rotation) = (config.secrets.clone(), wiring::rotation(config));
            let rotated = keys::rotate(store, master, rotation, now).await;
            let rows = rotated.map_err(broken)?.ok_or_else(|| {
                Failure::refused(
                    "there is no next key yet: start `menjin serve` once, then try again",
                )
            })?;
            list(&rows, now)
        }),
        KeyCommand::Remove { config, kid } => with_store(&config, async |config, store| {
            let (master, rotation) = (config.secrets.clone(), wiring::rotation(config));
            let removed = keys::remove(store, master, rotation, kid.clone(), now).await;
            let rows = removed.map_err(broken)?.ok_or_else(|| {
                Failure::refused(format!(
                    "there is no key {kid} that could be removed; `menjin key list` shows the keys"
                ))
            })?;
            say(format_args!(
                "removed {kid}; what it signed is refused within five seconds"
            ))?;
            list(&rows, now)
        }),
    }
}

fn broken(failure: menjin_server::Failure) -> Failure {
    Failure::Broken(failure.into())
}

/// Each key with the word for what it does now.
fn states(rows: &[KeyRow], now: Instant) -> Vec<(&KeyRow, &'static str)> {
    let due = |row: &&KeyRow| row.removed_at.is_none() && row.signs_from <= now;
    let signing = rows.iter().rfind(due).map(|row| row.number);
    let state = |row: &KeyRow| match row.removed_at {
        Some(_) => "removed",
        None if Some(row.number) == signing => "signs",
        None if row.signs_from > now => "next",
        None => "former",
    };
    rows.iter().map(|row| (row, state(row))).collect()
}

fn list(rows: &[KeyRow], now: Instant) -> Result<(), Failure> {
    if rows.is_empty() {
        return say("there are no keys yet; `menjin serve` makes the first ones");
    }
    say(format_args!(
        "{:<18}{:<7}{:<9}{:<22}SIGNS FROM",
        "KID", "ALG", "STATE", "MADE"
    ))?;
    for (row, state) in states(rows, now) {
        let (kid, alg) = (&row.kid, &row.algorithm);
        let (made, from) = (time(row.created_at), time(row.signs_from));
        say(format_args!("{kid:<18}{alg:<7}{state:<9}{made:<22}{from}"))?;
    }
    Ok(())
}

fn list_json(rows: &[KeyRow], now: Instant) -> Result<(), Failure> {
    let rows = states(rows, now).into_iter().map(|(row, state)| {
        json!({
            "kid": row.kid,
            "alg": row.algorithm,
            "state": state,
            "created_at": time(row.created_at),
            "signs_from": time(row.signs_from),
            "removed_at": row.removed_at.map(time),
        })
    });
    say(serde_json::Value::Array(rows.collect()))
}

/// RFC 3339, to the second.
fn time(instant: Instant) -> String {
    let time = Timestamp::from_second(instant.div_euclid(1000));
    time.map_or_else(|_| instant.to_string(), |time| time.to_string())
}
