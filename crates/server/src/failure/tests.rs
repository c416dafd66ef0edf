use std::collections::HashSet;

use axum::body::to_bytes;
use menjin_core::{Input, verification::Purpose};
use menjin_messages::RefusedKind;
use menjin_wechat::Rejection;

use super::*;

mod reference;

const SHAPES: [Shape; 6] = [
    Shape::SignIn,
    Shape::General,
    Shape::Account,
    Shape::Picture,
    Shape::Search,
    Shape::OAuth,
];

const WAIT: Duration = Duration::from_millis(2_500);

/// Every refusal there is. The match makes a new one fail to compile until it stands here.
fn refusals() -> Vec<Refusal> {
    let mut all = vec![
        Refusal::MalformedBody,
        Refusal::UnsupportedMediaType,
        Refusal::BodyTooLarge,
        Refusal::BodyTooSlow,
        Refusal::NotFound,
        Refusal::MethodNotAllowed,
        Refusal::CodeMissing,
        Refusal::CodeMalformed,
        Refusal::AppUnknown,
        Refusal::AccountDisabled,
        Refusal::TooManyRequests { retry_after: WAIT },
        Refusal::NoAuthorization,
        Refusal::NoBearer,
        Refusal::TokenExpired,
        Refusal::TokenInvalid,
        Refusal::Forbidden,
        Refusal::NotSigned,
    ];
    all.extend(refusals_of_accounts());
    all.extend(refusals_of_services());
    for refusal in &all {
        match refusal {
            Refusal::MalformedBody
            | Refusal::UnsupportedMediaType
            | Refusal::BodyTooLarge
            | Refusal::BodyTooSlow
            | Refusal::NotFound
            | Refusal::MethodNotAllowed
            | Refusal::CodeMissing
            | Refusal::CodeMalformed
            | Refusal::AppUnknown
            | Refusal::AccountDisabled
            | Refusal::TooManyRequests { .. }
            | Refusal::NoAuthorization
            | Refusal::NoBearer
            | Refusal::TokenExpired
            | Refusal::TokenInvalid
            | Refusal::Forbidden
            | Refusal::NotSigned
            | Refusal::Invalid(_)
            | Refusal::UnknownField
            | Refusal::AlreadyRegistered
            | Refusal::PhoneInUse
            | Refusal::SamePhone
            | Refusal::SameEmail
            | Refusal::WrongCode(_)
            | Refusal::ContentRejected
            | Refusal::ConsentNeeded
            | Refusal::SessionExpired
            | Refusal::InvalidEncryptedData
            | Refusal::PictureRefused(_)
            | Refusal::PictureTooLarge
            | Refusal::ClientUnknown
            | Refusal::ClientForbidden
            | Refusal::GrantUnsupported
            | Refusal::RequestMalformed(_) => {}
        }
    }
    all
}

/// Those that only the routes of accounts give.
fn refusals_of_accounts() -> Vec<Refusal> {
    vec![
        Refusal::Invalid(Input("phone")),
        Refusal::UnknownField,
        Refusal::AlreadyRegistered,
        Refusal::PhoneInUse,
        Refusal::SamePhone,
        Refusal::SameEmail,
        Refusal::WrongCode(Purpose::Register),
        Refusal::ContentRejected,
        Refusal::ConsentNeeded,
        Refusal::SessionExpired,
        Refusal::InvalidEncryptedData,
        Refusal::PictureRefused("this is no picture"),
        Refusal::PictureTooLarge,
    ]
}

/// Those that only services are given.
fn refusals_of_services() -> Vec<Refusal> {
    vec![
        Refusal::ClientUnknown,
        Refusal::ClientForbidden,
        Refusal::GrantUnsupported,
        Refusal::RequestMalformed("token is missing"),
    ]
}

/// Whether only the routes for services refuse so.
fn is_of_services(refusal: Refusal) -> bool {
    refusals_of_services().contains(&refusal)
}

/// Whether only the routes of accounts refuse so.
fn is_of_accounts(refusal: Refusal) -> bool {
    (7_700_010..=7_700_022).contains(&table(refusal).2)
}

/// Something that must not be seen.
#[derive(Debug, thiserror::Error)]
#[error("canary: relation \"identities\" of postgres://10.0.0.7 at src/x.rs:1")]
struct Canary;

fn rejection(errcode: i64) -> Failure {
    Failure::WeChat(wechat::Error::Answered(Rejection {
        errcode,
        errmsg: "as sent".to_owned(),
        rid: Some("6543-21".to_owned()),
    }))
}

