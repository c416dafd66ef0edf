//! Requests and replies: one path a file.

pub(crate) mod avatar;
pub(crate) mod check_session;
pub(crate) mod consent;
pub(crate) mod decrypt;
pub(crate) mod delete;
pub(crate) mod discovery;
pub(crate) mod email;
pub(crate) mod events;
pub(crate) mod export;
pub(crate) mod health;
pub(crate) mod logout;
pub(crate) mod me;
pub(crate) mod oauth;
pub(crate) mod phone;
pub(crate) mod profile;
pub(crate) mod reference;
pub(crate) mod register;
pub(crate) mod revocations;
pub(crate) mod sign_in;
pub(crate) mod status;
pub(crate) mod verify;
pub(crate) mod wechat_token;

pub use reference::openapi;
