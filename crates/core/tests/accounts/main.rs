//! Numbers, addresses, names, codes and limits, as anybody may write them and in any order.

#![cfg(test)]

mod limits;
mod texts;
