//! What must never be seen: numbers, addresses, codes, links, keys and URLs, in errors, `Debug`
//! texts and events down to the lowest level of every library below.

use std::{
    error::Error as StdError,
    io::{self, Write},
    sync::{Arc, LazyLock, Mutex},
};

use menjin_messages::{MailSender, Reach, Security, SendError};
use tracing_subscriber::{
    filter::LevelFilter,
    fmt::{MakeWriter, format::FmtSpan},
};

use crate::{
    CODE, KEY, aliyun_options, code, impatient,
    mail::{mail, options as mail_options, sender as mail_sender},
    reach, senders,
    smtp::{Reply, SmtpStub, Tls},
    stub::{Play, Stub, answer},
    tencent_options,
    tls::self_signed,
    webhook_options,
};

/// Everything that was logged in this process.
#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

static CAPTURED: LazyLock<Captured> = LazyLock::new(|| {
    let captured = Captured::default();
    tracing_subscriber::fmt()
        .with_max_level(LevelFilter::TRACE)
        .with_span_events(FmtSpan::FULL)
        // Six digits of a time could be the code.
        .without_time()
        .with_writer(captured.clone())
        .init();
    // Rustls and others speak to `log`, which is a world of its own.
    log::set_boxed_logger(Box::new(captured.clone())).unwrap();
    log::set_max_level(log::LevelFilter::Trace);
    captured
});

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Captured {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

impl log::Log for Captured {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        writeln!(self.clone(), "{} {}", record.target(), record.args()).unwrap();
    }

    fn flush(&self) {}
}

impl Captured {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

/// Every text that an error can be made to say.
fn said(error: &(dyn StdError + 'static)) -> String {
    std::iter::successors(Some(error), |&error| error.source())
        .map(|error| format!("{error} {error:?} {error:#?} "))
        .collect::<Vec<_>>()
        .concat()
}

fn assert_clean(text: &str, of: &str) {
    for canary in ["13800138000", CODE, "c4n4ry", "PhoneNumbers", "AUTH PLAIN"] {
        if let Some(at) = text.find(canary) {
            let from = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
            panic!("{of}: {canary} in {:.300}", &text[from..]);
        }
    }
}

/// Sends a code by each sender, and gives the words for what came of it.
async fn outcomes(url: &str, reach: &Reach) -> Vec<&'static str> {
    let mut words = Vec::new();
    for (name, sender) in senders(url, reach) {
        words.push(word(&sender.send(&code()).await.map(drop), name));
        let _ = sender.try_out().await;
    }
    words
}

fn word(outcome: &Result<(), SendError>, of: &str) -> &'static str {
    let Err(error) = outcome else { return "sent" };
    assert_clean(&said(error), of);
    match error {
        SendError::Refused { .. } => "refused",
        SendError::Unreachable(_) => "unreachable",
        SendError::TimedOut => "late",
        SendError::Garbled(_) => "garbled",
        SendError::NotConfigured => "nothing",
    }
}

async fn stubbed(play: Play) -> Vec<&'static str> {
    let stub = Stub::always(play).await;
    let words = outcomes(stub.url(), &impatient()).await;
    let flew = stub.requests();
    assert!(flew.iter().any(|request| request.line().contains("c4n4ry")));
    assert!(flew.iter().any(|request| request.line().contains(CODE)));
    words
}

fn say(status: &str, body: &str) -> Play {
    Play::Say(answer(status, "", body.as_bytes()))
}

