//! The same code again, at several servers on one database.

use std::{collections::HashSet, pin::pin, time::Duration};

use futures_util::future::join_all;
use menjin_core::{Clock, clock::millis};
use serde_json::json;
use tokio::task::yield_now;

use super::{asked, at_once, refused, same_code::until_asked};
use crate::{
    harness::{APPID, TestApp, TestClock, database::ask, forge},
    stub::Stub,
};

/// How many rows a table has.
async fn rows(app: &TestApp, table: &str) -> String {
    let (_, database) = app.store_url.rsplit_once('/').unwrap();
    ask(database, &format!("SELECT count(*)::text FROM {table}"))
        .await
        .concat()
}

/// Puts the claim of a replica into the store that does not come back to it.
async fn claimed_by_the_dead(app: &TestApp, code: &str, lease: Duration) {
    let digest = app.options.master_keys.digest("login code", &[APPID, code]);
    let now = app.clock.now();
    let story = app.store.write(move |tx| {
        Box::pin(async move {
            tx.code_claim(&digest, &[1; 16], now, now + millis(lease))
                .await
        })
    });
    let claimed: Result<_, menjin_store::Error> = story.await;
    assert!(claimed.unwrap());
}

/// Lets time pass in small steps, the others working between them.
async fn pass(clock: &TestClock, time: Duration) {
    for _ in 0..time.as_millis() {
        clock.advance(Duration::from_millis(1));
        yield_now().await;
    }
}

async fn purge(app: &TestApp) {
    let now = app.clock.now();
    let purged = app.store.write(move |tx| Box::pin(tx.code_purge(now)));
    let _: u64 = purged.await.unwrap();
}

/// Proves LGN-1: over two replicas a code still reaches WeChat once.
#[tokio::test]
async fn replicas_share_a_code() {
    let one = TestApp::postgres().await;
    let two = one.replica().await;
    for person in ["wang", "li", "zhao"] {
        let code = one.code(person);
        let replies = at_once(&[&one, &two], &code, 50).await;
        let openid = &replies[0].json()["openid"];
        assert!(
            replies
                .iter()
                .all(|r| r.status == 200 && r.json()["openid"] == *openid)
        );
        assert_eq!(one.calls(&code).await, 1);
    }
    let code = one.code("sun");
    assert_eq!(one.login(&code).await.status, 200);
    assert_eq!(two.login(&code).await.status, 200);
    assert_eq!(one.calls(&code).await, 1);
    one.clock.advance(Duration::from_secs(30));
    let late = two.login(&code).await.json();
    assert_eq!(late["error"]["errcode"], 40163);
    two.app.close().await;
    one.end().await;
}

/// Proves LGN-1: a replica that is asked while another one asks WeChat waits for its answer.
#[tokio::test]
async fn a_replica_waits_for_another() {
    let app = TestApp::postgres().await;
    let stub = Stub::start(&app.clock).await;
    let one = app.replica_with(&stub.url, |_| ()).await;
    let two = app.replica_with(&stub.url, |_| ()).await;
    stub.person("0code", "owang", None);
    stub.hold();
    let mut first = pin!(one.login("0code"));
    tokio::select! {
        reply = &mut first => panic!("{}", reply.text),
        () = until_asked(&stub, "0code") => {}
    }
    let mut second = pin!(two.login("0code"));
    tokio::select! {
        reply = &mut second => panic!("{}", reply.text),
        () = pass(&app.clock, Duration::from_secs(4)) => {}
    }
    stub.release();
    let (first, second) = tokio::join!(first, second);
    assert_eq!(first.json()["openid"], "owang");
    assert_eq!(second.json()["openid"], "owang");
    assert_eq!(stub.asked("0code").len(), 1);
    one.app.close().await;
    two.app.close().await;
    app.end().await;
}

/// Proves LGN-1: a replica does not remember longer what another one did.
#[tokio::test]
async fn the_window_is_the_same_everywhere() {
    let one = TestApp::postgres().await;
    let two = one.replica().await;
    let code = one.code("wang");
    assert_eq!(one.login(&code).await.status, 200);
    one.clock.advance(Duration::from_millis(29_999));
    assert_eq!(two.login(&code).await.status, 200);
    assert_eq!(one.calls(&code).await, 1);
    one.clock.advance(Duration::from_millis(1));
    assert_eq!(two.login(&code).await.json()["error"]["errcode"], 40163);
    assert_eq!(one.calls(&code).await, 2);
    two.app.close().await;
    one.end().await;
}

/// Proves LGN-1: one replica answers with what WeChat told another, word for word.
#[tokio::test]
async fn replicas_share_a_refusal() {
    let one = TestApp::postgres().await;
    let two = one.replica().await;
    let refused = one.login("0never").await;
    assert_eq!(refused.json()["error"]["errcode"], 40029);
    assert!(refused.json()["error"]["rid"].is_string());
    assert_eq!(two.login("0never").await.line(), refused.line());
    assert_eq!(one.calls("0never").await, 1);
    two.app.close().await;
    one.end().await;
}

/// Proves LGN-1: a failure at one replica leaves the code to the others.
#[tokio::test]
async fn replicas_do_not_share_a_failure() {
    let one = TestApp::postgres().await;
    let two = one.replica().await;
    let fault =
        json!({ "path": "/sns/jscode2session", "kind": "status", "status": 500, "times": 1 });
    one.fault(fault).await;
    let code = one.code("wang");
    assert_eq!(one.login(&code).await.status, 502);
    assert_eq!(two.login(&code).await.status, 200);
    assert_eq!(one.login(&code).await.status, 200);
    assert_eq!(one.calls(&code).await, 2);
    two.app.close().await;
    one.end().await;
}

