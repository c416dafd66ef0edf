//! `/simulator/...`, the faults apart.

use menjin_simulator::LoginError;
use serde_json::{Value, json};

use crate::harness::{APPID, OTHER_APPID, SECRET, Wechat, session_target};

#[tokio::test]
async fn login_gives_a_code_over_http_too() {
    let wechat = Wechat::open().await;
    let code = wechat
        .control("POST", "login", json!({ "person": "小王" }))
        .await;
    let code = code["code"].as_str().unwrap();
    assert!(wechat.exchange_code(code).await.json()["openid"].is_string());

    let body = json!({ "person": "小王", "appid": OTHER_APPID });
    let code = wechat.control("POST", "login", body).await;
    let code = code["code"].as_str().unwrap();
    assert_eq!(wechat.exchange_code(code).await.declined().0, 40029);
    let there = wechat.get(&session_target(OTHER_APPID, SECRET, code)).await;
    assert!(there.json()["openid"].is_string());
}

#[tokio::test]
async fn any_name_is_a_person() {
    let wechat = Wechat::configured().await;
    let longest = "阿".repeat(64);
    for name in ["a", " ", "O'Brien \"<&>\\", "👩‍👩‍👧", "ليلى", &longest] {
        let code = wechat
            .control("POST", "login", json!({ "person": name }))
            .await;
        let code = code["code"].as_str().unwrap();
        let openid = &wechat.exchange_code(code).await.json()["openid"];
        let people = wechat.control("GET", "people", Value::Null).await;
        assert_eq!(people["people"][0]["person"], name);
        assert_eq!(&people["people"][0]["openids"][APPID], openid);
    }
    for name in ["", "a\nb", "\u{0}", "\u{9f}", &"阿".repeat(65)] {
        assert_eq!(wechat.simulator.login(name, None), Err(LoginError::Person));
    }
}

#[tokio::test]
async fn people_are_those_seen_and_a_few_to_begin_with() {
    let wechat = Wechat::open().await;
    let names = |people: &Value| -> Vec<String> {
        let people = people["people"].as_array().unwrap().iter();
        people
            .map(|person| person["person"].as_str().unwrap().to_owned())
            .collect()
    };
    let before = wechat.control("GET", "people", Value::Null).await;
    assert!(names(&before).contains(&"小王".to_owned()), "{before}");

    let session = wechat.exchange_code(&wechat.code("欧阳娜")).await.json();
    wechat.exchange_code(&wechat.code("小王")).await;
    let after = wechat.control("GET", "people", Value::Null).await;
    assert_eq!(names(&after)[..2], ["小王", "欧阳娜"], "the newest first");
    assert_eq!(
        names(&after).len(),
        names(&before).len() + 1,
        "nobody is listed twice"
    );
    let seen = json!({
        "person": "欧阳娜",
        "openids": { APPID: session["openid"] },
        "unionid": session["unionid"],
        "phone": after["people"][1]["phone"],
    });
    assert_eq!(after["people"][1], seen);
}

#[tokio::test]
async fn with_configured_apps_everybody_has_an_openid_in_each() {
    let wechat = Wechat::configured().await;
    let people = wechat.control("GET", "people", Value::Null).await;
    let person = &people["people"][0];
    let code = wechat
        .simulator
        .login(person["person"].as_str().unwrap(), Some(OTHER_APPID));
    let target = session_target(OTHER_APPID, SECRET, &code.unwrap());
    assert_eq!(
        wechat.get(&target).await.json()["openid"],
        person["openids"][OTHER_APPID]
    );
    assert_eq!(person["openids"].as_object().unwrap().len(), 2);
}

#[tokio::test]
async fn calls_are_counted_until_they_are_reset() {
    let wechat = Wechat::open().await;
    let [once, twice] = ["小王", "李娜"].map(|person| wechat.code(person));
    wechat.exchange_code(&once).await;
    wechat.exchange_code(&twice).await;
    wechat.exchange_code(&twice).await;
    wechat.get("/cgi-bin/token").await;
    let calls = wechat.control("GET", "calls", Value::Null).await;
    let expected = json!({
        "paths": { "/sns/jscode2session": 3, "/cgi-bin/token": 1 },
        "codes": { once: 1, twice: 2 },
    });
    assert_eq!(calls, expected);

    let nothing = json!({ "paths": {}, "codes": {} });
    assert_eq!(
        wechat.control("DELETE", "calls", Value::Null).await,
        nothing
    );
    assert_eq!(wechat.control("GET", "calls", Value::Null).await, nothing);
}

#[tokio::test]
async fn the_clock_moves_forward_only() {
    let wechat = Wechat::open().await;
    let clock = async |seconds: u64| {
        let now = wechat
            .control("POST", "clock", json!({ "seconds": seconds }))
            .await;
        now["now"].as_i64().unwrap()
    };
    let before = clock(0).await;
    let after = clock(3600).await;
    assert!(
        (3_600_000..3_660_000).contains(&(after - before)),
        "{before} {after}"
    );
}

