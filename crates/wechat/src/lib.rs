//! What WeChat's servers say: a client with typed answers, time limits and a circuit breaker.
//!
//! [`Client`] asks: what a login code or a phone code stands for, what WeChat thinks of a text,
//! whether a session key is still good. All its calls for one app share a limit, a circuit and, where
//! they need one, an access token. What may have reached WeChat may have spent the code, so nothing is
//! asked twice, save after WeChat refused the token and did nothing.
//!
//! [`decrypt`] and [`PushKeys`] ask nobody: they open what WeChat encrypted for a mini program, handed
//! over by a person's client or pushed by WeChat.
//!
//! Nothing here is written down or decides who may sign in. AppSecret, tokens and signatures are parts
//! of URLs, so no error, `Debug` text or event holds a URL; nor a code, a key or a phone number.

mod aes;
mod call;
mod check_text;
mod circuit;
mod client;
mod code_to_session;
mod connect;
mod decrypt;
mod error;
mod exchange;
mod http;
mod phone_number;
mod push;
mod rejection;
mod reply;
mod session_key;
mod setup;
mod signature;
mod token;

pub use check_text::Verdict;
pub use circuit::CircuitState;
pub use client::Client;
pub use code_to_session::Session;
pub use decrypt::{DecryptError, decrypt, signature_matches};
pub use error::Error;
pub use phone_number::{NotAPhoneCode, PhoneCode, PhoneNumber};
pub use push::{Event, PushError, PushKeys, PushKeysError, PushQuery};
pub use rejection::Rejection;
pub use setup::{App, Options, SetupError};
pub use token::AccessToken;

/// Log targets that a program should keep at `info` or above, whatever level it runs at.
///
/// At `trace` none of them prints the URL of a call today (a test captures everything and looks),
/// but `hyper_util` holds a line that prints one in full, for a mistake that is not made here, and
/// a later version may print more.
pub const QUIET_TARGETS: &[&str] = &["hyper", "hyper_util"];
