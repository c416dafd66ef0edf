//! Fields that everybody has, fields of the deployment's own, and what is none.

use std::time::Duration;

use serde_json::json;

use super::{bad, changed, forged, refused, with_a_club};
use crate::harness::TestApp;

with_a_club! {
    async fn only_what_changed_is_told(app) {
        let wang = app.user("wang", "13800138000").await;
        let empty = app.set(&wang, json!({})).await;
        assert_eq!(empty.line(), r#"200 {"success":true,"changedFields":{}}"#);
        let reply = app.set(&wang, json!({
            "nickname": "小王", "campus": "东", "available": true, "wants": "坏灯泡", "year": 2026, "shift": "day",
        })).await;
        assert_eq!(changed(&reply), json!({
            "nickname": "小王", "campus": "东", "available": true, "wants": "坏灯泡", "year": 2026, "shift": "day",
        }));
        assert_eq!(reply.json().get("access_token"), None);
        let again = app.set(&wang, json!({ "nickname": "小王", "campus": "西", "year": 2026, "wants": "" })).await;
        assert_eq!(changed(&again), json!({ "campus": "西", "wants": "" }));
        let me = app.shown(&wang).await;
        assert_eq!((&me["nickname"], &me["campus"]), (&json!("小王"), &json!("西")));
        assert_eq!(me["profile"], json!({ "available": true, "wants": "", "year": 2026, "shift": "day" }));
        let changes = "audit WHERE event = 'profile_changed'";
        assert_eq!(app.rows(changes).await, 2);
        assert_eq!(app.rows(&format!("{changes} AND detail LIKE '%小王%'")).await, 0);
    }

    async fn text_that_was_never_set_is_empty(app) {
        let wang = app.user("wang", "13800138000").await;
        assert_eq!(app.shown(&wang).await["profile"], json!({}));
        let reply = app.set(&wang, json!({ "wants": "", "nickname": "", "avatar": "", "available": false })).await;
        assert_eq!(changed(&reply), json!({ "available": false }));
        let reply = app.set(&wang, json!({ "nickname": "王", "campus": "东" })).await;
        assert_eq!(reply.status, 200);
        let reply = app.set(&wang, json!({ "nickname": "", "campus": "" })).await;
        assert_eq!(changed(&reply), json!({ "nickname": "", "campus": "" }));
    }

    async fn what_a_field_cannot_hold_is_refused(app) {
        let wang = app.user("wang", "13800138000").await;
        for (field, value) in [
            ("nickname", json!("王".repeat(65))),
            ("nickname", json!("a\nb")),
            ("nickname", json!(null)),
            ("nickname", json!(1)),
            ("nickname", json!(["王"])),
            ("campus", json!("北")),
            ("campus", json!(true)),
            ("campus", json!(null)),
            ("avatar", json!(1)),
            ("available", json!("true")),
            ("available", json!(1)),
            ("wants", json!("a".repeat(21))),
            ("wants", json!("a\u{0}b")),
            ("year", json!(1999)),
            ("year", json!(2101)),
            ("year", json!(2026.5)),
            ("year", json!("2026")),
            ("shift", json!("noon")),
            ("shift", json!({ "day": true })),
        ] {
            let reply = app.set(&wang, json!({ field: value })).await;
            assert_eq!(refused(&reply), bad(&format!("invalid_{field}")), "{value}");
        }
        assert_eq!(app.rows("audit WHERE event = 'profile_changed'").await, 0);
    }

    /// One person changes their mind three hundred times a minute at most, and keeps nobody else from it.
    async fn so_many_changes_a_minute(app) {
        let wang = app.user("wang", "13800138000").await;
        let li = app.user("li", "13800138001").await;
        for n in 0..300 {
            assert_eq!(app.set(&wang, json!({ "nickname": n.to_string() })).await.status, 200, "{n}");
        }
        let late = app.set(&wang, json!({ "nickname": "王" })).await;
        assert_eq!(refused(&late), (429, "too_many_requests".to_owned()));
        assert_eq!(late.header("retry-after"), "1");
        assert_eq!(app.set(&li, json!({ "nickname": "李" })).await.status, 200);
        app.clock.advance(Duration::from_secs(1));
        assert_eq!(changed(&app.set(&wang, json!({ "nickname": "王" })).await), json!({ "nickname": "王" }));
    }

    /// What was set can be cleared, whatever it holds.
    async fn nothing_clears_a_field(app) {
        let wang = app.user("wang", "13800138000").await;
        let set = app.set(&wang, json!({ "available": true, "wants": "a lamp", "year": 2026 })).await;
        assert_eq!(set.status, 200, "{}", set.text);
        let cleared = app.set(&wang, json!({ "available": null, "wants": null, "year": null })).await;
        assert_eq!(cleared.json()["changedFields"], json!({ "available": null, "wants": "", "year": null }));
        let again = app.set(&wang, json!({ "available": null, "wants": null, "year": null })).await;
        assert_eq!(again.json()["changedFields"], json!({}));
        let profile = app.me(&wang.token).await.json()["profile"].clone();
        assert_eq!(profile, json!({ "wants": "" }));
    }

    /// Proves REG-6: whatever has its own route, or is nobody's to set, is refused with all beside it.
    async fn nothing_is_set_beside_what_may_be(app) {
        let wang = app.user("wang", "13800138000").await;
        let before = app.me(&wang.token).await.text;
        for (field, value) in forged() {
            let body = json!({ "nickname": "王", field: value, "available": true });
            assert_eq!(refused(&app.set(&wang, body).await), bad("unknown_field"), "{field}");
            let body = json!({ field: null });
            assert_eq!(refused(&app.set(&wang, body).await), bad("unknown_field"), "{field}");
        }
        for odd in ["", "Nickname", "nickname ", "profile", "__proto__", "NICKNAME", "昵称"] {
            let body = json!({ odd: "x", "nickname": "王" });
            assert_eq!(refused(&app.set(&wang, body).await), bad("unknown_field"), "{odd}");
        }
        assert_eq!(app.me(&wang.token).await.text, before);
    }

    async fn nothing_is_half_applied(app) {
        let wang = app.user("wang", "13800138000").await;
        let before = app.me(&wang.token).await.text;
        for wrong in [
            json!({ "nickname": "王", "campus": "北" }),
            json!({ "available": true, "wants": "x", "year": 1 }),
            json!({ "nickname": "王", "avatar": "http://insecure.test/a" }),
            json!({ "nickname": "王", "level": 3 }),
            json!({ "nickname": "王", "role": "admin" }),
        ] {
            assert!(app.set(&wang, wrong.clone()).await.status.is_client_error(), "{wrong}");
        }
        assert_eq!(app.me(&wang.token).await.text, before);
    }

    async fn nobody_and_guests_set_nothing(app) {
        assert_eq!(app.post(super::super::SET, &json!({})).await.status, 401);
        let guest = app.person("wang").await;
        for body in [json!({}), json!({ "nickname": "王" }), json!({ "phone": "x" })] {
            assert_eq!(refused(&app.set(&guest, body).await), (403, "forbidden".to_owned()));
        }
        let me = app.me(&guest.token).await;
        let line = format!(r#"200 {{"success":true,"registered":false,"openid":"{}"}}"#, guest.openid);
        assert_eq!(me.line(), line);
    }

    async fn each_sets_their_own(app) {
        let (wang, li) = (app.user("wang", "13800138000").await, app.user("li", "13800138001").await);
        assert_eq!(app.set(&wang, json!({ "nickname": "王" })).await.status, 200);
        assert_eq!(app.set(&li, json!({ "nickname": "李" })).await.status, 200);
        assert_eq!(app.shown(&wang).await["nickname"], "王");
        assert_eq!(app.shown(&li).await["nickname"], "李");
    }
}

/// A field that is no longer declared is kept, and neither shown nor set.
#[tokio::test]
async fn a_field_that_is_gone_is_hidden() {
    let app = TestApp::sqlite_with(super::club).await;
    let wang = app.user("wang", "13800138000").await;
    let both = json!({ "available": true, "wants": "x" });
    assert_eq!(app.set(&wang, both.clone()).await.status, 200);
    let later = app
        .replica_with(&app.wechat, |options| {
            options.profile.fields = menjin_core::profile::Fields::default();
        })
        .await;
    assert_eq!(later.shown(&wang).await["profile"], json!({}));
    let reply = later.set(&wang, json!({ "available": false })).await;
    assert_eq!(refused(&reply), bad("unknown_field"));
    let reply = later.set(&wang, json!({ "nickname": "王" })).await;
    assert_eq!(reply.status, 200);
    assert_eq!(app.shown(&wang).await["profile"], both);
    later.app.close().await;
    app.end().await;
}
