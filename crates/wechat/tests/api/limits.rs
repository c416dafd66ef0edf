//! Where calls go, how much is read of an answer, and what is asked once.

use std::{
    io::Write,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use flate2::{Compression, write::GzEncoder};
use menjin_core::{Appid, Secret};
use menjin_wechat::{App, Client, Error, Options, SetupError};
use tokio::task::JoinSet;

use crate::{
    SESSION, TestClock, abandon, app, appid, client, code, impatient, options,
    stub::{Play, Stub, answer, answer_with},
};

fn session() -> Vec<u8> {
    answer("200 OK", SESSION.as_bytes())
}

/// Proves LGN-7: a redirect is not followed, whatever its status, to another host or the same.
#[tokio::test]
async fn redirects_are_not_followed() {
    let target = Stub::always(Play::Say(session())).await;
    for status in [
        "301 Moved",
        "302 Found",
        "303 See Other",
        "307 Temporary",
        "308 Permanent",
    ] {
        let location = format!("Location: {}/sns/jscode2session\r\n", target.url());
        let stub = Stub::always(Play::Say(answer_with(status, &location, b""))).await;
        let error = client(options(&stub.url()))
            .code_to_session(&appid(), &code())
            .await
            .unwrap_err();
        assert!(
            matches!(error, Error::Garbled("HTTP status 3xx")),
            "{error:?}"
        );
        assert_eq!(stub.seen.requests().len(), 1);
    }
    assert_eq!(target.seen.connections.load(Ordering::SeqCst), 0);
}

/// Proves LGN-7 and F14: of a body of 100 MiB, announced or not, hardly more is read than the 64 KiB
/// that count; the rest of what leaves the stub is stuck in socket buffers.
#[tokio::test]
async fn a_huge_body_is_cut_off() {
    const HUGE: usize = 100 << 20;
    let announced = format!("HTTP/1.1 200 OK\r\nContent-Length: {HUGE}\r\n\r\n{{\"openid\":\"");
    let chunk = [b"10000\r\n", vec![b'o'; 0x10000].as_slice(), b"\r\n"].concat();
    for (head, again) in [
        (announced.as_str(), vec![b'o'; 0x10000]),
        ("HTTP/1.1 200 OK\r\n\r\n{\"openid\":\"", vec![b'o'; 0x10000]),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
            chunk,
        ),
    ] {
        let stub = Stub::always(Play::Flood(head.as_bytes().to_vec(), again)).await;
        let before = resident();
        let error = client(options(&stub.url()))
            .code_to_session(&appid(), &code())
            .await
            .unwrap_err();
        assert!(
            matches!(error, Error::Garbled("a body over 64 KiB")),
            "{error:?}"
        );
        assert!(stub.seen.sent.load(Ordering::SeqCst) < 16 << 20);
        assert!(resident() < before + (16 << 20));
    }
}

/// Bytes of memory that this process holds.
fn resident() -> usize {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap();
    pages.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
}

/// Proves F14: nothing is unpacked, so a small body cannot become a large one.
#[tokio::test]
async fn a_gzip_bomb_stays_packed() {
    let mut bomb = GzEncoder::new(Vec::new(), Compression::best());
    bomb.write_all(&vec![b' '; 32 << 20]).unwrap();
    bomb.write_all(SESSION.as_bytes()).unwrap();
    let bomb = bomb.finish().unwrap();
    assert!(bomb.len() < 64 * 1024);
    let reply = answer_with("200 OK", "Content-Encoding: gzip\r\n", &bomb);
    let stub = Stub::always(Play::Say(reply)).await;
    let before = resident();
    let error = client(options(&stub.url()))
        .code_to_session(&appid(), &code())
        .await
        .unwrap_err();
    assert!(
        matches!(error, Error::Garbled("not a JSON object")),
        "{error:?}"
    );
    assert!(resident() < before + (16 << 20));
    assert!(
        !stub.seen.requests()[0]
            .to_lowercase()
            .contains("accept-encoding")
    );
}

/// A body that announces too much is given up at once, without waiting for it.
#[tokio::test]
async fn a_body_that_will_be_huge_is_not_waited_for() {
    let head = b"HTTP/1.1 200 OK\r\nContent-Length: 65537\r\n\r\n{".to_vec();
    let stub = Stub::always(Play::Hang(head)).await;
    let error = client(options(&stub.url()))
        .code_to_session(&appid(), &code())
        .await
        .unwrap_err();
    assert!(
        matches!(error, Error::Garbled("a body over 64 KiB")),
        "{error:?}"
    );
}

/// Headers that are long, or without end, are given up before they could fill the memory.
#[tokio::test]
async fn long_headers_are_cut_off() {
    let long = format!("A: {}\r\n", "a".repeat(200 * 1024));
    for play in [
        Play::Say(answer_with("200 OK", &long, SESSION.as_bytes())),
        Play::Say(answer_with(
            "200 OK",
            &"A: a\r\n".repeat(1000),
            SESSION.as_bytes(),
        )),
        Play::Flood(b"HTTP/1.1 200 OK\r\nA: ".to_vec(), vec![b'a'; 4096]),
        Play::Flood(Vec::new(), b"HTTP/1.1 100 Continue\r\n\r\n".repeat(100)),
    ] {
        let stub = Stub::always(play).await;
        let error = client(options(&stub.url()))
            .code_to_session(&appid(), &code())
            .await
            .unwrap_err();
        assert!(matches!(error, Error::Garbled("not HTTP")), "{error:?}");
        assert!(stub.seen.sent.load(Ordering::SeqCst) < 16 << 20);
    }
}

