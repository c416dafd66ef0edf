//! What an access token opens, and for how long: the same on every path that takes one.

use serde_json::json;

use crate::harness::{APPID, OTHER_APPID, SECRET, Wechat};

const PATHS: [(&str, &str); 4] = [
    ("POST", "/wxa/business/getuserphonenumber"),
    ("POST", "/wxa/msg_sec_check"),
    ("GET", "/wxa/checksession"),
    ("GET", "/wxa/resetusersessionkey"),
];

/// How the errcode of a request with this token begins: 40001, 42001 or anything else.
async fn opens(wechat: &Wechat, token: &str) -> i64 {
    let mut seen = Vec::new();
    for (method, path) in PATHS {
        let target = format!("{path}?access_token={token}");
        let (errcode, _) = wechat.request(method, &target, "{}").await.declined();
        seen.push(if matches!(errcode, 40001 | 41001 | 42001) {
            errcode
        } else {
            0
        });
    }
    assert!(seen.iter().all(|errcode| *errcode == seen[0]), "{seen:?}");
    seen[0]
}

async fn stable(wechat: &Wechat, force: bool) -> String {
    let body = json!({
        "grant_type": "client_credential", "appid": APPID, "secret": SECRET, "force_refresh": force,
    });
    let reply = wechat
        .request("POST", "/cgi-bin/stable_token", &body.to_string())
        .await;
    reply.json()["access_token"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_request_without_a_good_token_is_refused_in_wechats_words() {
    let wechat = Wechat::open().await;
    for (method, path) in PATHS {
        for (query, expected) in [
            ("", (41001, "access_token missing")),
            ("?access_token=", (41001, "access_token missing")),
            (
                "?access_token=x",
                (
                    40001,
                    "invalid credential, access_token is invalid or not latest",
                ),
            ),
        ] {
            let reply = wechat.request(method, &format!("{path}{query}"), "").await;
            let (errcode, errmsg) = reply.declined();
            assert_eq!(errcode, expected.0);
            assert!(errmsg.starts_with(expected.1), "{path}: {errmsg}");
        }
    }
}

#[tokio::test]
async fn a_token_expires_after_two_hours() {
    let wechat = Wechat::open().await;
    let plain = wechat.token(APPID).await;
    wechat.advance(7190).await;
    assert_eq!(opens(&wechat, &plain).await, 0);
    wechat.advance(10).await;
    assert_eq!(opens(&wechat, &plain).await, 42001);
}

#[tokio::test]
async fn a_replaced_token_works_for_five_minutes() {
    let wechat = Wechat::configured().await;
    let first = wechat.token(APPID).await;
    wechat.token(OTHER_APPID).await;
    stable(&wechat, false).await;
    wechat.advance(301).await;
    assert_eq!(opens(&wechat, &first).await, 0, "nothing replaced it");
    let second = wechat.token(APPID).await;
    wechat.advance(290).await;
    assert_eq!(opens(&wechat, &first).await, 0);
    wechat.advance(10).await;
    assert_eq!(opens(&wechat, &first).await, 40001);
    assert_eq!(opens(&wechat, &second).await, 0);
}

#[tokio::test]
async fn a_stable_token_stays_good_through_its_renewal_but_not_when_forced_out() {
    let wechat = Wechat::open().await;
    let first = stable(&wechat, false).await;
    wechat.advance(6950).await;
    let second = stable(&wechat, false).await;
    assert_ne!(first, second);
    assert_eq!(opens(&wechat, &first).await, 0);
    let third = stable(&wechat, true).await;
    assert_eq!(opens(&wechat, &first).await, 0);
    assert_eq!(opens(&wechat, &second).await, 40001);
    assert_eq!(opens(&wechat, &third).await, 0);
    wechat.advance(250).await;
    assert_eq!(opens(&wechat, &first).await, 42001);
}

#[tokio::test]
async fn every_path_can_be_made_to_fail() {
    let wechat = Wechat::open().await;
    for (method, path) in PATHS {
        let limit = json!({ "path": path, "kind": "errcode", "errcode": 45011, "times": 1 });
        wechat.control("POST", "faults", limit).await;
        assert_eq!(
            wechat.request(method, path, "{}").await.declined().0,
            45011,
            "{path}"
        );
        let page = json!({ "path": path, "kind": "status", "status": 502, "times": 1 });
        wechat.control("POST", "faults", page).await;
        assert_eq!(wechat.request(method, path, "{}").await.status, 502);
        assert_eq!(
            wechat.request(method, path, "{}").await.declined().0,
            41001,
            "{path}"
        );
    }
}
