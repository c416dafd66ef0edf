//! What Tencent Cloud is told, and what its answers mean.

use std::sync::Arc;

use menjin_core::{Secret, verification::Purpose};
use menjin_messages::{
    RefusedKind, SendError, SetupError, SmsSender, SmsTemplates, TencentOptions, TencentSms,
};
use serde_json::json;

use crate::{
    KEY, TestClock, code, code_for, hex, hmac_sha256, notice, reach, sha256, sms_to,
    stub::{Request, Stub},
    tencent, tencent_options,
};

const ACCEPTED: &str = r#"{"Response":{"SendStatusSet":[{"SerialNo":"5000:1045710669157053657849499619","PhoneNumber":"+8613800138000","Fee":1,"SessionContext":"request-1","Code":"Ok","Message":"send success","IsoCode":"CN"}],"RequestId":"a0aabda6-cf91-4f3e-a81f-9198114a2279"}}"#;

/// Signs what arrived, as the provider would.
fn assert_signed(request: &Request) {
    let header = |name| request.header(name);
    let names = "content-type;host;x-tc-action";
    let canonical = format!(
        "POST\n/\n\ncontent-type:{}\nhost:{}\nx-tc-action:{}\n\n{names}\n{}",
        header("content-type"),
        header("host"),
        header("x-tc-action").to_lowercase(),
        sha256(&request.body),
    );
    let scope = "2023-11-14/sms/tc3_request";
    let text = format!(
        "TC3-HMAC-SHA256\n{}\n{scope}\n{}",
        header("x-tc-timestamp"),
        sha256(&canonical)
    );
    let mut key = format!("TC3{KEY}").into_bytes();
    for part in scope.split('/') {
        key = hmac_sha256(&key, part);
    }
    let signature = hex(&hmac_sha256(&key, &text));
    assert_eq!(
        header("authorization"),
        format!(
            "TC3-HMAC-SHA256 Credential=AKIDexample/{scope}, SignedHeaders={names}, \
             Signature={signature}"
        )
    );
}

#[tokio::test]
async fn a_code_goes_out_signed() {
    let stub = Stub::answering("200 OK", ACCEPTED).await;
    let receipt = tencent(stub.url(), reach()).send(&code()).await.unwrap();
    assert_eq!(
        receipt.provider_id.as_deref(),
        Some("5000:1045710669157053657849499619")
    );
    assert_eq!(receipt.cost, Some(1));
    let request = stub.request();
    assert_eq!(request.line(), "POST / HTTP/1.1");
    assert_eq!(request.header("x-tc-action"), "SendSms");
    assert_eq!(request.header("x-tc-version"), "2021-01-11");
    assert_eq!(request.header("x-tc-region"), "ap-guangzhou");
    assert_eq!(request.header("x-tc-timestamp"), "1700000000");
    assert_eq!(
        request.json(),
        json!({
            "PhoneNumberSet": ["+8613800138000"],
            "SmsSdkAppId": "1400006666",
            "SignName": "门禁",
            "TemplateId": "T-register",
            "TemplateParamSet": ["907613", "5"],
            "SessionContext": "request-1",
        })
    );
    assert_signed(&request);
}

#[tokio::test]
async fn each_purpose_has_its_template() {
    let stub = Stub::answering("200 OK", ACCEPTED).await;
    let sender = tencent(stub.url(), reach());
    for (sms, template, parameters) in [
        (
            sms_to("+8613800138000", code_for(Purpose::Migrate)),
            "T-migrate",
            2,
        ),
        (
            sms_to("+85251234567", code_for(Purpose::NewPhone)),
            "T-new-phone",
            2,
        ),
        (notice(), "T-changed", 0),
    ] {
        sender.send(&sms).await.unwrap();
        let body = stub.requests().last().unwrap().json();
        assert_eq!(body["TemplateId"], template);
        assert_eq!(
            body["TemplateParamSet"].as_array().unwrap().len(),
            parameters
        );
        assert_eq!(body["PhoneNumberSet"], json!([sms.to.as_str()]));
    }
}

