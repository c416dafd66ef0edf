//! The circuit breaker, on a clock that only the test moves.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use menjin_core::{Appid, Secret};
use menjin_wechat::{App, CircuitState, Client, Error};
use tokio::time::timeout;

use crate::{
    SESSION, TestClock, abandon, app, appid, client_with, code, impatient, options,
    stub::{Play, Stub, answer},
};

const SECOND: Duration = Duration::from_secs(1);

/// A stub that fails until it is told to work.
async fn stub(failure: Play) -> (Stub, Arc<AtomicBool>) {
    let works = Arc::new(AtomicBool::new(false));
    let told = works.clone();
    let stub = Stub::scripted(move |_| {
        if told.load(Ordering::SeqCst) {
            Play::Say(answer("200 OK", SESSION.as_bytes()))
        } else {
            failure.clone()
        }
    })
    .await;
    (stub, works)
}

async fn call(client: &Client) -> Result<(), Error> {
    client.code_to_session(&appid(), &code()).await.map(|_| ())
}

/// Time until the circuit lets the next call through; panics if the call was let through.
async fn refused(client: &Client) -> Duration {
    match call(client).await {
        Err(Error::CircuitOpen { retry_after }) => retry_after,
        other => panic!("{other:?}"),
    }
}

async fn fail(client: &Client, times: usize) {
    for nth in 0..times {
        let error = call(client).await.unwrap_err();
        assert!(
            !matches!(error, Error::CircuitOpen { .. }),
            "opened after {nth}"
        );
    }
}

fn state(client: &Client) -> CircuitState {
    let circuits = client.circuits();
    let (_, state) = circuits.iter().find(|(of, _)| *of == appid()).unwrap();
    *state
}

/// Proves LGN-9: twenty failures in a row, of each kind that counts, and nothing more is sent.
#[tokio::test]
async fn twenty_failures_open_the_circuit() {
    for failure in [
        Play::Reset,
        Play::Say(answer("502 Oops", b"")),
        Play::Say(answer("200 OK", b"garbage")),
    ] {
        let (stub, _) = stub(failure).await;
        let client = client_with(options(&stub.url()), &Arc::default());
        fail(&client, 19).await;
        assert_eq!(state(&client), CircuitState::Closed);
        fail(&client, 1).await;
        assert_eq!(state(&client), CircuitState::Open);
        for _ in 0..100 {
            assert_eq!(refused(&client).await, SECOND);
        }
        assert_eq!(stub.seen.requests().len(), 20);
    }
}

/// Proves LGN-9: calls that run out of time count, and once the circuit is open no caller waits.
#[tokio::test]
async fn hanging_calls_open_the_circuit() {
    let (stub, _) = stub(Play::Hang(Vec::new())).await;
    let mut options = impatient(&stub.url());
    options.timeout = Duration::from_millis(20);
    let client = client_with(options, &Arc::default());
    fail(&client, 20).await;
    tokio::select! {
        biased;
        _ = refused(&client) => {}
        () = std::future::ready(()) => panic!("somebody had to wait"),
    }
}

/// Proves LGN-9: one probe a second, and one that works brings everything back.
#[tokio::test]
async fn one_probe_a_second_finds_out() {
    let clock = Arc::new(TestClock::default());
    let (stub, works) = stub(Play::Reset).await;
    let client = client_with(options(&stub.url()), &clock);
    fail(&client, 20).await;
    for probes in 1..=3 {
        clock.advance(Duration::from_millis(900));
        assert_eq!(refused(&client).await, Duration::from_millis(100));
        clock.advance(Duration::from_millis(100));
        fail(&client, 1).await;
        assert_eq!(refused(&client).await, SECOND);
        assert_eq!(stub.seen.requests().len(), 20 + probes);
    }
    works.store(true, Ordering::SeqCst);
    assert_eq!(refused(&client).await, SECOND);
    clock.advance(SECOND);
    call(&client).await.unwrap();
    assert_eq!(state(&client), CircuitState::Closed);
    call(&client).await.unwrap();
}

