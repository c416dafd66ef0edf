//! What a mail server is told.

use std::sync::{Arc, Mutex};

use menjin_core::{Email, Secret};
use menjin_messages::{
    LogMail, LoggedMail, Login, Mail, MailSender, Reach, Security, SendError, SetupError, SmtpMail,
    SmtpOptions, templates::MailWords,
};

use rustls::ServerConfig;

use crate::{
    TestClock, reach,
    smtp::{Reply, SmtpStub, Tls},
    tls::{Authority, self_signed},
};

/// A way to protect a stub's connections.
type Start = fn(ServerConfig) -> Tls;

pub(crate) fn options(port: u16, security: Security, reach: Reach) -> SmtpOptions {
    SmtpOptions {
        host: "127.0.0.1".to_owned(),
        port,
        security,
        login: Some(Login {
            user: "club@example.com".to_owned(),
            password: Secret::new("c4n4ryPASSWORD"),
        }),
        from: "维修协会 <club@example.com>".to_owned(),
        reach,
    }
}

pub(crate) fn sender(port: u16, security: Security, reach: Reach) -> SmtpMail {
    SmtpMail::new(options(port, security, reach), Arc::new(TestClock)).unwrap()
}

pub(crate) fn plain(stub: &SmtpStub) -> SmtpMail {
    sender(stub.port, Security::None, reach())
}

pub(crate) fn mail() -> Mail {
    let to = Email::parse("c4n4ry.wang@example.com").unwrap();
    let link = "https://menjin.example.com/confirm?token=c4n4ryTOKEN";
    let valid = std::time::Duration::from_hours(24);
    MailWords::new("维修协会").confirmation(&to, link, valid, "request-1")
}

#[tokio::test]
async fn a_mail_is_handed_over_whole() {
    let stub = SmtpStub::willing().await;
    plain(&stub).send(&mail()).await.unwrap();
    let commands = stub.commands();
    assert_eq!(commands[0], "EHLO example.com");
    assert!(commands[1].starts_with("AUTH PLAIN "), "{}", commands[1]);
    assert_eq!(
        commands[2..],
        [
            "MAIL FROM:<club@example.com>",
            "RCPT TO:<c4n4ry.wang@example.com>",
            "DATA",
            "QUIT"
        ]
    );
    let message = stub.message();
    let head: Vec<_> = message.iter().take_while(|line| !line.is_empty()).collect();
    let head = head
        .iter()
        .map(|line| line.as_str())
        .collect::<Vec<_>>()
        .join("\n");
    for line in [
        "To: c4n4ry.wang@example.com",
        "Date: Tue, 14 Nov 2023 22:13:20 +0000",
        "Auto-Submitted: auto-generated",
        "MIME-Version: 1.0",
        "Content-Type: multipart/alternative;",
    ] {
        assert!(head.contains(line), "{line} in {head}");
    }
    assert!(head.contains("Message-ID: <") && head.contains("@example.com>"));
    assert!(head.contains("From: =?utf-8?b?") && head.contains("Subject: =?utf-8?b?"));
    let whole = message.join("\n");
    assert!(whole.is_ascii());
    assert!(whole.contains("text/plain; charset=utf-8"));
    assert!(whole.contains("text/html; charset=utf-8"));
}

#[tokio::test]
async fn a_message_id_is_the_same_for_the_same_mail_alone() {
    let stub = SmtpStub::willing().await;
    let sender = plain(&stub);
    let mut other = mail();
    other.request_id = "request-2\r\nBcc: li@example.com".to_owned();
    for mail in [&mail(), &mail(), &other] {
        sender.send(mail).await.unwrap();
    }
    let message = stub.message();
    let ids: Vec<_> = message
        .iter()
        .filter(|line| line.starts_with("Message-ID: "))
        .collect();
    assert_eq!(ids.len(), 3);
    assert_eq!(ids[0], ids[1]);
    assert_ne!(ids[0], ids[2]);
    assert!(!message.iter().any(|line| line.starts_with("Bcc")));
}

/// No subject, text or name adds a header, a recipient or a second message.
#[tokio::test]
async fn nothing_in_a_mail_becomes_a_header_or_a_command() {
    let evil = "a\r\nBcc: li@example.com\r\n\r\n.\r\nRCPT TO:<li@example.com>\r\nDATA\r\nb";
    for end in [evil, "a\nBcc: li@example.com", "a\rBcc: li@example.com"] {
        let stub = SmtpStub::willing().await;
        let mut mail = mail();
        mail.subject = end.to_owned();
        mail.text = end.to_owned();
        mail.html = end.to_owned();
        mail.request_id = end.to_owned();
        plain(&stub).send(&mail).await.unwrap();
        let recipients = stub.commands();
        assert_eq!(recipients.len(), 6, "{recipients:?}");
        let message = stub.message();
        let head = message.iter().take_while(|line| !line.is_empty());
        assert!(head.clone().count() > 5);
        assert!(head.clone().all(|line| !line.starts_with("Bcc")));
        assert!(head.clone().any(|line| line.starts_with("Subject: a")));
    }
    assert!(Email::parse("wang@example.com\r\nBcc: li@example.com").is_err());
}

