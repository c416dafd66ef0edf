//! What can go wrong between the guard and Menjin, in words that say what to do.

use std::{error::Error as StdError, fmt};

use http::StatusCode;

/// Why a guard could not be started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The options do not fit together; the text says which and what to do.
    #[error("{0}")]
    Options(&'static str),
    /// Menjin could not be asked, or did not say what a Menjin says.
    #[error(transparent)]
    Menjin(Trouble),
}

/// What went wrong with one request to Menjin.
pub struct Trouble {
    /// The URL that was asked. No secret is in it.
    asked: String,
    fault: Fault,
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.asked, self.fault)
    }
}

impl StdError for Trouble {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.fault.source()
    }
}

/// With what caused it, in one line: `main` shows this of an error that it returns.
impl fmt::Debug for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")?;
        let mut cause = self.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

/// How it went wrong.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    #[error("could not be reached; is Menjin up, and is this its address from here?")]
    Unreachable(#[source] reqwest::Error),
    #[error(
        "answered 401: it does not know this service, or the secret is another; see `menjin service list`, and `menjin service rotate` makes a new secret"
    )]
    UnknownService,
    #[error(
        "answered 403: this service may not follow the feed; give it the permission `follow` (`menjin service`, or `may` in [[services]])"
    )]
    MayNotFollow,
    #[error("answered {0}")]
    Status(StatusCode),
    #[error("answered with more than {0} bytes")]
    TooLong(usize),
    #[error("answered with something else than {0}; is a Menjin behind this address?")]
    Malformed(&'static str),
    #[error(
        "is of the issuer \"{0}\"; hand exactly this name to Guard::new, and the address to url() if it is another"
    )]
    OtherIssuer(String),
    #[error("names a key set that is not behind TLS while it is so itself: {0}")]
    Downgrade(String),
}

impl Fault {
    pub(crate) fn at(self, url: &str) -> Trouble {
        Trouble {
            asked: url.to_owned(),
            fault: self,
        }
    }

    /// Equal for failures of which one line in the log is enough.
    fn kind(&self) -> u16 {
        match self {
            Self::Unreachable(_) => 0,
            Self::UnknownService => 1,
            Self::MayNotFollow => 2,
            Self::TooLong(_) => 3,
            Self::Malformed(_) => 4,
            Self::OtherIssuer(_) => 5,
            Self::Downgrade(_) => 6,
            Self::Status(status) => status.as_u16(),
        }
    }
}

/// Says once that something fails, and once that it works again.
#[derive(Debug)]
pub(crate) struct Log {
    what: &'static str,
    fails: Option<u16>,
}

impl Log {
    pub(crate) const fn new(what: &'static str) -> Self {
        Self { what, fails: None }
    }

    pub(crate) fn failed(&mut self, trouble: &Trouble) {
        let what = self.what;
        let kind = trouble.fault.kind();
        if self.fails.replace(kind) == Some(kind) {
            tracing::debug!(error = ?trouble, "{what} still cannot be had");
        } else {
            tracing::warn!(error = ?trouble, "{what} cannot be had; trying again until it can");
        }
    }

    pub(crate) fn worked(&mut self) {
        let what = self.what;
        if self.fails.take().is_some() {
            tracing::info!("{what} can be had again");
        }
    }
}
