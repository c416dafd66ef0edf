//! What becomes of each kind of reply.

use menjin_wechat::{Error, Rejection, Session};

use crate::{
    APPID, SECRET, SESSION, appid, client, code, options,
    stub::{Play, Stub, answer, answer_with, chunked},
};

/// What the client makes of one reply.
async fn outcome(reply: Vec<u8>) -> Result<Session, Error> {
    let stub = Stub::always(Play::Close(reply)).await;
    client(options(&stub.url()))
        .code_to_session(&appid(), &code())
        .await
}

async fn body(body: &str) -> Result<Session, Error> {
    outcome(answer("200 OK", body.as_bytes())).await
}

/// Asserts that there is no session, and gives the words on what was wrong.
async fn garbled(reply: Vec<u8>) -> &'static str {
    match outcome(reply).await {
        Err(Error::Garbled(words)) => words,
        other => panic!("{other:?}"),
    }
}

async fn answered(reply: Vec<u8>) -> Rejection {
    match outcome(reply).await {
        Err(Error::Answered(rejection)) => rejection,
        other => panic!("{other:?}"),
    }
}

/// A body that is right but for one member.
fn with(member: &str, value: &str) -> Vec<u8> {
    let mut members = vec![
        ("openid", r#""oGZUI0egBJY1zhBYw2KhdUfwVJJE""#),
        ("session_key", r#""tiihtNczf5v6AKRyjwEUhQ==""#),
    ];
    members.retain(|(name, _)| *name != member);
    members.push((member, value));
    let members: Vec<_> = members
        .iter()
        .map(|(name, value)| format!("\"{name}\":{value}"))
        .collect();
    answer("200 OK", format!("{{{}}}", members.join(",")).as_bytes())
}

fn without(member: &str) -> Vec<u8> {
    let body = SESSION.replace(member, "something_else");
    assert_ne!(body, SESSION);
    answer("200 OK", body.as_bytes())
}

#[tokio::test]
async fn the_documented_reply_is_a_session() {
    let session = body(SESSION).await.unwrap();
    assert_eq!(session.openid.as_str(), "oGZUI0egBJY1zhBYw2KhdUfwVJJE");
    assert_eq!(
        session.unionid.unwrap().as_str(),
        "o6_bmasdasdsad6_2sgVt7hMZOPfL"
    );
    assert_eq!(session.session_key.expose(), "tiihtNczf5v6AKRyjwEUhQ==");
}

#[tokio::test]
async fn the_form_of_a_good_reply_is_free() {
    let old = r#" {"expires_in":7200,"errcode":0,"errmsg":"ok","more":[{"a":[1.5e300]}],"#;
    for reply in [
        chunked(SESSION.as_bytes()),
        answer("200 OK", SESSION.replacen('{', old, 1).as_bytes()),
        answer(
            "200 OK",
            SESSION.replacen('{', "{\"errcode\":\"0\",", 1).as_bytes(),
        ),
        answer("200 Fine", SESSION.replace("oGZ", "\\u006fGZ").as_bytes()),
        answer_with("200 OK", "Content-Type: image/png\r\n", SESSION.as_bytes()),
        [b"HTTP/1.1 200 OK\r\n\r\n", SESSION.as_bytes()].concat(),
        [b"HTTP/1.0 200 OK\r\n\r\n", SESSION.as_bytes()].concat(),
        [
            b"HTTP/1.1 100 Continue\r\n\r\n",
            &*answer("200 OK", SESSION.as_bytes()),
        ]
        .concat(),
    ] {
        let text = String::from_utf8_lossy(&reply).into_owned();
        let session = outcome(reply).await;
        assert!(session.is_ok(), "{session:?} from {text}");
    }
}

#[tokio::test]
async fn a_unionid_may_be_missing() {
    for reply in [
        without("unionid"),
        with("unionid", "\"\""),
        with("unionid", "null"),
    ] {
        assert_eq!(outcome(reply).await.unwrap().unionid, None);
    }
    assert_eq!(
        garbled(with("unionid", "7")).await,
        "a unionid that is no text"
    );
    assert_eq!(
        garbled(with("unionid", "\"a b\"")).await,
        "an impossible unionid"
    );
}

/// Proves LGN-10: an openid that is missing, empty, a number, holds NUL or is a mebibyte long, or
/// that stands beside an errcode, is no session. Nor is the name of a system account.
#[tokio::test]
async fn a_doubtful_openid_is_no_session() {
    let mebibyte = format!("\"{}\"", "o".repeat(1 << 20));
    assert_eq!(garbled(without("openid")).await, "no openid");
    assert_eq!(
        garbled(with("openid", &mebibyte)).await,
        "a body over 64 KiB"
    );
    for number in [
        "7",
        "-7",
        "1e3",
        "18446744073709551616",
        "true",
        "null",
        "[]",
        "[[1]]",
        "{}",
    ] {
        assert_eq!(
            garbled(with("openid", number)).await,
            "no openid",
            "{number}"
        );
    }
    for text in [
        "", "o\\u0000", "\\u0000", "system", "ROOT", "a b", "<script>", "中文",
    ] {
        let reply = with("openid", &format!("\"{text}\""));
        assert_eq!(garbled(reply).await, "an impossible openid", "{text}");
    }
    let beside = SESSION.replacen('{', "{\"errcode\":40029,\"errmsg\":\"invalid code\",", 1);
    assert_eq!(
        answered(answer("200 OK", beside.as_bytes())).await.errcode,
        40029
    );
}

/// Proves LGN-10, of the session key.
#[tokio::test]
async fn a_doubtful_session_key_is_no_session() {
    assert_eq!(garbled(without("session_key")).await, "no session_key");
    for other in ["7", "null", "false", "{\"a\":{}}"] {
        assert_eq!(
            garbled(with("session_key", other)).await,
            "no session_key",
            "{other}"
        );
    }
    for text in ["", "k\\u0000", "a b", &"k".repeat(257)] {
        let reply = with("session_key", &format!("\"{text}\""));
        assert_eq!(garbled(reply).await, "an impossible session_key", "{text}");
    }
}

/// Proves F14: garbage and wrong JSON types.
#[tokio::test]
async fn what_is_not_the_documented_json_is_garbled() {
    for body in [
        "",
        " ",
        "null",
        "7",
        "\"{}\"",
        "[0,\"\",\"o\",\"k\",\"\"]",
        "<html>",
    ] {
        assert_eq!(
            garbled(answer("200 OK", body.as_bytes())).await,
            "not a JSON object",
            "{body}"
        );
    }
    let deep = format!("{{\"a\":{}", "[".repeat(60_000));
    let twice = SESSION.replacen('{', "{\"openid\":\"someone-else\",", 1);
    for body in ["{", "{}}", "{\"a\"}", &format!("{SESSION}x"), &twice, &deep] {
        let words = garbled(answer("200 OK", body.as_bytes())).await;
        assert_eq!(words, "not the documented JSON", "{body:.60}");
    }
    let not_utf8 = [b"{\"openid\":\"\xff\xfe\"}".as_slice(), b""].concat();
    assert_eq!(
        garbled(answer("200 OK", &not_utf8)).await,
        "not the documented JSON"
    );
}

#[tokio::test]
async fn an_errcode_that_is_no_number_is_garbled() {
    for errcode in [
        "\"\"",
        "\"abc\"",
        "40029.5",
        "true",
        "[40029]",
        "{}",
        "9223372036854775808",
    ] {
        let body = format!("{{\"errcode\":{errcode},\"errmsg\":\"x\"}}");
        let words = garbled(answer("200 OK", body.as_bytes())).await;
        assert_eq!(words, "an errcode that is no number", "{errcode}");
    }
}

/// Proves LGN-6: an errcode is told as sent, also as text, with whatever else stands there.
#[tokio::test]
async fn an_errcode_arrives_in_every_form() {
    for (body, errcode, errmsg) in [
        (
            r#"{"errcode":40029,"errmsg":"invalid code, hints: [ req_id: x ]"}"#,
            40029,
            "invalid code",
        ),
        (
            r#"{"errcode":"40029","errmsg":"invalid code"}"#,
            40029,
            "invalid code",
        ),
        (
            r#"{"errcode":"-1","errmsg":"system error"}"#,
            -1,
            "system error",
        ),
        (r#"{"errcode":-1}"#, -1, ""),
        (r#"{"errcode":45011,"errmsg":null}"#, 45011, ""),
        (r#"{"errcode":45011,"errmsg":{"a":1}}"#, 45011, ""),
        (
            r#"{"errcode":87009,"errmsg":"\u65e0\u6548"}"#,
            87009,
            "无效",
        ),
    ] {
        let got = answered(answer("200 OK", body.as_bytes())).await;
        assert_eq!(
            (got.errcode, got.errmsg.as_str()),
            (errcode, errmsg),
            "{body}"
        );
    }
}

#[tokio::test]
async fn other_statuses_are_garbled_unless_wechat_speaks() {
    for (status, words) in [
        ("412 Precondition Failed", "HTTP status 412"),
        ("301 Moved Permanently", "HTTP status 3xx"),
        ("403 Forbidden", "HTTP status 4xx"),
        ("500 Oops", "HTTP status 5xx"),
        ("503 Oops", "HTTP status 5xx"),
        ("206 Partial Content", "HTTP status other than 200"),
        ("700 What", "HTTP status other than 200"),
    ] {
        assert_eq!(garbled(answer(status, b"")).await, words);
        assert_eq!(garbled(answer(status, b"<html>")).await, words);
        assert_eq!(garbled(answer(status, SESSION.as_bytes())).await, words);
        let rejection = answered(answer(status, br#"{"errcode":45009,"errmsg":"x"}"#)).await;
        assert_eq!(rejection.errcode, 45009, "{status}");
    }
    let cut = b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 9\r\n\r\n<html".to_vec();
    assert_eq!(garbled(cut).await, "HTTP status 5xx");
}

#[tokio::test]
async fn the_request_is_the_documented_one() {
    let stub = Stub::always(Play::Say(answer("200 OK", SESSION.as_bytes()))).await;
    client(options(&stub.url()))
        .code_to_session(&appid(), &code())
        .await
        .unwrap();
    let code = code();
    let code = code.expose();
    assert_eq!(
        stub.seen.requests(),
        [format!(
            "GET /sns/jscode2session?appid={APPID}&secret={SECRET}&js_code={code}\
             &grant_type=authorization_code HTTP/1.1\r\nhost: 127.0.0.1:{}\r\n\r\n",
            stub.port
        )]
    );
}
