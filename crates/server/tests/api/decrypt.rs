//! What WeChat's client encrypted, and whether the key for it is still good.

use axum::{body::Body, http::Request};
use menjin_core::Appid;
use menjin_server::AppOptions;
use menjin_simulator::Encrypted;
use serde_json::{Value, json};

use crate::{
    harness::{APPID, OTHER, Reply, TestApp, on_each_database},
    stub::Stub,
};

const DECRYPT: &str = "/v1/wechat/decrypt";
const CHECK: &str = "/v1/user/checksession";
const NO_HEADER: &str = r#"401 {"error":"Unauthorized for no Authorization"}"#;

fn vector() -> Value {
    serde_json::from_str(include_str!("decrypt/vector.json")).unwrap()
}

/// The body that a client makes of it.
fn body(encrypted: &Encrypted) -> Value {
    json!({
        "encrypted_data": encrypted.encrypted_data, "iv": encrypted.iv,
        "raw_data": encrypted.raw_data, "signature": encrypted.signature,
    })
}

fn encrypt(app: &TestApp, person: &str, appid: &str) -> Value {
    let profile = json!({ "nickName": "小王", "gender": 1 });
    body(&app.simulator.encrypt(person, Some(appid), profile).unwrap())
}

async fn check(app: &TestApp, token: &str) -> Reply {
    let request = Request::post(CHECK).header("authorization", format!("Bearer {token}"));
    app.send(request.body(Body::empty()).unwrap()).await
}

fn assert_refused(reply: &Reply, status: &str) {
    assert_eq!(
        (reply.status.as_u16(), &reply.json()["status"]),
        (400, &json!(status)),
        "{}",
        reply.text
    );
    assert_eq!(reply.json()["success"], false);
}

