//! What must never be seen: the AppSecret, the code and the session key, in errors and in events
//! down to the lowest level of every library below.

use std::{
    error::Error as StdError,
    io::{self, Write},
    sync::{Arc, LazyLock, Mutex},
};

use menjin_core::{LoginCode, Secret};
use menjin_wechat::{App, Client, Options};
use tokio::net::TcpListener;
use tokio_rustls::rustls::{ServerConfig, crypto::aws_lc_rs};
use tracing_subscriber::{
    filter::LevelFilter,
    fmt::{MakeWriter, format::FmtSpan},
};

use crate::{
    TestClock, appid, impatient,
    stub::{Play, Stub, answer},
};

/// The middle of the secret has to be percent-encoded, so its ends are looked for.
const SECRET: &str = "c4n4ryHEAD+/=&%c4n4ryTAIL";
const CODE: &str = "c4n4ryCODE";
const KEY: &str = "c4n4ryKEY==";

/// Everything that was logged in this process.
#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

static CAPTURED: LazyLock<Captured> = LazyLock::new(|| {
    let captured = Captured::default();
    tracing_subscriber::fmt()
        .with_max_level(LevelFilter::TRACE)
        .with_span_events(FmtSpan::FULL)
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
    for canary in [
        "c4n4ryHEAD",
        "c4n4ryTAIL",
        "c4n4ryCODE",
        "c4n4ryKEY",
        "/sns/jscode2session?",
    ] {
        if let Some(at) = text.find(canary) {
            let from = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
            panic!("{of}: {canary} in {:.300}", &text[from..]);
        }
    }
}

/// Fails a call and looks at what it said. Gives the word for the failure.
async fn failure(options: Options) -> String {
    let app = App {
        appid: appid(),
        secret: Secret::new(SECRET),
    };
    assert_clean(&format!("{app:?}"), "the app");
    let client = Client::new(options, vec![app], Arc::<TestClock>::default()).unwrap();
    let code = LoginCode::parse(CODE).unwrap();
    let error = client.code_to_session(&appid(), &code).await.unwrap_err();
    assert_clean(&said(&error), "the error");
    format!("{error:?}")
        .split(['(', ' '])
        .next()
        .unwrap()
        .to_owned()
}

async fn stubbed(play: Play) -> String {
    let stub = Stub::always(play).await;
    let word = failure(impatient(&stub.url())).await;
    assert!(
        stub.seen.requests()[0].contains("c4n4ryHEAD"),
        "the canary flew"
    );
    word
}

async fn refused(scheme: &str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    failure(impatient(&format!("{scheme}://{address}"))).await
}

async fn bad_tls() -> String {
    let key = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![key.cert.der().clone()], key.signing_key.into())
        .unwrap();
    let stub = Stub::over_tls(Play::Hang(Vec::new()), config).await;
    let word = failure(Options {
        timeout: crate::options("").timeout,
        ..impatient(&stub.url())
    });
    word.await
}

/// Proves LGN-5: no error and no event holds the AppSecret when WeChat refuses, is too slow, shows
/// a bad certificate, fails, or talks nonsense. Nor a code, nor a session key, nor the URL.
#[tokio::test]
async fn failures_tell_no_secrets() {
    let captured = &*CAPTURED;
    assert_eq!(refused("http").await, "Unreachable");
    assert_eq!(refused("https").await, "Unreachable");
    assert_eq!(bad_tls().await, "Unreachable");
    assert_eq!(stubbed(Play::Hang(Vec::new())).await, "TimedOut");
    assert_eq!(stubbed(Play::Reset).await, "Unreachable");
    assert_eq!(stubbed(Play::Close(Vec::new())).await, "Unreachable");
    for status in ["302 Found", "412 Precondition Failed", "500 Oops"] {
        assert_eq!(stubbed(Play::Say(answer(status, b""))).await, "Garbled");
    }
    let declined = br#"{"errcode":40125,"errmsg":"invalid appsecret"}"#;
    assert_eq!(
        stubbed(Play::Say(answer("200 OK", declined))).await,
        "Answered"
    );
    let echo = format!(r#"{{"errcode":1,"errmsg":"cannot GET /x?secret={SECRET}"}}"#);
    assert_eq!(
        stubbed(Play::Say(answer("200 OK", echo.as_bytes()))).await,
        "Answered"
    );
    for body in [
        "garbage c4n4ryKEY",
        &format!(r#"{{"openid":7,"session_key":"{KEY}"}}"#),
    ] {
        assert_eq!(
            stubbed(Play::Say(answer("200 OK", body.as_bytes()))).await,
            "Garbled"
        );
    }
    assert_eq!(
        stubbed(Play::Close(b"c4n4ryKEY\r\n\r\n".to_vec())).await,
        "Garbled"
    );

    let events = captured.text();
    assert!(
        events.contains("hyper_util"),
        "nothing was captured of hyper"
    );
    assert!(events.contains("rustls"), "nothing was captured of rustls");
    assert_clean(&events, "the events");
}

/// Proves LGN-5: neither does a success, and a session shows no key.
#[tokio::test]
async fn a_success_tells_no_secrets() {
    let captured = &*CAPTURED;
    let body = format!(r#"{{"openid":"o","session_key":"{KEY}"}}"#);
    let stub = Stub::always(Play::Say(answer("200 OK", body.as_bytes()))).await;
    let app = App {
        appid: appid(),
        secret: Secret::new(SECRET),
    };
    let options = crate::options(&stub.url());
    let client = Client::new(options, vec![app], Arc::<TestClock>::default()).unwrap();
    let code = LoginCode::parse(CODE).unwrap();
    for _ in 0..2 {
        let session = client.code_to_session(&appid(), &code).await.unwrap();
        assert_eq!(session.session_key.expose(), KEY);
        assert_clean(&format!("{session:?} {session:#?}"), "the session");
    }
    assert_clean(&captured.text(), "the events");
}
