//! The schema's history, the same numbers and names on both databases.

use refinery::{Migration, Report, Runner};

use crate::error::Error;

/// A migration: its name for refinery, its name for people, and its text.
type Step = (&'static str, &'static str);

/// Where refinery writes down what was applied.
pub(crate) const HISTORY: &str = "refinery_schema_history";

pub(crate) const SQLITE: &[Step] = &[
    (
        "V0001__init",
        include_str!("../migrations/sqlite/0001_init.sql"),
    ),
    (
        "V0002__accounts",
        include_str!("../migrations/sqlite/0002_accounts.sql"),
    ),
    (
        "V0003__services",
        include_str!("../migrations/sqlite/0003_services.sql"),
    ),
];
pub(crate) const POSTGRES: &[Step] = &[
    (
        "V0001__init",
        include_str!("../migrations/postgres/0001_init.sql"),
    ),
    (
        "V0002__accounts",
        include_str!("../migrations/postgres/0002_accounts.sql"),
    ),
    (
        "V0003__services",
        include_str!("../migrations/postgres/0003_services.sql"),
    ),
];

/// Applies steps all in one transaction: refinery would otherwise commit a step before it notes
/// that it did, and a process killed in between would never start again.
pub(crate) fn runner(steps: &[Step]) -> Result<Runner, Error> {
    let migrations: Result<Vec<_>, _> = steps
        .iter()
        .map(|(name, sql)| Migration::unapplied(name, sql))
        .collect();
    Ok(Runner::new(&migrations?).set_grouped(true))
}

/// The names of the steps past `applied`, the newest version in the database.
pub(crate) fn pending(steps: &[Step], applied: Option<i64>) -> Result<Vec<String>, Error> {
    let migrations: Result<Vec<_>, _> = steps
        .iter()
        .map(|(name, sql)| Migration::unapplied(name, sql))
        .collect();
    let migrations = migrations?;
    let version = |migration: &Migration| i64::from(migration.version());
    let known = migrations.iter().map(version).max().unwrap_or(0);
    let applied = applied.unwrap_or(0);
    if applied > known {
        return Err(Error::Newer {
            found: applied,
            known,
        });
    }
    Ok(migrations
        .iter()
        .filter(|m| version(m) > applied)
        .map(name)
        .collect())
}

/// The names of what refinery applied.
pub(crate) fn names(report: &Report) -> Vec<String> {
    report.applied_migrations().iter().map(name).collect()
}

fn name(migration: &Migration) -> String {
    format!("{:04}_{}", migration.version(), migration.name())
}

impl From<refinery::Error> for Error {
    fn from(error: refinery::Error) -> Self {
        let cause = std::error::Error::source(&error).map(ToString::to_string);
        Self::Migration(match cause {
            Some(cause) => format!("{error}: {cause}"),
            None => error.to_string(),
        })
    }
}
