//! Which tokens are taken.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use menjin_core::{
    Clock, Role, Uid,
    key::{SigningAlgorithm, SigningKey},
    token::Subject,
};
use menjin_guard::{Refused, WhenStale};
use serde_json::{Value, json};
use std::time::Duration;

use crate::{
    APPID, EXPIRED, INVALID, ISSUER, SERVICE,
    door::{Door, key},
    following, guest, hello, keys_alone, user,
};

/// A token with this header and payload over what a good one has; `null` takes a member away.
fn forge(door: &Door, key: &SigningKey, header: &Value, payload: &Value) -> String {
    let now = door.clock.now() / 1_000;
    let mut good = [
        json!({ "typ": "at+jwt", "alg": key.algorithm().algorithm().as_str(), "kid": key.kid() }),
        json!({
            "iss": ISSUER, "sub": "100001", "aud": [ISSUER, SERVICE], "iat": now, "exp": now + 3_600,
            "jti": "PVC_zo_V81Y0sa80", "client_id": APPID, "scope": "user", "uid": 100_001,
            "role": "user", "ep": 3,
        }),
    ];
    for (part, changes) in good.iter_mut().zip([header, payload]) {
        for (name, value) in changes.as_object().unwrap() {
            part[name] = value.clone();
        }
        let members = part.as_object_mut().unwrap();
        members.retain(|_, value| !value.is_null());
    }
    let encoded = good.map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
    let message = encoded.join(".");
    let signature = key.sign(message.as_bytes()).unwrap();
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
}

#[tokio::test]
async fn a_good_token_opens_and_says_who_it_is() {
    let door = Door::open().await;
    let guard = following(&door).start().await.unwrap();
    let client = hello(&guard).await;
    let token = door.token(&user(100_001));
    for _ in 0..3 {
        assert_eq!(client.hello(&token).await, "200 hello 100001");
    }

    let caller = guard.check(&token).await.unwrap();
    assert_eq!((caller.uid(), caller.is_guest()), (Some(100_001), false));
    assert_eq!((caller.subject(), caller.scope()), ("100001", "user"));
    assert_eq!((caller.appid(), caller.jti().len()), (APPID, 16));
    assert!(caller.expires_at() > std::time::UNIX_EPOCH + Duration::from_secs(1_795_000_000));
    let shown = format!("{caller:?} {guard:?}");
    assert!(
        shown.contains("100001") && !shown.contains(caller.jti()),
        "{shown}"
    );
}

#[tokio::test]
async fn either_algorithm_of_menjins_is_taken() {
    let door = Door::open().await;
    let eddsa = key(SigningAlgorithm::EdDsa);
    door.state.keys.lock().unwrap().push(eddsa.into());
    let guard = keys_alone(&door).start().await.unwrap();
    assert_eq!(
        guard.check(&door.token(&user(7))).await.unwrap().uid(),
        Some(7)
    );
}

/// Proves TOK-4, TOK-6 and TOK-7 of the guard: kind, times, issuer and audience.
#[tokio::test]
async fn a_token_that_says_something_else_is_refused() {
    let door = Door::open().await;
    let client = hello(&keys_alone(&door).start().await.unwrap()).await;
    let key = door.key();
    let now = door.clock.now() / 1_000;
    let nothing = json!({});
    assert_eq!(
        client.hello(&forge(&door, &key, &nothing, &nothing)).await,
        "200 hello 100001"
    );
    for header in [
        json!({ "typ": "JWT" }),
        json!({ "typ": null }),
        json!({ "kid": null }),
        json!({ "kid": "../../etc/passwd" }),
        json!({ "alg": "EdDSA" }),
        json!({ "alg": "none" }),
        json!({ "crit": ["exp"], "exp": 1 }),
        json!({ "jwk": key.public_jwk() }),
    ] {
        let token = forge(&door, &key, &header, &nothing);
        assert_eq!(client.hello(&token).await, INVALID, "{header}");
    }
    for payload in [
        json!({ "iss": "https://elsewhere.example" }),
        json!({ "aud": [ISSUER] }),
        json!({ "aud": [ISSUER, "canteen"] }),
        json!({ "aud": [] }),
        json!({ "aud": null }),
        json!({ "exp": null }),
        json!({ "exp": (now + 60).to_string() }),
        json!({ "iat": now + 90, "exp": now + 3_690 }),
        json!({ "nbf": now + 90 }),
        json!({ "scope": "user admin" }),
        json!({ "sub": "100002" }),
        json!({ "uid": -1, "sub": "-1" }),
        json!({ "ep": null }),
        json!({ "jti": "" }),
    ] {
        let token = forge(&door, &key, &nothing, &payload);
        assert_eq!(client.hello(&token).await, INVALID, "{payload}");
    }
    let over = json!({ "iat": now - 3_600, "exp": now });
    let token = forge(&door, &key, &nothing, &over);
    assert_eq!(client.hello(&token).await, EXPIRED);
    let soon = json!({ "iat": now + 30, "exp": now + 3_630 });
    let token = forge(&door, &key, &nothing, &soon);
    assert_eq!(client.hello(&token).await, "200 hello 100001");
}