/// Proves LOG-1: no error and no event tells of a text message, whatever the provider does, and
/// whatever it repeats.
#[tokio::test]
async fn text_messages_leave_no_trace() {
    let captured = &*CAPTURED;
    let accepted = r#"{"Code":"OK","BizId":"13800138000","Response":{"SendStatusSet":[{"Code":"Ok","SerialNo":"x907613"}]}}"#;
    assert_eq!(stubbed(say("200 OK", accepted)).await, ["sent"; 3]);
    let echo = format!("{KEY}-13800138000-{CODE}");
    let refused = format!(
        r#"{{"Code":"{echo}","Message":"{echo}","Response":{{"Error":{{"Code":"{echo}"}}}}}}"#
    );
    assert_eq!(
        stubbed(say("200 OK", &refused)).await,
        ["refused", "refused", "sent"]
    );
    assert_eq!(
        stubbed(say("429 Too Many", &refused)).await,
        ["garbled", "refused", "refused"]
    );
    assert_eq!(stubbed(say("500 Oops", &echo)).await, ["garbled"; 3]);
    assert_eq!(
        stubbed(Play::Close(format!("{echo}\r\n\r\n").into_bytes())).await,
        ["garbled"; 3]
    );
    assert_eq!(stubbed(Play::Close(Vec::new())).await, ["unreachable"; 3]);
    assert_eq!(stubbed(Play::Hang(Vec::new())).await, ["late"; 3]);
    let location = format!("Location: http://127.0.0.1/{echo}\r\n");
    let redirect = Play::Say(answer("307 Temporary", &location, b""));
    assert_eq!(stubbed(redirect).await, ["garbled"; 3]);
    let stub = Stub::over_tls(Play::Hang(Vec::new()), self_signed()).await;
    assert_eq!(outcomes(stub.url(), &reach()).await, ["unreachable"; 3]);
    let gone = stub.url().to_owned();
    drop(stub);
    assert_eq!(outcomes(&gone, &reach()).await, ["unreachable"; 3]);

    let events = captured.text();
    for source in ["hyper_util", "reqwest", "rustls"] {
        assert!(events.contains(source), "nothing was captured of {source}");
    }
    assert_clean(&events, "the events");
}

/// Proves LOG-1: no error and no event tells of a mail or of the password.
#[tokio::test]
async fn mails_leave_no_trace() {
    let captured = &*CAPTURED;
    let unknown = "550 5.1.1 <c4n4ry.wang@example.com> unknown, c4n4ryPASSWORD";
    for (to, reply, expected) in [
        ("NOOP", Reply::Say(""), "sent"),
        ("RCPT", Reply::Say(unknown), "refused"),
        ("AUTH", Reply::Say("535 not c4n4ryPASSWORD"), "refused"),
        ("AUTH", Reply::Say("334 c4n4ry"), "garbled or refused"),
        (".", Reply::Say("c4n4ry.wang@example.com?"), "garbled"),
        (".", Reply::Hang, "late"),
    ] {
        let stub = SmtpStub::saying(to, reply).await;
        let sender = mail_sender(stub.port, Security::None, impatient());
        let word = word(&sender.send(&mail()).await.map(drop), to);
        assert!(expected.contains(word), "{to}: {word}");
        let _ = sender.try_out().await;
    }
    for security in [Security::Implicit, Security::StartTls] {
        let tls = match security {
            Security::Implicit => Tls::implicit(self_signed()),
            _ => Tls::upgraded(self_signed()),
        };
        let stub = SmtpStub::start(Vec::new(), tls).await;
        let outcome = mail_sender(stub.port, security, reach())
            .send(&mail())
            .await;
        assert_eq!(word(&outcome.map(drop), "tls"), "unreachable");
    }
    let events = captured.text();
    assert!(events.contains("rustls"), "nothing was captured of rustls");
    assert_clean(&events, "the events");
}

/// Proves LOG-1: nothing that can be printed prints what it holds.
#[test]
fn debug_texts_are_clean() {
    let url = "https://menjin.example.com";
    let sms = code();
    let mail = mail();
    for text in [
        format!("{sms:?} {sms:#?}"),
        format!("{mail:?} {mail:#?}"),
        format!("{:?}", tencent_options(url, reach())),
        format!("{:?}", aliyun_options(url, reach())),
        format!("{:?}", webhook_options(url, reach())),
        format!("{:?}", mail_options(25, Security::None, reach())),
    ] {
        assert_clean(&text, "a Debug text");
    }
    assert!(format!("{sms:?}").contains("138****8000"));
}
