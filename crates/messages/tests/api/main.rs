//! The senders against real HTTP and SMTP on this machine: stubs that do what they are told, however
//! wrong.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that meets the unexpected should stop there"
)]

mod aliyun;
mod faults;
mod mail;
mod mail_faults;
mod secrets;
mod smtp;
mod stub;
mod tencent;
mod tls;
mod webhook;

use std::{sync::Arc, time::Duration};

use aws_lc_rs::{digest, hmac};
use menjin_core::{
    Clock, Phone, Secret,
    clock::Instant,
    verification::{Code, Purpose},
};
use menjin_messages::{
    AliyunOptions, AliyunSms, NoticeKind, Reach, Sms, SmsKind, SmsSender, SmsTemplates,
    TencentOptions, TencentSms, WebhookOptions, WebhookSms,
};
use serde_json::json;

/// What signs in these tests, whoever checks.
const KEY: &str = "c4n4rySECRETKEY";
const NUMBER: &str = "+8613800138000";
const CODE: &str = "907613";

/// A clock that stands still, at 2023-11-14T22:13:20Z.
struct TestClock;

impl Clock for TestClock {
    fn now(&self) -> Instant {
        1_700_000_000_000
    }

    fn uptime(&self) -> Duration {
        Duration::ZERO
    }
}

/// The production limits, or nearly: what is tried with them ends long before, on a busy machine too.
fn reach() -> Reach {
    Reach {
        connect_timeout: Duration::from_secs(4),
        ..Reach::default()
    }
}

/// For what is meant to run into its time limit.
fn impatient() -> Reach {
    Reach {
        timeout: Duration::from_secs(1),
        ..reach()
    }
}

fn sms_to(number: &str, kind: SmsKind) -> Sms {
    Sms {
        to: Phone::stored(number).unwrap(),
        kind,
        request_id: "request-1".to_owned(),
    }
}

fn code_for(purpose: Purpose) -> SmsKind {
    SmsKind::Code {
        code: Code::of_json(&json!(CODE)).unwrap(),
        minutes: 5,
        purpose,
    }
}

fn code() -> Sms {
    sms_to(NUMBER, code_for(Purpose::Register))
}

fn notice() -> Sms {
    let kind = NoticeKind::PhoneChanged;
    sms_to(NUMBER, SmsKind::Notice { kind })
}

fn templates() -> SmsTemplates {
    SmsTemplates {
        register: "T-register".to_owned(),
        migrate: "T-migrate".to_owned(),
        new_phone: "T-new-phone".to_owned(),
        phone_changed: Some("T-changed".to_owned()),
        with_minutes: true,
    }
}

fn tencent_options(url: &str, reach: Reach) -> TencentOptions {
    TencentOptions {
        secret_id: "AKIDexample".to_owned(),
        secret_key: Secret::new(KEY),
        sdk_app_id: "1400006666".to_owned(),
        sign_name: "门禁".to_owned(),
        templates: templates(),
        base_url: url.to_owned(),
        reach,
        ..TencentOptions::default()
    }
}

fn aliyun_options(url: &str, reach: Reach) -> AliyunOptions {
    AliyunOptions {
        access_key_id: "LTAIexample".to_owned(),
        access_key_secret: Secret::new(KEY),
        sign_name: "门禁".to_owned(),
        templates: templates(),
        base_url: url.to_owned(),
        reach,
    }
}

fn webhook_options(url: &str, reach: Reach) -> WebhookOptions {
    WebhookOptions {
        url: Secret::new(&format!("{url}/c4n4ryPATH?token=c4n4ryTOKEN")),
        secret: Secret::new(KEY),
        reach,
    }
}

fn tencent(url: &str, reach: Reach) -> TencentSms {
    TencentSms::new(tencent_options(url, reach), Arc::new(TestClock)).unwrap()
}

fn aliyun(url: &str, reach: Reach) -> AliyunSms {
    AliyunSms::new(aliyun_options(url, reach), Arc::new(TestClock)).unwrap()
}

fn webhook(url: &str, reach: Reach) -> WebhookSms {
    WebhookSms::new(&webhook_options(url, reach), Arc::new(TestClock)).unwrap()
}

/// Each kind of sender that reaches out.
fn senders(url: &str, reach: &Reach) -> Vec<(&'static str, Box<dyn SmsSender>)> {
    vec![
        ("tencent", Box::new(tencent(url, reach.clone()))),
        ("aliyun", Box::new(aliyun(url, reach.clone()))),
        ("webhook", Box::new(webhook(url, reach.clone()))),
    ]
}

fn hex(bytes: &[u8]) -> String {
    let digits: Vec<_> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    digits.concat()
}

fn sha256(text: &str) -> String {
    hex(digest::digest(&digest::SHA256, text.as_bytes()).as_ref())
}

fn hmac_sha256(key: &[u8], text: &str) -> Vec<u8> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    hmac::sign(&key, text.as_bytes()).as_ref().to_vec()
}