/// Proves LGN-1: another replica takes over from one that died, once its claim is over.
#[tokio::test]
async fn a_replica_dies() {
    let app = TestApp::postgres().await;
    let stub = Stub::start(&app.clock).await;
    let there = app.replica_with(&stub.url, |_| ()).await;
    stub.person("0code", "owang", None);
    claimed_by_the_dead(&app, "0code", Duration::from_secs(4)).await;
    let over = app.clock.now() + 4_000;
    let mut login = pin!(there.login("0code"));
    tokio::select! {
        reply = &mut login => panic!("{}", reply.text),
        () = pass(&app.clock, Duration::from_millis(4_500)) => {}
    }
    assert_eq!(login.await.json()["openid"], "owang");
    let asked = stub.asked("0code");
    assert!(asked.len() == 1 && asked[0] >= over, "{asked:?}");
    there.app.close().await;
    app.end().await;
}

/// Proves LGN-8: a claim that does not end is waited for as long as WeChat would be.
#[tokio::test]
async fn a_claim_is_not_waited_for_for_ever() {
    let app = TestApp::postgres().await;
    let code = app.code("wang");
    claimed_by_the_dead(&app, &code, Duration::from_secs(6)).await;
    let login = async { app.login(&code).await };
    let (reply, ()) = tokio::join!(login, pass(&app.clock, Duration::from_millis(5_500)));
    assert_eq!(reply.line(), refused(504, -1, "system error"));
    assert_eq!(reply.header("retry-after"), "1");
    assert_eq!(asked(&app).await, 0);
    app.end().await;
}

/// Proves LGN-8: whoever waited for a claim and then has to ask WeChat is answered in time, too.
#[tokio::test]
async fn waiting_and_asking_share_the_time() {
    let app = TestApp::postgres().await;
    let stub = Stub::start(&app.clock).await;
    let there = app.replica_with(&stub.url, |_| ()).await;
    stub.hold();
    claimed_by_the_dead(&app, "0code", Duration::from_secs(4)).await;
    let began = std::time::Instant::now();
    let login = async { there.login("0code").await };
    let (reply, ()) = tokio::join!(login, pass(&app.clock, Duration::from_millis(4_900)));
    assert_eq!(reply.line(), refused(504, -1, "system error"));
    assert_eq!(stub.asked("0code").len(), 1);
    // By the test's clock 4.9 of the 5 seconds were over when WeChat was asked.
    assert!(
        began.elapsed() < Duration::from_secs(4),
        "{:?}",
        began.elapsed()
    );
    there.app.close().await;
    app.end().await;
}

/// Proves LGN-1 and LGN-2: a wall clock that is set back makes no claim and no memory longer.
#[tokio::test]
async fn claims_do_not_follow_the_wall_clock() {
    let one = TestApp::postgres().await;
    let two = one.replica().await;
    let code = one.code("wang");
    assert_eq!(one.login(&code).await.status, 200);
    one.clock.jump(-3_600_000);
    let late = two.login(&code).await.json();
    assert_eq!(late["error"]["errcode"], 40163);
    let code = one.code("li");
    claimed_by_the_dead(&one, &code, Duration::from_secs(6)).await;
    one.clock.jump(-3_600_000);
    assert_eq!(two.login(&code).await.status, 200);
    one.clock.jump(-3_600_000);
    purge(&one).await;
    assert_eq!(rows(&one, "spent_codes").await, "0");
    two.app.close().await;
    one.end().await;
}

/// Proves LGN-2: nothing of a code is kept for longer than five minutes.
#[tokio::test]
async fn codes_are_forgotten() {
    let app = TestApp::postgres().await;
    assert_eq!(app.sign_in("wang").await.status, 200);
    assert_eq!(app.login("0never").await.status, 400);
    claimed_by_the_dead(&app, "0dead", Duration::from_secs(6)).await;
    assert_eq!(rows(&app, "spent_codes").await, "3");
    app.clock.advance(Duration::from_mins(5));
    purge(&app).await;
    assert_eq!(rows(&app, "spent_codes").await, "0");
    app.end().await;
}

/// Proves LGN-12: the same new person at once through two replicas is one row.
#[tokio::test]
async fn replicas_write_a_new_person_down_once() {
    let app = TestApp::postgres().await;
    let stub = Stub::start(&app.clock).await;
    let one = app.replica_with(&stub.url, |_| ()).await;
    let two = app.replica_with(&stub.url, |_| ()).await;
    let codes: Vec<_> = (0..20).map(|n| format!("code-{n}")).collect();
    for code in &codes {
        stub.person(code, "owang", None);
    }
    stub.hold();
    let both = [&one, &two];
    let logins = codes.iter().enumerate();
    let logins = join_all(logins.map(|(n, code)| both[n % 2].login(code)));
    let all_asked = async {
        for code in &codes {
            until_asked(&stub, code).await;
        }
        // All at once, so that each finds nobody before any of them writes.
        stub.release();
    };
    let (replies, ()) = tokio::join!(logins, all_asked);
    let subjects = replies.iter().map(|reply| {
        let (_, claims) = forge::read(&reply.token());
        claims["sub"].to_string()
    });
    assert_eq!(subjects.collect::<HashSet<_>>().len(), 1);
    assert_eq!(rows(&app, "identities").await, "1");
    one.app.close().await;
    two.app.close().await;
    app.end().await;
}
