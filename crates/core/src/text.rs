//! Newtypes over text that is checked once, at the border.

/// What kept a text from becoming an id or a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Malformed(pub(crate) &'static str);

/// Whether every byte is of the base64url alphabet, which is what WeChat's ids and codes are made of.
pub(crate) fn is_url_safe(text: &str) -> bool {
    text.bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

/// Declares a newtype over text: `parse`, `as_str` and `Display`.
macro_rules! text {
    ($(#[$doc:meta])* $name:ident, $max:literal, $complaint:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(std::sync::Arc<str>);

        impl $name {
            #[doc = concat!("Accepts 1 to ", $max, " characters of `[A-Za-z0-9_-]`.")]
            ///
            /// # Errors
            ///
            /// Anything else.
            pub fn parse(text: &str) -> Result<Self, $crate::text::Malformed> {
                if text.is_empty() || text.len() > $max || !$crate::text::is_url_safe(text) {
                    return Err($crate::text::Malformed($complaint));
                }
                Ok(Self(text.into()))
            }

            /// The text itself.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}
pub(crate) use text;
