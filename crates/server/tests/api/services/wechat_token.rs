//! `GET /v1/wechat/token`

use axum::{body::Body, http::Request};
use serde_json::{Value, json};

use super::{basic, get};
use crate::harness::{APPID, OTHER, Reply, TestApp, on_each_database, send};

async fn token(app: &TestApp, query: &str) -> Reply {
    let path = format!("/v1/wechat/token{query}");
    get(app, &path, &basic("repairs", "repairs-secret")).await
}

/// How often WeChat was asked for a token.
async fn asked(app: &TestApp) -> i64 {
    let request = Request::get("/simulator/calls");
    let request = request.body(Body::empty()).unwrap();
    let calls = send(&app.simulator.controls(), request).await.json();
    calls["paths"]["/cgi-bin/stable_token"]
        .as_i64()
        .unwrap_or(0)
}

async fn control(app: &TestApp, path: &str, body: Value) {
    let request = Request::post(path).header("content-type", "application/json");
    let request = request.body(Body::from(body.to_string())).unwrap();
    assert_eq!(send(&app.simulator.controls(), request).await.status, 200);
}

on_each_database! {
    async fn the_token_of_a_mini_program_is_handed_over(app) {
        let mut tokens = Vec::new();
        for query in [String::new(), format!("?appid={APPID}"), format!("?appid={OTHER}")] {
            let reply = token(app, &query).await;
            assert_eq!(reply.status, 200, "{query} {}", reply.text);
            assert_eq!(reply.header("cache-control"), "no-store");
            let body = reply.json();
            assert!((1..=7_200).contains(&body["expires_in"].as_i64().unwrap()), "{body}");
            tokens.push(body["access_token"].as_str().unwrap().to_owned());
        }
        assert_eq!(tokens[0], tokens[1], "the first mini program is the default one");
        assert_ne!(tokens[0], tokens[2]);
        assert_eq!(asked(app).await, 2, "once for each");
        let metrics = app.management("/metrics").await.text;
        let counted = format!("menjin_wechat_tokens_total{{appid=\"{APPID}\",outcome=\"given\"}} 2");
        assert!(metrics.contains(&counted), "{metrics}");
        for token in tokens {
            assert!(!metrics.contains(&token));
        }
    }

    /// Replicas hand over one and the same, and renew it before its end.
    async fn replicas_share_a_token_and_renew_it(app) {
        let replica = app.replica().await;
        let first = token(app, "").await.json()["access_token"].clone();
        assert_eq!(token(&replica, "").await.json()["access_token"], first);
        app.clock.advance(std::time::Duration::from_mins(116));
        control(app, "/simulator/clock", json!({ "seconds": 116 * 60 })).await;
        let reply = token(app, "").await.json();
        assert_ne!(reply["access_token"], first, "{reply}");
        assert_eq!(token(&replica, "").await.json()["access_token"], reply["access_token"]);
        replica.app.close().await;
    }

    async fn what_goes_wrong_is_told(app) {
        for query in ["?appid=wx0000000000000000", "?appid=", "?appid=a&appid=b"] {
            let reply = token(app, query).await;
            assert_eq!((reply.status.as_u16(), &reply.json()["error"]), (400, &json!("invalid_request")), "{query}");
        }
        app.fault(json!({ "path": "/cgi-bin/stable_token", "kind": "errcode", "errcode": 40164, "times": 1 })).await;
        let reply = token(app, "").await;
        assert_eq!(reply.status, 502, "{}", reply.text);
        assert_eq!(reply.json()["error"], "temporarily_unavailable");
        assert_eq!(reply.json()["wechat"]["errcode"], 40164);
        assert_eq!(token(app, "").await.status, 200);
    }
}
