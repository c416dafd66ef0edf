//! What people read.

use menjin_core::verification::Code;
use serde_json::json;

use super::*;

const LINK: &str = "https://menjin.example.com/confirm?token=a&b=\"><script>alert('x')</script>";

fn to() -> Email {
    Email::parse("wang@example.com").unwrap()
}

fn all(service: &str) -> [Mail; 3] {
    let words = MailWords::new(service);
    [
        words.confirmation(&to(), LINK, Duration::from_hours(24), "r1"),
        words.mail_changed(&to(), "r1"),
        words.phone_changed(&to(), "r1"),
    ]
}

#[test]
fn every_text_message_says_what_it_is_for() {
    let code = |purpose| {
        sms(&SmsKind::Code {
            code: Code::of_json(&json!("012345")).unwrap(),
            minutes: 5,
            purpose,
        })
    };
    assert_eq!(
        code(Purpose::Register),
        "您的验证码是 012345，用于注册，5 分钟内有效。请勿告诉他人；如非本人操作，请忽略本短信。"
    );
    let words = [
        Purpose::Register,
        Purpose::Migrate,
        Purpose::NewPhone,
        Purpose::NewEmail,
    ]
    .map(code);
    for (n, text) in words.iter().enumerate() {
        assert!(text.contains("012345") && text.contains("5 分钟"));
        assert!(!words[..n].contains(text), "said twice: {text}");
        // Three parts of 67 characters would be billed as three messages.
        assert!(text.chars().count() <= 67, "{}", text.chars().count());
    }
    let notice = sms(&SmsKind::Notice {
        kind: NoticeKind::PhoneChanged,
    });
    assert!(notice.contains("更换手机号") && !notice.contains(|c: char| c.is_ascii_digit()));
}

#[test]
fn a_mail_is_in_both_languages_as_text_and_as_html() {
    for mail in all("维修协会") {
        assert!(mail.subject.starts_with("【维修协会】") && mail.subject.contains(" / "));
        for whole in [&mail.text, &mail.html] {
            let chinese = whole.find("邮箱").or(whole.find("手机号")).unwrap();
            let english = whole.find(" you").unwrap();
            assert!(chinese < english, "{whole}");
            assert!(whole.matches("维修协会").count() >= 2, "{whole}");
        }
        for outside in ["http://", "src=", "<img", "<link", "<style", "url("] {
            assert!(!mail.html.contains(outside), "{outside} in {}", mail.html);
        }
    }
}

#[test]
fn a_confirmation_has_its_link_twice_and_says_how_long_it_is_good() {
    let [mail, changed, _] = all("Menjin");
    assert_eq!(mail.link.as_deref(), Some(LINK));
    assert_eq!(mail.text.matches(LINK).count(), 2);
    assert!(mail.text.contains("24 小时内") && mail.text.contains("24 hours"));
    let escaped = escape(LINK);
    assert_eq!(mail.html.matches(&format!("href=\"{escaped}\"")).count(), 2);
    assert_eq!(changed.link, None);
    assert!(!changed.html.contains("<a "));
    assert_eq!(mail.request_id, "r1");
    for (time, english) in [
        (Duration::from_mins(30), "30 minutes"),
        (Duration::from_mins(1), "1 minute"),
        (Duration::from_hours(1), "1 hour"),
        (Duration::from_mins(90), "90 minutes"),
    ] {
        assert_eq!(span(time)[1], english);
    }
}

#[test]
fn nothing_that_is_filled_in_becomes_html_or_a_header() {
    for mail in all("<b>&\"'</b>\r\nBcc: li@example.com") {
        assert!(!mail.html.contains("<script") && !mail.html.contains("<b>"));
        assert!(mail.html.contains("&lt;b&gt;&amp;&quot;&#39;&lt;/b&gt;"));
        assert!(!mail.subject.contains(char::is_control));
        assert_eq!(mail.to, to());
    }
}
