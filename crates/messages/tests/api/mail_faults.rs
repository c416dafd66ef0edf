//! Mail servers that refuse, are slow, or talk nonsense.

use std::time::{Duration, Instant};

use menjin_messages::{MailSender, RefusedKind, Security, SendError};
use tokio::net::TcpListener;

use crate::{
    impatient,
    mail::{mail, plain, sender},
    reach,
    smtp::{Reply, SmtpStub},
};

#[tokio::test]
async fn a_refusal_is_a_failure_and_is_not_tried_again() {
    for (to, said, code, kind) in [
        (
            "RCPT",
            "550 5.1.1 <c4n4ry.wang@example.com> unknown",
            "550",
            RefusedKind::BadNumber,
        ),
        ("RCPT", "450 4.7.1 greylisted", "450", RefusedKind::TooOften),
        ("MAIL", "452 full", "452", RefusedKind::TooOften),
        (
            "AUTH",
            "535 wrong password",
            "535",
            RefusedKind::Misconfigured,
        ),
        (
            "MAIL",
            "530 log in first",
            "530",
            RefusedKind::Misconfigured,
        ),
        ("DATA", "554 no", "554", RefusedKind::Other),
        (".", "554 spam", "554", RefusedKind::Other),
        ("GREETING", "421 busy", "421", RefusedKind::TooOften),
        ("GREETING", "554 not you", "554", RefusedKind::Other),
        ("EHLO", "250 stub", "no-login", RefusedKind::Misconfigured),
    ] {
        let stub = SmtpStub::saying(to, Reply::Say(said)).await;
        let error = plain(&stub).send(&mail()).await.unwrap_err();
        let SendError::Refused {
            code: word,
            kind: found,
        } = error
        else {
            panic!("{to}: {error:?}")
        };
        assert_eq!((&*word, found), (code, kind), "{to}");
        let commands = stub.commands();
        let tries = commands.iter().filter(|line| line.starts_with("EHLO"));
        assert!(tries.count() <= 1, "{commands:?}");
    }
}

#[tokio::test]
async fn a_server_that_hangs_is_left() {
    for to in ["GREETING", "EHLO", "AUTH", "RCPT", "DATA", "."] {
        let stub = SmtpStub::saying(to, Reply::Hang).await;
        let start = Instant::now();
        let outcome = sender(stub.port, Security::None, impatient())
            .send(&mail())
            .await;
        assert!(matches!(outcome, Err(SendError::TimedOut)), "{outcome:?}");
        assert!(start.elapsed() < Duration::from_secs(4), "{to}");
    }
}

/// A mail that was taken was sent, whether or not the server can say goodbye.
#[tokio::test]
async fn a_mail_that_was_taken_is_no_failure() {
    for reply in [
        Reply::Hang,
        Reply::Close,
        Reply::Flood,
        Reply::Say("421 I am gone"),
    ] {
        let stub = SmtpStub::saying("QUIT", reply).await;
        let start = Instant::now();
        plain(&stub).send(&mail()).await.unwrap();
        assert!(start.elapsed() < Duration::from_secs(4));
    }
}

#[tokio::test]
async fn nonsense_is_a_failure() {
    for (to, reply) in [
        ("GREETING", Reply::Say("HTTP/1.1 400 Bad Request")),
        ("GREETING", Reply::Close),
        ("GREETING", Reply::Flood),
        ("RCPT", Reply::Say("")),
        ("RCPT", Reply::Flood),
        (".", Reply::Say("yes")),
        (".", Reply::Close),
    ] {
        let stub = SmtpStub::saying(to, reply).await;
        let before = resident();
        let outcome = plain(&stub).send(&mail()).await;
        assert!(
            matches!(
                outcome,
                Err(SendError::Garbled(_) | SendError::Unreachable(_))
            ),
            "{to}: {outcome:?}"
        );
        assert!(resident() < before + (16 << 20), "{to}");
    }
}

/// Bytes of memory that this process holds.
fn resident() -> usize {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap();
    pages.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
}

#[tokio::test]
async fn a_server_that_is_not_there_is_a_failure() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    for security in [Security::None, Security::Implicit, Security::StartTls] {
        let sender = sender(port, security, reach());
        let sent = sender.send(&mail()).await.map(drop);
        for outcome in [sent, sender.try_out().await] {
            assert!(
                matches!(outcome, Err(SendError::Unreachable(_))),
                "{outcome:?}"
            );
        }
    }
}

#[tokio::test]
async fn trying_out_sees_a_wrong_password() {
    let stub = SmtpStub::saying("AUTH", Reply::Say("535 5.7.8 no")).await;
    let outcome = plain(&stub).try_out().await;
    let Err(SendError::Refused { code, kind }) = outcome else {
        panic!("{outcome:?}")
    };
    assert_eq!((&*code, kind), ("535", RefusedKind::Misconfigured));
}
