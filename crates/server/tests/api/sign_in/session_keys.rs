//! What is written down at a sign-in, and what never shows.

use std::{fmt::Write, time::Duration};

use axum::body::Body;
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};
use http::Request;
use menjin_core::{Clock, Identity, Release};
use serde_json::json;

use crate::{
    harness::{APPID, OTHER, Reply, TestApp, on_each_database},
    stub::Stub,
};

/// Session keys that would be noticed anywhere, with all the signs of base64.
const CANARIES: [&[u8; 16]; 2] = [
    b"\xfb\xef\xbecanary one\xff\xff\xff",
    b"\xfb\xef\xbecanary two\xff\xff\xff",
];

/// Every spelling in which a canary could be found.
fn spellings(canary: &[u8]) -> Vec<Vec<u8>> {
    let hex = |bytes: &[u8]| {
        let mut hex = String::new();
        for byte in bytes {
            write!(hex, "{byte:02x}").unwrap();
        }
        hex
    };
    let text = STANDARD_NO_PAD.encode(canary);
    let mut spellings = vec![
        canary.to_vec(),
        URL_SAFE_NO_PAD.encode(canary).into(),
        hex(canary).into(),
        hex(canary).to_uppercase().into(),
        STANDARD_NO_PAD.encode(&text).into(),
        hex(text.as_bytes()).into(),
    ];
    spellings.push(text.into());
    spellings
}

fn holds(bytes: &[u8], needle: &[u8]) -> bool {
    bytes.windows(needle.len()).any(|window| window == needle)
}

async fn keys(app: &TestApp, identity: &Identity) -> (Vec<u8>, Option<Vec<u8>>) {
    let id = identity.id;
    let read = app
        .store
        .read(move |tx| Box::pin(async move { tx.identity_session_keys(&id).await }));
    let keys: Result<_, menjin_store::Error> = read.await;
    keys.unwrap().unwrap()
}

/// Signs in with a `Referer`.
async fn from(app: &TestApp, referer: &str, code: &str, appid: &str) -> Reply {
    let body = json!({ "code": code, "appid": appid }).to_string();
    let request = Request::post("/v1/user/login")
        .header("content-type", "application/json")
        .header(
            "referer",
            format!("https://servicewechat.com/{referer}/page-frame.html"),
        );
    app.send(request.body(Body::from(body)).unwrap()).await
}

