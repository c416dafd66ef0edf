//! Which pushes are believed, and how often.

use std::{fmt::Write, time::Duration};

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use axum::{body::Body, http::Request};
use futures_util::future::join_all;
use menjin_core::Clock;
use serde_json::{Value, json};

use super::{TOKEN, listening};
use crate::harness::{APPID, OTHER, Reply, TestApp, on_each_database};

const HEARD: &str = "200 success";

/// WeChat's signature of a time and a number.
fn sign(token: &str, timestamp: &str, nonce: &str) -> String {
    let mut parts = [token, timestamp, nonce];
    parts.sort_unstable();
    let digest = digest(&SHA1_FOR_LEGACY_USE_ONLY, parts.concat().as_bytes());
    let mut hex = String::new();
    for byte in digest.as_ref() {
        write!(hex, "{byte:02x}").unwrap();
    }
    hex
}

/// A query that was signed at this second.
fn signed(second: i64) -> String {
    let signature = sign(TOKEN, &second.to_string(), "77");
    format!("signature={signature}&timestamp={second}&nonce=77")
}

fn now(app: &TestApp) -> i64 {
    app.clock.now() / 1_000
}

async fn post(app: &TestApp, appid: &str, query: &str, body: impl Into<Body>) -> Reply {
    let request = Request::post(format!("/wechat/events/{appid}?{query}"));
    let request = request.header("content-type", "text/xml");
    app.send(request.body(body.into()).unwrap()).await
}

fn event(name: &str, openid: &str, at: i64) -> Value {
    json!({
        "ToUserName": "gh_1", "FromUserName": "oWeChat", "CreateTime": at, "MsgType": "event",
        "Event": name, "OpenID": openid, "AppID": APPID, "RevokeInfo": "6",
    })
}

