//! The simulator over real HTTP, byte by byte where WeChat's bytes are known.

#[cfg(test)]
mod code_to_session;
#[cfg(test)]
mod controls;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod foreign_wechatpy;
#[cfg(test)]
mod harness;
#[cfg(test)]
mod tokens;
