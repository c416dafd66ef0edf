//! What an operator can set: one TOML file, and over it environment variables such as
//! `MENJIN_SERVER__LISTEN`. Here are the checked results; `config/` reads, checks and explains.
//! Nothing else in the program reads the environment or knows TOML.

use std::{
    fmt,
    net::SocketAddr,
    num::NonZeroU32,
    path::{Path, PathBuf},
    time::Duration,
};

use ipnet::IpNet;
use menjin_core::{Appid, MasterKeys, Secret, Service};
use menjin_messages::SmtpOptions;
use menjin_server::{PicturesOptions, Profile, Registration};
use menjin_wechat::PushKeys;

mod advice;
mod avatars;
mod check;
mod environment;
mod example;
mod file;
mod keys;
mod mail;
mod problem;
mod profile;
mod reader;
mod secrets;
mod services;
mod settings;
mod sms;
mod text;

#[cfg(test)]
mod tests;

pub(crate) use example::{EXAMPLE, InitAnswers, render};
pub(crate) use problem::Problems;
pub(crate) use services::hex;
use settings::Layer;
pub(crate) use sms::Sms;

/// Everything that can be configured, checked, secrets read.
#[derive(Debug, Clone)]
pub(crate) struct Config {
    /// `[server]`
    pub(crate) server: Server,
    /// `[store]`
    pub(crate) store: Store,
    /// `[secrets]`
    pub(crate) secrets: MasterKeys,
    /// `[wechat]` and `[[wechat.apps]]`
    pub(crate) wechat: Wechat,
    /// `[token]`
    pub(crate) token: Token,
    /// `[sign_in]`
    pub(crate) sign_in: SignIn,
    /// `[limits]`
    pub(crate) limits: Limits,
    /// `[registration]`
    pub(crate) registration: Registration,
    /// `[sms]`
    pub(crate) sms: Sms,
    /// `[mail]`; `None`: no mails are sent.
    pub(crate) mail: Option<SmtpOptions>,
    /// `[profile]`, `[[profile.fields]]` and `[content_check]`
    pub(crate) profile: Profile,
    /// `[avatars]`; `None`: nobody can upload a picture.
    pub(crate) avatars: Option<PicturesOptions>,
    /// `[[services]]`; the store may have more.
    pub(crate) services: Vec<Service>,
    /// `[log]`
    pub(crate) log: Log,
    /// `[telemetry]`
    pub(crate) telemetry: Telemetry,
    /// What was set and does nothing, one sentence each.
    notes: Vec<String>,
    /// The configuration file, if it holds secrets that everybody on the machine can read.
    open_file: Option<PathBuf>,
}

/// Where Menjin listens and how it is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Server {
    /// The address of the public API. Port 0 takes a free one.
    pub(crate) listen: SocketAddr,
    /// What clients see, without a `/` at the end; see [`Config::public_url`] for when it is absent.
    pub(crate) public_url: Option<String>,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub(crate) trusted_proxies: Vec<IpNet>,
    /// The address of metrics and health checks, if there is to be one.
    pub(crate) management_listen: Option<SocketAddr>,
}

/// Where things are written down.
#[derive(Debug, Clone)]
pub(crate) struct Store {
    /// `sqlite://` and a path, or `postgres://`. A secret, since it may hold a password.
    pub(crate) url: Secret,
    /// How many connections are kept.
    pub(crate) connections: usize,
    /// Whether `serve` brings the tables up to date when it starts.
    pub(crate) migrate: bool,
}

/// How WeChat's servers are called, and for which mini programs.
#[derive(Debug, Clone)]
pub(crate) struct Wechat {
    /// At least one; no appid stands here twice.
    pub(crate) apps: Vec<App>,
    /// The app of a sign-in that names none; one of `apps`.
    pub(crate) default_appid: Appid,
    /// Without a `/` at the end.
    pub(crate) base_url: String,
    /// For the connection alone.
    pub(crate) connect_timeout: Duration,
    /// For the whole call.
    pub(crate) timeout: Duration,
    /// More certificate authorities to trust, in PEM. Could be read when the program started.
    pub(crate) ca_file: Option<PathBuf>,
}