#[tokio::test]
async fn nobody_logs_in_where_no_login_is_given() {
    let stub = SmtpStub::saying("EHLO", Reply::Say("250 stub")).await;
    let options = SmtpOptions {
        login: None,
        ..options(stub.port, Security::None, reach())
    };
    let sender = SmtpMail::new(options, Arc::new(TestClock)).unwrap();
    sender.send(&mail()).await.unwrap();
    assert!(!stub.commands().iter().any(|line| line.starts_with("AUTH")));
}

#[tokio::test]
async fn trying_out_logs_in_and_says_goodbye() {
    let stub = SmtpStub::willing().await;
    plain(&stub).try_out().await.unwrap();
    let words: Vec<_> = stub
        .commands()
        .iter()
        .map(|line| line.split(' ').next().unwrap().to_owned())
        .collect();
    assert_eq!(words, ["EHLO", "AUTH", "QUIT"]);
}

#[tokio::test]
async fn tls_comes_first_and_certificates_are_checked() {
    let authority = Authority::new("mail");
    let ways: [(Security, Start); 2] = [
        (Security::Implicit, Tls::implicit),
        (Security::StartTls, Tls::upgraded),
    ];
    for (security, start) in ways {
        let stub = SmtpStub::start(Vec::new(), start(authority.vouch("127.0.0.1"))).await;
        let sender = sender(stub.port, security, authority.trusted());
        sender.try_out().await.unwrap();
        sender.send(&mail()).await.unwrap();
        assert!(stub.commands().iter().any(|line| line == "DATA"));

        let other = Authority::new("mail-other");
        for (config, reach) in [
            (self_signed(), authority.trusted()),
            (authority.vouch("127.0.0.2"), authority.trusted()),
            (authority.vouch("127.0.0.1"), other.trusted()),
            (authority.vouch("127.0.0.1"), reach()),
        ] {
            let stub = SmtpStub::start(Vec::new(), start(config)).await;
            let sender = crate::mail::sender(stub.port, security, reach);
            let outcome = sender.send(&mail()).await;
            assert!(
                matches!(outcome, Err(SendError::Unreachable(_))),
                "{security:?}: {outcome:?}"
            );
            let said_before = stub.commands();
            let allowed = ["EHLO example.com", "STARTTLS"];
            assert!(said_before.iter().all(|line| allowed.contains(&&**line)));
        }
    }
}

/// A server that takes STARTTLS out of its offer gets neither password nor mail.
#[tokio::test]
async fn without_starttls_nothing_is_said() {
    let stub = SmtpStub::willing().await;
    let sender = sender(stub.port, Security::StartTls, reach());
    let outcome = sender.send(&mail()).await;
    assert!(
        matches!(&outcome, Err(SendError::Refused { code, .. }) if code == "no-starttls"),
        "{outcome:?}"
    );
    assert_eq!(stub.commands(), ["EHLO example.com"]);
}

#[test]
fn options_that_cannot_work_are_refused() {
    let made = |change: fn(&mut SmtpOptions)| {
        let mut options = options(25, Security::None, reach());
        change(&mut options);
        SmtpMail::new(options, Arc::new(TestClock)).map(|_| ())
    };
    made(|_| {}).unwrap();
    made(|options| options.host = "localhost".to_owned()).unwrap();
    made(|options| options.host = "::1".to_owned()).unwrap();
    for host in [
        "smtp.example.com",
        "10.0.0.1",
        "0.0.0.0",
        "localhost.example.com",
    ] {
        let mut options = options(25, Security::None, reach());
        options.host = host.to_owned();
        let made = SmtpMail::new(options, Arc::new(TestClock)).map(|_| ());
        assert!(matches!(made, Err(SetupError::Plaintext)), "{host}");
    }
    made(|options| options.host = String::new()).unwrap_err();
    for from in [
        "",
        "club",
        "Club <club>",
        "club@example.com, li@example.com",
        "club@example.com\r\nBcc: li@example.com",
        "\"a\r\nBcc: li@example.com\" <club@example.com>",
        "俱乐部@example.com",
    ] {
        let mut options = options(25, Security::None, reach());
        options.from = from.to_owned();
        let made = SmtpMail::new(options, Arc::new(TestClock)).map(|_| ());
        assert!(matches!(made, Err(SetupError::From)), "{from:?}");
    }
}

#[tokio::test]
async fn the_sender_for_development_hands_over_everything() {
    let seen = Arc::new(Mutex::new(Vec::<LoggedMail>::new()));
    let sink = seen.clone();
    let sender = LogMail::new(Arc::new(move |mail| sink.lock().unwrap().push(mail)));
    sender.try_out().await.unwrap();
    sender.send(&mail()).await.unwrap();
    let seen = seen.lock().unwrap();
    let mail = mail();
    assert_eq!(seen[0].to, mail.to.as_str());
    assert_eq!(seen[0].subject, mail.subject);
    assert_eq!(Some(&seen[0].link), mail.link.as_ref());
    assert_eq!((&seen[0].text, &seen[0].html), (&mail.text, &mail.html));
    assert_eq!(format!("{:?}", seen[0]), "LoggedMail");
}
