//! What Alibaba Cloud is told, and what its answers mean.

use std::sync::Arc;

use menjin_core::{Secret, verification::Purpose};
use menjin_messages::{AliyunOptions, AliyunSms, RefusedKind, SendError, SmsSender, SmsTemplates};
use serde_json::json;

use crate::{
    KEY, TestClock, aliyun, aliyun_options, code, code_for, hex, hmac_sha256, notice, reach,
    sha256, sms_to,
    stub::{Request, Stub},
};

const ACCEPTED: &str = r#"{"Code":"OK","Message":"OK","BizId":"900619746936498440^0","RequestId":"F655A8D5-B967-440B-8683-DAD6FF8DE990"}"#;

/// The query as it was sent.
fn query(request: &Request) -> String {
    let target = request.line().strip_prefix("POST /?").unwrap();
    target.strip_suffix(" HTTP/1.1").unwrap().to_owned()
}

/// Signs what arrived, as the provider would.
fn assert_signed(request: &Request) {
    let names = [
        "host",
        "x-acs-action",
        "x-acs-content-sha256",
        "x-acs-date",
        "x-acs-signature-nonce",
        "x-acs-version",
    ];
    let headers: String = names
        .map(|name| format!("{name}:{}\n", request.header(name)))
        .concat();
    let names = names.join(";");
    let body = sha256(&request.body);
    assert_eq!(request.header("x-acs-content-sha256"), body);
    let canonical = format!("POST\n/\n{}\n{headers}\n{names}\n{body}", query(request));
    let text = format!("ACS3-HMAC-SHA256\n{}", sha256(&canonical));
    let signature = hex(&hmac_sha256(KEY.as_bytes(), &text));
    assert_eq!(
        request.header("authorization"),
        format!(
            "ACS3-HMAC-SHA256 Credential=LTAIexample,SignedHeaders={names},Signature={signature}"
        )
    );
}

#[tokio::test]
async fn a_code_goes_out_signed() {
    let stub = Stub::answering("200 OK", ACCEPTED).await;
    let receipt = aliyun(stub.url(), reach()).send(&code()).await.unwrap();
    assert_eq!(receipt.provider_id.as_deref(), Some("900619746936498440^0"));
    let request = stub.request();
    assert_eq!(request.header("x-acs-action"), "SendSms");
    assert_eq!(request.header("x-acs-version"), "2017-05-25");
    assert_eq!(request.header("x-acs-date"), "2023-11-14T22:13:20Z");
    assert_eq!(
        query(&request),
        "OutId=request-1&PhoneNumbers=13800138000&SignName=%E9%97%A8%E7%A6%81\
         &TemplateCode=T-register\
         &TemplateParam=%7B%22code%22%3A%22907613%22%2C%22minutes%22%3A%225%22%7D"
    );
    assert_eq!(request.body, "");
    assert_signed(&request);
}

#[tokio::test]
async fn every_call_has_a_nonce_of_its_own() {
    let stub = Stub::answering("200 OK", ACCEPTED).await;
    let sender = aliyun(stub.url(), reach());
    for _ in 0..3 {
        sender.send(&code()).await.unwrap();
    }
    let mut nonces: Vec<_> = stub
        .requests()
        .iter()
        .map(|request| request.header("x-acs-signature-nonce").to_owned())
        .collect();
    assert!(nonces.iter().all(|nonce| nonce.len() == 32));
    nonces.sort();
    nonces.dedup();
    assert_eq!(nonces.len(), 3);
}

#[tokio::test]
async fn each_kind_has_its_template_and_variables() {
    let stub = Stub::answering("200 OK", ACCEPTED).await;
    let sender = aliyun(stub.url(), reach());
    sender.send(&notice()).await.unwrap();
    let sent = query(&stub.request());
    assert!(sent.ends_with("&TemplateCode=T-changed&TemplateParam=%7B%7D"));
    let abroad = sms_to("+85251234567", code_for(Purpose::Migrate));
    sender.send(&abroad).await.unwrap();
    let sent = query(stub.requests().last().unwrap());
    assert!(sent.contains("&PhoneNumbers=85251234567&"), "{sent}");
    let options = AliyunOptions {
        templates: SmsTemplates {
            register: "T".to_owned(),
            ..SmsTemplates::default()
        },
        ..aliyun_options(stub.url(), reach())
    };
    let sender = AliyunSms::new(options, Arc::new(TestClock)).unwrap();
    sender.send(&code()).await.unwrap();
    let sent = query(stub.requests().last().unwrap());
    assert!(sent.ends_with("=%7B%22code%22%3A%22907613%22%7D"), "{sent}");
    let before = stub.requests().len();
    assert!(matches!(
        sender.send(&notice()).await,
        Err(SendError::NotConfigured)
    ));
    assert_eq!(stub.requests().len(), before);
}

