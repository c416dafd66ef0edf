//! What WeChat answers, row by row, and what becomes of it.

use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::{asked, control, refused};
use crate::{
    harness::{OTHER, Reply, TestApp, on_each_database},
    stub::Stub,
};

const RID: &str = "652d44d0-1d0af18b-5b069232";

/// One row: WeChat's number and words, and the status and `Retry-After` that they come under.
struct Row(i64, &'static str, u16, &'static str);

const ROWS: [Row; 13] = [
    Row(40029, "invalid code", 400, ""),
    Row(40163, "code been used", 400, ""),
    Row(40226, "code blocked", 403, ""),
    Row(
        45011,
        "api minute-quota reach limit, must slower, retry next minute",
        429,
        "60",
    ),
    Row(45009, "reach max api daily quota limit", 429, "3600"),
    Row(-1, "system error", 502, ""),
    Row(40013, "invalid appid", 502, ""),
    Row(40125, "invalid appsecret", 502, ""),
    Row(41002, "appid missing", 502, ""),
    Row(41004, "appsecret missing", 502, ""),
    Row(40164, "invalid ip 192.0.2.1, not in whitelist", 502, ""),
    Row(87009, "invalid signature", 502, ""),
    Row(2_147_483_647, "", 502, ""),
];

async fn declined(app: &TestApp, errcode: i64, errmsg: &str) -> Reply {
    let code = app.code("wang");
    app.fault(json!({
        "path": "/sns/jscode2session", "kind": "errcode",
        "errcode": errcode, "errmsg": errmsg, "times": 1,
    }))
    .await;
    let reply = app.login(&code).await;
    assert_eq!(app.calls(&code).await, 1, "{errcode}");
    reply
}

on_each_database! {
    /// Proves LGN-6: WeChat's numbers and words as they came, under the documented status, after
    /// one call; the `rid` beside the words and not in them.
    async fn wechat_declines(app) {
        for Row(errcode, words, status, retry_after) in ROWS {
            let separator = if words.is_empty() { "" } else { ", " };
            let errmsg = format!("{words}{separator}rid: {RID}");
            let reply = declined(app, errcode, &errmsg).await;
            assert_eq!(
                reply.line(),
                format!(
                    "{status} {{\"success\":false,\"error\":{{\"errcode\":{errcode},\
                     \"errmsg\":\"{words}\",\"rid\":\"{RID}\"}},\"registered\":false}}"
                )
            );
            assert_eq!(reply.header("retry-after"), retry_after, "{errcode}");
        }
    }

    /// Proves LGN-6: words without a `rid`, in WeChat's former manner, come without one.
    async fn wechat_declines_in_its_former_words(app) {
        for (errcode, errmsg, status, words) in [
            (40029, "invalid code, hints: [ req_id: uhJDVZyFe-YZguHA ]", 400, "invalid code"),
            (40163, "code been used, hints: [ req_id: X ]", 400, "code been used"),
            (
                40125,
                "invalid appsecret, view more at http://t.cn/RAEkdVq, hints: [ req_id: X ]",
                502,
                "invalid appsecret, view more at http://t.cn/RAEkdVq",
            ),
            (-1, "system error", 502, "system error"),
        ] {
            let reply = declined(app, errcode, errmsg).await;
            assert_eq!(reply.line(), refused(status, errcode, words));
        }
    }

    /// Proves LGN-2: a code that was used, has expired, was never given, or was given to another
    /// app has its documented error.
    async fn a_code_that_is_no_good(app) {
        let line = async |code: &str| {
            let reply = app.login(code).await;
            let error = reply.json()["error"].clone();
            (reply.status.as_u16(), error["errcode"].as_i64().unwrap(), error["errmsg"].clone())
        };
        let (used, expired) = (app.code("wang"), app.code("wang"));
        assert_eq!(app.login(&used).await.status, 200);
        app.clock.advance(app.options.replay_window);
        assert_eq!(line(&used).await, (400, 40163, "code been used".into()));
        control(app, "/simulator/clock", json!({ "seconds": 300 })).await;
        assert_eq!(line(&expired).await, (400, 40029, "invalid code".into()));
        assert_eq!(line("0never").await, (400, 40029, "invalid code".into()));
        let elsewhere = app.simulator.login("wang", Some(OTHER)).unwrap();
        assert_eq!(line(&elsewhere).await, (400, 40029, "invalid code".into()));
    }
}

/// Proves LGN-6: no connection, or no TLS, is WeChat's system error under 502.
#[tokio::test]
async fn wechat_cannot_be_reached() {
    let app = TestApp::sqlite().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nobody = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let without_tls = app.wechat.replace("http:", "https:");
    for url in [nobody, without_tls] {
        let there = app.replica_with(&url, |_| ()).await;
        let reply = there.sign_in("wang").await;
        assert_eq!(reply.line(), refused(502, -1, "system error"), "{url}");
        there.app.close().await;
    }
    assert_eq!(asked(&app).await, 0);
    app.end().await;
}

on_each_database! {
    /// Proves LGN-10: an answer without an openid that can be one signs nobody in.
    async fn wechat_answers_without_an_openid(app) {
        let stub = Stub::start(&app.clock).await;
        let there = app.replica_with(&stub.url, |_| ()).await;
        let huge = "o".repeat(1 << 20);
        let openids = [
            Value::Null, json!(""), json!(100_001), json!("o\0wang"), json!(huge),
            json!(["owang"]), json!({ "o": "wang" }), json!(true), json!("小王"), json!("o wang"),
            json!("o".repeat(129)),
        ];
        for (n, openid) in openids.into_iter().enumerate() {
            let code = format!("code-{n}");
            let answer = json!({ "openid": openid, "session_key": "a2V5" });
            stub.say(&code, answer.to_string());
            let reply = there.login(&code).await;
            assert_eq!(reply.line(), refused(502, -1, "system error"), "{n}");
            assert_eq!(stub.asked(&code).len(), 1);
        }
        let missing = [r#"{"session_key": "a2V5"}"#, "{}", "[]", "null", "", "<html></html>"];
        for (n, answer) in missing.into_iter().enumerate() {
            let code = format!("missing-{n}");
            stub.say(&code, answer);
            let reply = there.login(&code).await;
            assert_eq!(reply.line(), refused(502, -1, "system error"), "{answer}");
        }
        there.app.close().await;
    }

    /// Proves LGN-10: an errcode counts, whatever stands beside it.
    async fn wechat_declines_and_names_somebody(app) {
        let stub = Stub::start(&app.clock).await;
        let there = app.replica_with(&stub.url, |_| ()).await;
        for (errcode, status) in [(87009, 502), (-1, 502), (40029, 400), (45011, 429)] {
            let code = format!("code{errcode}");
            let answer = json!({
                "openid": "owang", "session_key": "a2V5", "errcode": errcode, "errmsg": "no",
            });
            stub.say(&code, answer.to_string());
            assert_eq!(there.login(&code).await.line(), refused(status, errcode, "no"));
        }
        there.app.close().await;
    }

    /// Proves LGN-13: nobody signs in as an account that was made by hand.
    async fn nobody_is_a_system_account(app) {
        let stub = Stub::start(&app.clock).await;
        let there = app.replica_with(&stub.url, |_| ()).await;
        for openid in ["system", "SYSTEM", "admin", "root", "menjin", "undefined"] {
            stub.person(openid, openid, None);
            let reply = there.login(openid).await;
            assert_eq!(reply.line(), refused(502, -1, "system error"), "{openid}");
        }
        there.app.close().await;
    }
}
