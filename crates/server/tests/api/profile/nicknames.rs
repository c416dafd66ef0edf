//! Nicknames: hostile ones, and those that WeChat is asked about.

use serde_json::{Value, json};

use super::{bad, changed, refused};
use crate::harness::{TestApp, on_each_database};

/// Texts that break programs which take them for more than text.
const HOSTILE: &[&str] = &[
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "'; DROP TABLE users; --",
    "%00%0a%s%n{{7*7}}${7*7}",
    "../../etc/passwd",
    "👨‍👩‍👧‍👦🏳️‍🌈",
    "Z̴͓̈a̷̮̅l̸̰̈g̵͇̈́o̴̟͌",
    "null",
    "-0",
    "﷽",
    " 王 ",
    "e\u{301}",
    "\u{feff}王",
    "= cmd|'/C calc'!A0",
    "\\u0000",
    "\u{10ffff}",
];

on_each_database! {
    /// Proves PRF-5: a nickname comes back exactly as it went, or is refused.
    async fn a_hostile_nickname_is_text(app) {
        let wang = app.user("wang", "13800138000").await;
        for name in HOSTILE {
            let reply = app.set(&wang, json!({ "nickname": name })).await;
            assert_eq!(changed(&reply), json!({ "nickname": name }));
            assert_eq!(app.shown(&wang).await["nickname"], *name);
            assert_eq!(app.sign_in("wang").await.json()["nickname"], *name);
        }
        for name in ["\0", "a\u{0}", "\u{1b}[2J", "a\r\nb", "\u{202e}txt.exe", "\u{2066}", "\u{85}", "\u{2028}"] {
            let reply = app.set(&wang, json!({ "nickname": name })).await;
            assert_eq!(refused(&reply), bad("invalid_nickname"), "{name:?}");
        }
        assert_eq!(app.shown(&wang).await["nickname"], HOSTILE[HOSTILE.len() - 1]);
    }
}

async fn checking() -> TestApp {
    TestApp::sqlite_with(|options| options.profile.check_nickname = true).await
}

const UNCHECKED: &str = "audit WHERE event = 'nickname_unchecked'";

#[tokio::test]
async fn wechat_says_what_may_be_shown() {
    let app = checking().await;
    let wang = app.user("wang", "13800138000").await;
    let risky = json!({ "nickname": "risky", "campus": "东" });
    assert_eq!(
        refused(&app.set(&wang, risky).await),
        bad("content_rejected")
    );
    assert_eq!(app.shown(&wang).await["campus"], "");
    for good in ["小王", "review"] {
        let reply = app.set(&wang, json!({ "nickname": good })).await;
        assert_eq!(changed(&reply), json!({ "nickname": good }));
    }
    assert_eq!(app.rows(UNCHECKED).await, 0);
    app.end().await;
}

/// People are not kept from their name because WeChat is away; somebody can look at it later.
#[tokio::test]
async fn a_nickname_that_cannot_be_checked_is_taken_and_noted() {
    let app = checking().await;
    let wang = app.user("wang", "13800138000").await;
    let faults: [Value; 3] = [
        json!({ "kind": "errcode", "errcode": 61010 }),
        json!({ "kind": "status", "status": 500 }),
        json!({ "kind": "garbage" }),
    ];
    for (round, mut fault) in (1_i64..).zip(faults) {
        fault["path"] = "/wxa/msg_sec_check".into();
        fault["times"] = 1.into();
        app.fault(fault).await;
        let name = format!("王{round}");
        let reply = app.set(&wang, json!({ "nickname": name })).await;
        assert_eq!(changed(&reply), json!({ "nickname": name }));
        assert_eq!(app.rows(UNCHECKED).await, round);
    }
    assert_eq!(
        app.rows(&format!("{UNCHECKED} AND detail LIKE '%王%'"))
            .await,
        0
    );
    app.end().await;
}

/// Only what others will see anew is worth a call.
#[tokio::test]
async fn wechat_is_not_asked_for_nothing() {
    let app = checking().await;
    let wang = app.user("wang", "13800138000").await;
    assert_eq!(
        app.set(&wang, json!({ "nickname": "小王" })).await.status,
        200
    );
    let fault = json!({ "path": "/wxa/msg_sec_check", "kind": "status", "status": 500 });
    app.fault(fault).await;
    for body in [
        json!({ "nickname": "小王" }),
        json!({ "campus": "东" }),
        json!({ "nickname": "" }),
    ] {
        assert_eq!(app.set(&wang, body).await.status, 200);
    }
    assert_eq!(app.rows(UNCHECKED).await, 0);
    app.end().await;
}
