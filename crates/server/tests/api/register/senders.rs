//! Providers that refuse, hang or fail, and a store that cannot count.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use menjin_core::Secret;
use menjin_messages::{
    BoxFuture, Reach, Receipt, RefusedKind, SendError, Sms, SmsSender, WebhookOptions, WebhookSms,
};
use serde_json::json;
use tokio::net::TcpListener;

use super::{PHONE, status};
use crate::harness::{TestApp, on_each_database};

/// Fails as it is told, and counts how often it was asked.
struct Failing {
    how: SendError,
    asked: Arc<AtomicU32>,
}

impl SmsSender for Failing {
    fn send<'a>(&'a self, _: &'a Sms) -> BoxFuture<'a, Result<Receipt, SendError>> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let how = self.how.clone();
        Box::pin(async { Err(how) })
    }

    fn try_out(&self) -> BoxFuture<'_, Result<(), SendError>> {
        Box::pin(async { Ok(()) })
    }
}

fn refusal(kind: RefusedKind) -> SendError {
    SendError::Refused {
        code: "isv.SOMETHING".to_owned(),
        kind,
    }
}

on_each_database! {
    /// Proves OTP-13: a message that was not sent is asked for once, frees the limit that it took,
    /// and leaves no code behind.
    async fn a_failed_message_counts_for_nothing(app) {
        for (how, expected) in [
            (SendError::TimedOut, (502, "delivery_failed")),
            (SendError::Garbled("no JSON"), (502, "delivery_failed")),
            (refusal(RefusedKind::Other), (502, "delivery_failed")),
            (refusal(RefusedKind::Misconfigured), (502, "delivery_failed")),
            (refusal(RefusedKind::TooOften), (429, "too_many_requests")),
            (refusal(RefusedKind::BadNumber), (400, "invalid_phone")),
        ] {
            let asked = Arc::<AtomicU32>::default();
            let sender = Failing { how, asked: asked.clone() };
            let failing = app.replica_outside(|outside| outside.sms = Some(Arc::new(sender))).await;
            let wang = failing.person("wang").await;
            for n in 1..=3 {
                let reply = failing.ask(&wang, PHONE).await;
                let answer = (reply.status.as_u16(), status(&reply));
                assert_eq!(answer, (expected.0, json!(expected.1)));
                assert!(!reply.text.contains("isv"), "{}", reply.text);
                assert_eq!(asked.load(Ordering::Relaxed), n);
            }
            assert_eq!(failing.rows("sends").await + failing.rows("verifications").await, 0);
            failing.app.close().await;
        }
        let wang = app.person("wang").await;
        assert_eq!(app.ask(&wang, PHONE).await.status, 200, "nothing was used up");
    }

    /// Proves OTP-13: the code that went out before stays good.
    async fn a_failed_message_leaves_the_code_before_it(app) {
        let wang = app.person("wang").await;
        app.ask(&wang, PHONE).await;
        let code = app.code_to("+8613800138000").await;
        app.clock.advance(Duration::from_mins(1));
        let sender = Failing { how: SendError::TimedOut, asked: Arc::default() };
        let failing = app.replica_outside(|outside| outside.sms = Some(Arc::new(sender))).await;
        assert_eq!(failing.ask(&wang, PHONE).await.status, 502);
        failing.app.close().await;
        assert_eq!(status(&app.verify(&wang, PHONE, &code).await), "verified");
    }

    async fn without_a_sender_nothing_is_promised(app) {
        let mute = app.replica_outside(|outside| outside.sms = None).await;
        let wang = mute.person("wang").await;
        let reply = mute.ask(&wang, PHONE).await;
        assert_eq!((reply.status.as_u16(), status(&reply)), (502, json!("delivery_failed")));
        mute.app.close().await;
    }
}

/// Proves OTP-12: a store that cannot count sends nothing.
#[tokio::test]
async fn what_cannot_be_counted_is_not_sent() {
    let app = TestApp::postgres().await;
    let wang = app.person("wang").await;
    app.sql("ALTER TABLE sends RENAME TO sends_away").await;
    for _ in 0..3 {
        let reply = app.ask(&wang, PHONE).await;
        assert!(reply.status.is_server_error(), "{}", reply.text);
    }
    assert!(app.sms().await.is_empty());
    app.sql("ALTER TABLE sends_away RENAME TO sends").await;
    assert_eq!(app.ask(&wang, PHONE).await.status, 200);
    app.end().await;
}

/// Proves OTP-13: a provider that hangs holds nobody up for more than six seconds, and is asked once.
#[tokio::test]
async fn a_provider_that_hangs_does_not_hang_us() {
    let app = TestApp::sqlite().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let called = Arc::<AtomicU32>::default();
    let calls = called.clone();
    let hanging_up = tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok((stream, _)) = listener.accept().await {
            calls.fetch_add(1, Ordering::Relaxed);
            held.push(stream);
        }
    });
    let options = WebhookOptions {
        url: Secret::new(&format!("http://{address}/sms")),
        secret: Secret::new("a test secret for signatures only"),
        reach: Reach::default(),
    };
    let sender = Arc::new(WebhookSms::new(&options, app.clock.clone()).unwrap());
    let hanging = app
        .replica_outside(|outside| outside.sms = Some(sender))
        .await;
    let wang = hanging.person("wang").await;
    let begun = std::time::Instant::now();
    let reply = hanging.ask(&wang, PHONE).await;
    assert!(begun.elapsed() < Duration::from_secs(6));
    assert_eq!(status(&reply), "delivery_failed");
    assert_eq!(called.load(Ordering::Relaxed), 1);
    assert_eq!(hanging.rows("sends").await, 0);
    hanging.app.close().await;
    app.end().await;
    hanging_up.abort();
}
