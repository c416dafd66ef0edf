//! The rules and the words of Menjin: identities, users, tokens, refusals.
//!
//! Nothing here does I/O, waits, or knows SQL or HTTP. Time and randomness are handed in, save that
//! keys, nonces and random ids are drawn from the operating system's generator through `aws-lc-rs`.

pub mod app;
pub mod clock;
pub mod identity;
pub mod json;
pub mod jwk;
pub mod jws;
pub mod key;
pub mod keyring;
pub mod refusal;
pub mod secret;
mod text;
pub mod token;
pub mod user;

pub use app::Appid;
pub use clock::{Clock, Instant};
pub use identity::{Identity, IdentityId, LoginCode, Openid, Release, SessionKey, Unionid};
pub use refusal::Refusal;
pub use secret::{MasterKeys, Secret};
pub use text::Malformed;
pub use user::{Role, Uid, User};
