use serde_json::json;

use super::*;
use crate::{
    jws::Compact,
    key::{SigningAlgorithm, SigningKey},
};

const NOW: Instant = 1_795_000_000_000;
const SECONDS: i64 = NOW / 1000;

fn issuer() -> Issuer {
    Issuer {
        name: "https://door.example.edu.cn".to_owned(),
        audience: vec!["repairs".to_owned(), "shop".to_owned()],
        ttl_seconds: 3600,
    }
}

fn key(algorithm: SigningAlgorithm) -> SigningKey {
    let pkcs8 = SigningKey::generate(algorithm).unwrap();
    SigningKey::from_pkcs8(algorithm, &pkcs8).unwrap()
}

fn appid() -> Appid {
    Appid::parse("wx0123456789abcdef").unwrap()
}

fn user(role: Role) -> Subject {
    let uid = Uid::new(100_001).unwrap();
    Subject::User {
        uid,
        role,
        epoch: 7,
    }
}

fn payload_of(token: &str) -> Map<String, Value> {
    json::parse_object(&Compact::parse(token).unwrap().into_payload()).unwrap()
}

/// A good payload with one claim changed, or taken out by `null`.
fn altered(claim: &str, value: Value) -> Vec<u8> {
    let mut payload = json!({
        "iss": "https://door.example.edu.cn", "sub": "100001", "aud": ["https://door.example.edu.cn"],
        "exp": SECONDS + 3600, "iat": SECONDS, "jti": "x", "client_id": "wx0123456789abcdef",
        "scope": "user", "uid": 100_001, "role": "user", "ep": 0,
    });
    let payload = payload.as_object_mut().unwrap();
    payload.remove(claim);
    if !value.is_null() {
        payload.insert(claim.to_owned(), value);
    }
    serde_json::to_vec(payload).unwrap()
}

#[test]
fn what_is_minted_is_read() {
    for algorithm in [SigningAlgorithm::Es256, SigningAlgorithm::EdDsa] {
        let key = key(algorithm);
        for subject in [
            Subject::Guest(IdentityId::random()),
            user(Role::User),
            user(Role::Admin),
        ] {
            let token = issuer().mint(&key, &subject, &appid(), NOW).unwrap();
            assert!(token.len() < MAX_MINTED, "{}", token.len());
            let compact = Compact::parse(&token).unwrap();
            assert_eq!(compact.header.typ.as_deref(), Some(TYPE));
            assert_eq!(compact.header.kid.as_deref(), Some(key.kid()));
            key.verifying_key().unwrap().verify(&compact).unwrap();
            let claims = issuer().read(&compact.into_payload(), NOW).unwrap();
            assert_eq!(claims.subject, subject);
            assert_eq!(claims.client_id, appid());
        }
    }
}

/// Proves TOK-5: every claim of RFC 9068 in each of 1,000 tokens, an hour exactly, and no `jti`
/// twice in 100,000.
#[test]
fn every_token_holds_what_the_profile_asks() {
    let key = key(SigningAlgorithm::EdDsa);
    for n in 0..1_000 {
        let token = issuer().mint(&key, &user(Role::User), &appid(), NOW + n);
        let payload = payload_of(&token.unwrap());
        for claim in ["iss", "sub", "aud", "exp", "iat", "jti", "client_id"] {
            assert!(payload.contains_key(claim), "{claim}");
        }
        let [exp, iat] = ["exp", "iat"].map(|claim| payload[claim].as_i64().unwrap());
        assert_eq!(exp - iat, 3600);
        assert_eq!(payload["jti"].as_str().map(str::len), Some(16));
    }
    // What `mint` draws its numbers with.
    let drawn: std::collections::HashSet<_> = (0..100_000).map(|_| jti()).collect();
    assert_eq!(drawn.len(), 100_000);
}