#[tokio::test]
async fn without_a_template_nothing_is_sent() {
    let stub = Stub::answering("200 OK", ACCEPTED).await;
    let options = TencentOptions {
        templates: SmsTemplates {
            register: "T".to_owned(),
            ..SmsTemplates::default()
        },
        ..tencent_options(stub.url(), reach())
    };
    let sender = TencentSms::new(options, Arc::new(TestClock)).unwrap();
    let mail = sms_to("+8613800138000", code_for(Purpose::NewEmail));
    let migrate = sms_to("+8613800138000", code_for(Purpose::Migrate));
    for sms in [notice(), mail, migrate] {
        let error = sender.send(&sms).await.unwrap_err();
        assert!(matches!(error, SendError::NotConfigured), "{error:?}");
    }
    assert!(stub.requests().is_empty());
    sender.send(&code()).await.unwrap();
    assert_eq!(stub.request().json()["TemplateParamSet"], json!(["907613"]));
}

async fn refusal(body: &str) -> (String, RefusedKind) {
    let stub = Stub::answering("200 OK", body).await;
    let sender = tencent(stub.url(), reach());
    let error = sender.send(&code()).await.unwrap_err();
    stub.request();
    match error {
        SendError::Refused { code, kind } => (code, kind),
        other => panic!("{other:?}"),
    }
}

/// Proves OTP-13: what fails for the number alone has failed, though the request as a whole did not.
#[tokio::test]
async fn a_refused_number_is_a_failure() {
    for (code, kind) in [
        (
            "LimitExceeded.PhoneNumberThirtySecondLimit",
            RefusedKind::TooOften,
        ),
        ("LimitExceeded.PhoneNumberDailyLimit", RefusedKind::TooOften),
        (
            "FailedOperation.PhoneNumberInBlacklist",
            RefusedKind::BadNumber,
        ),
        (
            "InvalidParameterValue.IncorrectPhoneNumber",
            RefusedKind::BadNumber,
        ),
        (
            "FailedOperation.InsufficientBalanceInSmsPackage",
            RefusedKind::Misconfigured,
        ),
        (
            "FailedOperation.TemplateIncorrectOrUnapproved",
            RefusedKind::Misconfigured,
        ),
        ("FailedOperation.ContainSensitiveWord", RefusedKind::Other),
        ("InternalError.Timeout", RefusedKind::Other),
    ] {
        let body = json!({"Response": {"SendStatusSet": [{
            "SerialNo": "", "PhoneNumber": "+8613800138000", "Fee": 0, "Code": code,
            "Message": "the number +8613800138000", "SessionContext": "", "IsoCode": "CN"
        }], "RequestId": "x"}});
        let refused = refusal(&body.to_string()).await;
        assert_eq!(refused, (code.to_owned(), kind));
    }
}

#[tokio::test]
async fn a_refused_request_is_a_failure() {
    for (code, kind) in [
        ("AuthFailure.SignatureFailure", RefusedKind::Misconfigured),
        (
            "UnauthorizedOperation.SerivceSuspendDueToArrears",
            RefusedKind::Misconfigured,
        ),
        ("MissingParameter", RefusedKind::Misconfigured),
        ("RequestLimitExceeded", RefusedKind::TooOften),
        ("InternalError", RefusedKind::Other),
    ] {
        let body = json!({"Response": {
            "Error": {"Code": code, "Message": "words"}, "RequestId": "x"
        }});
        let refused = refusal(&body.to_string()).await;
        assert_eq!(refused, (code.to_owned(), kind));
    }
}

