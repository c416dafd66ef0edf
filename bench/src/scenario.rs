//! What is measured, by name, and what each is to cost.

use clap::ValueEnum;
use serde::Serialize;

/// A kind of request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Scenario {
    /// Sign-in of somebody who was never there.
    New,
    /// Sign-in of somebody who is known.
    Returning,
    /// `GET /v1/user/me`.
    Me,
    /// `GET /auth/verify`.
    Verify,
    /// `POST /oauth/introspect`.
    Introspect,
    /// `GET /.well-known/jwks.json`.
    Keys,
}

/// What `--only` can name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    /// Sign-in of new people
    New,
    /// Sign-in of returning people
    Returning,
    /// GET /v1/user/me with a token seen before
    Me,
    /// GET /auth/verify with a token seen before
    Verify,
    /// POST /oauth/introspect with a token seen before
    Introspect,
    /// The key set
    Keys,
    /// The guard's layer, in a service of its own
    Guard,
    /// Registration by phone code, and setuser
    Accounts,
    /// Memory under sign-ins that last longer than login codes are remembered
    Memory,
    /// Time from start to ready, and idle memory
    Start,
    /// What --growth does
    Growth,
}

impl Scenario {
    /// All, in the order in which they are measured.
    pub(crate) const ALL: [Self; 6] = [
        Self::New,
        Self::Returning,
        Self::Me,
        Self::Verify,
        Self::Introspect,
        Self::Keys,
    ];

    /// What to call it on the command line.
    pub(crate) fn part(self) -> Part {
        match self {
            Self::New => Part::New,
            Self::Returning => Part::Returning,
            Self::Me => Part::Me,
            Self::Verify => Part::Verify,
            Self::Introspect => Part::Introspect,
            Self::Keys => Part::Keys,
        }
    }

    /// What to call it in a table.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::New => "sign-in, new people",
            Self::Returning => "sign-in, returning people",
            Self::Me => "GET /v1/user/me",
            Self::Verify => "GET /auth/verify",
            Self::Introspect => "POST /oauth/introspect",
            Self::Keys => "GET /.well-known/jwks.json",
        }
    }

    /// How many times the bare framework's processor time it may take.
    pub(crate) fn most_times_bare(self) -> f64 {
        match self {
            Self::New => 11.0,
            Self::Returning => 7.0,
            Self::Me => 3.0,
            Self::Verify => 1.6,
            Self::Introspect => 2.5,
            Self::Keys => 1.3,
        }
    }

    /// Whether it asks WeChat.
    pub(crate) fn is_sign_in(self) -> bool {
        matches!(self, Self::New | Self::Returning)
    }
}
