//! The HTTP API, path by path, on both databases, against the simulator.
#![cfg(test)]
#![expect(
    clippy::disallowed_methods,
    reason = "tests spawn and are waited for by themselves"
)]

mod avatar;
mod consent;
mod decrypt;
mod delete;
mod discovery;
mod errands;
mod events;
mod export;
mod harness;
mod health;
mod keys;
mod logout;
mod me;
mod new_email;
mod new_phone;
mod profile;
mod register;
mod services;
mod sign_in;
mod sources;
mod status;
mod stored;
mod stub;
mod surface;
mod tokens;
