//! `GET /sns/jscode2session`.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::harness::{APPID, OTHER_APPID, Reply, SECRET, Wechat, session_target};

fn is_identifier(id: &str) -> bool {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    id.len() == 28 && id.starts_with('o') && id.bytes().all(legal)
}

#[tokio::test]
async fn a_code_becomes_a_session_in_plain_text() {
    let wechat = Wechat::open().await;
    let code = wechat.code("小王");
    assert!(code.len() == 32 && code.starts_with('0'), "{code}");
    assert!(
        code.bytes().all(|byte| byte.is_ascii_alphanumeric()),
        "{code}"
    );

    let reply = wechat.exchange_code(&code).await;
    assert_eq!(
        (reply.status, reply.header("content-type")),
        (200, Some("text/plain"))
    );
    let session = reply.json();
    let [key, openid, unionid] =
        ["session_key", "openid", "unionid"].map(|field| session[field].as_str().unwrap());
    assert!(key.len() == 24 && key.ends_with("=="), "{key}");
    assert!(is_identifier(openid) && is_identifier(unionid) && openid != unionid);
    // The order of WeChat's fields, and neither errcode nor anything else beside them.
    let expected =
        format!(r#"{{"session_key":"{key}","openid":"{openid}","unionid":"{unionid}"}}"#);
    assert_eq!(reply.text(), expected);
}

/// What is replaced in a right query by what, and what WeChat says to that.
const MISTAKES: [(&str, &str, i64, &str); 13] = [
    ("appid", "app_id", 41002, "appid missing, rid: R"),
    ("secret", "appsecret", 41004, "appsecret missing, rid: R"),
    ("js_code", "code", 41008, "missing code, rid: R"),
    ("grant_type", "grant", 40002, "invalid grant_type, rid: R"),
    (
        "authorization_code",
        "client_credential",
        40002,
        "invalid grant_type, rid: R",
    ),
    ("appid=", "appid=&was=", 41002, "appid missing, rid: R"),
    ("js_code=", "js_code=&was=", 41008, "missing code, rid: R"),
    (APPID, "wx0000000000000000", 40013, "invalid appid, rid: R"),
    (APPID, "+wx0123456789abcdef", 40013, "invalid appid, rid: R"),
    (APPID, "WX0123456789ABCDEF", 40013, "invalid appid, rid: R"),
    (SECRET, "wrong", 40125, "invalid appsecret, rid: R"),
    (
        "CODE",
        "011aaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        40029,
        "invalid code, rid: R",
    ),
    (
        "CODE",
        "the%20code%20is%20a%20mock%20one",
        40029,
        "invalid code, rid: R",
    ),
];

#[tokio::test]
async fn what_is_missing_is_named_in_wechats_order() {
    let wechat = Wechat::configured().await;
    let code = wechat.code("小王");
    let right = session_target(APPID, SECRET, &code);
    for (was, is, errcode, errmsg) in MISTAKES {
        let was = if was == "CODE" { &code } else { was };
        let reply = wechat.get(&right.replacen(was, is, 1)).await;
        assert_eq!(reply.header("content-type"), Some("text/plain"));
        assert_eq!(
            reply.declined(),
            (errcode, errmsg.to_owned()),
            "{was} -> {is}"
        );
    }
    // Of several mistakes the first in the order is told, and none of them spent the code.
    for (target, errcode) in [
        ("/sns/jscode2session", 41002),
        ("/sns/jscode2session?%ff=%zz&&=&appid&appid=later", 41002),
        ("/sns/jscode2session?appid=x", 41004),
        ("/sns/jscode2session?appid=x&secret=y", 41008),
        ("/sns/jscode2session?appid=x&secret=y&js_code=z", 40002),
        (
            "/sns/jscode2session?appid=x&secret=y&js_code=z&grant_type=authorization_code",
            40013,
        ),
    ] {
        assert_eq!(wechat.get(target).await.declined().0, errcode, "{target}");
    }
    assert!(wechat.get(&right).await.json()["openid"].is_string());
}

#[tokio::test]
async fn post_names_no_app_whatever_it_carries() {
    let wechat = Wechat::open().await;
    let target = session_target(APPID, SECRET, &wechat.code("小王"));
    let reply = wechat
        .request("POST", &target, "appid=wx0123456789abcdef")
        .await;
    assert_eq!(
        reply.declined(),
        (41002, "appid missing, rid: R".to_owned())
    );
    assert!(wechat.get(&target).await.json()["openid"].is_string());
}

#[tokio::test]
async fn a_code_works_once_and_for_five_minutes() {
    let wechat = Wechat::open().await;
    let [used, late, dead] = ["小王", "李娜", "张伟"].map(|person| wechat.code(person));
    assert!(wechat.exchange_code(&used).await.json()["openid"].is_string());
    let again = wechat.exchange_code(&used).await;
    assert_eq!(
        again.declined(),
        (40163, "code been used, rid: R".to_owned())
    );

    wechat.advance(240).await;
    assert!(wechat.exchange_code(&late).await.json()["openid"].is_string());
    wechat.advance(60).await;
    let reply = wechat.exchange_code(&dead).await;
    assert_eq!(reply.declined(), (40029, "invalid code, rid: R".to_owned()));
}

#[tokio::test]
async fn of_many_at_once_only_one_spends_the_code() {
    let wechat = Wechat::open().await;
    let code = wechat.code("小王");
    let one = || wechat.exchange_code(&code);
    let replies: [Reply; 4] = tokio::join!(one(), one(), one(), one()).into();
    let sessions = replies
        .iter()
        .filter(|reply| reply.json()["openid"].is_string())
        .count();
    let refusals = replies
        .iter()
        .filter(|reply| reply.json()["errcode"] == 40163)
        .count();
    assert_eq!((sessions, refusals), (1, 3));
}

#[tokio::test]
async fn a_code_belongs_to_one_app() {
    let configured = Wechat::configured().await;
    let first = configured.code("小王");
    let second = configured
        .simulator
        .login("小王", Some(OTHER_APPID))
        .unwrap();
    assert_eq!(configured.exchange_code(&second).await.declined().0, 40029);
    let foreign = configured
        .get(&session_target(OTHER_APPID, SECRET, &first))
        .await;
    assert_eq!(foreign.declined().0, 40029);

    let here = configured.exchange_code(&first).await.json();
    let there = configured
        .get(&session_target(OTHER_APPID, SECRET, &second))
        .await
        .json();
    assert_ne!(here["openid"], there["openid"]);
    assert_eq!(here["unionid"], there["unionid"]);

    // Without configured apps, a code of no app in particular goes to the one that takes it.
    let open = Wechat::open().await;
    let code = open.code("小王");
    let taken = open
        .get(&session_target(OTHER_APPID, "any-secret", &code))
        .await;
    assert!(taken.json()["openid"].is_string(), "{taken:?}");
    assert_eq!(open.exchange_code(&code).await.declined().0, 40029);
}

#[tokio::test]
async fn without_configured_apps_any_well_formed_one_does() {
    let wechat = Wechat::open().await;
    for secret in ["one", "another"] {
        let target = session_target(APPID, secret, &wechat.code("小王"));
        assert!(wechat.get(&target).await.json()["openid"].is_string());
    }
    let long = format!("wx{}", "0".repeat(63));
    for appid in [
        "wx",
        "wx.1",
        "WX0123456789abcdef",
        "xw0123456789abcdef",
        &long,
    ] {
        let reply = wechat.get(&session_target(appid, SECRET, "011")).await;
        assert_eq!(reply.declined().0, 40013, "{appid}");
    }
}

#[tokio::test]
async fn a_person_is_the_same_in_every_simulator() {
    let mut sessions = Vec::new();
    for _ in 0..2 {
        let wechat = Wechat::open().await;
        sessions.push(wechat.exchange_code(&wechat.code("小王")).await.json());
    }
    assert_eq!(sessions[0]["openid"], sessions[1]["openid"]);
    assert_eq!(sessions[0]["unionid"], sessions[1]["unionid"]);
    assert_ne!(sessions[0]["session_key"], sessions[1]["session_key"]);
}

#[tokio::test]
async fn a_session_key_lasts_over_bursts_and_not_for_ever() {
    let wechat = Wechat::open().await;
    let mut keys = Vec::new();
    for _ in 0..20 {
        keys.push(wechat.session_key("小王").await);
    }
    assert!(
        keys[..9].iter().all(|key| *key == keys[0]),
        "the first nine"
    );
    assert!(
        keys[9..19].iter().all(|key| *key == keys[9]),
        "the tenth begins another ten"
    );
    assert!(keys[0] != keys[9] && keys[9] != keys[19]);
    assert_ne!(wechat.session_key("李娜").await, keys[19]);

    wechat.advance(3 * 24 * 3600 - 60).await;
    assert_eq!(wechat.session_key("小王").await, keys[19]);
    wechat.advance(60).await;
    assert_ne!(wechat.session_key("小王").await, keys[19]);
}

#[tokio::test]
async fn a_rid_begins_with_the_time_of_the_simulators_clock() {
    let wechat = Wechat::open().await;
    wechat.advance(1_000_000).await;
    #[expect(
        clippy::disallowed_methods,
        reason = "the machine's time is what is compared with"
    )]
    let machine = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs();
    let reply = wechat.exchange_code("unknown").await.json();
    let rid = reply["errmsg"]
        .as_str()
        .unwrap()
        .strip_prefix("invalid code, rid: ")
        .unwrap();
    let second = u64::from_str_radix(&rid[..8], 16).unwrap();
    assert!((0..60).contains(&(second - machine - 1_000_000)), "{rid}");
}

#[tokio::test]
async fn a_body_without_a_length_is_refused() {
    let wechat = Wechat::open().await;
    for path in [
        "/sns/jscode2session",
        "/cgi-bin/token",
        "/cgi-bin/stable_token",
    ] {
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: simulator\r\nConnection: close\r\n\
             Transfer-Encoding: chunked\r\n\r\n2\r\n{{}}\r\n0\r\n\r\n"
        );
        let reply = Reply::parse(&wechat.exchange(request.as_bytes()).await.unwrap());
        assert_eq!((reply.status, reply.text()), (412, ""), "{path}");
        assert_eq!(reply.header("content-length"), Some("0"));
        assert_eq!(reply.header("content-type"), None);
    }
}

#[tokio::test]
async fn a_path_that_wechat_does_not_have_is_an_invalid_url() {
    let wechat = Wechat::open().await;
    let reply = wechat.get("/sns/jscode2sessions").await;
    assert_eq!(reply.declined(), (40066, "invalid url, rid: R".to_owned()));
    let reply = wechat.get("/cgi-bin/nothing").await;
    assert_eq!(reply.declined(), (40066, "invalid url rid: R".to_owned()));
}