/// Proves LGN-9: a probe that hangs does not keep the next one back, so that recovery is seen
/// within a second of it.
#[tokio::test]
async fn a_hanging_probe_blocks_nobody() {
    let clock = Arc::new(TestClock::default());
    let stub = Stub::scripted(|nth| match nth {
        0..20 => Play::Reset,
        20 => Play::Hang(Vec::new()),
        _ => Play::Say(answer("200 OK", SESSION.as_bytes())),
    })
    .await;
    let client = client_with(options(&stub.url()), &clock);
    fail(&client, 20).await;
    clock.advance(SECOND);
    let mut probe = Box::pin(call(&client));
    while stub.seen.requests().len() < 21 {
        assert!(timeout(Duration::from_millis(1), &mut probe).await.is_err());
    }
    assert_eq!(state(&client), CircuitState::HalfOpen);
    assert_eq!(refused(&client).await, SECOND);
    clock.advance(SECOND);
    call(&client).await.unwrap();
    assert_eq!(state(&client), CircuitState::Closed);
    drop(probe);
    assert_eq!(state(&client), CircuitState::Closed);
}

/// Proves LGN-9: an answer, even an errcode, and even -1, means that WeChat is there.
#[tokio::test]
async fn an_answer_starts_the_count_again() {
    for body in [
        SESSION,
        r#"{"errcode":-1,"errmsg":"system error"}"#,
        r#"{"errcode":40029}"#,
    ] {
        let answer = answer("200 OK", body.as_bytes());
        let stub = Stub::scripted(move |nth| match nth {
            19 => Play::Say(answer.clone()),
            _ => Play::Reset,
        })
        .await;
        let client = client_with(options(&stub.url()), &Arc::default());
        fail(&client, 19).await;
        let _ = call(&client).await;
        fail(&client, 19).await;
        assert_eq!(state(&client), CircuitState::Closed, "{body}");
        fail(&client, 1).await;
        assert_eq!(state(&client), CircuitState::Open, "{body}");
    }
}

/// A caller who gives up says nothing about WeChat, and leaves no probe under way.
#[tokio::test]
async fn calls_that_are_dropped_do_not_count() {
    let clock = Arc::new(TestClock::default());
    let stub = Stub::scripted(|nth| match nth {
        20..40 => Play::Reset,
        _ => Play::Hang(Vec::new()),
    })
    .await;
    let client = client_with(options(&stub.url()), &clock);
    for _ in 0..20 {
        abandon(&client, &appid(), &stub).await;
    }
    assert_eq!(state(&client), CircuitState::Closed);
    fail(&client, 20).await;
    clock.advance(SECOND);
    abandon(&client, &appid(), &stub).await;
    assert_eq!(state(&client), CircuitState::Open);
    assert_eq!(refused(&client).await, SECOND);
}

/// Each app has a circuit of its own: WeChat may fail one and not the other.
#[tokio::test]
async fn circuits_are_apart() {
    let (stub, _) = stub(Play::Reset).await;
    let other = App {
        appid: Appid::parse("wx2").unwrap(),
        secret: Secret::new("s"),
    };
    let client = Client::new(
        options(&stub.url()),
        vec![other, app()],
        Arc::<TestClock>::default(),
    )
    .unwrap();
    fail(&client, 20).await;
    let other = Appid::parse("wx2").unwrap();
    let expected = [
        (appid(), CircuitState::Open),
        (other.clone(), CircuitState::Closed),
    ];
    assert_eq!(client.circuits(), expected);
    let error = client.code_to_session(&other, &code()).await.unwrap_err();
    assert!(matches!(error, Error::Unreachable(_)), "{error:?}");
}

#[test]
fn states_have_words() {
    let words = [
        CircuitState::Closed,
        CircuitState::Open,
        CircuitState::HalfOpen,
    ];
    assert_eq!(
        words.map(CircuitState::as_str),
        ["closed", "open", "half_open"]
    );
}
