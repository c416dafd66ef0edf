//! `POST /simulator/events`: what a back end gets to see of it.

use std::{io, net::SocketAddr};

use aws_lc_rs::{
    cipher::{AES_256, DecryptingKey, DecryptionContext, UnboundCipherKey},
    digest::{SHA1_FOR_LEGACY_USE_ONLY, digest},
    iv::FixedLength,
};
use axum::{
    Router,
    extract::{RawQuery, State},
    http::{HeaderMap, Method, StatusCode, Uri},
    response::{IntoResponse, Response},
};
use base64::{
    Engine,
    alphabet::STANDARD,
    engine::{GeneralPurpose, GeneralPurposeConfig},
    prelude::BASE64_STANDARD,
};
use serde_json::{Value, json};
use tokio::{
    net::TcpListener,
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    task::JoinSet,
};

use crate::harness::{APPID, OTHER_APPID, Wechat, hex};

const TOKEN: &str = "AAAAA";
/// It ends in bits that no whole byte has room for, as half of these keys do.
const AES_KEY: &str = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG";

/// What came to the back end.
struct Came {
    path: String,
    query: Vec<(String, String)>,
    content_type: String,
    length: Option<String>,
    body: String,
}

/// A back end that notes what comes; to `/moved` it answers with a redirect.
struct BackEnd {
    address: SocketAddr,
    came: UnboundedReceiver<Came>,
    _serving: JoinSet<io::Result<()>>,
}

async fn note(
    State(came): State<UnboundedSender<Came>>,
    RawQuery(query): RawQuery,
    (method, uri): (Method, Uri),
    headers: HeaderMap,
    body: String,
) -> Response {
    assert_eq!(method, Method::POST);
    let header = |name| {
        headers
            .get(name)
            .map(|value| value.to_str().unwrap().to_owned())
    };
    let query = query.unwrap_or_default();
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let noted = Came {
        path: uri.path().to_owned(),
        query: pairs
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
        content_type: header("content-type").unwrap(),
        length: header("content-length"),
        body,
    };
    came.send(noted).unwrap();
    if uri.path() == "/moved" {
        (StatusCode::FOUND, [("location", "/elsewhere")]).into_response()
    } else {
        (StatusCode::ACCEPTED, "成功").into_response()
    }
}

impl BackEnd {
    async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, came) = unbounded_channel();
        let router = Router::new().fallback(note).with_state(sender);
        let mut serving = JoinSet::new();
        serving.spawn(async { axum::serve(listener, router).await });
        Self {
            address,
            came,
            _serving: serving,
        }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// What came of an order; it must go through.
    async fn push(&mut self, wechat: &Wechat, order: &Value) -> Came {
        let mut order = order.clone();
        order["url"] = json!(self.url("/wechat/events"));
        order["token"] = json!(TOKEN);
        let said = wechat.control("POST", "events", order).await;
        assert_eq!(said, json!({ "status": 202, "body": "成功" }));
        self.came.try_recv().unwrap()
    }
}

impl Came {
    fn query(&self, name: &str) -> &str {
        let found = self.query.iter().find(|(given, _)| given == name);
        found.map_or("", |(_, value)| value)
    }

    fn signature(&self, more: &[&str]) -> String {
        let signed = [TOKEN, self.query("timestamp"), self.query("nonce")];
        let mut signed = [&signed, more].concat();
        signed.sort_unstable();
        hex(digest(&SHA1_FOR_LEGACY_USE_ONLY, signed.concat().as_bytes()).as_ref())
    }

