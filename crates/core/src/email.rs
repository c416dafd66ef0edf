//! Mail addresses, as far as they can be told from other text.

use std::{fmt, sync::Arc};

use crate::text::Malformed;

const COMPLAINT: Malformed = Malformed("not a mail address");

/// A mail address: the host in lower case. `Debug` masks it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Email(Arc<str>);

impl Email {
    /// Accepts the plain form of RFC 5321, section 4.1.2, in ASCII: 254 characters at most, a dot
    /// in the host, no quotes, comments or address literals.
    ///
    /// # Errors
    ///
    /// Anything else. Whether somebody reads it is for a message to find out.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let text = text.trim();
        let (local, host) = text.rsplit_once('@').ok_or(COMPLAINT)?;
        let fits = text.len() <= 254 && local.len() <= 64 && is_local(local) && is_host(host);
        if !fits {
            return Err(COMPLAINT);
        }
        Ok(Self(
            format!("{local}@{}", host.to_ascii_lowercase()).into(),
        ))
    }

    /// The address itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Enough to recognise an address by: `w***@example.com`.
    #[must_use]
    pub fn masked(&self) -> String {
        let (local, host) = self.0.split_once('@').unwrap_or(("", ""));
        let first = local.chars().next().unwrap_or('*');
        format!("{first}***@{host}")
    }
}

impl fmt::Debug for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked())
    }
}

fn is_local(local: &str) -> bool {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~.".contains(&byte);
    !local.is_empty()
        && local.bytes().all(legal)
        && !local.starts_with('.')
        && !local.ends_with('.')
        && !local.contains("..")
}

fn is_host(host: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let mut labels = host.split('.');
    let top = labels.next_back().unwrap_or_default();
    host.contains('.')
        && labels.all(label)
        && label(top)
        && top.bytes().any(|byte| byte.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_from_other_text() {
        for text in [
            "wang@example.com",
            "a.b+c_d@mail.example.com.cn",
            "x@xn--fiq228c.cn",
        ] {
            assert_eq!(Email::parse(text).unwrap().as_str(), text);
        }
        assert_eq!(
            Email::parse(" Wang@Example.COM ").unwrap().as_str(),
            "Wang@example.com"
        );
        for text in [
            "",
            "wang",
            "@example.com",
            "wang@",
            "wang@example",
            "wang@example.com, li@example.com",
            "wang <wang@example.com>",
            "wang@[127.0.0.1]",
            "wang@127.0.0.1",
            "wang@example..com",
            ".wang@example.com",
            "wa..ng@example.com",
            "wang@-example.com",
            "wang@example.com\r\nBcc: li@example.com",
            "wang\0@example.com",
            "王@example.com",
            "a@b@example.com\n",
        ] {
            assert_eq!(Email::parse(text), Err(COMPLAINT), "{text:?}");
        }
        assert!(Email::parse(&format!("{}@example.com", "a".repeat(65))).is_err());
        let email = Email::parse("wang@example.com").unwrap();
        assert_eq!(format!("{email:?}"), "w***@example.com");
    }
}