fn error(reply: &Reply) -> (u16, String) {
    let error = reply.json()["error"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    (reply.status.as_u16(), error)
}

on_each_database! {
    async fn the_address_is_proved(app) {
        let there = listening(app, None).await;
        let ask = async |query: &str| there.get(&format!("/wechat/events/{APPID}?{query}")).await;
        let good = signed(now(&there));
        let reply = ask(&format!("{good}&echostr=4%3Cb%3E2")).await;
        assert_eq!(reply.line(), "200 4<b>2");
        assert_eq!(reply.header("content-type"), "text/plain; charset=utf-8");
        assert_eq!(reply.header("x-content-type-options"), "nosniff");
        for query in [
            "echostr=1", "signature=&timestamp=&nonce=&echostr=1", &good,
            &format!("{}&echostr=1", good.replace("nonce=77", "nonce=78")),
            &format!("{good}&nonce=77&echostr=1"),
        ] {
            assert_eq!(error(&ask(query).await), (403, "not_signed".to_owned()), "{query}");
        }
        there.app.close().await;
    }

    /// Who has no keys expects no push, and nobody can tell whether a mini program is served.
    async fn no_keys_no_push(app) {
        let there = listening(app, None).await;
        let query = signed(now(app));
        for (app, appid) in [(app, APPID), (app, OTHER), (&there, "wx0000000000000000"), (&there, "%00"),
            (&there, "%FF")] {
            let pushed = post(app, appid, &query, "{}").await;
            assert_eq!(error(&pushed), (404, "not_found".to_owned()));
            let asked = app.get(&format!("/wechat/events/{appid}?{query}&echostr=1")).await;
            assert_eq!(error(&asked), (404, "not_found".to_owned()));
        }
        there.app.close().await;
    }

    async fn a_push_is_signed_just_now(app) {
        let there = listening(app, None).await;
        let wang = there.person("wang").await;
        let second = now(&there);
        let body = event("user_authorization_cancellation", &wang.openid, second).to_string();
        let forged = signed(second).replace("signature=", "signature=0");
        let other = format!("signature={}&timestamp={second}&nonce=77", sign("another", &second.to_string(), "77"));
        for query in ["", &forged, &other, &signed(second - 301), &signed(second + 301), &signed(0)] {
            let reply = post(&there, APPID, query, body.clone()).await;
            assert!([400, 403].contains(&reply.status.as_u16()), "{query}: {}", reply.line());
            assert_eq!(there.me(&wang.token).await.status, 200, "{query}");
        }
        let foreign = body.replace(APPID, OTHER);
        assert_eq!(post(&there, APPID, &signed(second), foreign).await.status, 403);
        assert_eq!(there.me(&wang.token).await.status, 200);
        assert_eq!(post(&there, APPID, &signed(second - 299), body).await.line(), HEARD);
        assert_eq!(there.me(&wang.token).await.status, 401);
        there.app.close().await;
    }

    /// Once there is a key, nothing plain is believed.
    async fn with_a_key_only_what_is_encrypted_counts(app) {
        let key = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG";
        let there = listening(app, Some(key)).await;
        let wang = there.person("wang").await;
        let second = now(&there);
        let body = event("user_authorization_cancellation", &wang.openid, second).to_string();
        assert_eq!(post(&there, APPID, &signed(second), body).await.status, 403);
        assert_eq!(there.me(&wang.token).await.status, 200);
        there.app.close().await;
    }

    async fn what_is_of_no_form_is_refused_and_what_is_of_no_interest_is_not(app) {
        let there = listening(app, None).await;
        let query = signed(now(&there));
        for body in ["", "x", "[]", "{", "<xml>", "<html></html>"] {
            let reply = post(&there, APPID, &query, body).await;
            assert_eq!(error(&reply), (400, "malformed_body".to_owned()), "{body}");
        }
        let large = format!(r#"{{"a":"{}"}}"#, "x".repeat(64 * 1024));
        assert_eq!(post(&there, APPID, &query, large).await.status, 413);
        let wang = there.user("wang", "13800138000").await;
        for body in [
            event("wxa_media_check", &wang.openid, now(&there)).to_string(),
            event("user_authorization_cancellation", "not an openid", now(&there)).to_string(),
            r#"{"MsgType":"text","Content":"你好","FromUserName":"o1"}"#.to_owned(),
            "<xml><MsgType><![CDATA[text]]></MsgType></xml>".to_owned(),
            "{}".to_owned(),
        ] {
            let reply = post(&there, APPID, &query, body.clone()).await;
            assert_eq!(reply.line(), HEARD, "{body}");
            assert_eq!(reply.header("content-type"), "text/plain; charset=utf-8");
        }
        assert_eq!(there.me(&wang.token).await.status, 200);
        there.app.close().await;
    }

    /// WeChat sends again when it was not heard, and anybody who saw a push may: it is heeded once, on
    /// whatever server, for as long as its signature is good.
    async fn a_push_is_heeded_once(app) {
        let there = listening(app, None).await;
        let elsewhere = listening(app, None).await;
        let wang = there.user("wang", "13800138000").await;
        let begun = now(&there);
        let words = json!({ "nickname": "小王" });
        let set = async || there.post_as(&wang.token, "/v1/user/setuser", &words).await.status;
        let nickname = async || there.me(&wang.token).await.json()["nickname"].clone();
        assert_eq!(set().await, 200);
        let body = event("user_authorization_revoke", &wang.openid, begun).to_string();
        let query = signed(begun + 299);
        let heard = join_all((0..10).map(|n| {
            post(if n % 2 == 0 { &there } else { &elsewhere }, APPID, &query, body.clone())
        }));
        assert!(heard.await.iter().all(|reply| reply.line() == HEARD));
        assert_eq!(nickname().await, "");
        assert_eq!(set().await, 200);
        there.clock.advance(Duration::from_secs(598));
        there.app.purge().await;
        for app in [&there, &elsewhere] {
            assert_eq!(post(app, APPID, &query, body.clone()).await.line(), HEARD);
        }
        assert_eq!(nickname().await, "小王", "it was taken back once");
        there.clock.advance(Duration::from_secs(2));
        assert_eq!(post(&there, APPID, &query, body).await.status, 403);
        for app in [there, elsewhere] {
            app.app.close().await;
        }
    }

    /// The one who came back is not the one who left.
    async fn a_push_about_before_does_not_delete_who_came_back(app) {
        let there = listening(app, None).await;
        let wang = there.user("wang", "13800138000").await;
        let (body, query) = (
            event("user_authorization_cancellation", &wang.openid, now(&there)).to_string(),
            signed(now(&there)),
        );
        assert_eq!(post(&there, APPID, &query, body.clone()).await.line(), HEARD);
        let again = there.user("wang", "13800138000").await;
        assert_eq!(post(&there, APPID, &query, body).await.line(), HEARD);
        assert_eq!(there.me(&again.token).await.json()["uid"], 100_002);
        there.app.close().await;
    }

    /// A store that cannot be asked is no reason to be heard: WeChat sends again.
    async fn what_was_not_heeded_comes_again(app) {
        let there = listening(app, None).await;
        let wang = there.person("wang").await;
        let body = event("user_authorization_cancellation", &wang.openid, now(&there)).to_string();
        there.sql("ALTER TABLE turns RENAME TO gone").await;
        assert_eq!(post(&there, APPID, &signed(now(&there)), body.clone()).await.status, 500);
        there.sql("ALTER TABLE gone RENAME TO turns").await;
        assert_eq!(there.me(&wang.token).await.status, 200);
        assert_eq!(post(&there, APPID, &signed(now(&there)), body).await.line(), HEARD);
        assert_eq!(there.me(&wang.token).await.status, 401);
        there.app.close().await;
    }
}