    fn names(&self) -> Vec<&str> {
        self.query.iter().map(|(name, _)| name.as_str()).collect()
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

/// The message in a cipher text, and the app that it says it is for.
fn open(encrypt: &str) -> (String, String) {
    let config = GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true);
    let key = GeneralPurpose::new(&STANDARD, config)
        .decode(format!("{AES_KEY}="))
        .unwrap();
    let iv: [u8; 16] = key[..16].try_into().unwrap();
    let context = DecryptionContext::Iv128(FixedLength::from(iv));
    let mut sealed = BASE64_STANDARD.decode(encrypt).unwrap();
    assert_eq!(sealed.len() % 32, 0);
    let key = DecryptingKey::cbc(UnboundCipherKey::new(&AES_256, &key).unwrap()).unwrap();
    let plain = key.decrypt(&mut sealed, context).unwrap();
    let padding = usize::from(*plain.last().unwrap());
    let (plain, padded) = plain.split_at(plain.len() - padding);
    assert!((1..=32).contains(&padding) && padded.iter().all(|byte| usize::from(*byte) == padding));
    let length = u32::from_be_bytes(plain[16..20].try_into().unwrap());
    let (message, appid) = plain[20..].split_at(length as usize);
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (text(message), text(appid))
}

async fn wang(wechat: &Wechat) -> Value {
    let people = wechat.control("GET", "people", Value::Null).await;
    let mut people = people["people"].as_array().unwrap().iter();
    people
        .find(|found| found["person"] == "小王")
        .unwrap()
        .clone()
}

#[tokio::test]
async fn an_event_comes_signed_and_says_of_whom_it_is() {
    let wechat = Wechat::configured().await;
    let mut back_end = BackEnd::open().await;
    let wang = wang(&wechat).await;
    let order = json!({
        "person": "小王", "event": "user_authorization_revoke", "revoke_info": ["8"],
    });
    let came = back_end.push(&wechat, &order).await;
    assert_eq!(came.path, "/wechat/events");
    assert_eq!(came.names(), ["signature", "timestamp", "nonce", "openid"]);
    assert_eq!(came.query("signature"), came.signature(&[]));
    assert_eq!(came.content_type, "application/json");
    assert_eq!(came.length, Some(came.body.len().to_string()));

    let mut message = came.json();
    assert_eq!(message["CreateTime"].to_string(), came.query("timestamp"));
    assert_eq!(message["FromUserName"], came.query("openid"));
    assert_ne!(
        message["FromUserName"], wang["openids"][APPID],
        "no person sent it"
    );
    let name = message["ToUserName"].as_str().unwrap();
    assert!(name.starts_with("gh_") && name.len() == 15, "{name}");
    for field in ["CreateTime", "FromUserName", "ToUserName"] {
        message.as_object_mut().unwrap().remove(field);
    }
    let expected = json!({
        "MsgType": "event",
        "Event": "user_authorization_revoke",
        "OpenID": wang["openids"][APPID],
        "UnionID": wang["unionid"],
        "AppID": APPID,
        "RevokeInfo": "8",
        "PluginID": "",
        "OpenPID": "",
    });
    assert_eq!(message, expected);
}

#[tokio::test]
async fn the_other_events_revoke_nothing_and_may_be_of_another_app() {
    let wechat = Wechat::configured().await;
    let mut back_end = BackEnd::open().await;
    let wang = wang(&wechat).await;
    for event in ["user_info_modified", "user_authorization_cancellation"] {
        let order = json!({ "person": "小王", "event": event, "appid": OTHER_APPID });
        let message = back_end.push(&wechat, &order).await.json();
        assert_eq!(message["Event"], event);
        assert_eq!(message["AppID"], OTHER_APPID);
        assert_eq!(message["OpenID"], wang["openids"][OTHER_APPID]);
        assert_eq!(message.get("RevokeInfo"), None);
    }
}

#[tokio::test]
async fn xml_says_the_same() {
    let wechat = Wechat::configured().await;
    let mut back_end = BackEnd::open().await;
    let wang = wang(&wechat).await;
    let order = json!({
        "person": "小王", "event": "user_authorization_revoke", "revoke_info": ["6", "8"],
        "format": "xml",
    });
    let came = back_end.push(&wechat, &order).await;
    assert_eq!(came.content_type, "text/xml");
    let openid = wang["openids"][APPID].as_str().unwrap();
    for part in [
        "<xml><ToUserName><![CDATA[gh_".to_owned(),
        format!("<CreateTime>{}</CreateTime>", came.query("timestamp")),
        "<Event><![CDATA[user_authorization_revoke]]></Event>".to_owned(),
        format!("<OpenID><![CDATA[{openid}]]></OpenID>"),
        "<RevokeInfo><![CDATA[6,8]]></RevokeInfo>".to_owned(),
        "<OpenPID><![CDATA[]]></OpenPID></xml>".to_owned(),
    ] {
        assert!(came.body.contains(&part), "{part}: {}", came.body);
    }
}

#[tokio::test]
async fn with_a_key_only_the_cipher_text_comes() {
    let wechat = Wechat::configured().await;
    let mut back_end = BackEnd::open().await;
    let order = |format: &str| {
        json!({
            "person": "小王", "event": "user_info_modified", "encoding_aes_key": AES_KEY,
            "format": format,
        })
    };
    let came = back_end.push(&wechat, &order("json")).await;
    let names = [
        "signature",
        "timestamp",
        "nonce",
        "openid",
        "encrypt_type",
        "msg_signature",
    ];
    assert_eq!(came.names(), names);
    assert_eq!(came.query("encrypt_type"), "aes");
    let envelope = came.json();
    assert_eq!(envelope.as_object().unwrap().len(), 2);
    let encrypt = envelope["Encrypt"].as_str().unwrap();
    assert_eq!(came.query("signature"), came.signature(&[]));
    assert_eq!(came.query("msg_signature"), came.signature(&[encrypt]));
    let (message, appid) = open(encrypt);
    assert_eq!(appid, APPID);
    let message: Value = serde_json::from_str(&message).unwrap();
    assert_eq!(message["Event"], "user_info_modified");
    assert_eq!(message["ToUserName"], envelope["ToUserName"]);

    let came = back_end.push(&wechat, &order("xml")).await;
    let (_, rest) = came.body.split_once("<Encrypt><![CDATA[").unwrap();
    let (encrypt, end) = rest.split_once("]]>").unwrap();
    assert_eq!(end, "</Encrypt></xml>");
    assert_eq!(came.query("msg_signature"), came.signature(&[encrypt]));
    let (message, _) = open(encrypt);
    assert!(message.starts_with("<xml><ToUserName>"), "{message}");
}

#[tokio::test]
async fn a_query_of_the_address_stays_and_a_redirect_is_not_followed() {
    let wechat = Wechat::configured().await;
    let mut back_end = BackEnd::open().await;
    let order = json!({
        "person": "小王", "event": "user_info_modified", "token": TOKEN,
        "url": back_end.url("/moved?tenant=7"),
    });
    let said = wechat.control("POST", "events", order).await;
    assert_eq!(said, json!({ "status": 302, "body": "" }));
    let came = back_end.came.try_recv().unwrap();
    assert_eq!((came.path.as_str(), came.query("tenant")), ("/moved", "7"));
    assert_eq!(came.query("signature"), came.signature(&[]));
    assert!(back_end.came.try_recv().is_err());
}

#[tokio::test]
async fn a_back_end_that_is_away_is_told_apart_from_a_mistake() {
    let wechat = Wechat::open().await;
    let back_end = BackEnd::open().await;
    // Nobody listens on a port that was bound and given up.
    let gone = {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        format!("http://{}/", listener.local_addr().unwrap())
    };
    let order = |field: &str, value: Value| {
        let mut order = json!({
            "person": "小王", "event": "user_info_modified", "token": TOKEN, "appid": APPID,
            "url": back_end.url("/"),
        });
        order[field] = value;
        order
    };
    for (order, status, part) in [
        (order("url", json!(gone)), 502, "does not answer"),
        (
            order("url", json!("http://192.0.2.1/")),
            400,
            "this machine",
        ),
        (
            order("url", json!("https://127.0.0.1/")),
            400,
            "this machine",
        ),
        (order("appid", Value::Null), 400, "add `appid`"),
        (order("appid", json!("7")), 400, "cannot be an appid"),
        (order("person", json!("")), 400, "1 to 64"),
        (order("token", json!("")), 400, "`token`"),
        (order("event", json!("moved")), 400, "user_info_modified"),
        (order("format", json!("yaml")), 400, "unknown variant"),
        (order("revoke_info", json!(["8"])), 400, "leave it out"),
        (order("encoding_aes_key", json!("short")), 400, "43"),
        (
            order("event", json!("user_authorization_revoke")),
            400,
            "needs `revoke_info`",
        ),
    ] {
        let reply = wechat
            .request("POST", "/simulator/events", &order.to_string())
            .await;
        assert_eq!(reply.status, status, "{order}: {reply:?}");
        let error = reply.json()["error"].as_str().unwrap().to_owned();
        assert!(error.contains(part), "{order}: {error}");
    }
    wechat.session_key("小王").await;
    let reply = order("appid", Value::Null);
    let said = wechat.control("POST", "events", reply).await;
    assert_eq!(said["status"], 202, "of the app where the person was seen");
}

#[tokio::test]
async fn a_back_end_that_never_answers_is_given_up() {
    let wechat = Wechat::open().await;
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let order = json!({
        "person": "小王", "event": "user_info_modified", "token": TOKEN, "appid": APPID,
        "url": format!("http://{}/", silent.local_addr().unwrap()),
    });
    let reply = wechat
        .request("POST", "/simulator/events", &order.to_string())
        .await;
    assert_eq!(reply.status, 502);
    let error = reply.json()["error"].as_str().unwrap().to_owned();
    assert!(error.contains("five seconds"), "{error}");
}
