//! The HTTP API, path by path, on both databases, against the simulator.
#![cfg(test)]
#![expect(
    clippy::disallowed_methods,
    reason = "tests spawn and are waited for by themselves"
)]

mod discovery;
mod harness;
mod health;
mod keys;
mod me;
mod register;
mod sign_in;
mod sources;
mod stored;
mod stub;
mod surface;
mod tokens;
