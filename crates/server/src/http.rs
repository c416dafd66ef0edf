//! HTTP around the flows: what holds for every request.

pub(crate) mod address;
pub(crate) mod body;
pub(crate) mod form;
pub(crate) mod front;
pub(crate) mod raw;
pub(crate) mod serve;
