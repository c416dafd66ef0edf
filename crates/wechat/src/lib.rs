//! What WeChat's servers say: a client with typed answers, time limits and a circuit breaker.
//!
//! One call so far, [`Client::code_to_session`], which spends a login code. Nothing here is written
//! down, decides who may sign in, or asks twice: a request that may have reached WeChat may have
//! spent the code.
//!
//! The AppSecret is part of the URL, so no error, `Debug` text or event holds a URL.

mod circuit;
mod client;
mod code_to_session;
mod connect;
mod error;
mod rejection;
mod reply;
mod setup;

pub use circuit::CircuitState;
pub use client::Client;
pub use code_to_session::Session;
pub use error::Error;
pub use rejection::Rejection;
pub use setup::{App, Options, SetupError};

/// Log targets that a program should keep at `info` or above, whatever level it runs at.
///
/// At `trace` none of them prints the URL of a call today (a test captures everything and looks),
/// but `hyper_util` holds a line that prints one in full, for a mistake that is not made here, and
/// a later version may print more.
pub const QUIET_TARGETS: &[&str] = &["hyper", "hyper_util"];
