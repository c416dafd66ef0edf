//! `POST /v1/user/login`

mod bodies;
mod faults;
mod limits;
mod replicas;
mod same_code;
mod session_keys;
mod table;
mod unionids;

use std::{collections::HashSet, time::Duration};

use axum::body::{Body, to_bytes};
use futures_util::future::join_all;
use http::Request;
use menjin_core::Role;
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::{
    harness::{APPID, OTHER, Reply, TestApp, forge, on_each_database},
    stub::Stub,
};

/// What a sign-in that did not happen looks like.
fn refused(status: u16, errcode: i64, errmsg: &str) -> String {
    format!(
        "{status} {{\"success\":false,\"error\":{{\"errcode\":{errcode},\
         \"errmsg\":\"{errmsg}\"}},\"registered\":false}}"
    )
}

/// Uses one of the simulator's controls.
async fn control(app: &TestApp, path: &str, body: Value) {
    let request = Request::post(path).body(Body::from(body.to_string()));
    let reply = app.simulator.controls().oneshot(request.unwrap()).await;
    assert_eq!(reply.unwrap().status(), 200);
}

/// How often WeChat was asked about any code.
async fn asked(app: &TestApp) -> i64 {
    let request = Request::get("/simulator/calls").body(Body::empty());
    let reply = app.simulator.controls().oneshot(request.unwrap()).await;
    let body = to_bytes(reply.unwrap().into_body(), 1 << 20).await.unwrap();
    let calls: Value = serde_json::from_slice(&body).unwrap();
    calls["paths"]["/sns/jscode2session"].as_i64().unwrap_or(0)
}

/// Signs in `times` times with one code at once, over these servers in turn.
async fn at_once(apps: &[&TestApp], code: &str, times: usize) -> Vec<Reply> {
    let tries = (0..times).map(|n| apps[n % apps.len()].login(code));
    join_all(tries).await
}

on_each_database! {
    async fn a_guest_gets_an_openid_and_a_token(app) {
        let reply = app.sign_in("wang").await;
        let body = reply.json();
        assert_eq!(reply.status, 200);
        assert_eq!(
            reply.text,
            format!(
                "{{\"success\":true,\"registered\":false,\"openid\":{},\"access_token\":{},\
                 \"email\":\"\",\"avatar\":\"\",\"phone\":\"\",\"role\":\"\",\"nickname\":\"\"}}",
                body["openid"], body["access_token"]
            )
        );
        let me = app.me(&reply.token()).await;
        assert_eq!(
            me.line(),
            format!("200 {{\"success\":true,\"registered\":false,\"openid\":{}}}", body["openid"])
        );
    }

    async fn a_user_gets_the_profile(app) {
        let openid = app.sign_in("wang").await.json()["openid"].as_str().unwrap().to_owned();
        let uid = app.register(&openid, "+8613800138000", Role::User).await;
        let reply = app.sign_in("wang").await;
        assert_eq!(
            reply.text,
            format!(
                "{{\"success\":true,\"registered\":true,\"openid\":\"{openid}\",\
                 \"access_token\":{},\"uid\":{uid},\"email\":\"wang@example.com\",\"avatar\":\"\",\
                 \"campus\":\"东\",\"phone\":\"+8613800138000\",\"role\":\"user\",\
                 \"nickname\":\"小王\"}}",
                reply.json()["access_token"]
            )
        );
        let me = app.me(&reply.token()).await;
        assert_eq!(
            me.text,
            format!(
                "{{\"success\":true,\"registered\":true,\"openid\":\"{openid}\",\"uid\":{uid},\
                 \"email\":\"wang@example.com\",\"avatar\":\"\",\"campus\":\"东\",\
                 \"phone\":\"+8613800138000\",\"role\":\"user\",\"nickname\":\"小王\",\
                 \"profile\":{{}},\"consent\":null}}"
            )
        );
    }

    async fn a_disabled_account_is_refused(app) {
        let first = app.sign_in("wang").await;
        let openid = first.json()["openid"].as_str().unwrap().to_owned();
        let uid = app.register(&openid, "+8613800138000", Role::User).await;
        let token = app.sign_in("wang").await.token();
        app.disable(uid).await;
        assert_eq!(
            app.sign_in("wang").await.line(),
            "403 {\"success\":false,\"error\":{\"errcode\":7700001,\
             \"errmsg\":\"the account is disabled\"},\"registered\":false}"
        );
        assert_eq!(app.me(&token).await.line(), "401 {\"error\":\"invalid_token\"}");
        assert_eq!(app.me(&first.token()).await.line(), "401 {\"error\":\"invalid_token\"}");
    }

    /// Proves LGN-13: the same openid in two mini programs is two people.
    async fn an_identity_belongs_to_one_app(app) {
        let stub = Stub::start(&app.clock).await;
        let server = app.replica_with(&stub.url, |_| ()).await;
        let login = async |code: &str, appid: &str| {
            stub.person(code, "owang", None);
            let body = json!({ "code": code, "appid": appid });
            let reply = server.post("/v1/user/login", &body).await;
            let (_, claims) = forge::read(&reply.token());
            (reply.json()["registered"].clone(), claims["sub"].clone(), claims["client_id"].clone())
        };
        let here = login("1", APPID).await;
        let there = login("2", OTHER).await;
        assert_eq!((&here.0, &here.2), (&json!(false), &json!(APPID)));
        assert_eq!((&there.0, &there.2), (&json!(false), &json!(OTHER)));
        assert_ne!(here.1, there.1);
        app.register("owang", "+8613800138000", Role::User).await;
        assert_eq!(login("3", APPID).await.0, true);
        assert_eq!(login("4", OTHER).await, there);
        server.app.close().await;
    }

    /// Proves LGN-12: several devices sign in at once; every token is good, and the person is one.
    async fn every_token_of_a_person_is_good(app) {
        let codes: Vec<_> = (0..20).map(|_| app.code("wang")).collect();
        let replies = codes.iter().map(|code| app.login(code));
        let replies = join_all(replies).await;
        let identity = app.identity(replies[0].json()["openid"].as_str().unwrap()).await;
        app.clock.advance(Duration::from_secs(3_599));
        for reply in &replies {
            assert_eq!(app.me(&reply.token()).await.status, 200);
        }
        let again = app.identity(replies[19].json()["openid"].as_str().unwrap()).await;
        assert_eq!(identity.id, again.id);
    }

    /// Twenty new people at once are twenty people.
    async fn many_new_people_come_at_once(app) {
        let codes: Vec<_> = (0..20).map(|n| app.code(&format!("person {n}"))).collect();
        let replies = join_all(codes.iter().map(|code| app.login(code))).await;
        let openids = replies.iter().map(|reply| reply.json()["openid"].to_string());
        assert_eq!(openids.collect::<HashSet<_>>().len(), 20);
        let subjects = replies.iter().map(|reply| forge::read(&reply.token()).1["sub"].to_string());
        assert_eq!(subjects.collect::<HashSet<_>>().len(), 20);
        for reply in &replies {
            assert_eq!(app.me(&reply.token()).await.json()["openid"], reply.json()["openid"]);
        }
    }
}
