//! Why a call gave nothing.

use std::{error::Error as StdError, sync::Arc, time::Duration};

use crate::rejection::Rejection;

/// Why a call to WeChat gave nothing. No variant holds a URL, a code or a key.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// WeChat answered with an errcode.
    #[error("WeChat answered {}: {}", .0.errcode, .0.errmsg)]
    Answered(Rejection),
    /// No whole answer within the time limit, or no connection within its own.
    #[error("WeChat did not answer in time")]
    TimedOut,
    /// Too many calls failed in a row; nothing was sent.
    #[error("WeChat failed too often to be asked again just now")]
    CircuitOpen {
        /// Until WeChat may be asked again: above zero, at most a second.
        retry_after: Duration,
    },
    /// Too many calls are under way already; nothing was sent.
    #[error("too many calls to WeChat are under way")]
    Busy,
    /// The connection could not be made, or broke, or TLS failed, or the reply was cut short or came in
    /// bad chunks; or the app is not one that the client was made with, in which case nothing was sent.
    #[error("WeChat could not be reached")]
    Unreachable(#[source] Arc<dyn StdError + Send + Sync>),
    /// The reply is not the documented JSON; the words say what is wrong and never quote it.
    #[error("WeChat's reply makes no sense: {0}")]
    Garbled(&'static str),
}

impl Error {
    /// The connection could not be made, or broke.
    pub(crate) fn unreachable(cause: impl StdError + Send + Sync + 'static) -> Self {
        Self::Unreachable(Arc::new(cause))
    }

    /// Whether WeChat said something that can be understood, so that it is in working order.
    pub(crate) const fn is_an_answer(&self) -> bool {
        matches!(self, Self::Answered(_))
    }
}
