//! Text messages and mails: their words, and the providers that carry them.
//!
//! A message is handed over once for one call. Nothing here asks again after a failure, since a
//! request that may have arrived may have sent the message; nor is anything written down or
//! limited here, which is for whoever calls.
//!
//! Numbers, addresses, codes, links and keys are in no error, `Debug` text or event.

mod connect;
mod error;
mod http;
mod mail;
mod sign;
mod sms;
pub mod templates;

use std::{future::Future, pin::Pin};

pub use connect::Reach;
pub use error::{RefusedKind, SendError, SetupError};
pub use mail::{LogMail, LoggedMail, Login, Mail, MailSender, Security, SmtpMail, SmtpOptions};
pub use sms::{
    AliyunOptions, AliyunSms, LogSms, LoggedSms, NoticeKind, Sms, SmsKind, SmsSender, SmsTemplates,
    TencentOptions, TencentSms, WebhookOptions, WebhookSms,
};

/// What a sender's methods return, so that a sender can be a trait object.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What a provider said when it took a message over.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Receipt {
    /// The provider's own id of the message, if it gives one.
    pub provider_id: Option<String>,
    /// The parts that the message is billed as, if the provider says.
    pub cost: Option<u32>,
}