on_each_database! {
    /// Proves LGN-4: a session key shows in no reply, no metric and no byte of the database.
    async fn a_session_key_shows_nowhere(app) {
        let stub = Stub::start(&app.clock).await;
        let there = app.replica_with(&stub.url, |_| ()).await;
        let answer = |openid: serde_json::Value, canary: &[u8; 16]| {
            json!({ "openid": openid, "session_key": STANDARD.encode(canary) }).to_string()
        };
        stub.say("first", answer("owangowang".into(), CANARIES[0]));
        stub.say("second", answer("owangowang".into(), CANARIES[0]));
        stub.say("third", answer("owangowang".into(), CANARIES[1]));
        stub.say("garbled", answer(json!(5), CANARIES[1]));
        let mut shown = String::new();
        for code in ["first", "first", "second", "third", "third", "garbled", "garbled"] {
            let reply = there.login(code).await;
            write!(shown, "{:?}{}", reply.headers, reply.text).unwrap();
            if reply.status == 200 {
                shown += &there.me(&reply.token()).await.text;
            }
        }
        shown += &there.management("/metrics").await.text;
        let open = there.stored().await;
        there.app.close().await;
        let closed = app.stored().await;
        assert!(holds(shown.as_bytes(), b"owangowang"));
        assert!(holds(&open, b"owangowang") && holds(&closed, b"owangowang"));
        for needle in CANARIES.iter().flat_map(|canary| spellings(*canary)) {
            for haystack in [shown.as_bytes(), &open, &closed] {
                assert!(!holds(haystack, &needle), "{}", String::from_utf8_lossy(&needle));
            }
        }
    }

    /// Proves LGN-2: a code is written down nowhere, not even while it is remembered.
    async fn a_code_shows_nowhere(app) {
        let (good, bad) = (app.code("wang"), "0NeverGivenToAnybody");
        app.login(&good).await.token();
        assert_eq!(app.login(bad).await.status, 400);
        let stored = app.stored().await;
        assert!(holds(&stored, APPID.as_bytes()));
        assert!(!holds(&stored, good.as_bytes()) && !holds(&stored, bad.as_bytes()));
    }

    /// Proves LGN-4: a session key is sealed for its row, and so is the one before it.
    async fn a_session_key_is_sealed(app) {
        let stub = Stub::start(&app.clock).await;
        let there = app.replica_with(&stub.url, |_| ()).await;
        let [one, two, three] = ["a2V5MQ==", "a2V5Mg==", "a2V5Mw=="];
        for (code, key) in [("1", one), ("2", one), ("3", two), ("4", three)] {
            stub.say(code, json!({ "openid": "owang", "session_key": key }).to_string());
        }
        there.login("1").await.token();
        let identity = app.identity("owang").await;
        let first = keys(app, &identity).await;
        let place = format!("identities/session_key/{}", identity.id);
        let open = |sealed: &[u8]| {
            let opened = app.options.master_keys.open(&place, sealed).unwrap();
            String::from_utf8(opened.to_vec()).unwrap()
        };
        assert_eq!((open(&first.0).as_str(), &first.1), (one, &None));
        let elsewhere = "identities/session_key/gAAAAAAAAAAAAAAAAAAAAAA";
        assert!(app.options.master_keys.open(elsewhere, &first.0).is_err());
        there.login("2").await.token();
        assert_eq!(keys(app, &identity).await, first);
        there.login("3").await.token();
        let (now, before) = keys(app, &identity).await;
        assert_eq!((open(&now).as_str(), before.as_ref()), (two, Some(&first.0)));
        there.login("4").await.token();
        let (last, before) = keys(app, &identity).await;
        assert_eq!((open(&last).as_str(), before), (three, Some(now)));
        there.app.close().await;
    }

    /// Somebody known is written to the hour, and no sooner.
    async fn when_somebody_was_last_seen(app) {
        let stub = Stub::start(&app.clock).await;
        let there = app.replica_with(&stub.url, |_| ()).await;
        for code in ["1", "2", "3", "4"] {
            stub.person(code, "owang", None);
        }
        let came = app.clock.now();
        let seen = async |code| {
            there.login(code).await.token();
            app.identity("owang").await.last_seen_at
        };
        assert_eq!(seen("1").await, came);
        app.clock.advance(Duration::from_hours(1));
        assert_eq!(seen("2").await, came);
        app.clock.advance(Duration::from_millis(1));
        assert_eq!(seen("3").await, came + 3_600_001);
        app.clock.jump(-7_200_000);
        assert_eq!(seen("4").await, came - 3_599_999);
        there.app.close().await;
    }

    /// The build of the mini program is what WeChat's client says of the app that is signed in to.
    async fn which_build_somebody_used(app) {
        let mut known = None;
        for (referer, release) in [
            (format!("{APPID}/0"), Some(Release::Trial)),
            (format!("{APPID}/devtools"), Some(Release::Devtools)),
            (format!("{APPID}/12"), Some(Release::Release)),
            (format!("{OTHER}/0"), Some(Release::Release)),
            ("wx0000000000000000/0".to_owned(), Some(Release::Release)),
        ] {
            let reply = from(app, &referer, &app.code("wang"), APPID).await.json();
            let identity = app.identity(reply["openid"].as_str().unwrap()).await;
            assert_eq!(identity.release, release, "{referer}");
            assert_eq!(*known.get_or_insert(identity.id), identity.id);
        }
        let openid = app.sign_in("li").await.json()["openid"].clone();
        assert_eq!(app.identity(openid.as_str().unwrap()).await.release, None);
    }
}
