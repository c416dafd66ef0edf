//! Claims that a token of ours never says, under signatures that fit.

use menjin_core::{Clock, Role};
use serde_json::{Map, Value, json};

use super::{EXPIRED, INVALID, each_algorithm, refused};
use crate::harness::{TestApp, forge::Forge};

fn instants(now: i64) -> [Value; 12] {
    [
        Value::Null,
        json!(now.to_string()),
        json!(-1),
        json!(-now),
        json!(1e308),
        json!(i64::MAX),
        json!(u64::MAX),
        json!(0.5),
        json!(now + 1_000_000_000_000),
        json!(true),
        json!([now + 60]),
        json!({ "value": now + 60 }),
    ]
}

/// Proves TOK-6: a token says in whole seconds when it was made and when it ends.
#[tokio::test]
async fn instants_are_whole_seconds_and_are_there() {
    for (app, forge) in each_algorithm().await {
        let now = app.clock.now() / 1000;
        for claim in ["exp", "iat", "nbf"] {
            for value in instants(now) {
                // A token of ours has no `nbf`, so that one may be absent.
                if claim != "nbf" || !value.is_null() {
                    refused(&app, &forge.with_claim(claim, value)).await;
                }
            }
        }
        app.end().await;
    }
}

/// Proves TOK-6: clocks may be a minute apart, and an end is an end.
#[tokio::test]
async fn clocks_may_be_a_minute_apart() {
    for (app, forge) in each_algorithm().await {
        let now = app.clock.now() / 1000;
        for (claims, good) in [
            ([("iat", now + 60), ("nbf", now)], true),
            ([("iat", now + 61), ("nbf", now)], false),
            ([("iat", now), ("nbf", now + 60)], true),
            ([("iat", now), ("nbf", now + 61)], false),
            ([("iat", now), ("exp", now + 1)], true),
            ([("iat", now), ("exp", now)], false),
        ] {
            let token = forge.with_claims(claims.map(|(name, at)| (name, json!(at))));
            let status = app.me(&token).await.status;
            assert_eq!(status.is_success(), good, "{claims:?}");
        }
        for exp in [now, now - 1, now - 60, now - 3_599, 1_000] {
            let token = forge.with_claims([("iat", json!(500)), ("exp", json!(exp))]);
            assert_eq!(app.me(&token).await.line(), EXPIRED, "{exp}");
        }
        // Over before it began: that was never a token of ours.
        let token = forge.with_claims([("iat", json!(now - 5)), ("exp", json!(now - 9))]);
        assert_eq!(app.me(&token).await.line(), INVALID);
        app.end().await;
    }
}

/// Proves TOK-7: the token is from here, and for here.
#[tokio::test]
async fn issuer_and_audience_are_ours() {
    for (app, forge) in each_algorithm().await {
        let own = &app.options.issuer;
        for iss in [
            Value::Null,
            json!(""),
            json!("https://door.example"),
            json!(format!("{own}/")),
            json!(own.to_uppercase()),
            json!([own]),
            json!(1),
        ] {
            refused(&app, &forge.with_claim("iss", iss)).await;
        }
        for aud in [
            Value::Null,
            json!(""),
            json!([]),
            json!("repairs"),
            json!(["repairs", "shop"]),
            json!([format!("{own}/")]),
            json!([[own]]),
            json!({ own: own }),
            json!(1),
        ] {
            refused(&app, &forge.with_claim("aud", aud)).await;
        }
        for aud in [json!(own), json!([own]), json!(["repairs", own])] {
            let token = forge.with_claim("aud", aud);
            assert_eq!(app.me(&token).await.status, 200);
        }
        app.end().await;
    }
}

/// A guest's token and a user's, taken apart.
async fn two(app: &TestApp) -> (Forge, Forge) {
    let guest = app.sign_in("wang").await.token();
    let li = app.sign_in("li").await.json();
    app.register(li["openid"].as_str().unwrap(), "+8613800138000", Role::User)
        .await;
    let user = app.sign_in("li").await.token();
    (app.forge(&guest).await, app.forge(&user).await)
}

/// What says who it is and what it may do must agree, down to the spelling.
#[tokio::test]
async fn a_subject_has_one_spelling() {
    let app = TestApp::sqlite().await;
    let (guest, user) = two(&app).await;
    let uid = user.payload["uid"].as_i64().unwrap();
    for (claim, value) in [
        ("scope", json!("user")),
        ("scope", json!("user admin")),
        ("scope", json!("guest user")),
        ("scope", json!(["guest"])),
        ("scope", Value::Null),
        ("sub", Value::Null),
        ("sub", json!("")),
        ("sub", json!("100001")),
        (
            "sub",
            json!(format!("{}=", guest.payload["sub"].as_str().unwrap())),
        ),
        ("uid", json!(uid)),
        ("jti", Value::Null),
        ("jti", json!("")),
        ("jti", json!(1)),
        ("client_id", Value::Null),
        ("client_id", json!("")),
        ("client_id", json!(1)),
    ] {
        refused(&app, &guest.with_claim(claim, value)).await;
    }
    for (claim, value) in [
        ("scope", json!("guest")),
        ("scope", json!("user admin")),
        ("scope", json!("admin")),
        ("scope", json!("user ")),
        ("sub", json!(uid)),
        ("sub", json!(format!("0{uid}"))),
        ("sub", json!((uid + 1).to_string())),
        ("uid", json!(uid.to_string())),
        ("uid", json!(uid + 1)),
        ("uid", json!(-1)),
        ("uid", Value::Null),
        ("role", json!("admin")),
        ("role", json!("root")),
        ("role", Value::Null),
        ("ep", json!(-1)),
        ("ep", json!("0")),
        ("ep", Value::Null),
    ] {
        refused(&app, &user.with_claim(claim, value)).await;
    }
    app.end().await;
}

/// A token of ours that was signed for somebody who is not there.
#[tokio::test]
async fn nobody_is_made_up() {
    let app = TestApp::sqlite().await;
    let (guest, user) = two(&app).await;
    refused(&app, &guest.with_claim("sub", user.payload["jti"].clone())).await;
    let other = menjin_core::IdentityId::random().to_string();
    refused(&app, &guest.with_claim("sub", json!(other))).await;
    let uid = 9_007_199_254_740_991_i64;
    let claims = [("uid", json!(uid)), ("sub", json!(uid.to_string()))];
    refused(&app, &user.with_claims(claims)).await;
    app.end().await;
}

/// Proves TOK-10, of the tokens that are really handed out.
#[tokio::test]
async fn a_token_says_nothing_personal() {
    let app = TestApp::sqlite().await;
    let reply = app.sign_in("li").await.json();
    let openid = reply["openid"].as_str().unwrap();
    app.register(openid, "+8613800138000", Role::Admin).await;
    let user = app.sign_in("li").await;
    for token in [
        user.token(),
        reply["access_token"].as_str().unwrap().to_owned(),
    ] {
        let said = crate::harness::forge::read(&token);
        let names = |part: &Map<String, Value>| part.keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(&said.0), ["alg", "kid", "typ"]);
        let known = [
            "aud",
            "client_id",
            "ep",
            "exp",
            "iat",
            "iss",
            "jti",
            "role",
            "scope",
            "sub",
            "uid",
        ];
        for (name, value) in &said.1 {
            assert!(known.contains(&name.as_str()), "{name}");
            let value = value.to_string();
            for personal in [openid, "13800138000", "wang@example.com", "小王", "东"] {
                assert!(!value.contains(personal), "{name}");
            }
        }
        assert!(token.len() < 600);
    }
    app.end().await;
}