async fn refusal(status: &str, code: &str) -> (String, RefusedKind) {
    let body =
        json!({"Code": code, "Message": "触发分钟级流控Permits:1 13800138000", "RequestId": "x"});
    let stub = Stub::answering(status, &body.to_string()).await;
    let sender = aliyun(stub.url(), reach());
    let error = sender.send(&crate::code()).await.unwrap_err();
    stub.request();
    match error {
        SendError::Refused { code, kind } => (code, kind),
        other => panic!("{other:?}"),
    }
}

/// Proves OTP-13: every code but `OK` is a failure, with whatever status.
#[tokio::test]
async fn a_refusal_is_a_failure() {
    for (status, code, kind) in [
        (
            "200 OK",
            "isv.BUSINESS_LIMIT_CONTROL",
            RefusedKind::TooOften,
        ),
        ("200 OK", "isv.DAY_LIMIT_CONTROL", RefusedKind::TooOften),
        (
            "200 OK",
            "isv.MOBILE_NUMBER_ILLEGAL",
            RefusedKind::BadNumber,
        ),
        (
            "200 OK",
            "isv.AMOUNT_NOT_ENOUGH",
            RefusedKind::Misconfigured,
        ),
        (
            "200 OK",
            "isv.SMS_TEMPLATE_ILLEGAL",
            RefusedKind::Misconfigured,
        ),
        (
            "200 OK",
            "isp.RAM_PERMISSION_DENY",
            RefusedKind::Misconfigured,
        ),
        ("200 OK", "isv.BLACK_KEY_CONTROL_LIMIT", RefusedKind::Other),
        ("200 OK", "isp.SYSTEM_ERROR", RefusedKind::Other),
        (
            "400 Bad Request",
            "SignatureDoesNotMatch",
            RefusedKind::Misconfigured,
        ),
        (
            "404 Not Found",
            "InvalidAccessKeyId.NotFound",
            RefusedKind::Misconfigured,
        ),
        ("403 Forbidden", "Forbidden.RAM", RefusedKind::Misconfigured),
        ("400 Bad Request", "Throttling.User", RefusedKind::TooOften),
        ("503 Unavailable", "ServiceUnavailable", RefusedKind::Other),
    ] {
        assert_eq!(refusal(status, code).await, (code.to_owned(), kind));
    }
}

/// Proves OTP-13: an answer that does not say `OK` is no success.
#[tokio::test]
async fn an_answer_that_makes_no_sense_is_a_failure() {
    for (status, body) in [
        ("200 OK", ""),
        ("200 OK", "{}"),
        ("200 OK", r#"{"Code":200}"#),
        ("200 OK", r#""OK""#),
        ("200 OK", "<Code>OK</Code>"),
        ("200 OK", &ACCEPTED[..ACCEPTED.len() - 1]),
        ("500 Oops", ACCEPTED),
        ("302 Found", ACCEPTED),
        ("202 Accepted", ACCEPTED),
    ] {
        let stub = Stub::answering(status, body).await;
        let outcome = aliyun(stub.url(), reach()).send(&code()).await;
        assert!(
            matches!(outcome, Err(SendError::Garbled(_))),
            "{status} {body}: {outcome:?}"
        );
        stub.request();
    }
}

#[tokio::test]
async fn trying_out_sends_no_message_and_sees_a_wrong_key() {
    let tried = async |status: &str, code: &str| {
        let stub = Stub::answering(status, &json!({ "Code": code }).to_string()).await;
        let outcome = aliyun(stub.url(), reach()).try_out().await;
        let request = stub.request();
        assert_eq!(request.header("x-acs-action"), "QuerySmsSignList");
        assert!(!request.line().contains("Phone"));
        assert_signed(&request);
        outcome
    };
    tried("200 OK", "OK").await.unwrap();
    tried("403 Forbidden", "NoPermission").await.unwrap();
    for (status, wrong) in [
        ("404 Not Found", "InvalidAccessKeyId.NotFound"),
        ("400 Bad Request", "SignatureDoesNotMatch"),
        ("400 Bad Request", "InvalidTimeStamp.Expired"),
    ] {
        let refused = tried(status, wrong).await.unwrap_err();
        let SendError::Refused { code, kind } = refused else {
            panic!("{refused:?}")
        };
        assert_eq!((&*code, kind), (wrong, RefusedKind::Misconfigured));
    }
}

#[test]
fn options_that_cannot_work_are_refused() {
    let made = |change: fn(&mut AliyunOptions)| {
        let mut options = aliyun_options("https://127.0.0.1", reach());
        change(&mut options);
        AliyunSms::new(options, Arc::new(TestClock)).map(|_| ())
    };
    made(|_| {}).unwrap();
    made(|options| options.access_key_id = "钥匙".to_owned()).unwrap_err();
    made(|options| options.access_key_secret = Secret::new("")).unwrap_err();
    made(|options| options.base_url = "dysmsapi.aliyuncs.com".to_owned()).unwrap_err();
}