/// Proves OTP-13: an answer that does not say "Ok" for the one number is no success.
#[tokio::test]
async fn an_answer_that_makes_no_sense_is_a_failure() {
    let two = ACCEPTED.replace(
        "\"SendStatusSet\":[",
        "\"SendStatusSet\":[{\"Code\":\"Ok\"},",
    );
    for body in [
        "",
        "null",
        "[]",
        "{}",
        r#"{"Response":{}}"#,
        r#"{"Response":{"SendStatusSet":[]}}"#,
        r#"{"Response":{"SendStatusSet":[{}]}}"#,
        r#"{"Response":{"SendStatusSet":[{"Code":0}]}}"#,
        r#"{"Response":{"SendStatusSet":"Ok"}}"#,
        &two,
        &ACCEPTED[..ACCEPTED.len() - 1],
        "<html>Ok</html>",
    ] {
        let stub = Stub::answering("200 OK", body).await;
        let outcome = tencent(stub.url(), reach()).send(&code()).await;
        assert!(
            matches!(outcome, Err(SendError::Garbled(_))),
            "{body}: {outcome:?}"
        );
        stub.request();
    }
}

/// An id that repeats the number or the code would carry them into logs.
#[tokio::test]
async fn an_id_that_tells_something_is_left_out() {
    for id in ["13800138000-1", "x907613", "", "a b", "编号"] {
        let body = ACCEPTED.replace("5000:1045710669157053657849499619", id);
        let stub = Stub::answering("200 OK", &body).await;
        let receipt = tencent(stub.url(), reach()).send(&code()).await.unwrap();
        assert_eq!(receipt.provider_id, None, "{id}");
    }
}

#[tokio::test]
async fn trying_out_sends_no_message_and_sees_a_wrong_key() {
    let tried = async |body: &str| {
        let stub = Stub::answering("200 OK", body).await;
        let outcome = tencent(stub.url(), reach()).try_out().await;
        let request = stub.request();
        assert_eq!(request.header("x-tc-action"), "DescribeSmsSignList");
        assert!(!request.body.contains("Phone"));
        assert_signed(&request);
        outcome
    };
    let error = |code: &str| json!({"Response": {"Error": {"Code": code}}}).to_string();
    let listed = r#"{"Response":{"DescribeSignListStatusSet":[],"RequestId":"x"}}"#;
    tried(listed).await.unwrap();
    tried(&error("AuthFailure.UnauthorizedOperation"))
        .await
        .unwrap();
    tried(&error("InvalidParameter")).await.unwrap();
    for wrong in [
        "AuthFailure.SecretIdNotFound",
        "AuthFailure.SignatureFailure",
    ] {
        let refused = tried(&error(wrong)).await.unwrap_err();
        let SendError::Refused { code, kind } = refused else {
            panic!("{refused:?}")
        };
        assert_eq!((&*code, kind), (wrong, RefusedKind::Misconfigured));
    }
    assert!(matches!(tried("garbage").await, Err(SendError::Garbled(_))));
}

#[test]
fn options_that_cannot_work_are_refused() {
    let made = |change: fn(&mut TencentOptions)| {
        let mut options = tencent_options("https://127.0.0.1", reach());
        change(&mut options);
        TencentSms::new(options, Arc::new(TestClock)).map(|_| ())
    };
    made(|_| {}).unwrap();
    made(|options| options.secret_id = "a\r\nb".to_owned()).unwrap_err();
    made(|options| options.secret_id = String::new()).unwrap_err();
    made(|options| options.secret_key = Secret::new("")).unwrap_err();
    made(|options| options.region = "ap guangzhou".to_owned()).unwrap_err();
    for url in [
        "",
        "sms",
        "ftp://a",
        "https://",
        "https://a/b",
        "https://a?b",
    ] {
        let options = tencent_options(url, reach());
        let error = TencentSms::new(options, Arc::new(TestClock)).map(|_| ());
        assert!(matches!(error, Err(SetupError::Url(_))), "{url}");
    }
    let options = tencent_options("https://wang:c4n4ry@a", reach());
    let Err(error) = TencentSms::new(options, Arc::new(TestClock)) else {
        panic!("a password in the URL")
    };
    assert!(!format!("{error} {error:?}").contains("c4n4ry"));
}
