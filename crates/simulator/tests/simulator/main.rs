//! The simulator over real HTTP, byte by byte where WeChat's bytes are known.

#[cfg(test)]
mod access;
#[cfg(test)]
mod code_to_session;
#[cfg(test)]
mod content;
#[cfg(test)]
mod controls;
#[cfg(test)]
mod encrypted;
#[cfg(test)]
mod events;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod foreign_wechatpy;
#[cfg(test)]
mod harness;
#[cfg(test)]
mod messages;
#[cfg(test)]
mod phone_number;
#[cfg(test)]
mod session_check;
#[cfg(test)]
mod tokens;
