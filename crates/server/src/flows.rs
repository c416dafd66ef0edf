//! What Menjin does, one story a file.

pub(crate) mod change_email;
pub(crate) mod change_phone;
pub(crate) mod check_code;
pub(crate) mod consent;
pub(crate) mod contacts;
pub(crate) mod delete;
pub(crate) mod errands;
pub(crate) mod events;
pub(crate) mod export;
pub(crate) mod follow;
pub(crate) mod housekeeping;
pub(crate) mod introspect;
pub mod keys;
pub(crate) mod logout;
pub(crate) mod register;
pub(crate) mod revoke;
pub(crate) mod search;
pub(crate) mod send_code;
pub(crate) mod session_key;
pub(crate) mod set_avatar;
pub(crate) mod set_profile;
pub(crate) mod sign_in;
mod spent_codes;
