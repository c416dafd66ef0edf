//! `[mail]`: the server that takes mails.

use std::net::IpAddr;

use menjin_core::Secret;
use menjin_messages::{Login, Reach, Security, SmtpOptions};

use super::{
    reader::Reader,
    secrets::{self, Wanted},
    text,
};

const PASSWORD: Wanted = Wanted {
    from: "the password, or the code for it, that the mail server takes",
    least: 1,
    blanks: true,
};

/// Reads the section; `None` without a host, or if something was said to be a problem.
pub(super) fn read(reader: &mut Reader<'_>, notes: &mut Vec<String>) -> Option<SmtpOptions> {
    let host = reader.unless_empty("mail.host", text::host);
    let security = reader.parsed(
        "mail.security",
        Security::Implicit,
        text::one_of(&[
            ("tls", Security::Implicit),
            ("starttls", Security::StartTls),
            ("none", Security::None),
        ]),
    );
    let port = reader.whole("mail.port", 0, 0..=u32::from(u16::MAX));
    let from = reader.unless_empty("mail.from", text::sender);
    let login = login(reader);
    if !reader.is_filled("mail.host") {
        if from.is_some() || login.is_some() {
            let note = "mail.from or mail.user is set, and mail.host is not: no mails are sent";
            notes.push(note.to_owned());
        }
        return None;
    }
    if !reader.is_filled("mail.from") {
        let wrong = "is missing: set it to the address that mails come from";
        reader.refuse("mail.from", wrong);
    }
    let host = host?;
    if security == Security::None && !is_here(&host) {
        let wrong = "is \"none\", which sends codes and passwords in the clear to another machine: \
                     use \"tls\" or \"starttls\"";
        reader.refuse("mail.security", wrong);
    }
    Some(SmtpOptions {
        port: port_of(port, security),
        host,
        security,
        login,
        from: from?,
        reach: Reach::default(),
    })
}

/// Neither half of it is of use alone.
fn login(reader: &mut Reader<'_>) -> Option<Login> {
    let user = reader.unless_empty("mail.user", text::word);
    let password = secrets::one(
        reader,
        "mail.password",
        PASSWORD,
        reader.is_filled("mail.user"),
    );
    if password.is_some() && !reader.is_filled("mail.user") {
        let wrong = "is missing: mail.password stands alone, so say whose it is";
        reader.refuse("mail.user", wrong);
    }
    let both: Option<(String, Secret)> = user.zip(password);
    both.map(|(user, password)| Login { user, password })
}

fn port_of(port: u32, security: Security) -> u16 {
    match (u16::try_from(port), security) {
        (Ok(port @ 1..), _) => port,
        (_, Security::Implicit) => 465,
        (_, Security::StartTls) => 587,
        (_, Security::None) => 25,
    }
}

fn is_here(host: &str) -> bool {
    let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}
