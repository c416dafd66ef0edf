//! What the texts of a configuration have to look like. Each function says what is wanted and
//! never what it was given.

use std::net::SocketAddr;

use ipnet::IpNet;
use menjin_core::{Email, Secret};
use reqwest::Url;
use tracing_subscriber::EnvFilter;

/// An IP address and a port.
pub(super) fn listen(text: &str) -> Result<SocketAddr, &'static str> {
    text.parse().map_err(
        |_| "has to be an IP address and a port, such as 127.0.0.1:8080, 0.0.0.0:8080 or [::]:8080",
    )
}

/// An IP address or a network.
pub(super) fn network(text: &str) -> Result<IpNet, &'static str> {
    let address = || text.parse::<std::net::IpAddr>().map(IpNet::from);
    text.parse::<IpNet>().or_else(|_| address()).map_err(|_: std::net::AddrParseError| {
        "has to be an IP address or a network, such as 10.0.0.1 or 10.0.0.0/8"
    })
}

/// An address that others are told: nothing may be cut off or added.
pub(super) fn public_url(text: &str) -> Result<String, String> {
    if text.ends_with('/') {
        return Err("must not end in a slash: take it away".to_owned());
    }
    url(text)
}

/// An address that is called. A slash at the end says nothing and is cut off.
pub(super) fn called_url(text: &str) -> Result<String, String> {
    url(text.strip_suffix('/').unwrap_or(text))
}

fn url(text: &str) -> Result<String, String> {
    let wanted = "has to be an address such as https://login.example.com";
    // The parser forgives blanks and line ends, but those who compare texts do not.
    if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(format!("{wanted}, without blanks and in ASCII"));
    }
    let url = Url::parse(text).map_err(|error| format!("{wanted} ({error})"))?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(format!("{wanted}, with http:// or https:// in front"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("must not hold a user name or password".to_owned());
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err("must not hold a query or fragment (? or #)".to_owned());
    }
    Ok(text.to_owned())
}

/// A database.
pub(super) fn store_url(text: &str) -> Result<Secret, &'static str> {
    let file = text.strip_prefix("sqlite://");
    let server = ["postgres://", "postgresql://"]
        .into_iter()
        .find_map(|scheme| text.strip_prefix(scheme));
    let names_a_file = file.is_some_and(|path| !path.is_empty() && !path.ends_with('/'));
    if names_a_file || server.is_some_and(|rest| !rest.is_empty()) {
        return Ok(Secret::new(text));
    }
    Err("has to be sqlite:///path/menjin.db or postgres://user:password@host/database")
}

/// The name of a service that accepts tokens.
pub(super) fn audience(text: &str) -> Result<String, &'static str> {
    match text.len() {
        1..=200 if text.bytes().all(|byte| byte.is_ascii_graphic()) => Ok(text.to_owned()),
        _ => Err("has to be 1 to 200 characters of ASCII without blanks"),
    }
}

/// A name, number or key of a provider's.
pub(super) fn word(text: &str) -> Result<String, &'static str> {
    match text.len() {
        1..=200 if text.bytes().all(|byte| byte.is_ascii_graphic()) => Ok(text.to_owned()),
        _ => Err("has to be 1 to 200 characters of ASCII without blanks"),
    }
}

/// The signature of a text message.
pub(super) fn sign_name(text: &str) -> Result<String, &'static str> {
    let illegal = |c: char| c.is_control() || matches!(c, '\u{3010}' | '\u{3011}' | '[' | ']');
    if text.chars().count() > 64 || text.contains(illegal) {
        return Err("has to be the approved signature, 64 characters at most, without brackets");
    }
    Ok(text.to_owned())
}

/// The version of a privacy policy.
pub(super) fn policy(text: &str) -> Result<String, &'static str> {
    match text.len() {
        1..=64 if text.bytes().all(|byte| byte.is_ascii_graphic()) => Ok(text.to_owned()),
        _ => Err("has to be 1 to 64 characters of ASCII without blanks, such as 2026-11"),
    }
}

/// The name or address of a server, without a scheme and without a port.
pub(super) fn host(text: &str) -> Result<String, &'static str> {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte);
    // A single colon is a port; an IPv6 address has several.
    if text.len() > 253 || !text.bytes().all(legal) || text.matches(':').count() == 1 {
        return Err("has to be the name of a server, such as smtp.example.com, without a port");
    }
    Ok(text.to_owned())
}

/// A host whose pictures may be shown.
pub(super) fn picture_host(text: &str) -> Result<String, &'static str> {
    let legal =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-.".contains(&byte);
    if text.is_empty() || text.len() > 253 || !text.bytes().all(legal) {
        return Err("has to be the name of a host in small letters, such as img.example.com");
    }
    Ok(text.to_owned())
}

/// Whom mails come from.
pub(super) fn sender(text: &str) -> Result<String, &'static str> {
    let address = match text.strip_suffix('>') {
        Some(rest) => rest.rsplit_once('<').map_or("", |(_, address)| address),
        None => text,
    };
    if text.contains(char::is_control) || Email::parse(address).is_err() {
        return Err(
            "has to be a mail address, or a name and an address: Menjin <no-reply@example.com>",
        );
    }
    Ok(text.to_owned())
}

/// What is logged.
pub(super) fn log_level(text: &str) -> Result<String, &'static str> {
    const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];
    // A lone word that is no level would be taken for the name of a crate, and all of it logged.
    let lone = |part: &&str| part.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let is_level = |part: &str| LEVELS.iter().any(|level| level.eq_ignore_ascii_case(part));
    let levels = text.split(',').map(str::trim).filter(lone).all(is_level);
    if levels && EnvFilter::builder().parse(text).is_ok() {
        return Ok(text.to_owned());
    }
    Err("has to be error, warn, info, debug or trace, or such a list as info,menjin_server=debug")
}

/// One of several words.
pub(super) fn one_of<T: Copy>(
    words: &'static [(&'static str, T)],
) -> impl FnOnce(&str) -> Result<T, String> {
    move |text| {
        let found = words.iter().find(|(word, _)| *word == text);
        found.map(|(_, value)| *value).ok_or_else(|| {
            let names: Vec<_> = words
                .iter()
                .map(|(word, _)| format!("\"{word}\""))
                .collect();
            format!("has to be {}", names.join(" or "))
        })
    }
}
