//! The flows of Menjin, and HTTP around them.
//!
//! A request goes through `routes`, a handler in `api` that reads and writes HTTP, a flow in
//! `flows` that does what was asked, and `core` that decides. Configuration, logging and the
//! process belong to the program.

mod api;
mod app;
mod avatars;
mod bearer;
mod client;
mod errcodes;
mod failure;
mod flows;
mod http;
mod limit;
mod metrics;
mod options;
mod phone_page;
mod queue;
mod replay;
mod revocations;
mod routes;
mod tokens;

pub use api::openapi;
pub use app::App;
pub use avatars::{Pictures, PicturesError, PicturesOptions};
pub use errcodes::{Language, error_reference};
pub use failure::Failure;
pub use flows::keys;
pub use http::serve::{Listening, serve};
pub use options::{App as AppOptions, Options, Outside, Profile, Registration, SetupError};
pub use routes::{development, management, public};
