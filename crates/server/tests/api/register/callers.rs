//! Callers who hang up, and those who send codes without end.

use std::{
    future::{Future, poll_fn},
    pin::pin,
    task::Poll,
};

use serde_json::json;

use super::{MIGRATION, PHONE, VERIFY};
use crate::harness::{TestApp, on_each_database};

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
