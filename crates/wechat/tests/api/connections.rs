//! How connections are kept, and whose an answer is.

use std::{
    io::{Read, Write},
    net::TcpListener,
    sync::{atomic::Ordering, mpsc},
    thread,
    time::Duration,
};

use menjin_wechat::Error;
use tokio::task::JoinSet;

use crate::{
    SESSION, appid, client, code, impatient, options,
    stub::{Play, Stub, answer},
};

fn session() -> Vec<u8> {
    answer("200 OK", SESSION.as_bytes())
}

#[tokio::test]
async fn calls_share_a_connection() {
    let stub = Stub::always(Play::Say(session())).await;
    let client = client(options(&stub.url()));
    for _ in 0..20 {
        client.code_to_session(&appid(), &code()).await.unwrap();
    }
    assert_eq!(stub.seen.connections.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_connection_that_was_closed_costs_no_call() {
    let stub = Stub::always(Play::Close(session())).await;
    let client = client(options(&stub.url()));
    for calls in 1..=20 {
        client.code_to_session(&appid(), &code()).await.unwrap();
        assert_eq!(stub.seen.requests().len(), calls);
    }
}

/// A kept connection that WeChat closes in the very moment in which a call takes it: the call goes
/// over another one, and is still asked once.
#[tokio::test]
async fn a_connection_that_is_being_closed_costs_no_call() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (close, told) = mpsc::channel::<()>();
    let (closed, wait) = mpsc::channel();
    let server = thread::spawn(move || {
        for _ in 0..2 {
            let (mut stream, _) = listener.accept().unwrap();
            let head = stream.read(&mut [0; 4096]).unwrap();
            stream.write_all(&session()).unwrap();
            let _ = told.recv();
            drop(stream);
            closed.send(head).unwrap();
        }
    });
    let client = client(options(&url));
    client.code_to_session(&appid(), &code()).await.unwrap();
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
    // Blocks the one thread of the client's runtime, so that it cannot see the end coming; the test
    // itself is then what it runs first.
    close.send(()).unwrap();
    wait.recv().unwrap();
    tokio::task::yield_now().await;
    client.code_to_session(&appid(), &code()).await.unwrap();
    drop(close);
    assert_ne!(wait.recv().unwrap(), 0);
    server.join().unwrap();
}

/// However many kept connections WeChat has closed since, a call goes over one that is open.
#[tokio::test]
async fn many_connections_that_were_closed_cost_no_call() {
    const MANY: usize = 200;
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (close, told) = mpsc::channel::<()>();
    let (closed, wait) = mpsc::channel();
    let server = thread::spawn(move || {
        let answer = |stream: &mut std::net::TcpStream| stream.write_all(&session()).unwrap();
        let ask = |_| {
            let (mut stream, _) = listener.accept().unwrap();
            assert_ne!(stream.read(&mut [0; 4096]).unwrap(), 0);
            stream
        };
        let mut streams: Vec<_> = (0..MANY).map(ask).collect();
        streams.iter_mut().for_each(answer);
        // The clients have read all of it when they are told that it is over.
        told.recv().unwrap();
        drop(streams);
        closed.send(()).unwrap();
        answer(&mut ask(0));
    });
    let client = client(options(&url));
    let mut calls = JoinSet::new();
    // Tasks of their own, which the runtime lets do so much at once and no more.
    let call = || {
        let client = client.clone();
        async move { client.code_to_session(&appid(), &code()).await }
    };
    for _ in 0..MANY {
        calls.spawn(call());
    }
    while let Some(outcome) = calls.join_next().await {
        outcome.unwrap().unwrap();
    }
    close.send(()).unwrap();
    wait.recv().unwrap();
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
    calls.spawn(call());
    calls.join_next().await.unwrap().unwrap().unwrap();
    server.join().unwrap();
}

/// An answer that comes after its caller has left is nobody's, whether time was up or the caller had
/// enough.
#[tokio::test]
async fn a_late_answer_is_nobodys() {
    let stranger = SESSION.replace("oGZUI0egBJY1zhBYw2KhdUfwVJJE", "a-stranger");
    let stub = Stub::scripted(move |nth| match nth {
        0 | 2 => Play::Drip(answer("200 OK", stranger.as_bytes())),
        _ => Play::Say(session()),
    })
    .await;
    let client = client(impatient(&stub.url()));
    for left_early in [false, true] {
        let (appid, code) = (appid(), code());
        let call = client.code_to_session(&appid, &code);
        let patience = Duration::from_millis(if left_early { 500 } else { 5_000 });
        let outcome = tokio::time::timeout(patience, call).await;
        assert!(matches!(outcome, Err(_) | Ok(Err(Error::TimedOut))));
        let session = client.code_to_session(&appid, &code).await.unwrap();
        assert_eq!(session.openid.as_str(), "oGZUI0egBJY1zhBYw2KhdUfwVJJE");
    }
}

/// Bytes that follow an answer are never taken for the answer to the next call.
#[tokio::test]
async fn an_answer_that_nobody_asked_for_is_nobodys() {
    let stranger = SESSION.replace("oGZUI0egBJY1zhBYw2KhdUfwVJJE", "a-stranger");
    let two = [session(), answer("200 OK", stranger.as_bytes())].concat();
    let stub = Stub::always(Play::Say(two)).await;
    let client = client(options(&stub.url()));
    for _ in 0..5 {
        let session = client.code_to_session(&appid(), &code()).await.unwrap();
        assert_eq!(session.openid.as_str(), "oGZUI0egBJY1zhBYw2KhdUfwVJJE");
    }
}
