//! What a provider of one's own is told, and what its statuses mean.

use std::sync::{Arc, Mutex, atomic::Ordering};

use menjin_core::Secret;
use menjin_messages::{
    LogSms, LoggedSms, Receipt, RefusedKind, SendError, SmsSender, WebhookOptions, WebhookSms,
};
use serde_json::json;

use crate::{
    KEY, TestClock, code, hex, hmac_sha256, notice, reach, stub::Stub, webhook, webhook_options,
};

#[tokio::test]
async fn a_code_goes_out_signed() {
    let stub = Stub::answering("204 No Content", "").await;
    let receipt = webhook(stub.url(), reach()).send(&code()).await.unwrap();
    assert_eq!(receipt, Receipt::default());
    let request = stub.request();
    assert_eq!(
        request.line(),
        "POST /c4n4ryPATH?token=c4n4ryTOKEN HTTP/1.1"
    );
    assert_eq!(request.header("content-type"), "application/json");
    assert_eq!(request.header("x-menjin-timestamp"), "1700000000");
    let signed = format!("1700000000.{}", request.body);
    let signature = hex(&hmac_sha256(KEY.as_bytes(), &signed));
    assert_eq!(
        request.header("x-menjin-signature"),
        format!("v1={signature}")
    );
    let body = request.json();
    assert!(body["text"].as_str().unwrap().contains("907613"));
    assert_eq!(
        body,
        json!({
            "to": "+8613800138000",
            "kind": "code",
            "purpose": "register",
            "code": "907613",
            "text": body["text"],
            "request_id": "request-1",
        })
    );
}

#[tokio::test]
async fn a_notice_has_no_code() {
    let stub = Stub::answering("200 OK", "whatever").await;
    webhook(stub.url(), reach()).send(&notice()).await.unwrap();
    let body = stub.request().json();
    assert_eq!(body["kind"], "notice");
    assert_eq!(body["purpose"], "phone_changed");
    assert_eq!(body["code"], json!(null));
}

/// Proves OTP-13: only 2xx is a success.
#[tokio::test]
async fn a_status_says_whether_it_was_taken() {
    for (status, expected) in [
        ("200 OK", None),
        ("202 Accepted", None),
        ("400 Bad Request", Some(("HTTP-400", RefusedKind::Other))),
        (
            "401 Unauthorized",
            Some(("HTTP-401", RefusedKind::Misconfigured)),
        ),
        (
            "404 Not Found",
            Some(("HTTP-404", RefusedKind::Misconfigured)),
        ),
        ("429 Too Many", Some(("HTTP-429", RefusedKind::TooOften))),
    ] {
        let stub = Stub::answering(status, "").await;
        let outcome = webhook(stub.url(), reach()).send(&code()).await;
        stub.request();
        match (outcome, expected) {
            (Ok(_), None) => {}
            (Err(SendError::Refused { code, kind }), Some(expected)) => {
                assert_eq!((&*code, kind), expected);
            }
            (outcome, _) => panic!("{status}: {outcome:?}"),
        }
    }
}

#[tokio::test]
async fn trying_out_connects_and_says_nothing() {
    let stub = Stub::answering("200 OK", "").await;
    webhook(stub.url(), reach()).try_out().await.unwrap();
    assert!(stub.requests().is_empty());
    let url = stub.url().to_owned();
    // The connection may still be on its way to the stub's task; one that is asked for comes after.
    webhook(&url, reach()).send(&code()).await.unwrap();
    assert_eq!(stub.seen.connections.load(Ordering::SeqCst), 2);
    drop(stub);
    let outcome = webhook(&url, reach()).try_out().await;
    assert!(
        matches!(outcome, Err(SendError::Unreachable(_))),
        "{outcome:?}"
    );
}

#[test]
fn options_that_cannot_work_are_refused() {
    for url in ["", "a", "ftp://a/b", "https://wang:x@a/b", "https://a/b#c"] {
        let options = WebhookOptions {
            url: Secret::new(url),
            ..webhook_options("", reach())
        };
        assert!(
            WebhookSms::new(&options, Arc::new(TestClock)).is_err(),
            "{url}"
        );
    }
    let options = WebhookOptions {
        secret: Secret::new(""),
        ..webhook_options("https://a", reach())
    };
    assert!(WebhookSms::new(&options, Arc::new(TestClock)).is_err());
}

#[tokio::test]
async fn the_sender_for_development_hands_over_everything() {
    let seen = Arc::new(Mutex::new(Vec::<LoggedSms>::new()));
    let sink = seen.clone();
    let sender = LogSms::new(Arc::new(move |sms| sink.lock().unwrap().push(sms)));
    sender.try_out().await.unwrap();
    sender.send(&code()).await.unwrap();
    sender.send(&notice()).await.unwrap();
    let seen = seen.lock().unwrap();
    assert_eq!(seen.len(), 2);
    assert_eq!(seen[0].to, "+8613800138000");
    assert_eq!(seen[0].code, "907613");
    assert!(seen[0].text.contains("907613"));
    assert_eq!(seen[1].code, "");
    assert_eq!(format!("{:?}", seen[0]), "LoggedSms");
}