/// Proves TOK-10: a payload holds these members and no others, so nothing personal.
#[test]
fn a_token_tells_nothing_personal() {
    let key = key(SigningAlgorithm::Es256);
    let members = |subject| -> Vec<String> {
        let token = issuer().mint(&key, &subject, &appid(), NOW).unwrap();
        payload_of(&token).keys().cloned().collect()
    };
    let guest = [
        "aud",
        "client_id",
        "exp",
        "iat",
        "iss",
        "jti",
        "scope",
        "sub",
    ];
    assert_eq!(members(Subject::Guest(IdentityId::random())), guest);
    let user_members = [
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
    assert_eq!(members(user(Role::User)), user_members);
}

#[test]
fn a_guest_is_for_menjin_alone() {
    let key = key(SigningAlgorithm::Es256);
    let guest = issuer().mint(&key, &Subject::Guest(IdentityId::random()), &appid(), NOW);
    assert_eq!(
        payload_of(&guest.unwrap())["aud"],
        json!(["https://door.example.edu.cn"])
    );
    let user = issuer().mint(&key, &user(Role::User), &appid(), NOW);
    assert_eq!(
        payload_of(&user.unwrap())["aud"],
        json!(["https://door.example.edu.cn", "repairs", "shop"])
    );
}

/// Proves TOK-6: instants are whole numbers, present, and within a minute of ours.
#[test]
fn instants_are_exact() {
    assert!(issuer().read(&altered("none", Value::Null), NOW).is_ok());
    for claim in ["exp", "iat"] {
        for odd in [
            Value::Null,
            json!("1795003600"),
            json!(-1),
            json!(1e308),
            json!(1_795_003_600.5),
            json!([1_795_003_600]),
            json!(true),
            json!(u64::MAX),
        ] {
            let read = issuer().read(&altered(claim, odd.clone()), NOW);
            assert_eq!(read, Err(Refusal::TokenInvalid), "{claim} {odd}");
        }
    }
    let read = |claim, at: i64| issuer().read(&altered(claim, at.into()), NOW).map(drop);
    assert_eq!(read("iat", SECONDS + 60), Ok(()));
    assert_eq!(read("iat", SECONDS + 61), Err(Refusal::TokenInvalid));
    assert_eq!(read("nbf", SECONDS + 60), Ok(()));
    assert_eq!(read("nbf", SECONDS + 61), Err(Refusal::TokenInvalid));
    assert_eq!(read("exp", SECONDS + 1), Ok(()));
    let late = issuer().read(&altered("none", Value::Null), NOW + 3_600_000);
    assert_eq!(late, Err(Refusal::TokenExpired));
}

/// Proves TOK-7: the issuer and the audience are ours, or the token is nobody's.
#[test]
fn issuer_and_audience_are_ours() {
    for (claim, odd) in [
        ("iss", json!("https://door.example.edu.cn/")),
        ("iss", json!(["https://door.example.edu.cn"])),
        ("iss", Value::Null),
        ("aud", json!("repairs")),
        ("aud", json!("")),
        ("aud", json!([])),
        ("aud", json!(["repairs", "shop"])),
        ("aud", json!({"https://door.example.edu.cn": 1})),
        ("aud", Value::Null),
    ] {
        let read = issuer().read(&altered(claim, odd.clone()), NOW);
        assert_eq!(read, Err(Refusal::TokenInvalid), "{claim} {odd}");
    }
}

#[test]
fn a_subject_agrees_with_itself() {
    for (claim, odd) in [
        ("sub", json!("100002")),
        ("sub", json!("0100001")),
        ("sub", json!(100_001)),
        ("uid", json!("100001")),
        ("uid", json!(1_i64 << 53)),
        ("uid", Value::Null),
        ("role", json!("root")),
        ("role", json!("admin")),
        ("scope", json!("user admin")),
        ("scope", json!("guest")),
        ("ep", json!(-1)),
        ("ep", Value::Null),
        ("jti", json!("")),
        ("client_id", Value::Null),
    ] {
        let read = issuer().read(&altered(claim, odd.clone()), NOW);
        assert_eq!(read, Err(Refusal::TokenInvalid), "{claim} {odd}");
    }
}
