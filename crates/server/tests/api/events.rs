//! What WeChat pushes about people.

mod believed;

use std::time::Duration;

use axum::{
    body::Body,
    http::{Request, StatusCode},
};
use futures_util::future::join3;
use menjin_core::Clock;
use menjin_wechat::PushKeys;
use serde_json::{Value, json};

use crate::harness::{APPID, OTHER, Reply, TestApp, held::Held, on_each_database, send};

pub(super) const TOKEN: &str = "pushtoken";
const AES_KEY: &str = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG";
const CANCELLED: &str = "user_authorization_cancellation";
const REVOKED: &str = "user_authorization_revoke";
const MODIFIED: &str = "user_info_modified";
const INVALID: &str = r#"401 {"error":"invalid_token"}"#;
const NUMBERS: [&str; 2] = ["13800138000", "13800138001"];

/// The same server, told what WeChat signs with, at the simulator's time of day.
pub(super) async fn listening(app: &TestApp, aes_key: Option<&str>) -> TestApp {
    let now = control(app, "clock", json!({ "seconds": 0 })).await;
    app.clock
        .jump(now["now"].as_i64().unwrap() - app.clock.now());
    let keys = PushKeys::parse(TOKEN, aes_key).unwrap();
    app.replica_with(&app.wechat, |options| {
        for app in &mut options.apps {
            app.push = Some(keys.clone());
        }
    })
    .await
}

async fn control(app: &TestApp, name: &str, body: Value) -> Value {
    let request = Request::post(format!("/simulator/{name}"));
    let request = request.body(Body::from(body.to_string())).unwrap();
    let reply = send(&app.simulator.controls(), request).await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text);
    reply.json()
}

/// Has WeChat push an event to `there`, which has to say that it heard.
async fn push(there: &TestApp, person: &str, event: &str, more: Value) {
    push_to(there, APPID, person, (event, more)).await;
}

/// The same of a mini program.
async fn push_to(there: &TestApp, appid: &str, person: &str, (event, more): (&str, Value)) {
    let served = there.serve().await;
    let mut order = json!({
        "person": person, "event": event, "token": TOKEN, "appid": appid,
        "url": format!("http://{}/wechat/events/{appid}", served.address),
    });
    for (name, value) in more.as_object().unwrap() {
        order[name] = value.clone();
    }
    let said = control(there, "events", order).await;
    assert_eq!(said, json!({ "status": 200, "body": "success" }));
    served.end().await;
}

async fn set(app: &TestApp, token: &str, words: Value) -> Reply {
    let reply = app.post_as(token, "/v1/user/setuser", &words).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    reply
}

