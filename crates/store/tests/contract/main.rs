//! What the store promises, on both databases.

#![cfg(test)]

mod harness;

mod audit;
mod catalogue;
mod deletion;
mod errands;
mod exports;
mod guesses;
mod identities;
mod imports;
mod migrations;
mod personal;
mod postgres;
mod revocations;
mod sends;
mod signing_keys;
mod spent_codes;
mod sqlite;
mod stories;
mod tls;
mod turns;
mod user_changes;
mod user_lists;
mod users;
mod verifications;
