//! What must never be seen: the AppSecret, codes, session keys, access tokens and phone numbers, in
//! errors and in events down to the lowest level of every library below.

use std::{
    error::Error as StdError,
    io::{self, Write},
    sync::{Arc, LazyLock, Mutex},
};

use menjin_core::{LoginCode, Openid, Secret, SessionKey};
use menjin_wechat::{App, Client, Error, Options, PhoneCode};
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
const TOKEN: &str = "c4n4ryTOKEN";
const PHONE_CODE: &str = "c4n4ryPHONE";
const NUMBER: &str = "19912345678";
/// HMAC-SHA-256 of nothing with [`KEY`].
const SIGNATURE: &str = "a1c7ca751cb6c37188b77f2498b69781e15f3d25b079318951d8a18443e80c45";

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
        "c4n4ryTOKEN",
        "c4n4ryPHONE",
        NUMBER,
        SIGNATURE,
        "/sns/jscode2session?",
        "access_token=",
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

/// A client for a stub that gives a token and then plays `play`.
async fn with_token(play: Play) -> (Stub, Client) {
    let stub = Stub::answering(move |request| {
        if request.starts_with("POST /cgi-bin/stable_token") {
            let token = format!(r#"{{"access_token":"{TOKEN}","expires_in":7200}}"#);
            Play::Say(answer("200 OK", token.as_bytes()))
        } else {
            play.clone()
        }
    })
    .await;
    let app = App {
        appid: appid(),
        secret: Secret::new(SECRET),
    };
    let client = Client::new(
        impatient(&stub.url()),
        vec![app],
        Arc::<TestClock>::default(),
    );
    (stub, client.unwrap())
}

/// Makes every call that takes a token, and looks at what each said.
async fn every_call(play: Play) -> Vec<Option<Error>> {
    let (stub, client) = with_token(play).await;
    let (appid, openid) = (appid(), Openid::parse("o1").unwrap());
    let key = SessionKey::parse(KEY).unwrap();
    let code = PhoneCode::parse(PHONE_CODE).unwrap();
    let token = client.access_token(&appid).await.unwrap();
    assert_eq!(token.value.expose(), TOKEN);
    let phone = client.phone_number(&appid, &code, None).await;
    let verdict = client.check_text(&appid, &openid, "a name").await;
    let checked = client.check_session(&appid, &openid, &key).await;
    let reset = client.reset_session_key(&appid, &openid, &key).await;
    let said_in_full = format!("{token:?} {code:?} {phone:#?} {verdict:?} {checked:?} {reset:?}");
    assert_clean(&said_in_full, "an outcome");
    let errors = [phone.err(), verdict.err(), checked.err(), reset.err()];
    for error in errors.iter().flatten() {
        assert_clean(&said(error), "the error");
    }
    let flown = stub.seen.requests().concat();
    for canary in [TOKEN, PHONE_CODE, SIGNATURE, "c4n4ryHEAD"] {
        assert!(flown.contains(canary), "{canary} never flew");
    }
    errors.into()
}

/// Proves LOG-1 and LGN-5: no error and no event holds a token, a phone code, a signature, a key or a
/// phone number, whether the call works or WeChat fails, refuses, quotes the request or talks
/// nonsense.
#[tokio::test]
async fn calls_with_a_token_tell_no_secrets() {
    let captured = &*CAPTURED;
    let phone = format!(
        r#"{{"errcode":0,"phone_info":{{"phoneNumber":"{NUMBER}","purePhoneNumber":"{NUMBER}","countryCode":"86","watermark":{{"appid":"{}"}}}},"result":{{"suggest":"pass"}},"openid":"o1","session_key":"{KEY}"}}"#,
        crate::APPID
    );
    let good = every_call(Play::Say(answer("200 OK", phone.as_bytes()))).await;
    assert!(good.iter().all(Option::is_none), "{good:?}");
    let quoted = [TOKEN, PHONE_CODE, SIGNATURE].map(|secret| {
        let body = format!(r#"{{"errcode":40029,"errmsg":"cannot do {secret} rid: a-b"}}"#);
        Play::Say(answer("200 OK", body.as_bytes()))
    });
    let long = format!("\"{}\"", NUMBER.repeat(2));
    let impossible = phone.replace(&format!("\"{NUMBER}\""), &long);
    for play in [
        Play::Reset,
        Play::Hang(Vec::new()),
        Play::Say(answer("500 Oops", phone.as_bytes())),
        Play::Say(answer("200 OK", impossible.as_bytes())),
        Play::Say(answer("200 OK", phone.replace("86", "x").as_bytes())),
        Play::Say(answer(
            "200 OK",
            phone.replace(crate::APPID, "wx1").as_bytes(),
        )),
        Play::Say(answer("200 OK", NUMBER.as_bytes())),
        Play::Say(answer("200 OK", br#"{"errcode":42001,"errmsg":"expired"}"#)),
    ] {
        every_call(play).await;
    }
    for (nth, play) in quoted.into_iter().enumerate() {
        // Each call hides what it sent, which is not the same for all of them.
        let (_stub, client) = with_token(play).await;
        let code = PhoneCode::parse(PHONE_CODE).unwrap();
        let key = SessionKey::parse(KEY).unwrap();
        let openid = Openid::parse("o1").unwrap();
        let error = match nth {
            2 => client
                .check_session(&appid(), &openid, &key)
                .await
                .unwrap_err(),
            _ => client
                .phone_number(&appid(), &code, None)
                .await
                .unwrap_err(),
        };
        assert!(matches!(&error, Error::Answered(said) if said.errmsg.is_empty()));
        assert_clean(&said(&error), "the error");
    }
    assert_clean(&captured.text(), "the events");
}
