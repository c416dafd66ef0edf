//! Callers who hang up, and those who send codes without end.

use std::{
    future::{Future, poll_fn},
    pin::pin,
    task::Poll,
};

use futures_util::future::{Either, select};
use serde_json::json;

use super::{MIGRATION, PHONE, VERIFY};
use crate::harness::{TestApp, held::Held, on_each_database};

/// Goes on with something for so many steps, and then drops it.
async fn hang_up_after(steps: u32, call: impl Future) {
    let mut call = pin!(call);
    for _ in 0..steps {
        let over = poll_fn(|context| Poll::Ready(call.as_mut().poll(context).is_ready()));
        if over.await {
            return;
        }
        tokio::task::yield_now().await;
    }
}

on_each_database! {
    /// Proves OTP-13: wherever a caller hangs up, a message that is counted was sent.
    async fn whoever_hangs_up_has_no_unsent_message_counted(app) {
        let there = app.replica().await;
        for doubled in 0..15 {
            let person = app.person(&format!("p{doubled}")).await;
            let number = format!("137001370{doubled:02}");
            hang_up_after(1 << doubled, there.ask(&person, &number)).await;
        }
        there.app.close().await;
        let counted = app.rows("sends").await;
        assert_eq!(app.sms().await.len(), usize::try_from(counted).unwrap());
        assert_eq!(app.rows("verifications").await, counted);
        assert!(counted > 0);
    }

    /// Proves OTP-5: one address sends so many codes a minute, to whichever number and for whatever.
    async fn an_address_sends_so_many_codes(app) {
        let there = app
            .replica_with(&app.wechat, |options| options.sign_in_per_address = 4)
            .await;
        let body = json!({ "phone": PHONE, "code": "000000" });
        for path in [VERIFY, MIGRATION, VERIFY, MIGRATION] {
            assert_eq!(there.post(path, &body).await.status, 400);
        }
        for path in [VERIFY, MIGRATION] {
            let reply = there.post(path, &body).await;
            assert_eq!(reply.status, 429, "{}", reply.text);
            assert_eq!(reply.header("retry-after"), "15");
        }
        there.app.close().await;
        for _ in 0..20 {
            assert_eq!(app.post(VERIFY, &body).await.status, 400, "0 is any number");
        }
    }
}

/// Proves OTP-13: also of a caller who hangs up in the middle of being counted.
#[tokio::test]
async fn whoever_hangs_up_while_being_counted_gets_the_message() {
    let app = TestApp::postgres().await;
    let wang = app.person("wang").await;
    assert_eq!(app.ask(&wang, PHONE).await.status, 200);
    let there = app.replica().await;
    let slow = Held::begin(&app, "UPDATE turns SET taken_at = taken_at").await;
    let waits = async {
        while slow.waiting().await < 1 {
            tokio::task::yield_now().await;
        }
    };
    let ask = Box::pin(there.ask(&wang, "13700137000"));
    let first = select(ask, Box::pin(waits)).await;
    assert!(matches!(first, Either::Right(_)), "nobody was counted yet");
    drop(first);
    slow.end_when(1).await;
    there.app.close().await;
    assert_eq!((app.rows("sends").await, app.sms().await.len()), (2, 2));
    app.end().await;
}
