//! Tokens and keys as others publish them, and as somebody with bad intentions would write them.

#![cfg(test)]

mod changes;
mod confusion;
mod forge;
mod headers;
mod keys;
mod payloads;
mod properties;
mod published;
