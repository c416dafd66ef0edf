//! What the commands say to people and pipes, and how they fail.

use std::{
    fmt,
    io::{ErrorKind, Write},
    process::ExitCode,
};

use crate::config::Problems;

/// Writes to standard output. Whoever closed the pipe, as `head` does, has read enough.
pub(crate) fn say(text: impl fmt::Display) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    let written = writeln!(out, "{text}").and_then(|()| out.flush());
    match written {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Failure::Broken(error.into())),
        _ => Ok(()),
    }
}

/// Writes to standard error. Whoever closed that too cannot be told anything.
pub(crate) fn complain(text: impl fmt::Display) {
    let _ = writeln!(std::io::stderr(), "menjin: {text}");
}

/// Writes to standard error what goes beside something on standard output.
pub(crate) fn note(text: impl fmt::Display) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// Why a command did not do what it was asked to.
#[derive(Debug)]
pub(crate) enum Failure {
    /// What was asked cannot be done; the words say what to do instead.
    Refused(String),
    /// Something broke.
    Broken(anyhow::Error),
}

impl Failure {
    /// 1: refused, 2: broken.
    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Refused(_) => ExitCode::from(1),
            Self::Broken(_) => ExitCode::from(2),
        }
    }

    /// A refusal in these words.
    pub(crate) fn refused(words: impl Into<String>) -> Self {
        Self::Refused(words.into())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(words) => f.write_str(words),
            // With every cause on one line.
            Self::Broken(error) => write!(f, "{error:#}"),
        }
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::Broken(error)
    }
}

impl From<Problems> for Failure {
    fn from(problems: Problems) -> Self {
        Self::Refused(format!("the configuration cannot be used:\n{problems}"))
    }
}
