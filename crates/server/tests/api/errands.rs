//! Errands: what follows a change, when it is done, how often it is tried, and by whom.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures_util::future::join_all;
use menjin_core::Clock;
use menjin_messages::{
    BoxFuture, NoticeKind, Receipt, RefusedKind, SendError, Sms, SmsKind, SmsSender,
};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::harness::{TestApp, on_each_database};

/// Counts notices, and fails with each if it is told how.
struct Notices {
    asked: Arc<AtomicUsize>,
    how: Option<SendError>,
}

impl SmsSender for Notices {
    fn send<'a>(&'a self, sms: &'a Sms) -> BoxFuture<'a, Result<Receipt, SendError>> {
        let kind = NoticeKind::PhoneChanged;
        assert!(matches!(&sms.kind, SmsKind::Notice { kind: told } if *told == kind));
        self.asked.fetch_add(1, Ordering::Relaxed);
        let how = self.how.clone();
        Box::pin(async { how.map_or(Ok(Receipt::default()), Err) })
    }

    fn try_out(&self) -> BoxFuture<'_, Result<(), SendError>> {
        Box::pin(async { Ok(()) })
    }
}

/// Says nothing until it is let.
struct Hanging {
    asked: Arc<Semaphore>,
    let_go: Arc<Semaphore>,
}

impl SmsSender for Hanging {
    fn send<'a>(&'a self, _: &'a Sms) -> BoxFuture<'a, Result<Receipt, SendError>> {
        Box::pin(async {
            self.asked.add_permits(1);
            self.let_go.acquire().await.unwrap().forget();
            Ok(Receipt::default())
        })
    }

    fn try_out(&self) -> BoxFuture<'_, Result<(), SendError>> {
        Box::pin(async { Ok(()) })
    }
}

/// A replica whose notices go here, and how many were asked for.
async fn noticing(app: &TestApp, how: Option<SendError>) -> (TestApp, Arc<AtomicUsize>) {
    let asked = Arc::<AtomicUsize>::default();
    let sender = Notices {
        asked: asked.clone(),
        how,
    };
    let replica = app.replica_outside(|outside| outside.sms = Some(Arc::new(sender)));
    (replica.await, asked)
}

/// Somebody new changes their number so often: as many errands.
async fn changed(app: &TestApp, times: u64) {
    let first = 13_900_000_000 + 1_000 * u64::try_from(app.rows("users").await).unwrap();
    let mut person = app.user(&format!("p{first}"), &first.to_string()).await;
    for n in 1..=times {
        let reply = app.tap_phone(&person, &(first + n).to_string()).await;
        person.token = reply.token();
    }
}

fn refused(kind: RefusedKind) -> SendError {
    let code = "isv.SOMETHING".to_owned();
    SendError::Refused { code, kind }
}

