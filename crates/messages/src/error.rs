//! Why a message did not go out, and why a sender could not be made.

use std::{error::Error as StdError, io, path::PathBuf, sync::Arc};

/// Why nobody knows of a message that it went out. No variant holds a number, an address, a text,
/// a code, a key or a URL.
///
/// Only after [`SendError::Refused`] and [`SendError::NotConfigured`] is it certain that it did
/// not; after the others it may have, so it must not be sent again under the same request.
#[derive(Clone, Debug, thiserror::Error)]
pub enum SendError {
    /// The provider understood, and will not.
    #[error("the provider refused: {code}")]
    Refused {
        /// The provider's own word: at most 80 characters of `[A-Za-z0-9._-]`, or `unreadable`.
        code: String,
        /// What to make of it.
        kind: RefusedKind,
    },
    /// The connection could not be made, or broke, or TLS failed.
    #[error("the provider could not be reached")]
    Unreachable(#[source] Arc<dyn StdError + Send + Sync>),
    /// No whole answer within the time limit, or no connection within its own.
    #[error("the provider did not answer in time")]
    TimedOut,
    /// The answer is not what is documented; the words say what is wrong and never quote it.
    #[error("the provider's answer makes no sense: {0}")]
    Garbled(&'static str),
    /// There is no template for messages of this kind; nothing was sent.
    #[error("nothing is configured for messages of this kind")]
    NotConfigured,
}

/// What a provider's refusal means for whoever wants the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefusedKind {
    /// A limit of the provider's is used up: waiting helps.
    TooOften,
    /// Nothing can be sent to this number or address.
    BadNumber,
    /// Keys, signature, template, account or balance are not in order: an operator must act.
    Misconfigured,
    /// Anything else.
    Other,
}

impl SendError {
    /// A refusal in the provider's `word`, which is left out if it could be telling something:
    /// one that holds `secret`, or digits enough for a code or a number.
    pub(crate) fn refused(word: &str, kind: RefusedKind, secret: &str) -> Self {
        let legal = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        let sane = (1..=80).contains(&word.len())
            && word.chars().all(legal)
            && !word
                .split(|c: char| !c.is_ascii_digit())
                .any(|digits| digits.len() >= 6)
            && (secret.is_empty() || !word.contains(secret));
        Self::Refused {
            code: if sane { word } else { "unreadable" }.to_owned(),
            kind,
        }
    }
}

/// Why no sender could be made of the options.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// The URL is none. Its text is left out, since people put passwords into URLs.
    #[error("the provider's URL {0}")]
    Url(&'static str),
    /// An option is empty, or holds characters that cannot be sent.
    #[error("{0} is empty, or holds characters that cannot be sent")]
    Unfit(&'static str),
    /// The sender of mails is no address.
    #[error("the sender of mails must be an address, or a name and an address in <>")]
    From,
    /// Mail would leave this machine unencrypted.
    #[error("without TLS, mail goes to a server on this machine alone")]
    Plaintext,
    /// The file of further certificates cannot be used.
    #[error("cannot use the certificates in {}", path.display())]
    CaFile {
        /// The file as it was configured.
        path: PathBuf,
        /// What is wrong with it.
        source: io::Error,
    },
    /// The TLS library refused its own defaults.
    #[error("TLS could not be set up")]
    Tls(#[source] Box<dyn StdError + Send + Sync>),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(text: &str) -> String {
        match SendError::refused(text, RefusedKind::Other, "canary") {
            SendError::Refused { code, .. } => code,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_providers_word_is_kept_if_it_tells_nothing() {
        for text in [
            "LimitExceeded.PhoneNumberDailyLimit",
            "isv.BUSINESS_LIMIT_CONTROL",
            "HTTP-429",
            "550",
        ] {
            assert_eq!(word(text), text);
        }
        for text in [
            "",
            "two words",
            "isv.13800138000",
            "code-012345",
            "the.canary.sings",
            "<script>",
            "错误",
            "a\r\nb",
            &"a".repeat(81),
        ] {
            assert_eq!(word(text), "unreadable", "{text:?}");
        }
    }
}
