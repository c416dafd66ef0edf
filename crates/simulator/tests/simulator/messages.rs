//! `/simulator/sms` and `/simulator/mails`.

use menjin_simulator::{Mail, Sms};
use serde_json::{Value, json};

use crate::harness::Wechat;

fn sms(code: &str) -> Sms {
    Sms {
        to: "+8613800138000".to_owned(),
        text: format!("Your code is {code}."),
        code: code.to_owned(),
    }
}

fn mail(subject: &str) -> Mail {
    Mail {
        to: "wang@example.com".to_owned(),
        subject: subject.to_owned(),
        text: "Open the link.".to_owned(),
        html: "<p>Open the link.</p>".to_owned(),
        link: "http://127.0.0.1:8080/mail/confirm?token=a".to_owned(),
    }
}

#[tokio::test]
async fn messages_are_shown_in_the_order_of_their_coming_with_the_simulators_time() {
    let wechat = Wechat::open().await;
    let nothing = json!({ "messages": [] });
    for name in ["sms", "mails"] {
        assert_eq!(wechat.control("GET", name, Value::Null).await, nothing);
    }
    wechat.simulator.sms_arrived(sms("123456"));
    wechat.simulator.mail_arrived(mail("确认"));
    wechat.advance(3600).await;
    wechat.simulator.sms_arrived(sms("654321"));

    let mut shown = wechat.control("GET", "sms", Value::Null).await;
    let times = [0, 1].map(|index| {
        let at = shown["messages"][index]["at"].take();
        let at = at.as_str().unwrap();
        assert!(at.ends_with('Z'), "{at}");
        at.parse::<jiff::Timestamp>().unwrap().as_second()
    });
    assert!((3600..3660).contains(&(times[1] - times[0])), "{times:?}");
    let row = |code: &str| {
        json!({
            "to": "+8613800138000", "text": format!("Your code is {code}."), "code": code,
            "at": null,
        })
    };
    assert_eq!(shown, json!({ "messages": [row("123456"), row("654321")] }));

    let mut shown = wechat.control("GET", "mails", Value::Null).await;
    assert!(shown["messages"][0]["at"].take().is_string());
    let row = json!({
        "to": "wang@example.com", "subject": "确认", "text": "Open the link.",
        "html": "<p>Open the link.</p>", "link": "http://127.0.0.1:8080/mail/confirm?token=a",
        "at": null,
    });
    assert_eq!(shown, json!({ "messages": [row] }));

    assert_eq!(wechat.control("DELETE", "sms", Value::Null).await, nothing);
    assert_eq!(wechat.control("GET", "sms", Value::Null).await, nothing);
    let mails = wechat.control("GET", "mails", Value::Null).await;
    assert_eq!(mails["messages"].as_array().unwrap().len(), 1);
    assert_eq!(
        wechat.control("DELETE", "mails", Value::Null).await,
        nothing
    );
}

#[tokio::test]
async fn a_thousand_of_each_are_kept() {
    let wechat = Wechat::open().await;
    for number in 0..1001 {
        wechat.simulator.sms_arrived(sms(&format!("{number:06}")));
        wechat.simulator.mail_arrived(mail(&number.to_string()));
    }
    for (name, field, oldest, newest) in [
        ("sms", "code", "000001", "001000"),
        ("mails", "subject", "1", "1000"),
    ] {
        let shown = wechat.control("GET", name, Value::Null).await;
        let messages = shown["messages"].as_array().unwrap();
        assert_eq!(messages.len(), 1000);
        assert_eq!(messages[0][field], oldest);
        assert_eq!(messages[999][field], newest);
    }
}

#[test]
fn a_message_is_not_shown_by_accident() {
    assert_eq!(format!("{:?}", sms("123456")), "Sms { .. }");
    assert_eq!(format!("{:?}", mail("a")), "Mail { .. }");
}