/// A method, a control and a body; then the status and what the explanation must say.
const MISTAKES: [(&str, &str, &str, u16, &str); 22] = [
    ("POST", "login", "", 400, r#"{"person": "小王"}"#),
    ("POST", "login", "{", 400, r#"{"person": "小王"}"#),
    ("POST", "login", "[1]", 400, r#"{"person": "小王"}"#),
    (
        "POST",
        "login",
        r#"{"appid": null}"#,
        400,
        "missing field `person`",
    ),
    (
        "POST",
        "login",
        r#"{"person": 7}"#,
        400,
        "expected a string",
    ),
    (
        "POST",
        "login",
        r#"{"person": "\ud800"}"#,
        400,
        "hex escape",
    ),
    (
        "POST",
        "login",
        r#"{"person": "a", "app": "b"}"#,
        400,
        "unknown field `app`",
    ),
    (
        "POST",
        "login",
        r#"{"person": ""}"#,
        400,
        "1 to 64 characters",
    ),
    (
        "POST",
        "login",
        r#"{"person": "a", "appid": "b"}"#,
        400,
        APPID,
    ),
    (
        "POST",
        "clock",
        r#"{"seconds": -1}"#,
        400,
        "only moves forward",
    ),
    ("POST", "clock", r#"{"seconds": 1.5}"#, 400, "whole number"),
    ("POST", "clock", r#"{"seconds": 4294967295}"#, 400, "2105"),
    (
        "POST",
        "clock",
        r#"{"seconds": 18446744073709551615}"#,
        400,
        "2105",
    ),
    (
        "POST",
        "phone",
        r#"{"person": "a", "number": "110"}"#,
        400,
        "11 digits",
    ),
    (
        "POST",
        "phone",
        r#"{"person": "a", "phone": "1"}"#,
        400,
        "unknown field",
    ),
    (
        "POST",
        "encrypt",
        r#"{"person": "a"}"#,
        400,
        r#""data": {"nickName""#,
    ),
    (
        "POST",
        "encrypt",
        r#"{"person": "a", "data": 1}"#,
        400,
        "JSON object",
    ),
    ("PUT", "sms", "", 405, "Allow"),
    ("POST", "mails", "", 405, "Allow"),
    ("GET", "login", "", 405, "Allow"),
    ("DELETE", "clock", "", 405, "Allow"),
    ("GET", "persons", "", 404, "GET /simulator/people"),
];

#[tokio::test]
async fn mistakes_are_explained() {
    let wechat = Wechat::configured().await;
    for (method, name, body, status, part) in MISTAKES {
        let reply = wechat
            .request(method, &format!("/simulator/{name}"), body)
            .await;
        assert_eq!(reply.status, status, "{body}: {reply:?}");
        assert_eq!(reply.header("content-type"), Some("application/json"));
        assert_eq!(reply.header("allow").is_some(), status == 405);
        let error = reply.json()["error"].as_str().unwrap().to_owned();
        assert!(error.contains(part), "{body}: {error}");
    }
    let long = wechat
        .request("POST", "/simulator/login", &" ".repeat(65_537))
        .await;
    assert_eq!(long.status, 413);
    assert!(
        long.json()["error"].as_str().unwrap().contains("limit"),
        "{long:?}"
    );

    let open = Wechat::open().await;
    let malformed = open.simulator.login("小王", Some("123")).unwrap_err();
    assert!(
        malformed.to_string().contains("letters and digits"),
        "{malformed}"
    );
}

#[tokio::test]
async fn the_controls_can_be_served_by_another_router() {
    let wechat = Wechat::open().await;
    let other = axum::Router::new()
        .fallback(async || "other")
        .merge(wechat.simulator.controls());
    let request = |path: &str| {
        let request = axum::http::Request::get(path)
            .body(axum::body::Body::empty())
            .unwrap();
        tower::ServiceExt::oneshot(other.clone(), request)
    };
    let code = wechat.code("欧阳娜");
    wechat.exchange_code(&code).await;
    for (path, part) in [
        ("/simulator/calls", code.as_str()),
        ("/simulator/other", "other"),
    ] {
        let response = request(path).await.unwrap();
        let body = axum::body::to_bytes(response.into_body(), 65_536)
            .await
            .unwrap();
        assert!(std::str::from_utf8(&body).unwrap().contains(part), "{path}");
    }
}

#[test]
fn a_secret_is_not_shown() {
    let app = menjin_simulator::App {
        appid: APPID.to_owned(),
        secret: SECRET.to_owned(),
    };
    let options = menjin_simulator::Options { apps: vec![app] };
    let shown = format!("{options:?}");
    assert!(shown.contains(APPID) && !shown.contains(SECRET), "{shown}");
}
