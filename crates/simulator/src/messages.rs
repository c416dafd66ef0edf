//! Short messages and mails that a back end sent, kept for whoever plays the person.

use std::{collections::VecDeque, fmt};

use serde::Serialize;

/// How many of each are kept; a new one beyond that pushes out the oldest.
const MOST: usize = 1000;

/// A short message.
#[derive(Clone, Serialize)]
pub struct Sms {
    /// The number, with `+` and the code of its country.
    pub to: String,
    /// What the person reads.
    pub text: String,
    /// The code that the text holds.
    pub code: String,
}

/// A mail.
#[derive(Clone, Serialize)]
pub struct Mail {
    /// The address.
    pub to: String,
    /// The subject, decoded.
    pub subject: String,
    /// The body in plain text.
    pub text: String,
    /// The body in HTML.
    pub html: String,
    /// The address that the mail asks to open.
    pub link: String,
}

/// Messages say nothing of themselves: they hold numbers, addresses and codes.
macro_rules! silent {
    ($($message:ident),*) => {$(
        impl fmt::Debug for $message {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.debug_struct(stringify!($message)).finish_non_exhaustive()
            }
        }
    )*};
}

silent!(Sms, Mail);

/// The messages of one kind, the oldest in front.
pub(crate) struct Kept<T>(VecDeque<Arrived<T>>);

/// A message, and when it came: RFC 3339, UTC.
#[derive(Clone, Serialize)]
pub(crate) struct Arrived<T> {
    #[serde(flatten)]
    message: T,
    at: String,
}

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Self(VecDeque::new())
    }
}

impl<T: Clone> Kept<T> {
    /// `now` is in milliseconds since 1970.
    pub(crate) fn keep(&mut self, message: T, now: i64) {
        if self.0.len() >= MOST {
            self.0.pop_front();
        }
        let at = jiff::Timestamp::from_millisecond(now).unwrap_or_default();
        self.0.push_back(Arrived {
            message,
            at: at.to_string(),
        });
    }

    pub(crate) fn list(&self) -> Vec<Arrived<T>> {
        self.0.iter().cloned().collect()
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }
}
