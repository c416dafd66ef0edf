//! Requests and replies: one path a file.

pub(crate) mod discovery;
pub(crate) mod email;
pub(crate) mod health;
pub(crate) mod me;
pub(crate) mod phone;
pub(crate) mod reference;
pub(crate) mod register;
pub(crate) mod sign_in;

pub use reference::openapi;