/// One mini program.
#[derive(Debug, Clone)]
pub(crate) struct App {
    /// WeChat's name for it.
    pub(crate) appid: Appid,
    /// Its `AppSecret`.
    pub(crate) secret: Secret,
    /// What its pushed messages are checked by; `None`: none are taken.
    pub(crate) push: Option<PushKeys>,
}

/// What tokens say, how long they last, and what signs them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Token {
    /// What `iss` says; see [`Config::issuer`] for when it is absent.
    pub(crate) issuer: Option<String>,
    /// The other services that accept the token.
    pub(crate) audience: Vec<String>,
    /// How long a token is good for.
    pub(crate) ttl: Duration,
    /// What new keys are made for.
    pub(crate) algorithm: Algorithm,
    /// The age at which a signing key is replaced; `None`: by command alone.
    pub(crate) rotation: Option<Duration>,
    /// How long others may keep the key set.
    pub(crate) jwks_max_age: Duration,
}

/// A way to sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Algorithm {
    /// ECDSA with P-256 and SHA-256.
    Es256,
    /// Ed25519.
    EdDsa,
}

/// How sign-in behaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SignIn {
    /// How long the same login code gets the same answer; zero turns it off.
    pub(crate) replay_window: Duration,
}

/// How much is too much.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Limits {
    /// Sign-ins a minute from one address; `None`: any number.
    pub(crate) sign_in_per_address: Option<NonZeroU32>,
}

/// What is logged, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Log {
    /// How a line looks.
    pub(crate) format: LogFormat,
    /// A filter that `tracing_subscriber::EnvFilter` has accepted.
    pub(crate) level: String,
}

/// How a line of the log looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LogFormat {
    /// For people if standard output is a terminal, JSON otherwise.
    Auto,
    /// One JSON object a line.
    Json,
    /// Lines for people.
    Terminal,
}

/// Where traces go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Telemetry {
    /// An OTLP collector that speaks HTTP, without a `/` at the end; `None`: nowhere.
    pub(crate) otlp_endpoint: Option<String>,
}

impl Config {
    /// Reads the file, if one is named, and lays the `MENJIN_` variables of `environment` over it.
    ///
    /// # Errors
    ///
    /// All [`Problems`] at once, whether of the file, of a variable or of a secret's file.
    pub(crate) fn load(
        file: Option<&Path>,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, Problems> {
        let mut problems = Problems::default();
        let under = match file {
            Some(path) => file::read(path, &mut problems),
            None => Some(Layer::default()),
        };
        Self::overlay(under, environment, problems)
    }

    /// As [`Config::load`] without a file, with other defaults: what `menjin dev` needs.
    ///
    /// # Errors
    ///
    /// All [`Problems`] at once, of a variable or of the defaults.
    pub(crate) fn load_over(
        defaults: &toml::Table,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, Problems> {
        let mut problems = Problems::default();
        let under = file::read_defaults(defaults, &mut problems);
        Self::overlay(under, environment, problems)
    }

    fn overlay(
        under: Option<Layer>,
        environment: impl IntoIterator<Item = (String, String)>,
        mut problems: Problems,
    ) -> Result<Self, Problems> {
        let over = environment::read(environment, &mut problems);
        match under {
            Some(under) => check::config(&under.overlaid(over), problems),
            // Of a file that could not be read nobody knows what is missing.
            None => Err(problems),
        }
    }

    /// The address that clients see: the configured one, or `http://` and the address that the
    /// server is bound to.
    pub(crate) fn public_url(&self, bound: SocketAddr) -> String {
        match &self.server.public_url {
            Some(url) => url.clone(),
            None => format!("http://{bound}"),
        }
    }

    /// What tokens say in `iss`: the configured issuer, or the public address.
    pub(crate) fn issuer(&self, bound: SocketAddr) -> String {
        match &self.token.issuer {
            Some(issuer) => issuer.clone(),
            None => self.public_url(bound),
        }
    }

    /// What is allowed and yet unwise, one sentence each.
    pub(crate) fn warnings(&self) -> Vec<String> {
        advice::warnings(self)
    }
}

impl fmt::Display for Algorithm {
    /// The name that a token's header has for it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
        })
    }
}
