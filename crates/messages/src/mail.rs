//! Mails: what is sent, and who can send it.

mod log;
mod smtp;

use std::fmt;

use menjin_core::Email;

use crate::{BoxFuture, Receipt, error::SendError};

pub use log::{LogMail, LoggedMail};
pub use smtp::{Login, Security, SmtpMail, SmtpOptions};

/// Hands mails to a mail server.
pub trait MailSender: Send + Sync {
    /// Hands `mail` over, once, whatever happens. A receipt says that the server took it, not that
    /// it arrived.
    ///
    /// # Errors
    ///
    /// Every variant of [`SendError`] but [`SendError::NotConfigured`].
    fn send<'a>(&'a self, mail: &'a Mail) -> BoxFuture<'a, Result<Receipt, SendError>>;

    /// Tries the connection and the login, and sends nothing.
    ///
    /// # Errors
    ///
    /// As [`MailSender::send`].
    fn try_out(&self) -> BoxFuture<'_, Result<(), SendError>>;
}

/// A mail, as [`crate::templates::MailWords`] words it. `Debug` shows the request's id alone.
#[derive(Clone)]
pub struct Mail {
    /// Whom it goes to.
    pub to: Email,
    /// One line.
    pub subject: String,
    /// The same as `html`, for those who read plain text.
    pub text: String,
    /// A whole document, which needs nothing from elsewhere.
    pub html: String,
    /// The link in it that its reader should follow.
    pub link: Option<String>,
    /// The id of the request that asked for it.
    pub request_id: String,
}

impl fmt::Debug for Mail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mail")
            .field("request_id", &self.request_id)
            .finish_non_exhaustive()
    }
}
