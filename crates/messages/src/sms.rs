//! Text messages: what is sent, and who can send it.

mod aliyun;
mod log;
mod tencent;
mod webhook;

use menjin_core::{
    Phone,
    verification::{Code, Purpose},
};

use crate::{BoxFuture, Receipt, error::SendError};

pub use aliyun::{AliyunOptions, AliyunSms};
pub use log::{LogSms, LoggedSms};
pub use tencent::{TencentOptions, TencentSms};
pub use webhook::{WebhookOptions, WebhookSms};

/// Hands text messages to a provider.
pub trait SmsSender: Send + Sync {
    /// Hands `sms` over, once, whatever happens. A receipt says that the provider took it, not that
    /// it arrived.
    ///
    /// # Errors
    ///
    /// Every variant of [`SendError`].
    fn send<'a>(&'a self, sms: &'a Sms) -> BoxFuture<'a, Result<Receipt, SendError>>;

    /// Tries as much as can be tried without a message: the connection, and with a provider that
    /// has a harmless call, the keys.
    ///
    /// # Errors
    ///
    /// Every variant of [`SendError`] but [`SendError::NotConfigured`].
    fn try_out(&self) -> BoxFuture<'_, Result<(), SendError>>;
}

/// A text message. `Debug` masks the number and hides the code.
#[derive(Clone, Debug)]
pub struct Sms {
    /// Whom it goes to.
    pub to: Phone,
    /// What it says.
    pub kind: SmsKind,
    /// The id of the request that asked for it. Providers that keep such an id are told it.
    pub request_id: String,
}

/// What a text message says.
#[derive(Clone, Debug)]
pub enum SmsKind {
    /// A code that proves that the number is somebody's.
    Code {
        /// The six digits.
        code: Code,
        /// For how long they count.
        minutes: u32,
        /// What they are good for.
        purpose: Purpose,
    },
    /// Something that has happened and that the owner should know.
    Notice {
        /// What has happened.
        kind: NoticeKind,
    },
}

/// What somebody is told of their account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoticeKind {
    /// The phone number of the account was changed; the former one hears of it.
    PhoneChanged,
}

impl NoticeKind {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PhoneChanged => "phone_changed",
        }
    }
}

/// The templates that a provider has approved, by its own names for them.
#[derive(Clone, Debug, Default)]
pub struct SmsTemplates {
    /// For a code to become a user with.
    pub register: String,
    /// For a code to take over an imported account with.
    pub migrate: String,
    /// For a code to a new number.
    pub new_phone: String,
    /// For the notice that the number was changed; without it no such notice is sent.
    pub phone_changed: Option<String>,
    /// Whether the templates of codes have a second variable, for the minutes that the code counts.
    pub with_minutes: bool,
}

impl SmsTemplates {
    /// # Errors
    ///
    /// [`SendError::NotConfigured`] if there is none.
    fn of(&self, kind: &SmsKind) -> Result<&str, SendError> {
        let template = match kind {
            SmsKind::Code { purpose, .. } => match purpose {
                Purpose::Register => &self.register,
                Purpose::Migrate => &self.migrate,
                Purpose::NewPhone => &self.new_phone,
                // A mail's to prove.
                Purpose::NewEmail => "",
            },
            SmsKind::Notice {
                kind: NoticeKind::PhoneChanged,
            } => self.phone_changed.as_deref().unwrap_or_default(),
        };
        if template.is_empty() {
            return Err(SendError::NotConfigured);
        }
        Ok(template)
    }
}

impl SmsKind {
    /// The code, if it says one.
    fn code(&self) -> Option<&str> {
        match self {
            Self::Code { code, .. } => Some(code.expose()),
            Self::Notice { .. } => None,
        }
    }
}

impl Sms {
    /// A provider's id of this message, if it is sane and repeats nothing of the message.
    fn identifier(&self, text: Option<&str>) -> Option<String> {
        let sane = |text: &&str| {
            (1..=128).contains(&text.len())
                && text.bytes().all(|byte| byte.is_ascii_graphic())
                && !text.contains(self.to.national())
                && !self.kind.code().is_some_and(|code| text.contains(code))
        };
        text.filter(sane).map(str::to_owned)
    }
}

/// An option that goes into a header.
///
/// # Errors
///
/// [`crate::SetupError::Unfit`] if it cannot.
fn header_safe(name: &'static str, value: &str) -> Result<(), crate::SetupError> {
    if value.is_empty() || !value.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(crate::SetupError::Unfit(name));
    }
    Ok(())
}