/// A code is asked for once, however the call fails, also on a connection that worked before.
#[tokio::test]
async fn nothing_is_asked_twice() {
    for play in [
        Play::Reset,
        Play::Close(Vec::new()),
        Play::Close(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{".to_vec()),
        Play::Hang(Vec::new()),
        Play::Say(answer("500 Oops", b"")),
        Play::Say(answer(
            "200 OK",
            br#"{"errcode":-1,"errmsg":"system error"}"#,
        )),
        Play::Say(answer("408 Request Timeout", b"")),
    ] {
        let stub = Stub::scripted(move |nth| match nth {
            1 => play.clone(),
            _ => Play::Say(session()),
        })
        .await;
        let client = client(impatient(&stub.url()));
        client.code_to_session(&appid(), &code()).await.unwrap();
        client.code_to_session(&appid(), &code()).await.unwrap_err();
        assert_eq!(stub.seen.requests().len(), 2);
    }
}

#[tokio::test]
async fn calls_over_the_limit_are_not_sent() {
    let stub = Stub::always(Play::Hang(Vec::new())).await;
    let other = App {
        appid: Appid::parse("wx2").unwrap(),
        secret: Secret::new("s"),
    };
    let options = Options {
        in_flight: 2,
        ..options(&stub.url())
    };
    let client = Client::new(options, vec![app(), other], Arc::<TestClock>::default()).unwrap();
    let mut calls = JoinSet::new();
    for _ in 0..2 {
        let client = client.clone();
        calls.spawn(async move { client.code_to_session(&appid(), &code()).await });
    }
    while stub.seen.requests().len() < 2 {
        tokio::task::yield_now().await;
    }
    for _ in 0..3 {
        let error = client.code_to_session(&appid(), &code()).await.unwrap_err();
        assert!(matches!(error, Error::Busy), "{error:?}");
    }
    assert_eq!(stub.seen.requests().len(), 2);

    // The limit is an app's own, and a caller who leaves gives the place back.
    abandon(&client, &Appid::parse("wx2").unwrap(), &stub).await;
    calls.shutdown().await;
    abandon(&client, &appid(), &stub).await;
}

#[tokio::test]
async fn an_unknown_app_is_not_asked_for() {
    let stub = Stub::always(Play::Say(session())).await;
    let stranger = Appid::parse("wxfedcba9876543210").unwrap();
    let error = client(options(&stub.url()))
        .code_to_session(&stranger, &code())
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Unreachable(_)), "{error:?}");
    assert_eq!(stub.seen.connections.load(Ordering::SeqCst), 0);
}

/// A secret is text that somebody typed, and may not add to the query.
#[tokio::test]
async fn the_secret_is_encoded() {
    let stub = Stub::always(Play::Say(session())).await;
    let app = App {
        secret: Secret::new("a&appid=b#c d%/é"),
        ..app()
    };
    let base_url = format!("{}/gateway/", stub.url());
    let client = Client::new(options(&base_url), vec![app], Arc::<TestClock>::default()).unwrap();
    client.code_to_session(&appid(), &code()).await.unwrap();
    let request = &stub.seen.requests()[0];
    assert!(
        request.starts_with("GET /gateway/sns/jscode2session?appid="),
        "{request}"
    );
    assert!(
        request.contains("&secret=a%26appid%3Db%23c%20d%25%2F%C3%A9&js_code="),
        "{request}"
    );
}

#[test]
fn a_base_url_that_is_none_is_refused() {
    for bad in [
        "",
        "api.weixin.qq.com",
        "/sns",
        "ftp://x",
        "https://",
        "http://:80",
        "https://x?y=1",
        "https://x#y",
        "https://user:pass@x",
        "https://a b",
    ] {
        let made = Client::new(options(bad), vec![app()], Arc::<TestClock>::default());
        let Err(error @ SetupError::BaseUrl(_)) = made.map(|_| ()) else {
            panic!("{bad}")
        };
        assert!(!error.to_string().contains("pass@"));
    }
    for good in [
        "http://127.0.0.1:8081",
        "https://x/",
        "https://x:443/a/b",
        "http://[::1]:80",
    ] {
        assert!(Client::new(options(good), vec![app()], Arc::<TestClock>::default()).is_ok());
    }
}

#[test]
fn the_defaults_are_those_of_the_design() {
    let options = Options::default();
    assert_eq!(options.base_url, "https://api.weixin.qq.com");
    assert_eq!(options.connect_timeout, Duration::from_secs(2));
    assert_eq!(options.timeout, Duration::from_secs(5));
    assert!(options.ca_file.is_none());
    assert_eq!(options.in_flight, 1024);
}
