//! What Menjin does, one story a file.

pub mod keys;
pub(crate) mod sign_in;
mod spent_codes;
