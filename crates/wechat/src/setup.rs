//! What a client is told when it is made, and why it may refuse to be.

use std::{io, path::PathBuf, time::Duration};

use menjin_core::{Appid, Secret};

/// How WeChat is reached, and how long anybody waits for it.
#[derive(Clone, Debug)]
pub struct Options {
    /// Scheme and host, perhaps a port and a path before WeChat's own: a simulator's or a gateway's.
    pub base_url: String,
    /// Time for name, connection and TLS together. WeChat's own answer is not in it.
    pub connect_timeout: Duration,
    /// Time for the whole call, connecting included.
    pub timeout: Duration,
    /// Certificates in PEM that are trusted besides the built-in roots: an egress proxy's.
    pub ca_file: Option<PathBuf>,
    /// Calls under way at once for each app; one more is [`Error::Busy`](crate::Error::Busy).
    pub in_flight: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            base_url: "https://api.weixin.qq.com".to_owned(),
            connect_timeout: Duration::from_secs(2),
            timeout: Duration::from_secs(5),
            ca_file: None,
            in_flight: 1024,
        }
    }
}

/// A mini program, and what proves to WeChat that we may act for it.
#[derive(Clone, Debug)]
pub struct App {
    /// WeChat's name for the mini program.
    pub appid: Appid,
    /// The AppSecret, which WeChat shows once and keeps no copy of.
    pub secret: Secret,
}

/// Why no client could be made of the options.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// The base URL is none. Its text is left out, since people put passwords into URLs.
    #[error("WeChat's base URL {0}")]
    BaseUrl(&'static str),
    /// The file of further certificates cannot be used.
    #[error("cannot use the certificates in {}", path.display())]
    CaFile {
        /// The file as it was configured.
        path: PathBuf,
        /// What is wrong with it.
        source: io::Error,
    },
    /// The TLS library refused its own defaults.
    #[error("TLS could not be set up")]
    Tls(#[from] rustls::Error),
}
