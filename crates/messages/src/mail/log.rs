//! The sender for development: nothing leaves the program.

use std::{fmt, sync::Arc};

use crate::{
    BoxFuture, Receipt,
    error::SendError,
    mail::{Mail, MailSender},
};

/// Gives every mail to a function, whole.
#[derive(Clone)]
pub struct LogMail {
    sink: Arc<dyn Fn(LoggedMail) + Send + Sync>,
}

/// A mail as its owner would read it. `Debug` prints the type's name alone.
#[derive(Clone, PartialEq, Eq)]
pub struct LoggedMail {
    /// The address.
    pub to: String,
    /// One line.
    pub subject: String,
    /// The plain text.
    pub text: String,
    /// The HTML.
    pub html: String,
    /// The link in it; empty if it has none.
    pub link: String,
}

impl LogMail {
    /// A sender that calls `sink` for each mail.
    #[must_use]
    pub fn new(sink: Arc<dyn Fn(LoggedMail) + Send + Sync>) -> Self {
        Self { sink }
    }
}

impl MailSender for LogMail {
    fn send<'a>(&'a self, mail: &'a Mail) -> BoxFuture<'a, Result<Receipt, SendError>> {
        (self.sink)(LoggedMail {
            to: mail.to.as_str().to_owned(),
            subject: mail.subject.clone(),
            text: mail.text.clone(),
            html: mail.html.clone(),
            link: mail.link.clone().unwrap_or_default(),
        });
        Box::pin(async { Ok(Receipt::default()) })
    }

    fn try_out(&self) -> BoxFuture<'_, Result<(), SendError>> {
        Box::pin(async { Ok(()) })
    }
}

impl fmt::Debug for LoggedMail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LoggedMail")
    }
}