/// Proves TOK-1 of the guard: the algorithm is the key's, and a public key is no shared secret.
#[tokio::test]
async fn the_algorithm_is_not_the_tokens_to_choose() {
    let door = Door::open().await;
    let guard = keys_alone(&door).start().await.unwrap();
    let public = serde_json::to_vec(&door.key().public_jwk()).unwrap();
    let shared = json!({ "kty": "oct", "kid": "shared", "alg": "HS256",
        "k": URL_SAFE_NO_PAD.encode(&public) });
    let header = json!({ "typ": "at+jwt", "alg": "HS256", "kid": door.key().kid() });
    let good = door.token(&user(1));
    let payload = good.split('.').nth(1).unwrap();
    let hmac_key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, &public);
    let sign = |header: &Value| {
        let message = format!("{}.{payload}", URL_SAFE_NO_PAD.encode(header.to_string()));
        let tag = aws_lc_rs::hmac::sign(&hmac_key, message.as_bytes());
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(tag))
    };
    assert_eq!(
        guard.check(&sign(&header)).await.unwrap_err(),
        Refused::Invalid
    );

    // Even a key set that shows such a key gives it no say.
    let keys = json!({ "keys": [door.key().public_jwk(), shared] });
    door.answer("/.well-known/jwks.json", 200, &keys.to_string());
    let guard = keys_alone(&door).start().await.unwrap();
    let header = json!({ "typ": "at+jwt", "alg": "HS256", "kid": "shared" });
    assert_eq!(
        guard.check(&sign(&header)).await.unwrap_err(),
        Refused::Invalid
    );
    assert!(guard.check(&good).await.is_ok());
}

/// Proves TOK-9 of the guard.
#[tokio::test]
async fn what_is_no_token_is_refused() {
    let door = Door::open().await;
    let guard = keys_alone(&door).start().await.unwrap();
    let good = door.token(&user(1));
    let long = "a".repeat(9_000);
    let (signed, _) = good.rsplit_once('.').unwrap();
    let other = door.token_by(&key(SigningAlgorithm::Es256), &user(1));
    let (_, signature) = other.rsplit_once('.').unwrap();
    for odd in [
        "",
        "a.b",
        "..",
        &long,
        &format!("{good}."),
        &format!("{good}="),
        &format!("{good}\u{e9}"),
        signed,
        &format!("{signed}.{signature}"),
    ] {
        assert_eq!(
            guard.check(odd).await.unwrap_err(),
            Refused::Invalid,
            "{odd}"
        );
    }
}

#[tokio::test]
async fn a_token_ends_at_its_end_although_it_is_remembered() {
    let door = Door::open().await;
    let guard = following(&door)
        .when_stale(WhenStale::Accept)
        .start()
        .await
        .unwrap();
    let token = door.token(&user(1));
    assert!(guard.check(&token).await.is_ok());
    door.clock.advance(Duration::from_secs(3_570));
    assert!(guard.check(&token).await.is_ok());
    door.clock.advance(Duration::from_secs(30));
    assert_eq!(guard.check(&token).await.unwrap_err(), Refused::Expired);
}

#[tokio::test]
async fn guests_are_taken_only_where_they_are_wanted() {
    let door = Door::open().await;
    let token = door.token(&guest());
    let closed = keys_alone(&door).start().await.unwrap();
    assert_eq!(closed.check(&token).await.unwrap_err(), Refused::Invalid);
    let nothing = json!({});
    let in_aud = json!({ "uid": null, "role": null, "ep": null, "scope": "guest",
        "sub": guest_sub(&token) });
    let named = forge(&door, &door.key(), &nothing, &in_aud);
    assert_eq!(closed.check(&named).await.unwrap_err(), Refused::Invalid);

    let open = keys_alone(&door).accept_guests().start().await.unwrap();
    for token in [&token, &named] {
        let caller = open.check(token).await.unwrap();
        assert_eq!((caller.uid(), caller.scope()), (None, "guest"));
        assert_eq!(caller.subject(), guest_sub(token));
    }
    // A user's token that is for Menjin alone, or for another service, stays no business of ours.
    for aud in [json!([ISSUER]), json!([ISSUER, "canteen"])] {
        let token = forge(&door, &door.key(), &nothing, &json!({ "aud": aud }));
        assert_eq!(
            open.check(&token).await.unwrap_err(),
            Refused::Invalid,
            "{aud}"
        );
    }
    let now = door.clock.now() / 1_000;
    let over = json!({ "uid": null, "role": null, "ep": null, "scope": "guest", "aud": [ISSUER],
        "sub": guest_sub(&token), "iat": now - 3_600, "exp": now - 1 });
    let over = forge(&door, &door.key(), &nothing, &over);
    assert_eq!(open.check(&over).await.unwrap_err(), Refused::Expired);
}

fn guest_sub(token: &str) -> String {
    let payload = token.split('.').nth(1).unwrap();
    let payload = URL_SAFE_NO_PAD.decode(payload).unwrap();
    let payload: Value = serde_json::from_slice(&payload).unwrap();
    payload["sub"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn an_administrator_is_one() {
    let door = Door::open().await;
    let guard = keys_alone(&door).start().await.unwrap();
    let admin = Subject::User {
        uid: Uid::new(100_001).unwrap(),
        role: Role::Admin,
        epoch: 0,
    };
    let caller = guard.check(&door.token(&admin)).await.unwrap();
    assert!(caller.is_admin() && caller.scope() == "user admin");
    assert!(!guard.check(&door.token(&user(1))).await.unwrap().is_admin());
}
