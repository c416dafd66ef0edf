//! `GET /cgi-bin/token` and `POST /cgi-bin/stable_token`.

use serde_json::{Value, json};

use crate::harness::{APPID, OTHER_APPID, Reply, SECRET, TYPE, Wechat};

async fn token(wechat: &Wechat) -> String {
    let query = format!("grant_type=client_credential&appid={APPID}&secret={SECRET}");
    let reply = wechat.get(&format!("/cgi-bin/token?{query}")).await;
    let (token, 7200) = read(&reply) else {
        panic!("{reply:?}")
    };
    token
}

async fn stable(wechat: &Wechat, force: bool) -> Reply {
    let body = json!({
        "grant_type": "client_credential", "appid": APPID, "secret": SECRET, "force_refresh": force,
    });
    wechat
        .request("POST", "/cgi-bin/stable_token", &body.to_string())
        .await
}

/// The token and its seconds, out of an answer that has nothing else.
fn read(reply: &Reply) -> (String, i64) {
    assert_eq!(
        (reply.status, reply.header("content-type")),
        (200, Some(TYPE)),
        "{reply:?}"
    );
    let json = reply.json();
    let token = json["access_token"].as_str().unwrap();
    let seconds = json["expires_in"].as_i64().unwrap();
    assert!((136..=512).contains(&token.len()), "{token}");
    assert_eq!(
        reply.text(),
        format!(r#"{{"access_token":"{token}","expires_in":{seconds}}}"#)
    );
    (token.to_owned(), seconds)
}

#[tokio::test]
async fn a_plain_token_is_new_each_time_and_no_stable_one() {
    let wechat = Wechat::open().await;
    let [first, second] = [token(&wechat).await, token(&wechat).await];
    let (apart, _) = read(&stable(&wechat, false).await);
    assert!(first != second && apart != first && apart != second);
    token(&wechat).await;
    assert_eq!(read(&stable(&wechat, false).await).0, apart);
}

#[tokio::test]
async fn a_plain_token_is_refused_in_wechats_words() {
    let wechat = Wechat::configured().await;
    for (query, expected) in [
        ("", (41002, "appid missing rid: R")),
        (
            "appid=wx0123456789abcdef",
            (41004, "appsecret missing rid: R"),
        ),
        ("appid=x&secret=y", (40002, "invalid grant_type rid: R")),
        (
            "appid=x&secret=y&grant_type=authorization_code",
            (40002, "invalid grant_type rid: R"),
        ),
        (
            "appid=x&secret=y&grant_type=client_credential",
            (40013, "invalid appid rid: R"),
        ),
        (
            "appid=wx0123456789abcdef&secret=y&grant_type=client_credential",
            (40125, "invalid appsecret rid: R"),
        ),
    ] {
        let reply = wechat.get(&format!("/cgi-bin/token?{query}")).await;
        assert_eq!(reply.header("content-type"), Some(TYPE));
        assert_eq!(
            reply.declined(),
            (expected.0, expected.1.to_owned()),
            "{query}"
        );
    }
    let posted = wechat.request("POST", "/cgi-bin/token?appid=x", "").await;
    assert_eq!(
        posted.declined(),
        (41002, "appid missing rid: R".to_owned())
    );
}

#[tokio::test]
async fn a_stable_token_stays_until_its_last_five_minutes() {
    let wechat = Wechat::open().await;
    let (first, seconds) = read(&stable(&wechat, false).await);
    assert!((7199..=7200).contains(&seconds), "{seconds}");
    wechat.advance(5000).await;
    let (again, seconds) = read(&stable(&wechat, false).await);
    assert_eq!(again, first);
    assert!((2140..=2200).contains(&seconds), "{seconds}");
    wechat.advance(1800).await;
    let (still, seconds) = read(&stable(&wechat, false).await);
    assert!(
        still == first && (340..=400).contains(&seconds),
        "{seconds}"
    );
    wechat.advance(101).await;
    let (renewed, seconds) = read(&stable(&wechat, false).await);
    assert!(renewed != first && seconds == 7200, "{seconds}");
}

#[tokio::test]
async fn force_brings_a_new_token_at_most_every_thirty_seconds() {
    let wechat = Wechat::open().await;
    let (calm, _) = read(&stable(&wechat, false).await);
    let (forced, seconds) = read(&stable(&wechat, true).await);
    assert!(forced != calm && seconds == 7200, "{seconds}");
    assert_eq!(read(&stable(&wechat, true).await).0, forced, "too soon");
    assert_eq!(
        read(&stable(&wechat, false).await).0,
        forced,
        "the old one is gone"
    );
    wechat.advance(30).await;
    assert_ne!(read(&stable(&wechat, true).await).0, forced);
}

#[tokio::test]
async fn force_runs_out_after_twenty_a_day() {
    let wechat = Wechat::open().await;
    // Past the next midnight in China at the latest, a whole day lies ahead of these 21.
    let now = wechat
        .control("POST", "clock", json!({ "seconds": 0 }))
        .await["now"]
        .as_i64();
    let day = 24 * 3600;
    let today = (now.unwrap() / 1000 + 8 * 3600) % day;
    wechat.advance((day - today).unsigned_abs()).await;
    for _ in 0..20 {
        read(&stable(&wechat, true).await);
        wechat.advance(30).await;
    }
    let refused = stable(&wechat, true).await.declined();
    assert_eq!(
        refused,
        (45009, "reach max api daily quota limit rid: R".to_owned())
    );
    read(&stable(&wechat, false).await);
    wechat.advance(24 * 3600).await;
    read(&stable(&wechat, true).await);
}

#[tokio::test]
async fn each_app_has_a_stable_token_of_its_own() {
    let wechat = Wechat::configured().await;
    let ask = async |appid: &str| {
        let body = json!({ "grant_type": "client_credential", "appid": appid, "secret": SECRET });
        read(
            &wechat
                .request("POST", "/cgi-bin/stable_token", &body.to_string())
                .await,
        )
        .0
    };
    let [here, there] = [ask(APPID).await, ask(OTHER_APPID).await];
    assert_ne!(here, there);
    assert_eq!(ask(APPID).await, here);
}

#[tokio::test]
async fn a_stable_token_is_asked_for_in_json_only() {
    let wechat = Wechat::configured().await;
    let form = format!("grant_type=client_credential&appid={APPID}&secret={SECRET}");
    let ask = |grant: &str, appid: Value, secret: &str| {
        json!({ "grant_type": grant, "appid": appid, "secret": secret }).to_string()
    };
    for (body, expected) in [
        (form.clone(), (41002, "appid missing rid: R")),
        (String::new(), (41002, "appid missing rid: R")),
        ("[]".to_owned(), (41002, "appid missing rid: R")),
        (
            ask("client_credential", json!(7), SECRET),
            (41002, "appid missing rid: R"),
        ),
        (
            ask("client_credential", json!(APPID), ""),
            (41004, "appsecret missing rid: R"),
        ),
        (
            ask("authorization_code", json!(APPID), SECRET),
            (40002, "invalid grant_type rid: R"),
        ),
        (
            ask("client_credential", json!("wx1"), SECRET),
            (40013, "invalid appid rid: R"),
        ),
        (
            ask("client_credential", json!(APPID), "wrong"),
            (40125, "invalid appsecret rid: R"),
        ),
    ] {
        let reply = wechat.request("POST", "/cgi-bin/stable_token", &body).await;
        assert_eq!(
            reply.declined(),
            (expected.0, expected.1.to_owned()),
            "{body}"
        );
    }
    let got = wechat.get(&format!("/cgi-bin/stable_token?{form}")).await;
    assert_eq!(
        got.declined(),
        (43002, "require POST method rid: R".to_owned())
    );
    let long = wechat
        .request("POST", "/cgi-bin/stable_token", &" ".repeat(65_537))
        .await;
    assert_eq!((long.status, long.text()), (413, ""));
}