on_each_database! {
    /// A provider that fails is asked again after growing waits, five times in all.
    async fn a_failure_is_tried_again(app) {
        for how in [RefusedKind::TooOften, RefusedKind::Misconfigured, RefusedKind::Other].map(refused) {
            let (failing, asked) = noticing(app, Some(how)).await;
            changed(app, 1).await;
            let mut tried_after = Vec::new();
            for minute in 0..300_u64 {
                failing.app.do_errands().await;
                if asked.load(Ordering::Relaxed) > tried_after.len() {
                    tried_after.push(minute);
                }
                app.clock.advance(Duration::from_mins(1));
            }
            assert_eq!(tried_after, [0, 1, 6, 36, 156]);
            assert_eq!(app.rows("errands").await, 0, "it was given up");
            failing.app.close().await;
        }
    }

    /// What fails once is done the next time, and then no more.
    async fn a_notice_comes_late_rather_than_never(app) {
        let (failing, asked) = noticing(app, Some(refused(RefusedKind::TooOften))).await;
        changed(app, 1).await;
        failing.app.do_errands().await;
        assert_eq!((asked.load(Ordering::Relaxed), app.rows("errands").await), (1, 1));
        app.app.do_errands().await;
        assert!(app.sms().await.is_empty(), "it rests");
        app.clock.advance(Duration::from_mins(1));
        for _ in 0..2 {
            app.app.do_errands().await;
        }
        assert_eq!((app.sms().await.len(), app.rows("errands").await), (1, 0));
        failing.app.close().await;
    }

    /// Proves OTP-13: a text message that may have gone out is not sent once more.
    async fn what_may_have_gone_out_is_not_sent_again(app) {
        for unclear in [SendError::TimedOut, SendError::Garbled("no JSON")] {
            let (failing, asked) = noticing(app, Some(unclear)).await;
            changed(app, 1).await;
            failing.app.do_errands().await;
            assert_eq!((asked.load(Ordering::Relaxed), app.rows("errands").await), (1, 0));
            failing.app.close().await;
        }
    }

    /// A number that cannot be reached, and a sender that is not there, stay as they are.
    async fn what_cannot_help_is_not_tried_again(app) {
        changed(app, 1).await;
        let (failing, asked) = noticing(app, Some(refused(RefusedKind::BadNumber))).await;
        failing.app.do_errands().await;
        assert_eq!((asked.load(Ordering::Relaxed), app.rows("errands").await), (1, 0));
        failing.app.close().await;
    }

    async fn without_a_sender_there_is_nothing_to_try(app) {
        changed(app, 1).await;
        let mute = app.replica_outside(|outside| outside.sms = None).await;
        mute.app.do_errands().await;
        assert_eq!(app.rows("errands").await, 0);
        mute.app.close().await;
    }

    /// An errand outlives the process that wrote it, and one that had taken it.
    async fn an_errand_survives_a_restart(app) {
        let first = app.replica().await;
        changed(&first, 1).await;
        first.app.close().await;
        // Somebody took it and was killed; nobody else has it for two minutes.
        let later = app.clock.now() + 120_000;
        app.sql(&format!("UPDATE errands SET tries = 1, due_at = {later}")).await;
        app.app.do_errands().await;
        assert!(app.sms().await.is_empty());
        app.clock.advance(Duration::from_mins(2));
        app.app.do_errands().await;
        assert_eq!((app.sms().await.len(), app.rows("errands").await), (1, 0));
    }

    /// One that was taken again and again, and never came to an end, is given up.
    async fn an_errand_that_kills_is_given_up(app) {
        changed(app, 1).await;
        app.sql("UPDATE errands SET tries = 5").await;
        app.app.do_errands().await;
        assert_eq!((app.sms().await.len(), app.rows("errands").await), (0, 0));
    }

    /// What cannot be read here is left to others, and to time.
    async fn an_errand_of_another_version(app) {
        changed(app, 1).await;
        app.sql("UPDATE errands SET kind = 'another'").await;
        app.app.do_errands().await;
        assert_eq!((app.sms().await.len(), app.rows("errands WHERE tries = 1").await), (0, 1));
        app.sql("UPDATE errands SET kind = 'notice_sms'").await;
        app.clock.advance(Duration::from_mins(1));
        app.app.do_errands().await;
        assert_eq!((app.sms().await.len(), app.rows("errands").await), (1, 0));
    }

    /// Twenty at a time, so that a heap of errands does not keep the process from ending.
    async fn a_heap_is_done_in_parts(app) {
        changed(app, 25).await;
        app.app.do_errands().await;
        assert_eq!((app.sms().await.len(), app.rows("errands").await), (20, 5));
        app.app.do_errands().await;
        assert_eq!((app.sms().await.len(), app.rows("errands").await), (25, 0));
    }

    async fn a_server_that_ends_begins_nothing(app) {
        changed(app, 1).await;
        app.app.drain();
        app.app.do_errands().await;
        assert_eq!((app.sms().await.len(), app.rows("errands").await), (0, 1));
    }

    /// Two replicas, both at it: nothing is sent twice, and nothing is left.
    async fn two_replicas_share_the_errands(app) {
        changed(app, 40).await;
        let two = app.replica().await;
        for _ in 0..40 {
            join_all([app.app.do_errands(), two.app.do_errands()]).await;
        }
        assert_eq!((app.sms().await.len(), app.rows("errands").await), (40, 0));
        let mut to: Vec<_> = app.sms().await.iter().map(|sms| sms["to"].to_string()).collect();
        to.sort();
        to.dedup();
        assert_eq!(to.len(), 40, "each former number was told");
        two.app.close().await;
    }

    /// A provider that says nothing holds up the errands behind it, and neither the server's other work
    /// nor its callers. There is one worker, however often it is called.
    async fn a_provider_that_hangs_holds_nothing_else_up(app) {
        let (asked, let_go) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
        let sender = Hanging { asked: asked.clone(), let_go: let_go.clone() };
        let hanging = app.replica_outside(|outside| outside.sms = Some(Arc::new(sender))).await;
        changed(app, 2).await;
        let stop = CancellationToken::new();
        let tending = {
            let (app, stop) = (hanging.app.clone(), stop.clone());
            tokio::spawn(async move { app.tend(stop).await })
        };
        asked.acquire().await.unwrap().forget();
        for _ in 0..10 {
            hanging.app.do_errands().await;
        }
        assert_eq!(hanging.sign_in("li").await.status, 200);
        assert_eq!((asked.available_permits(), app.rows("errands").await), (0, 2));
        // The tick goes on: it ends as soon as it is told.
        stop.cancel();
        tending.await.unwrap().unwrap();
        let_go.add_permits(2);
        hanging.app.close().await;
        assert_eq!(app.rows("errands").await, 0);
    }
}

/// What an errand says is sealed: nothing of it can be read in the file.
#[tokio::test]
async fn an_errand_is_sealed() {
    let app = TestApp::sqlite().await;
    changed(&app, 1).await;
    assert_eq!(app.rows("errands WHERE kind = 'notice_sms'").await, 1);
    let sealed = "errands WHERE instr(content, '13800138000') OR instr(content, 'phone_changed')";
    assert_eq!(app.rows(sealed).await, 0);
    app.end().await;
}
