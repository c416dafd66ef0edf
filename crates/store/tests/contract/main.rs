//! What the store promises, on both databases.

#![cfg(test)]

mod harness;

mod audit;
mod catalogue;
mod deletion;
mod exports;
mod identities;
mod imports;
mod migrations;
mod postgres;
mod signing_keys;
mod spent_codes;
mod sqlite;
mod stories;
mod tls;
mod users;
