//! What is wrong with a configuration, said so that it can be mended. No problem ever quotes a
//! value: it may be a secret that stands in the wrong place.

use std::{fmt, path::Path, sync::Arc};

/// Where a setting comes from, in the order in which one wins over the other.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    /// Nowhere: nobody set it, and there is no file where it could stand.
    Unset,
    /// The command that runs brought it along.
    Command,
    /// A line of the configuration file; line 0 is the file as a whole.
    File {
        /// The file as the operator named it.
        path: Arc<Path>,
        /// Counted from 1.
        line: usize,
    },
    /// An environment variable.
    Variable(String),
}

impl Place {
    /// Which layer the place belongs to; the higher one wins.
    pub(super) fn layer(&self) -> u8 {
        match self {
            Self::Unset => 0,
            Self::Command => 1,
            Self::File { .. } => 2,
            Self::Variable(_) => 3,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unset => f.write_str("configuration"),
            Self::Command => f.write_str("defaults of this command"),
            Self::File { path, line: 0 } => write!(f, "{}", path.display()),
            Self::File { path, line } => write!(f, "{}:{line}", path.display()),
            Self::Variable(name) => write!(f, "{}", name.escape_debug()),
        }
    }
}

/// One thing that is wrong: where, with which key, what, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Problem {
    place: Place,
    /// Empty if no key is to blame.
    key: String,
    wrong: String,
}

/// All that is wrong with a configuration. `Display` gives one line for each.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Problems(Vec<Problem>);

impl Problems {
    /// Adds one.
    pub(super) fn add(&mut self, place: &Place, key: &str, wrong: impl Into<String>) {
        self.0.push(Problem {
            place: place.clone(),
            key: key.to_owned(),
            wrong: wrong.into(),
        });
    }

    /// Whether nothing is wrong.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut sorted: Vec<_> = self.0.iter().collect();
        sorted.sort();
        for (index, problem) in sorted.into_iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            let Problem { place, key, wrong } = problem;
            match key.as_str() {
                "" => write!(f, "{place}: {wrong}")?,
                key => write!(f, "{place}: {key}: {wrong}")?,
            }
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}