/// Failures that are no refusals of ours, each with a name.
fn others() -> Vec<(&'static str, Failure)> {
    let canary = || Arc::new(Canary);
    let by_wechat = Failure::WeChat;
    vec![
        ("wechat -1", rejection(-1)),
        ("wechat 40029", rejection(40_029)),
        ("wechat 40163", rejection(40_163)),
        ("wechat 40226", rejection(40_226)),
        ("wechat 45011", rejection(45_011)),
        ("wechat 45009", rejection(45_009)),
        ("wechat 40013", rejection(40_013)),
        ("wechat 40125", rejection(40_125)),
        ("wechat 41002", rejection(41_002)),
        ("wechat 41004", rejection(41_004)),
        ("wechat 99999", rejection(99_999)),
        ("wechat slow", by_wechat(wechat::Error::TimedOut)),
        (
            "wechat open",
            by_wechat(wechat::Error::CircuitOpen { retry_after: WAIT }),
        ),
        ("wechat busy", by_wechat(wechat::Error::Busy)),
        (
            "wechat away",
            by_wechat(wechat::Error::Unreachable(canary())),
        ),
        ("wechat odd", by_wechat(wechat::Error::Garbled("canary"))),
        ("sms slow", Failure::Delivery(SendError::TimedOut)),
        (
            "sms too often",
            Failure::Delivery(SendError::Refused {
                code: "isv.BUSINESS_LIMIT_CONTROL".to_owned(),
                kind: RefusedKind::TooOften,
            }),
        ),
        ("unavailable", Failure::Unavailable(canary())),
        ("broken", Failure::Broken(canary())),
    ]
}

async fn body(response: Response) -> String {
    let bytes = to_bytes(response.into_body(), 1 << 16).await.unwrap();
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Status, what else stands in the head, and the body.
async fn line(failure: &Failure, shape: Shape) -> String {
    let response = failure.render(shape);
    let mut line = response.status().as_str().to_owned();
    for name in [RETRY_AFTER, WWW_AUTHENTICATE] {
        if let Some(value) = response.headers().get(name) {
            line = format!("{line} [{}]", value.to_str().unwrap());
        }
    }
    format!("{line} {}", body(response).await)
}

/// The whole table, as mini programs and services have come to know it. Words for people may change,
/// numbers, statuses and codes may not.
const TABLE: &str = include_str!("tests/table.txt");

#[tokio::test]
async fn every_failure_looks_as_it_always_did() {
    let mut table = String::from("\n");
    for refusal in refusals() {
        let shapes: &[_] = if is_of_services(refusal) {
            &[Shape::OAuth]
        } else if is_of_accounts(refusal) {
            &[Shape::Account, Shape::Picture]
        } else {
            &[Shape::SignIn, Shape::General]
        };
        for &shape in shapes {
            table.push_str(&line(&refusal.into(), shape).await);
            table.push('\n');
        }
    }
    for (name, failure) in others() {
        for shape in [Shape::SignIn, Shape::Account, Shape::OAuth] {
            table = format!("{table}{name}: {}\n", line(&failure, shape).await);
        }
    }
    let forbidden = line(&Refusal::Forbidden.into(), Shape::Search).await;
    table = format!("{table}{forbidden}\n");
    assert_eq!(table, TABLE, "{table}");
}

#[test]
fn every_refusal_has_its_own_words() {
    let all = refusals();
    let words: HashSet<_> = all.iter().map(|refusal| table(*refusal).1).collect();
    let numbers: HashSet<_> = all.iter().map(|refusal| table(*refusal).2).collect();
    let messages: HashSet<_> = all.iter().map(ToString::to_string).collect();
    for distinct in [words.len(), numbers.len(), messages.len()] {
        assert_eq!(distinct, all.len());
    }
    for refusal in all {
        let (status, word, number) = table(refusal);
        assert!(status.is_client_error());
        assert!(
            word.bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte == b'_')
        );
        // WeChat's own numbers, or one of ours.
        assert!((40_000..50_000).contains(&number) || (7_700_001..=7_700_999).contains(&number));
    }
}

/// Proves HTTP-6: whatever the cause, it is in the log and nowhere else.
#[tokio::test]
async fn a_cause_is_not_shown() {
    for (name, failure) in others() {
        for shape in SHAPES {
            let line = line(&failure, shape).await;
            for word in ["canary", "identities", "postgres", "10.0.0.7", ".rs"] {
                assert!(!line.contains(word), "{name}: {line}");
            }
        }
    }
    let unavailable: Failure = store::Error::Busy.into();
    assert!(matches!(unavailable, Failure::Unavailable(_)));
    let broken: Failure = store::Error::Column(3).into();
    assert!(matches!(broken, Failure::Broken(_)));
}

#[test]
fn a_failure_has_no_header_that_is_not_known() {
    let refused = refusals().into_iter().map(|refusal| ("", refusal.into()));
    for (name, failure) in refused.chain(others()) {
        for shape in SHAPES {
            let response = failure.render(shape);
            for header in response.headers().keys() {
                let known = ["content-type", "retry-after", "www-authenticate"];
                assert!(
                    known.contains(&header.as_str()),
                    "{name} {failure:?}: {header}"
                );
            }
            let kind = &response.headers()["content-type"];
            assert_eq!(kind, "application/json");
        }
    }
}

/// The header has no fractions, so it is rounded to where the wait is over.
#[test]
fn whoever_must_wait_is_told_how_long() {
    for (wait, told) in [
        (0, "1"),
        (1, "1"),
        (999, "1"),
        (1_001, "2"),
        (2_500, "3"),
        (60_000, "60"),
    ] {
        let retry_after = Duration::from_millis(wait);
        let failure = Failure::from(Refusal::TooManyRequests { retry_after });
        let response = failure.render(Shape::SignIn);
        assert_eq!(response.headers()[RETRY_AFTER], told, "{wait}");
    }
}
