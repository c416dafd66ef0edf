//! The same code again, at one server.

use std::{collections::HashSet, pin::pin, time::Duration};

use futures_util::poll;
use serde_json::json;
use tokio::task::yield_now;

use super::{asked, at_once, refused};
use crate::{
    harness::{OTHER, Reply, TestApp, on_each_database},
    stub::Stub,
};

/// Lets the others work until WeChat was asked about a code.
pub(super) async fn until_asked(stub: &Stub, code: &str) {
    while stub.asked(code).is_empty() {
        yield_now().await;
    }
}

on_each_database! {
    /// Proves LGN-1: one call to WeChat however often a code comes, and 40163 after the window.
    async fn the_same_code_is_one_sign_in(app) {
        let code = app.code("wang");
        let replies = at_once(&[app], &code, 50).await;
        let openid = &replies[0].json()["openid"];
        let tokens: HashSet<_> = replies.iter().map(Reply::token).collect();
        assert!(replies.iter().all(|reply| reply.json()["openid"] == *openid));
        assert_eq!(tokens.len(), 50);
        assert_eq!(app.calls(&code).await, 1);
        app.clock.advance(Duration::from_millis(29_999));
        assert_eq!(app.login(&code).await.json()["openid"], *openid);
        app.clock.advance(Duration::from_millis(1));
        let late = app.login(&code).await;
        assert_eq!((late.status.as_u16(), &late.json()["error"]["errcode"]), (400, &json!(40163)));
    }

    /// The same code is another one in another mini program.
    async fn a_code_is_remembered_for_its_app(app) {
        let code = app.code("wang");
        assert_eq!(app.login(&code).await.status, 200);
        let body = json!({ "code": code, "appid": OTHER });
        let there = app.post("/v1/user/login", &body).await.json();
        assert_eq!(there["error"]["errcode"], 40029);
        assert_eq!(app.login(&code).await.status, 200);
        assert_eq!(app.calls(&code).await, 2);
    }

    /// Proves LGN-1: who comes while WeChat is being asked waits for that answer.
    async fn the_second_joins_the_first(app) {
        let stub = Stub::start(&app.clock).await;
        let there = app.replica_with(&stub.url, |_| ()).await;
        stub.person("0code", "owang", None);
        stub.hold();
        let mut first = pin!(there.login("0code"));
        let mut second = pin!(there.login("0code"));
        tokio::select! {
            reply = &mut first => panic!("{}", reply.text),
            () = until_asked(&stub, "0code") => {}
        }
        assert!(poll!(&mut second).is_pending());
        stub.release();
        let (first, second) = tokio::join!(first, second);
        assert_eq!(first.json()["openid"], "owang");
        assert_eq!(second.json()["openid"], "owang");
        assert_ne!(first.token(), second.token());
        assert_eq!(stub.asked("0code").len(), 1);
        there.app.close().await;
    }

    /// Proves LGN-1: a caller who hangs up half-way leaves the answer to those who still wait, and
    /// to those who come later.
    async fn the_first_hangs_up(app) {
        let stub = Stub::start(&app.clock).await;
        let there = app.replica_with(&stub.url, |_| ()).await;
        stub.person("0code", "owang", None);
        stub.hold();
        let mut first = Box::pin(there.login("0code"));
        tokio::select! {
            reply = &mut first => panic!("{}", reply.text),
            () = until_asked(&stub, "0code") => {}
        }
        let mut second = pin!(there.login("0code"));
        assert!(poll!(&mut second).is_pending());
        drop(first);
        stub.release();
        assert_eq!(second.await.json()["openid"], "owang");
        assert_eq!(there.login("0code").await.json()["openid"], "owang");
        assert_eq!(stub.asked("0code").len(), 1);
        there.app.close().await;
    }

    /// Proves LGN-1: what WeChat says of a code for good is remembered for the window as well.
    async fn a_refusal_is_remembered(app) {
        for errcode in [40029, 40163, 40226] {
            let code = app.code("wang");
            app.fault(json!({
                "path": "/sns/jscode2session", "kind": "errcode", "errcode": errcode, "times": 1,
            })).await;
            let replies = at_once(&[app], &code, 10).await;
            assert_eq!(replies[0].json()["error"]["errcode"], errcode);
            assert!(replies[0].json()["error"]["rid"].is_string());
            app.clock.advance(Duration::from_millis(29_999));
            let last = app.login(&code).await;
            assert!(replies.iter().all(|reply| reply.line() == last.line()));
            assert_eq!(app.calls(&code).await, 1);
            app.clock.advance(Duration::from_millis(1));
            assert_eq!(app.login(&code).await.status, 200);
        }
    }

    /// Proves LGN-1: a failure that says nothing of the code leaves it to the next try.
    async fn a_failure_is_not_remembered(app) {
        let errcode = |number| json!({ "kind": "errcode", "errcode": number });
        for mut fault in [
            json!({ "kind": "status", "status": 500 }), json!({ "kind": "reset" }),
            json!({ "kind": "garbage" }), errcode(-1), errcode(45011), errcode(40125),
        ] {
            let code = app.code("wang");
            fault["path"] = "/sns/jscode2session".into();
            fault["times"] = 1.into();
            app.fault(fault.clone()).await;
            let failed = app.login(&code).await;
            assert!(failed.status.as_u16() >= 429, "{}", failed.text);
            assert_eq!(app.login(&code).await.status, 200, "{fault}");
            assert_eq!(app.calls(&code).await, 2);
        }
    }

    /// Proves LGN-1: a wall clock that is set back makes nobody's memory longer.
    async fn the_window_does_not_follow_the_wall_clock(app) {
        let code = app.code("wang");
        assert_eq!(app.login(&code).await.status, 200);
        app.clock.jump(-3_600_000);
        assert_eq!(app.login(&code).await.status, 200);
        app.clock.advance(Duration::from_secs(30));
        assert_eq!(app.login(&code).await.line().get(..3), Some("400"));
        assert_eq!(app.calls(&code).await, 2);
    }

    /// Proves LOG-6: a panic on the way is a 500 for those who wait, and the code is not lost in
    /// the air.
    async fn a_flight_that_panics(app) {
        let stub = Stub::start(&app.clock).await;
        let there = app.replica_with(&stub.url, |_| ()).await;
        stub.person("0code", "owang", None);
        stub.hold();
        let mut first = pin!(there.login("0code"));
        let mut second = pin!(there.login("0code"));
        tokio::select! {
            reply = &mut first => panic!("{}", reply.text),
            () = until_asked(&stub, "0code") => {}
        }
        assert!(poll!(&mut second).is_pending());
        app.clock.break_once();
        stub.release();
        let (first, second) = tokio::join!(first, second);
        assert_eq!(first.line(), refused(500, -1, "system error"));
        assert_eq!(second.line(), first.line());
        // On PostgreSQL the claim on the code is over then.
        app.clock.advance(Duration::from_secs(6));
        assert_eq!(there.login("0code").await.status, 200);
        assert_eq!(stub.asked("0code").len(), 2);
        there.app.close().await;
    }
}

/// Proves LGN-1: with the window at 0 a code works once.
#[tokio::test]
async fn without_a_window_a_code_works_once() {
    let app = TestApp::sqlite_with(|options| options.replay_window = Duration::ZERO).await;
    let code = app.code("wang");
    let replies = at_once(&[&app], &code, 50).await;
    let good = replies.iter().filter(|reply| reply.status == 200).count();
    let used = replies
        .iter()
        .filter(|reply| reply.text.contains("40163"))
        .count();
    assert_eq!((good, used), (1, 49));
    assert_eq!(asked(&app).await, 50);
    app.end().await;
}
