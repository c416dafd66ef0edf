//! A WeChat that is unwell: what callers are told, and how soon everything is well again.

use std::{
    pin::pin,
    time::{Duration, Instant},
};

use axum::body::Body;
use futures_util::future::join_all;
use http::Request;
use menjin_core::Role;
use serde_json::json;
use tower::ServiceExt;

use super::{asked, refused};
use crate::harness::{TestApp, on_each_database};

const PATH: &str = "/sns/jscode2session";

async fn heal(app: &TestApp) {
    let request = Request::delete("/simulator/faults").body(Body::empty());
    let reply = app.simulator.controls().oneshot(request.unwrap()).await;
    assert_eq!(reply.unwrap().status(), 200);
}

on_each_database! {
    /// Proves F14: each way to fail has its status, makes no token, and is over when it is over.
    async fn wechat_is_unwell(app) {
        let there = app
            .replica_with(&app.wechat, |options| options.wechat_timeout = Duration::from_secs(1))
            .await;
        for (fault, status) in [
            (json!({ "kind": "status", "status": 500 }), 502),
            (json!({ "kind": "status", "status": 302 }), 502),
            (json!({ "kind": "status", "status": 200 }), 502),
            (json!({ "kind": "delay", "ms": 10_000 }), 504),
            (json!({ "kind": "hang" }), 504),
            (json!({ "kind": "reset" }), 502),
            (json!({ "kind": "garbage" }), 502),
            (json!({ "kind": "truncate" }), 502),
        ] {
            let mut order = fault.clone();
            order["path"] = PATH.into();
            app.fault(order).await;
            let began = Instant::now();
            let reply = there.sign_in("wang").await;
            assert_eq!(reply.line(), refused(status, -1, "system error"), "{fault}");
            assert_eq!(reply.header("retry-after"), if status == 504 { "1" } else { "" });
            assert!(began.elapsed() < Duration::from_secs(6), "{fault}");
            heal(app).await;
            assert_eq!(there.sign_in("wang").await.status, 200, "{fault}");
        }
        there.app.close().await;
    }

    /// Proves F14: a WeChat that is merely slow is waited for.
    async fn wechat_is_slow(app) {
        app.fault(json!({ "path": PATH, "kind": "delay", "ms": 300 })).await;
        assert_eq!(app.sign_in("wang").await.status, 200);
    }

    /// Proves LGN-8: those who wait for a WeChat that hangs are answered in time, and nobody else
    /// waits with them.
    async fn wechat_hangs(app) {
        let there = app
            .replica_with(&app.wechat, |options| options.wechat_timeout = Duration::from_secs(2))
            .await;
        let token = there.sign_in("wang").await.token();
        app.fault(json!({ "path": PATH, "kind": "hang" })).await;
        let began = Instant::now();
        let people = ["li", "zhao", "sun", "qian", "zhou", "wu", "zheng", "chen"];
        let mut hung = pin!(join_all(people.map(|person| there.sign_in(person))));
        let others = async {
            let me = there.me(&token).await;
            let keys = there.get("/.well-known/jwks.json").await;
            (me.status.as_u16(), keys.status.as_u16())
        };
        tokio::select! {
            biased;
            _ = &mut hung => panic!("those who wait for WeChat were answered first"),
            statuses = others => assert_eq!(statuses, (200, 200)),
        }
        for reply in hung.await {
            assert_eq!(reply.line(), refused(504, -1, "system error"));
        }
        assert!(began.elapsed() < Duration::from_secs(6));
        there.app.close().await;
    }

    /// Proves LGN-9: after twenty failures in a row nobody waits any more, one call a second finds
    /// out whether WeChat is back, and then everything is as before.
    async fn the_circuit_opens_and_closes(app) {
        let refusing = json!({ "path": PATH, "kind": "status", "status": 500 });
        app.fault(refusing).await;
        for n in 0..20 {
            assert_eq!(app.sign_in("wang").await.status, 502, "{n}");
        }
        for _ in 0..5 {
            let began = Instant::now();
            let reply = app.sign_in("wang").await;
            assert_eq!(reply.line(), refused(503, -1, "system error"));
            assert_eq!(reply.header("retry-after"), "1");
            assert!(began.elapsed() < Duration::from_millis(500));
        }
        assert_eq!(asked(app).await, 20);
        assert_eq!(circuit(app).await, ["2", "0"]);
        for probes in 1..4 {
            app.clock.advance(Duration::from_secs(1));
            let statuses = join_all(["li", "zhao", "sun"].map(|person| app.sign_in(person))).await;
            let mut statuses: Vec<_> = statuses.iter().map(|reply| reply.status.as_u16()).collect();
            statuses.sort_unstable();
            assert_eq!(statuses, [502, 503, 503]);
            assert_eq!(asked(app).await, 20 + probes);
        }
        heal(app).await;
        assert_eq!(app.sign_in("wang").await.status, 503);
        app.clock.advance(Duration::from_secs(1));
        assert_eq!(app.sign_in("wang").await.status, 200);
        assert_eq!(app.sign_in("wang").await.status, 200);
        assert_eq!(circuit(app).await, ["0", "0"]);
    }

    /// Proves LGN-9: WeChat's own refusals are no failures, and one answer ends a row of them.
    async fn an_answer_keeps_the_circuit_closed(app) {
        for _ in 0..25 {
            assert_eq!(app.login("0never").await.status, 400);
            app.clock.advance(app.options.replay_window);
        }
        for _ in 0..2 {
            app.fault(json!({ "path": PATH, "kind": "status", "status": 500, "times": 19 })).await;
            for _ in 0..19 {
                assert_eq!(app.sign_in("wang").await.status, 502);
            }
            assert_eq!(app.sign_in("wang").await.status, 200);
        }
    }

    /// Sign-ins are counted by how they ended, and by WeChat's number.
    async fn sign_ins_are_counted(app) {
        let fault = |errcode| {
            json!({ "path": PATH, "kind": "errcode", "errcode": errcode, "times": 1 })
        };
        let openid = app.sign_in("wang").await.json()["openid"].clone();
        app.sign_in("li").await.token();
        app.register(openid.as_str().unwrap(), "+8613800138000", Role::User).await;
        app.sign_in("wang").await.token();
        for errcode in [45009, -1, 40125, 98_765, 98_766] {
            app.fault(fault(errcode)).await;
            assert_ne!(app.sign_in("wang").await.status, 200);
        }
        app.login("0never").await;
        app.login("not a code").await;
        app.post("/v1/user/login", &json!({})).await;
        app.post("/v1/user/login", &json!({ "code": "0code", "appid": "wx0" })).await;
        let text = app.management("/metrics").await.text;
        let lines = text.lines().filter_map(|line| line.strip_prefix("menjin_sign_ins_total"));
        let mut lines: Vec<_> = lines.collect();
        lines.sort_unstable();
        assert_eq!(lines, [
            r#"{outcome="failed",errcode="-1"} 1"#,
            r#"{outcome="failed",errcode="-2"} 2"#,
            r#"{outcome="failed",errcode="40125"} 1"#,
            r#"{outcome="guest",errcode="0"} 2"#,
            r#"{outcome="refused",errcode="40013"} 1"#,
            r#"{outcome="refused",errcode="40029"} 2"#,
            r#"{outcome="refused",errcode="41008"} 1"#,
            r#"{outcome="refused",errcode="45009"} 1"#,
            r#"{outcome="registered",errcode="0"} 1"#,
        ]);
        for phase in ["wechat", "store"] {
            let counted = format!("menjin_sign_in_duration_seconds_count{{phase=\"{phase}\"}}");
            assert!(text.contains(&counted), "{phase}: {text}");
        }
    }
}

/// The states of the circuits, in the order of appids.
async fn circuit(app: &TestApp) -> Vec<String> {
    let text = app.management("/metrics").await.text;
    let lines = text
        .lines()
        .filter(|line| line.starts_with("menjin_wechat_circuit{"));
    let mut lines: Vec<_> = lines.collect();
    lines.sort_unstable();
    let states = lines
        .iter()
        .map(|line| line.rsplit(' ').next().unwrap().to_owned());
    states.collect()
}
