//! `menjin service list`: who there is, without anything that proves it.

use menjin_core::{Instant, Service};
use menjin_store::ServiceRow;
use serde_json::{Value, json};

use super::time;
use crate::output::{Failure, say};

/// What is shown of a service.
pub(super) struct Line {
    id: String,
    may: Vec<String>,
    from: &'static str,
    created_at: Option<Instant>,
    rotated_at: Option<Instant>,
    /// `None` if no former secret counts any more.
    former_until: Option<Instant>,
}

/// Those of the configuration, and those of the database.
pub(super) fn lines(configured: &[Service], rows: &[ServiceRow], now: Instant) -> Vec<Line> {
    let configured = configured.iter().map(|service| Line {
        id: service.id.to_string(),
        may: service
            .may
            .iter()
            .map(|permission| permission.as_str().to_owned())
            .collect(),
        from: "configuration",
        created_at: None,
        rotated_at: None,
        former_until: None,
    });
    let stored = rows.iter().map(|row| Line {
        id: row.id.clone(),
        may: row.may.split_whitespace().map(str::to_owned).collect(),
        from: "store",
        created_at: Some(row.created_at),
        rotated_at: row.rotated_at,
        former_until: row.former_until.filter(|until| now < *until),
    });
    configured.chain(stored).collect()
}

/// Shows them, as a table or as JSON.
pub(super) fn show(lines: &[Line], as_json: bool) -> Result<(), Failure> {
    if as_json {
        return say(Value::Array(lines.iter().map(as_value).collect()));
    }
    if lines.is_empty() {
        return say("there are no services; `menjin service add` adds one");
    }
    let head = ["ID", "MAY", "FROM", "SINCE", "ROTATED"].map(str::to_owned);
    let mut cells = vec![head];
    cells.extend(lines.iter().map(|line| {
        let shown = |instant: Option<Instant>| instant.map_or_else(|| "-".to_owned(), time);
        [
            line.id.clone(),
            line.may.join(","),
            line.from.to_owned(),
            shown(line.created_at),
            shown(line.rotated_at),
        ]
    }));
    let widest = |column: fn(&[String; 5]) -> &String| {
        let widths = cells.iter().map(|row| column(row).chars().count());
        widths.max().unwrap_or_default() + 2
    };
    let (id, may) = (widest(|[id, ..]| id), widest(|[_, may, ..]| may));
    for [name, words, from, since, rotated] in &cells {
        say(format_args!(
            "{name:<id$}{words:<may$}{from:<15}{since:<22}{rotated}"
        ))?;
    }
    Ok(())
}

fn as_value(line: &Line) -> Value {
    json!({
        "id": line.id,
        "may": line.may,
        "from": line.from,
        "created_at": line.created_at.map(time),
        "rotated_at": line.rotated_at.map(time),
        "former_until": line.former_until.map(time),
    })
}
