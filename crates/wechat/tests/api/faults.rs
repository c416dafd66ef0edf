//! A WeChat that is out of order: the call ends in time, with the right word for it, and the next
//! one works.

use std::time::{Duration, Instant};

use menjin_wechat::Error;
use tokio::net::TcpListener;

use crate::{
    SESSION, appid, client, code, impatient, options,
    stub::{Play, Stub, answer},
};

/// Plays `play` once, asserts the error that it brings and that it came in time, and that the call
/// after it works.
async fn once(play: Play, expected: &str) {
    let stub = Stub::scripted(move |nth| match nth {
        0 => play.clone(),
        _ => Play::Say(answer("200 OK", SESSION.as_bytes())),
    })
    .await;
    let client = client(impatient(&stub.url()));
    let begun = Instant::now();
    let error = client.code_to_session(&appid(), &code()).await.unwrap_err();
    assert!(
        format!("{error:?}").starts_with(expected),
        "{expected}: {error:?}"
    );
    assert!(begun.elapsed() < Duration::from_secs(6));
    client.code_to_session(&appid(), &code()).await.unwrap();
}

/// Proves F14: an answer that is slow to begin, or to come to its end.
#[tokio::test]
async fn slow() {
    once(Play::Drip(answer("200 OK", SESSION.as_bytes())), "TimedOut").await;
    let mut answer = answer("200 OK", SESSION.as_bytes());
    let rest = answer.split_off(answer.len() - 5);
    assert!(!rest.is_empty());
    once(Play::Hang(answer), "TimedOut").await;
}

/// Proves F14: no answer at all, or nothing but signs of life.
#[tokio::test]
async fn hang() {
    once(Play::Hang(Vec::new()), "TimedOut").await;
    once(Play::Hang(b"HTTP/1.1 200 OK\r\n".to_vec()), "TimedOut").await;
    let alive = b"HTTP/1.1 100 Continue\r\n\r\n".to_vec();
    once(Play::Drip(alive.repeat(10_000)), "TimedOut").await;
}

/// Proves F14: HTTP 500.
#[tokio::test]
async fn status_500() {
    once(
        Play::Say(answer("500 Oops", b"<html>")),
        "Garbled(\"HTTP status 5xx\")",
    )
    .await;
}

/// Proves F14: the connection is reset, or closed without a word.
#[tokio::test]
async fn reset() {
    once(Play::Reset, "Unreachable").await;
    once(Play::Close(Vec::new()), "Unreachable").await;
}

/// Proves F14: half an answer, by length, in chunks, and in the headers.
#[tokio::test]
async fn half_body() {
    let whole = answer("200 OK", SESSION.as_bytes());
    once(
        Play::Close(whole[..whole.len() - 1].to_vec()),
        "Unreachable",
    )
    .await;
    once(Play::Close(whole[..20].to_vec()), "Unreachable").await;
    let chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"ope".to_vec();
    once(Play::Close(chunked), "Unreachable").await;
}

/// Proves F14: garbage in place of JSON, and in place of HTTP.
#[tokio::test]
async fn garbage() {
    once(
        Play::Close(b"\x16\x03\x01\x02\0garbage\r\n\r\n".to_vec()),
        "Garbled(\"not HTTP\")",
    )
    .await;
    once(
        Play::Say(answer("200 OK", b"\0\xff\x80garbage")),
        "Garbled(\"not a JSON",
    )
    .await;
    let chunks = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n".to_vec();
    once(Play::Close(chunks), "Unreachable").await;
}

/// Proves F14: wrong JSON types.
#[tokio::test]
async fn wrong_type() {
    let body = br#"{"openid":{"a":1},"session_key":["k"],"errcode":0}"#;
    once(Play::Say(answer("200 OK", body)), "Garbled(\"no openid\")").await;
}

/// Proves F14: a name that does not exist.
#[tokio::test]
async fn dns_failure() {
    let begun = Instant::now();
    let client = client(options("http://wechat.invalid"));
    let error = client.code_to_session(&appid(), &code()).await.unwrap_err();
    // A resolver without a network may take as long as it likes to say no.
    assert!(
        matches!(error, Error::Unreachable(_) | Error::TimedOut),
        "{error:?}"
    );
    assert!(begun.elapsed() < Duration::from_secs(6));
}

/// Proves F14: nobody listens.
#[tokio::test]
async fn refused() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let client = client(options(&format!("http://{address}")));
    let error = client.code_to_session(&appid(), &code()).await.unwrap_err();
    assert!(matches!(error, Error::Unreachable(_)), "{error:?}");
}

/// A server that takes the connection and never begins TLS uses up the time to connect, which is
/// not the time for the whole call.
#[tokio::test]
async fn connecting_has_a_limit_of_its_own() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut options = options(&format!("https://{}", silent.local_addr().unwrap()));
    options.connect_timeout = Duration::from_millis(100);
    options.timeout = Duration::from_mins(1);
    let begun = Instant::now();
    let error = client(options)
        .code_to_session(&appid(), &code())
        .await
        .unwrap_err();
    assert!(matches!(error, Error::TimedOut), "{error:?}");
    assert!(begun.elapsed() < Duration::from_secs(30));
}
