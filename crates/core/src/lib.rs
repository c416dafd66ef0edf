//! The rules and the words of Menjin: identities, users, tokens, refusals.
//!
//! Nothing here does I/O, waits, or knows SQL or HTTP. Time and randomness are handed in, save that
//! keys, nonces and random ids are drawn from the operating system's generator through `aws-lc-rs`.

pub mod app;
pub mod clock;
pub mod email;
pub mod identity;
pub mod json;
pub mod jwk;
pub mod jws;
pub mod key;
pub mod keyring;
pub mod phone;
pub mod profile;
pub mod refusal;
pub mod revocation;
pub mod secret;
pub mod sending;
pub mod service;
mod text;
pub mod token;
pub mod user;
pub mod verification;

pub use app::Appid;
pub use clock::{Clock, Instant};
pub use email::Email;
pub use identity::{Identity, IdentityId, LoginCode, Openid, Release, SessionKey, Unionid};
pub use phone::{CallingCodes, Phone};
pub use refusal::{Input, Refusal};
pub use secret::{MasterKeys, Secret};
pub use service::{Permission, Service, ServiceId};
pub use text::Malformed;
pub use user::{Role, Uid, User};
