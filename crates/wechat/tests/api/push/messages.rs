//! What is in a message, in JSON and in XML.

use menjin_wechat::PushError;
use serde_json::{Value, json};

use super::{encrypted, plain, sealed_message};

/// The event about a person as WeChat's page shows it, in both forms.
#[test]
fn events_about_accounts_are_read() {
    let xml = "<xml>\n\n<ToUserName><![CDATA[gh_870882ca4b1]]></ToUserName>\n\n\
        <FromUserName><![CDATA[owAqB1v0ahK_Xlc7GshIDdf2yf7E]]></FromUserName>\n\n\
        <CreateTime>1626857200</CreateTime>\n\n<MsgType><![CDATA[event]]></MsgType>\n\n\
        <Event><![CDATA[user_authorization_revoke]]></Event>\n\n\
        <OpenID><![CDATA[owAqB1nqaOYYWl0Ng484G2z5NIwU]]></OpenID>\n\n\
        <UnionID><![CDATA[o6_bmasdasdsad6_2sgVt7hMZOPfL]]></UnionID>\n\n\
        <AppID><![CDATA[wxba5fad812f8e6fb9]]></AppID>\n\n\
        <RevokeInfo><![CDATA[6]]></RevokeInfo>\n\n</xml>";
    let json = json!({
        "ToUserName": "gh_870882ca4b1",
        "FromUserName": "owAqB1v0ahK_Xlc7GshIDdf2yf7E",
        "CreateTime": 1_626_857_200,
        "MsgType": "event",
        "Event": "user_authorization_revoke",
        "OpenID": "owAqB1nqaOYYWl0Ng484G2z5NIwU",
        "UnionID": "o6_bmasdasdsad6_2sgVt7hMZOPfL",
        "AppID": "wxba5fad812f8e6fb9",
        "RevokeInfo": "6",
    });
    let event = plain(xml.as_bytes()).unwrap();
    assert_eq!(event.name, "user_authorization_revoke");
    assert_eq!(
        event.openid.as_ref().unwrap().as_str(),
        "owAqB1nqaOYYWl0Ng484G2z5NIwU"
    );
    assert_eq!(
        event.unionid.as_ref().unwrap().as_str(),
        "o6_bmasdasdsad6_2sgVt7hMZOPfL"
    );
    assert_eq!(
        (event.created_at, event.signed_at),
        (1_626_857_200, 1_714_112_445)
    );
    assert_eq!(event.revoke_info, ["6"]);
    assert_eq!(plain(json.to_string().as_bytes()).unwrap(), event);
    let sealed = sealed_message(xml.len(), xml, "wxba5fad812f8e6fb9");
    assert_eq!(encrypted(&sealed).unwrap(), event);

    let stranger = xml.replace("wxba5fad812f8e6fb9", "wxfedcba9876543210");
    assert_eq!(plain(stranger.as_bytes()), Err(PushError::WrongApp));
}

#[test]
fn what_was_taken_back_is_a_list() {
    for (value, expected) in [
        (json!("8"), &["8"][..]),
        (json!(8), &["8"]),
        (json!("6,8"), &["6", "8"]),
        (json!("6、8; 16"), &["6", "8", "16"]),
        (json!(["6", 8]), &["6", "8"]),
        (json!(""), &[]),
        (json!(null), &[]),
        (json!({ "a": 8 }), &[]),
    ] {
        let body = json!({ "MsgType": "event", "Event": "x", "RevokeInfo": value });
        let event = plain(body.to_string().as_bytes()).unwrap();
        assert_eq!(event.revoke_info, expected, "{value}");
    }
    let long = json!({ "RevokeInfo": "1,".repeat(20_000) }).to_string();
    assert_eq!(plain(long.as_bytes()).unwrap().revoke_info.len(), 64);
}

/// Messages of other kinds are told by their name and never an error, so that WeChat gets its answer.
#[test]
fn other_messages_are_events_too() {
    for (body, name) in [
        (
            r#"{"MsgType":"text","Content":"hi","MsgId":1234567890123456}"#,
            "text",
        ),
        (r#"{"MsgType":"Event","Event":"a","OpenID":{"b":7}}"#, "a"),
        (
            r#"{"MsgType":"event","Event":"wxa_media_check","detail":[{"a":[1]}]}"#,
            "wxa_media_check",
        ),
        (
            r#"{"MsgType":"event","Event":"a b\n","OpenID":"root"}"#,
            "unknown",
        ),
        (r#"{"MsgType":"event"}"#, "event"),
        (r#"{"Event":"user_info_modified"}"#, "unknown"),
        (r#"{"action":"CheckContainerPath"}"#, "unknown"),
        ("<xml><action>CheckContainerPath</action></xml>", "unknown"),
        ("{}", "unknown"),
        (
            "<xml><MsgType>event</MsgType><Event>b</Event><L><A>1</A></L></xml>",
            "b",
        ),
    ] {
        let event = plain(body.as_bytes()).unwrap();
        assert_eq!((event.name.as_str(), event.openid), (name, None), "{body}");
    }
}

#[test]
fn other_bodies_are_malformed() {
    let long = format!("{{\"a\":\"{}\"}}", "a".repeat(64 * 1024));
    for (body, words) in [
        (&b""[..], "bad JSON"),
        (b"[]", "bad JSON"),
        (b"{\"a\":1,\"a\":2}", "bad JSON"),
        (b"<xml>", "bad XML"),
        (b"<!DOCTYPE xml><xml></xml>", "bad XML"),
        (b"<?xml version=\"1.0\"?><xml></xml>", "bad XML"),
        (b"{\"a\":\"\xff\"}", "no UTF-8"),
        (long.as_bytes(), "over 64 KiB"),
    ] {
        assert_eq!(plain(body), Err(PushError::Malformed(words)));
    }
}

#[test]
fn deliveries_of_one_message_have_one_id() {
    let id = |body: Value| plain(body.to_string().as_bytes()).unwrap().id;
    let event = json!({
        "FromUserName": "a", "CreateTime": 1, "MsgType": "event", "Event": "e", "OpenID": "o1",
    });
    assert_eq!(id(event.clone()), id(event.clone()));
    for (member, value) in [
        ("FromUserName", json!("b")),
        ("CreateTime", json!(2)),
        ("Event", json!("f")),
        ("OpenID", json!("o2")),
        ("RevokeInfo", json!("8")),
        ("MsgId", json!(1)),
    ] {
        let mut other = event.clone();
        other[member] = value;
        assert_ne!(id(other), id(event.clone()), "{member}");
    }
}