on_each_database! {
    async fn nobody_decrypts(app) {
        assert_eq!(app.post(DECRYPT, &json!({})).await.line(), NO_HEADER);
        assert_eq!(app.post(CHECK, &json!({})).await.line(), NO_HEADER);
    }

    /// Clients of old decrypt before they register, so guests may.
    async fn a_guest_and_a_user_decrypt(app) {
        let guest = app.person("wang").await;
        let user = app.user("li", "13800138000").await;
        for person in [&guest, &user] {
            let body = encrypt(app, &person.name, APPID);
            let reply = app.post_as(&person.token, DECRYPT, &body).await;
            assert_eq!(reply.status, 200, "{}", reply.text);
            let said = reply.json();
            assert_eq!((&said["success"], &said["data"]["nickName"]), (&json!(true), &json!("小王")));
            assert_eq!(said["data"]["watermark"]["appid"], APPID);
            let mut plain = body.clone();
            plain.as_object_mut().unwrap().retain(|name, _| name == "encrypted_data" || name == "iv");
            assert_eq!(app.post_as(&person.token, DECRYPT, &plain).await.json(), said);
        }
    }

    /// WeChat's own example: opened by whoever has that session key in that mini program.
    async fn wechats_own_example_is_opened(app) {
        let vector = vector();
        let (sealed, signed) = (&vector["decrypt"], &vector["signed"]);
        let stub = Stub::start(&app.clock).await;
        let appid = sealed["appid"].as_str().unwrap();
        let there = app.replica_with(&stub.url, |options| options.apps.push(AppOptions {
            appid: Appid::parse(appid).unwrap(),
            push: None,
        })).await;
        for (code, key) in [("1", &sealed["session_key"]), ("2", &signed["session_key"])] {
            stub.say(code, json!({ "openid": "oBand", "session_key": key }).to_string());
        }
        let login = json!({ "code": "1", "appid": appid });
        let token = there.post("/v1/user/login", &login).await.token();
        let mut body = json!({ "encrypted_data": sealed["encryptedData"], "iv": sealed["iv"] });
        let reply = there.post_as(&token, DECRYPT, &body).await;
        assert_eq!((reply.status.as_u16(), &reply.json()["data"]), (200, &vector["plain"]));
        // The signature is of another session, so it is wrong for this one.
        body["raw_data"] = signed["raw_data"].clone();
        body["signature"] = signed["signature"].clone();
        assert_refused(&there.post_as(&token, DECRYPT, &body).await, "invalid_encrypted_data");
        // In another mini program the same key opens it, and it was not made for that one.
        stub.say("3", json!({ "openid": "oBand", "session_key": sealed["session_key"] }).to_string());
        let token = there.post("/v1/user/login", &json!({ "code": "3", "appid": OTHER })).await.token();
        let body = json!({ "encrypted_data": sealed["encryptedData"], "iv": sealed["iv"] });
        assert_refused(&there.post_as(&token, DECRYPT, &body).await, "invalid_encrypted_data");
        there.app.close().await;
    }

    /// The key before this one opens, too: the client encrypted before it signed in again. The one before
    /// that is gone, and the person signs in once more.
    async fn a_key_is_good_until_the_next_but_one(app) {
        let wang = app.person("wang").await;
        let first = encrypt(app, "wang", APPID);
        for _ in 0..9 {
            app.sign_in("wang").await;
        }
        let second = encrypt(app, "wang", APPID);
        for body in [&first, &second] {
            assert_eq!(app.post_as(&wang.token, DECRYPT, body).await.status, 200);
        }
        for _ in 0..10 {
            app.sign_in("wang").await;
        }
        assert_refused(&app.post_as(&wang.token, DECRYPT, &first).await, "session_expired");
        assert_eq!(app.post_as(&wang.token, DECRYPT, &second).await.status, 200);
    }

    async fn nobody_opens_what_is_somebody_elses(app) {
        let wang = app.person("wang").await;
        app.person("li").await;
        let body = encrypt(app, "li", APPID);
        assert_refused(&app.post_as(&wang.token, DECRYPT, &body).await, "session_expired");
        app.sign_in_there("wang").await;
        let body = encrypt(app, "wang", OTHER);
        assert_refused(&app.post_as(&wang.token, DECRYPT, &body).await, "session_expired");
    }

    async fn what_cannot_be_is_refused(app) {
        let wang = app.person("wang").await;
        let good = encrypt(app, "wang", APPID);
        for (name, value, status) in [
            ("encrypted_data", Value::Null, "invalid_encrypted_data"),
            ("encrypted_data", json!(5), "invalid_encrypted_data"),
            ("encrypted_data", json!(""), "invalid_encrypted_data"),
            ("encrypted_data", json!("%%%"), "invalid_encrypted_data"),
            ("encrypted_data", json!("AAAA"), "invalid_encrypted_data"),
            ("iv", Value::Null, "invalid_iv"),
            ("iv", json!("AAAA"), "invalid_encrypted_data"),
            ("signature", json!("0".repeat(40)), "invalid_encrypted_data"),
            ("signature", json!(""), "invalid_encrypted_data"),
            ("signature", Value::Null, "invalid_signature"),
            ("raw_data", json!("{}"), "invalid_encrypted_data"),
            ("raw_data", Value::Null, "invalid_raw_data"),
            ("raw_data", json!({}), "invalid_raw_data"),
        ] {
            let mut body = good.clone();
            body[name] = value;
            let reply = app.post_as(&wang.token, DECRYPT, &body).await;
            assert_refused(&reply, status);
        }
        // Whole blocks that this key does not make sense of.
        let noise = json!({ "encrypted_data": format!("{}==", "A".repeat(86)), "iv": good["iv"] });
        assert_refused(&app.post_as(&wang.token, DECRYPT, &noise).await, "session_expired");
        assert_eq!(app.post_as(&wang.token, DECRYPT, &good).await.status, 200);
    }

    async fn wechat_is_asked_about_the_session(app) {
        let wang = app.person("wang").await;
        let user = app.user("li", "13800138000").await;
        for token in [&wang.token, &user.token] {
            assert_eq!(check(app, token).await.line(), r#"200 {"success":true}"#);
        }
        // WeChat has given another key since: elsewhere, to another back end of this mini program.
        for _ in 0..10 {
            let code = app.code("wang");
            let path = format!(
                "{}/sns/jscode2session?appid={APPID}&secret={}&js_code={code}&grant_type=authorization_code",
                app.wechat, crate::harness::SECRET,
            );
            assert!(get(&path).await.contains("session_key"));
        }
        assert_refused(&check(app, &wang.token).await, "session_expired");
        assert_eq!(check(app, &app.sign_in("wang").await.token()).await.status, 200);
    }

    /// Nothing was asked of the person that they could do something about.
    async fn a_wechat_that_fails_is_said_so(app) {
        let wang = app.person("wang").await;
        for (fault, status) in [
            (json!({ "kind": "errcode", "errcode": -1 }), 502),
            (json!({ "kind": "garbage" }), 502),
            (json!({ "kind": "reset" }), 502),
        ] {
            let mut fault = fault;
            fault["path"] = "/wxa/checksession".into();
            fault["times"] = 1.into();
            app.fault(fault).await;
            let reply = check(app, &wang.token).await;
            assert_eq!((reply.status.as_u16(), &reply.json()["status"]), (status, &json!("delivery_failed")));
        }
        assert_eq!(check(app, &wang.token).await.status, 200);
    }
}

/// What a `GET` over plain HTTP answers.
async fn get(url: &str) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let (host, path) = url
        .strip_prefix("http://")
        .unwrap()
        .split_once('/')
        .unwrap();
    let mut stream = tokio::net::TcpStream::connect(host).await.unwrap();
    let request = format!("GET /{path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}
