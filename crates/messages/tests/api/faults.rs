//! Providers that are slow, broken, or gone.

use std::{
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use menjin_messages::{Reach, Receipt, SendError, SmsSender};
use tokio::net::TcpListener;

use crate::{
    aliyun, code, impatient, reach, senders,
    stub::{Play, Stub, answer},
};

/// What each sender makes of a fault, each asked once, and the requests that the stub saw.
async fn outcomes(play: &Play, reach: &Reach) -> Vec<(&'static str, SendError)> {
    let mut outcomes = Vec::new();
    for n in 0..3 {
        let stub = Stub::always(play.clone()).await;
        let (name, sender) = senders(stub.url(), reach).swap_remove(n);
        let error = sender.send(&code()).await.unwrap_err();
        assert_eq!(stub.requests().len(), 1, "{name} asked again");
        assert_eq!(stub.seen.connections.load(Ordering::SeqCst), 1, "{name}");
        assert!(stub.seen.sent.load(Ordering::SeqCst) < 16 << 20, "{name}");
        outcomes.push((name, error));
    }
    outcomes
}

async fn assert_garbled(play: Play, words: &str) {
    for (name, error) in outcomes(&play, &reach()).await {
        assert!(
            matches!(error, SendError::Garbled(said) if said == words),
            "{name}: {error:?}"
        );
    }
}

#[test]
fn the_time_limits_leave_room_within_six_seconds() {
    let reach = Reach::default();
    assert_eq!(reach.connect_timeout, Duration::from_secs(2));
    assert_eq!(reach.timeout, Duration::from_secs(5));
}

/// Asks the `n`th sender, whose provider plays `play`, and gives what came of it in time.
async fn hung(play: &Play, n: usize) -> (&'static str, Result<Receipt, SendError>) {
    let stub = Stub::always(play.clone()).await;
    let (name, sender) = senders(stub.url(), &impatient()).swap_remove(n);
    let start = Instant::now();
    let outcome = sender.send(&code()).await;
    assert!(start.elapsed() < Duration::from_secs(5), "{name}");
    assert_eq!(stub.requests().len(), 1, "{name}");
    (name, outcome)
}

/// Proves OTP-13 and F15: a provider that says nothing, or never ends, is left in time.
#[tokio::test]
async fn a_provider_that_hangs_is_left() {
    let begun = answer("200 OK", "", &[b'a'; 100])[..60].to_vec();
    for play in [Play::Hang(Vec::new()), Play::Hang(begun)] {
        let (one, two, three) = tokio::join!(hung(&play, 0), hung(&play, 1), hung(&play, 2));
        for (name, outcome) in [one, two, three] {
            match outcome {
                Err(SendError::TimedOut) => {}
                // A webhook has said all that counts with its status.
                Ok(_) if name == "webhook" => {}
                other => panic!("{name}: {other:?}"),
            }
        }
    }
}

/// Proves OTP-13 and F15: neither an error of the provider's nor a redirect is a success, and
/// neither is asked again or followed.
#[tokio::test]
async fn a_status_of_failure_is_a_failure() {
    let target = Stub::answering("200 OK", "").await;
    for status in ["500 Oops", "502 Bad Gateway", "503 Unavailable"] {
        assert_garbled(Play::Say(answer(status, "", b"oops")), "HTTP status 5xx").await;
    }
    let location = format!("Location: {}/\r\n", target.url());
    for status in ["301 Moved", "302 Found", "307 Temporary", "308 Permanent"] {
        assert_garbled(Play::Say(answer(status, &location, b"")), "HTTP status 3xx").await;
    }
    assert_eq!(target.seen.connections.load(Ordering::SeqCst), 0);
}

/// Proves OTP-13 and F15: what is no HTTP is no success.
#[tokio::test]
async fn garbage_is_a_failure() {
    assert_garbled(Play::Close(b"SSH-2.0-OpenSSH\r\n\r\n".to_vec()), "not HTTP").await;
    let endless = Play::Flood(b"HTTP/1.1 200 OK\r\nA: ".to_vec(), vec![b'a'; 4096]);
    assert_garbled(endless, "not HTTP").await;
}

/// Proves OTP-13: a connection that breaks after the request was sent is no reason to send it again.
#[tokio::test]
async fn a_connection_that_breaks_is_not_tried_again() {
    for (name, error) in outcomes(&Play::Close(Vec::new()), &reach()).await {
        assert!(
            matches!(error, SendError::Unreachable(_)),
            "{name}: {error:?}"
        );
    }
}

/// Proves OTP-13: two messages are two connections, so none is sent over one that was closed.
#[tokio::test]
async fn every_message_has_a_connection_of_its_own() {
    let stub = Stub::answering("200 OK", r#"{"Code":"OK"}"#).await;
    let sender = aliyun(stub.url(), reach());
    for n in 1..=3 {
        sender.send(&code()).await.unwrap();
        assert_eq!(stub.seen.connections.load(Ordering::SeqCst), n);
        assert_eq!(stub.requests().len(), n);
    }
}

/// Proves OTP-13: of a body of 100 MiB, announced or not, hardly more is read than counts.
#[tokio::test]
async fn a_huge_body_is_cut_off() {
    const HUGE: usize = 100 << 20;
    let announced = format!("HTTP/1.1 200 OK\r\nContent-Length: {HUGE}\r\n\r\n{{\"Code\":\"");
    for head in [announced.as_str(), "HTTP/1.1 200 OK\r\n\r\n{\"Code\":\""] {
        let play = Play::Flood(head.as_bytes().to_vec(), vec![b'o'; 0x10000]);
        for n in 0..3 {
            let stub = Stub::always(play.clone()).await;
            let (name, sender) = senders(stub.url(), &reach()).swap_remove(n);
            let outcome = sender.send(&code()).await;
            assert!(stub.seen.sent.load(Ordering::SeqCst) < 16 << 20, "{name}");
            match outcome {
                Err(SendError::Garbled("a body over 64 KiB")) => {}
                // Reads no body.
                Ok(_) if name == "webhook" => {}
                other => panic!("{name}: {other:?}"),
            }
        }
    }
}

/// Proves OTP-13: nobody there, and somebody who takes the connection and never speaks TLS.
#[tokio::test]
async fn a_provider_that_is_not_there_is_a_failure() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let reach = Reach {
        connect_timeout: Duration::from_millis(300),
        ..reach()
    };
    for (name, sender) in senders(&format!("https://{address}"), &reach) {
        let start = Instant::now();
        let outcome = sender.send(&code()).await;
        assert!(matches!(outcome, Err(SendError::TimedOut)), "{name}");
        let tried = sender.try_out().await;
        assert!(matches!(tried, Err(SendError::TimedOut)), "{name}");
        assert!(start.elapsed() < Duration::from_secs(4), "{name}");
    }
    drop(listener);
    for (name, sender) in senders(&format!("http://{address}"), &reach) {
        for outcome in [sender.send(&code()).await.map(drop), sender.try_out().await] {
            assert!(
                matches!(outcome, Err(SendError::Unreachable(_))),
                "{name}: {outcome:?}"
            );
        }
    }
}
