//! The command line.

use std::{ffi::OsString, path::PathBuf, time::Duration};

use clap::{Args, Parser, Subcommand};

use crate::scenario::Part;

/// Measures Menjin's release build, on SQLite, beside the bare web framework.
///
/// The server has one core to itself; the callers and a stub of WeChat share another. Figures go to
/// standard output, progress to standard error. Exit code 1: something was answered wrongly.
#[derive(Debug, Parser)]
#[command(name = "script/bench", args_conflicts_with_subcommands = true)]
pub(crate) struct Arguments {
    /// How long each measurement takes; every round has one of Menjin and one of the bare framework
    #[arg(long, value_name = "N", default_value = "4", value_parser = clap::value_parser!(u64).range(1..=600))]
    pub(crate) seconds: u64,
    /// How many rounds there are
    #[arg(long, value_name = "N", default_value = "3", value_parser = clap::value_parser!(u64).range(1..=100))]
    pub(crate) rounds: u64,
    /// How many people have signed in before; the returning ones are drawn from these
    #[arg(long, value_name = "N", default_value = "10000", value_parser = clap::value_parser!(u64).range(1..=100_000_000))]
    pub(crate) people: u64,
    /// How many callers there are, each with a connection of its own and one request at a time
    #[arg(long, value_name = "N", default_value = "64", value_parser = clap::value_parser!(u64).range(1..=4096))]
    pub(crate) callers: u64,
    /// Measures this alone; may be given several times
    #[arg(long, value_name = "NAME", value_enum)]
    pub(crate) only: Vec<Part>,
    /// Also compares sign-in at --people with sign-in at a million people, which takes minutes
    #[arg(long)]
    pub(crate) growth: bool,
    /// How many people the larger database of --growth has
    #[arg(long, value_name = "N", default_value = "1000000", value_parser = clap::value_parser!(u64).range(1..=100_000_000))]
    pub(crate) growth_people: u64,
    /// Asks for introspections and sign-ins at steady rates for MINUTES, 10 if not said, and measures
    /// nothing else that was not asked for; every other sign-in is a new person's
    #[arg(long, value_name = "MINUTES", num_args = 0..=1, default_missing_value = "10", value_parser = clap::value_parser!(u64).range(1..=50))]
    pub(crate) sustained: Option<u64>,
    /// How many introspections a second --sustained asks for
    #[arg(long, value_name = "N", default_value = "2000", requires = "sustained", value_parser = clap::value_parser!(u64).range(1..=100_000))]
    pub(crate) introspections: u64,
    /// How many sign-ins a second --sustained asks for
    #[arg(long, value_name = "N", default_value = "200", requires = "sustained", value_parser = clap::value_parser!(u64).range(1..=100_000))]
    pub(crate) sign_ins: u64,
    /// What Menjin logs (`log.level`), in place of its default
    #[arg(long, value_name = "LEVEL")]
    pub(crate) log: Option<String>,
    /// Writes the figures to this file too, as JSON
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
    /// Where the database is put, in a new folder that is removed at the end; the disk matters
    #[arg(long, value_name = "DIR")]
    pub(crate) directory: Option<PathBuf>,
    /// The program to measure; without this, the `menjin` that was built beside this one
    #[arg(long, value_name = "FILE")]
    pub(crate) menjin: Option<PathBuf>,
    /// What to be in place of the benchmark.
    #[command(subcommand)]
    pub(crate) role: Option<Role>,
}

impl Arguments {
    /// How long each measurement takes.
    pub(crate) fn duration(&self) -> Duration {
        Duration::from_secs(self.seconds)
    }

    /// Whether to measure this part.
    pub(crate) fn wants(&self, part: Part) -> bool {
        self.only.contains(&part)
            || match part {
                Part::Growth => self.growth,
                _ => self.only.is_empty() && self.sustained.is_none(),
            }
    }
}

/// What the program is when the benchmark starts it.
#[derive(Debug, Subcommand)]
pub(crate) enum Role {
    /// The bare web framework.
    #[command(hide = true)]
    Bare(Bare),
    /// A service behind a guard.
    #[command(hide = true)]
    Guarded(Guarded),
    /// Another program on one core.
    #[command(hide = true)]
    Launch(Launch),
}

/// How the bare framework answers.
#[derive(Debug, Args)]
pub(crate) struct Bare {
    /// The bytes of the answer at `/0`, `/1` and so on.
    #[arg(long, value_delimiter = ',')]
    pub(crate) sizes: Vec<usize>,
}

/// Whose tokens a guarded service takes.
#[derive(Debug, Args)]
pub(crate) struct Guarded {
    /// The address of the Menjin that makes them.
    #[arg(long)]
    pub(crate) issuer: String,
}

/// What to start, and where.
#[derive(Debug, Args)]
pub(crate) struct Launch {
    /// The only core that it may use.
    #[arg(long)]
    pub(crate) core: usize,
    /// The program and its arguments.
    #[arg(last = true, required = true)]
    pub(crate) command: Vec<OsString>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Arguments {
        Arguments::try_parse_from(line.split(' ')).unwrap()
    }

    #[test]
    fn what_is_named_is_measured_and_nothing_else() {
        let all = parsed("bench");
        assert!(all.wants(Part::Guard) && all.wants(Part::New) && !all.wants(Part::Growth));
        assert_eq!(all.sustained, None);
        let one = parsed("bench --only verify");
        assert!(one.wants(Part::Verify) && !one.wants(Part::New));
        let sustained = parsed("bench --sustained --sign-ins 50");
        assert_eq!((sustained.sustained, sustained.sign_ins), (Some(10), 50));
        assert!(!sustained.wants(Part::Verify));
        let both = parsed("bench --sustained 3 --only guard --growth");
        assert_eq!(both.sustained, Some(3));
        assert!(both.wants(Part::Guard) && both.wants(Part::Growth) && !both.wants(Part::New));
        for wrong in ["bench --sign-ins 50", "bench --sustained 51"] {
            assert!(
                Arguments::try_parse_from(wrong.split(' ')).is_err(),
                "{wrong}"
            );
        }
    }
}
