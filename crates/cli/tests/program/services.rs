//! The team's other services: the examples that this repository shows, and foreign libraries for OAuth
//! clients, each a process of its own against the built program.

mod clients;
mod deployment;
mod examples;
mod telling;
