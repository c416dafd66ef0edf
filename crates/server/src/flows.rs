//! What Menjin does, one story a file.

pub(crate) mod change_email;
pub(crate) mod change_phone;
pub(crate) mod check_code;
pub(crate) mod contacts;
pub(crate) mod errands;
pub(crate) mod housekeeping;
pub mod keys;
pub(crate) mod register;
pub(crate) mod send_code;
pub(crate) mod sign_in;
mod spent_codes;