on_each_database! {
    /// Whoever closes their WeChat account is gone here, in every way in which WeChat says so.
    async fn a_closed_account_is_deleted(app) {
        for (aes_key, format) in [
            (None, "json"), (None, "xml"), (Some(AES_KEY), "json"), (Some(AES_KEY), "xml"),
        ] {
            // Two that are alike in one second would be one.
            control(app, "clock", json!({ "seconds": 1 })).await;
            let there = listening(app, aes_key).await;
            let wang = there.user("wang", NUMBERS[0]).await;
            let li = there.user("li", NUMBERS[1]).await;
            let mut more = json!({ "format": format });
            if let Some(key) = aes_key {
                more["encoding_aes_key"] = key.into();
            }
            push(&there, "wang", CANCELLED, more).await;
            assert_eq!(there.me(&wang.token).await.line(), INVALID, "{format}");
            assert_eq!(there.me(&li.token).await.status, 200);
            assert_eq!(there.sign_in("wang").await.json()["registered"], false);
            let again = there.sign_in("wang").await;
            for (person, token) in [("li", &li.token), ("wang", &again.token())] {
                let openid = there.me(token).await.json()["openid"].clone();
                let gone = there.delete(token, openid.as_str().unwrap()).await;
                assert_eq!(gone.status, 200, "{person}");
            }
            there.app.close().await;
        }
        assert_eq!(app.rows("users").await, 0);
        assert_eq!(app.rows("audit WHERE event = 'deleted' AND actor = 'wechat'").await, 4);
    }

    /// A guest has an identity alone.
    async fn a_guest_who_closed_their_account_is_gone(app) {
        let there = listening(app, None).await;
        let guest = there.person("wang").await;
        push(&there, "wang", CANCELLED, json!({})).await;
        assert_eq!(there.me(&guest.token).await.line(), INVALID);
        assert_eq!(there.rows("identities").await, 0);
        // Of whom nobody knows, there is nothing to do.
        push(&there, "nobody", CANCELLED, json!({})).await;
        there.app.close().await;
    }

    /// The account lives on while another mini program leads to it; no token of this one does.
    async fn an_account_with_another_way_to_it_stays(app) {
        let there = listening(app, None).await;
        let wang = there.user("wang", NUMBERS[0]).await;
        let elsewhere = there.sign_in_there("wang").await;
        push(&there, "wang", CANCELLED, json!({})).await;
        assert_eq!(there.me(&wang.token).await.line(), INVALID);
        assert_eq!(there.me(&elsewhere.token()).await.line(), INVALID);
        let again = there.sign_in_there("wang").await;
        assert_eq!((&again.json()["registered"], &again.json()["uid"]), (&json!(true), &json!(100_001)));
        assert_eq!(there.rows("identities").await, 1);
        assert_eq!(there.rows("audit WHERE event = 'identity_deleted' AND subject = '100001'").await, 1);
        there.app.close().await;
    }

    /// Nickname and picture, each by its own number or both by one, and the mail address.
    async fn what_was_taken_back_is_forgotten(app) {
        let there = listening(app, None).await;
        let wang = there.user("wang", NUMBERS[0]).await;
        let avatar = format!("https://door.test/avatars/{}.jpg", "0123456789abcdef".repeat(2));
        for (kinds, left) in [
            (json!(["6"]), ["", "", "w@example.com"]),
            (json!(["19"]), ["", &avatar, "w@example.com"]),
            (json!(["20", "13"]), ["小王", "", "w@example.com"]),
            (json!(["16"]), ["小王", &avatar, ""]),
            (json!(["13", "18"]), ["小王", &avatar, "w@example.com"]),
        ] {
            there.clock.advance(Duration::from_secs(1));
            control(&there, "clock", json!({ "seconds": 1 })).await;
            set(&there, &wang.token, json!({ "nickname": "" })).await;
            set(&there, &wang.token, json!({ "nickname": "小王", "campus": "东" })).await;
            there.sql(&format!("UPDATE users SET avatar = '{avatar}', email = 'w@example.com'")).await;
            push(&there, "wang", REVOKED, json!({ "revoke_info": kinds })).await;
            let me = there.me(&wang.token).await.json();
            let now = ["nickname", "avatar", "email"].map(|name| me[name].as_str().unwrap().to_owned());
            assert_eq!(now, left, "{kinds}");
            assert_eq!((&me["campus"], &me["phone"]), (&json!("东"), &json!("+8613800138000")));
        }
        assert_eq!(there.rows("errands WHERE kind = 'erase_picture'").await, 2);
        assert_eq!(there.rows("audit WHERE event = 'authorization_revoked' AND actor = 'wechat'
                                  AND subject = '100001'").await, 5);
        there.app.close().await;
    }

    /// An account cannot be without a number: that it was taken back is written down, and an administrator
    /// settles it.
    async fn a_number_that_was_taken_back_is_written_down(app) {
        let there = listening(app, None).await;
        let wang = there.user("wang", NUMBERS[0]).await;
        push(&there, "wang", REVOKED, json!({ "revoke_info": ["8"] })).await;
        let me = there.me(&wang.token).await.json();
        assert_eq!((&me["phone"], &me["registered"]), (&json!("+8613800138000"), &json!(true)));
        let said = r#"audit WHERE event = 'authorization_revoked' AND detail = '{"revoked":["8"]}'"#;
        assert_eq!(there.rows(said).await, 1);
        there.app.close().await;
    }

    /// What somebody is called at WeChat now is not what they want to be called here.
    async fn another_name_at_wechat_changes_nothing(app) {
        let there = listening(app, None).await;
        let wang = there.user("wang", NUMBERS[0]).await;
        set(&there, &wang.token, json!({ "nickname": "小王" })).await;
        push(&there, "wang", MODIFIED, json!({})).await;
        assert_eq!(there.me(&wang.token).await.json()["nickname"], "小王");
        assert_eq!(there.rows("audit WHERE event = 'wechat_profile_changed' AND subject = '100001'").await, 1);
        there.person("guest").await;
        for event in [MODIFIED, REVOKED] {
            let more = if event == REVOKED { json!({ "revoke_info": ["6"] }) } else { json!({}) };
            push(&there, "guest", event, more).await;
        }
        assert_eq!(there.rows("audit WHERE actor = 'wechat'").await, 1);
        there.app.close().await;
    }
}

/// Somebody closes their WeChat account, and every mini program hears of it at once: the last way to the
/// account takes it along.
#[tokio::test]
async fn two_mini_programs_hear_of_it_at_once() {
    let app = TestApp::postgres().await;
    let there = listening(&app, None).await;
    there.user("wang", NUMBERS[0]).await;
    assert_eq!(there.sign_in_there("wang").await.json()["registered"], true);
    assert_eq!(there.rows("identities WHERE user_id = 100001").await, 2);
    let held = Held::begin(&there, "SELECT 1 FROM users FOR UPDATE").await;
    join3(
        push_to(&there, APPID, "wang", (CANCELLED, json!({}))),
        push_to(&there, OTHER, "wang", (CANCELLED, json!({}))),
        held.end_when(2),
    )
    .await;
    assert_eq!(
        there.rows("users").await + there.rows("identities").await,
        0
    );
    there.app.close().await;
    app.end().await;
}
