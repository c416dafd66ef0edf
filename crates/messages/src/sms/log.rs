//! The sender for development: nothing leaves the program.

use std::{fmt, sync::Arc};

use crate::{
    BoxFuture, Receipt,
    error::SendError,
    sms::{Sms, SmsSender},
    templates,
};

/// Gives every text message to a function, whole.
#[derive(Clone)]
pub struct LogSms {
    sink: Arc<dyn Fn(LoggedSms) + Send + Sync>,
}

/// A text message as its owner would read it. `Debug` prints the type's name alone.
#[derive(Clone, PartialEq, Eq)]
pub struct LoggedSms {
    /// E.164.
    pub to: String,
    /// All of it.
    pub text: String,
    /// The code in it; empty if it has none.
    pub code: String,
}

impl LogSms {
    /// A sender that calls `sink` for each message.
    #[must_use]
    pub fn new(sink: Arc<dyn Fn(LoggedSms) + Send + Sync>) -> Self {
        Self { sink }
    }
}

impl SmsSender for LogSms {
    fn send<'a>(&'a self, sms: &'a Sms) -> BoxFuture<'a, Result<Receipt, SendError>> {
        (self.sink)(LoggedSms {
            to: sms.to.as_str().to_owned(),
            text: templates::sms(&sms.kind),
            code: sms.kind.code().unwrap_or_default().to_owned(),
        });
        Box::pin(async { Ok(Receipt::default()) })
    }

    fn try_out(&self) -> BoxFuture<'_, Result<(), SendError>> {
        Box::pin(async { Ok(()) })
    }
}

impl fmt::Debug for LoggedSms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LoggedSms")
    }
}
