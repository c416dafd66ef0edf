//! The built program, from outside: started as an operator starts it, asked over real connections,
//! and put under what happens to servers.

#![cfg(test)]

mod harness;

mod account_canaries;
mod browser;
mod canaries;
mod clock;
mod configuration;
mod database_away;
mod descriptors;
mod dev;
mod draining;
mod example;
mod hanging;
mod imports;
mod keys;
mod killed;
mod log_lines;
mod messages;
mod replicas;
mod revocations;
mod sdk;
mod secrets;
mod service;
mod services;
mod setting_up;
mod traces;
mod vectors;
mod wechat_faults;
mod words;
