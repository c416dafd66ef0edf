//! The other service of the team that asks Menjin here: for what a token says, and for the feed.

use base64::{Engine, engine::general_purpose::STANDARD};

/// By this name it logs in, and tokens are for it.
pub(crate) const ID: &str = "bench";
/// What it logs in with, at servers that are there for one run and listen on this machine alone.
pub(crate) const SECRET: &str = "bench-secret";
/// The SHA-256 of that.
pub(crate) const SECRET_DIGEST: &str =
    "0159438a9235d6abde38e49fb98944660d067d6b9b03d8a8f4ee4e522feb62cb";
/// What it may ask.
pub(crate) const MAY: [&str; 2] = ["introspect", "follow"];

/// Its `Authorization` header; neither part holds anything that would have to be encoded first.
pub(crate) fn authorization() -> String {
    format!("Basic {}", STANDARD.encode(format!("{ID}:{SECRET}")))
}
