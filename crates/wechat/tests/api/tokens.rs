//! The access token: asked for once by all who need it, kept, renewed in time, and replaced when
//! WeChat refuses it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use menjin_core::Appid;
use menjin_wechat::{AccessToken, CircuitState, Client, Error, PhoneCode};
use tokio::time::timeout;

use crate::{
    APPID, SECRET, TestClock, appid, client, client_with, code, impatient, options,
    stub::{Play, Stub, answer},
};

const SECOND: Duration = Duration::from_secs(1);
const PHONE: &str = r#"{"errcode":0,"errmsg":"ok","phone_info":{"phoneNumber":"13800138000","purePhoneNumber":"13800138000","countryCode":"86","watermark":{"timestamp":1637744274,"appid":"wx0123456789abcdef"}}}"#;

fn say(body: &str) -> Play {
    Play::Say(answer("200 OK", body.as_bytes()))
}

fn token(nth: usize, seconds: u32) -> String {
    format!(r#"{{"access_token":"token-{nth}_","expires_in":{seconds}}}"#)
}

/// A stub whose tokens are `token-1_`, `token-2_` and so on, and that plays `call` for all else.
async fn stub(call: impl Fn(&str) -> Play + Send + Sync + 'static) -> Stub {
    let tokens = AtomicUsize::new(0);
    Stub::answering(move |request| {
        if is_for_token(request) {
            say(&token(tokens.fetch_add(1, Ordering::SeqCst) + 1, 7200))
        } else {
            call(request)
        }
    })
    .await
}

fn is_for_token(request: &str) -> bool {
    request.starts_with("POST /cgi-bin/stable_token ")
}

/// Requests for a token, and all others.
fn asked(stub: &Stub) -> (usize, usize) {
    let requests = stub.seen.requests();
    let tokens = requests.iter().filter(|one| is_for_token(one)).count();
    (tokens, requests.len() - tokens)
}

async fn value(client: &Client) -> Result<String, Error> {
    let token = client.access_token(&appid()).await?;
    Ok(token.value.expose().to_owned())
}

async fn phone(client: &Client) -> Result<(), Error> {
    let code = PhoneCode::parse("0a1b").unwrap();
    let number = client.phone_number(&appid(), &code, None).await;
    number.map(|_| ())
}

/// Starts a wait for a token and lets it get as far as a request that the stub has read.
async fn begin<F: Future<Output = Result<AccessToken, Error>>>(
    stub: &Stub,
    mut wait: std::pin::Pin<&mut F>,
) {
    while stub.seen.requests().is_empty() {
        assert!(timeout(Duration::from_millis(1), &mut wait).await.is_err());
    }
}

#[tokio::test]
async fn the_request_is_the_documented_one() {
    let stub = stub(|_| Play::Reset).await;
    let token = client(options(&stub.url()))
        .access_token(&appid())
        .await
        .unwrap();
    assert_eq!(token.value.expose(), "token-1_");
    assert_eq!(token.expires_in, 7200 * SECOND);
    let body =
        format!(r#"{{"appid":"{APPID}","grant_type":"client_credential","secret":"{SECRET}"}}"#);
    let requests = stub.seen.requests();
    let (head, sent) = requests[0].split_once("\r\n\r\n").unwrap();
    assert_eq!(sent.len(), body.len());
    let sent: serde_json::Value = serde_json::from_str(sent).unwrap();
    assert_eq!(
        sent,
        serde_json::from_str::<serde_json::Value>(&body).unwrap()
    );
    let length = format!("\r\ncontent-length: {}", body.len());
    assert!(head.starts_with("POST /cgi-bin/stable_token HTTP/1.1\r\n"));
    assert!(head.contains(&length) && head.contains("\r\ncontent-type: application/json"));
    assert!(!head.contains("transfer-encoding"), "{head}");
}

#[tokio::test]
async fn a_token_is_kept_until_five_minutes_before_its_end() {
    let clock = Arc::new(TestClock::default());
    let stub = stub(|_| Play::Reset).await;
    let client = client_with(options(&stub.url()), &clock);
    assert_eq!(value(&client).await.unwrap(), "token-1_");
    clock.advance(6899 * SECOND);
    let kept = client.access_token(&appid()).await.unwrap();
    assert_eq!(kept.value.expose(), "token-1_");
    assert_eq!(kept.expires_in, 301 * SECOND);
    clock.advance(SECOND);
    assert_eq!(value(&client).await.unwrap(), "token-2_");
    assert_eq!(value(&client).await.unwrap(), "token-2_");
    assert_eq!(asked(&stub), (2, 0));
}

/// WeChat gives a token that another process got before, with what is left of its time.
#[tokio::test]
async fn a_token_that_ends_soon_is_used_for_half_its_time() {
    let clock = Arc::new(TestClock::default());
    let stub = Stub::scripted(|nth| say(&token(nth, 300))).await;
    let client = client_with(options(&stub.url()), &clock);
    assert_eq!(value(&client).await.unwrap(), "token-0_");
    clock.advance(149 * SECOND);
    assert_eq!(value(&client).await.unwrap(), "token-0_");
    clock.advance(SECOND);
    assert_eq!(value(&client).await.unwrap(), "token-1_");
}

#[tokio::test]
async fn all_who_need_a_token_share_one_call() {
    let stub = stub(|_| say(PHONE)).await;
    let client = client(options(&stub.url()));
    let values = join_all((0..50).map(|_| value(&client))).await;
    assert!(
        values
            .iter()
            .all(|value| value.as_ref().unwrap() == "token-1_")
    );
    assert_eq!(asked(&stub), (1, 0));
}

/// Proves F14: whoever began the call may leave; those who joined it still get their token.
#[tokio::test]
async fn the_call_goes_on_without_who_began_it() {
    let stub = Stub::always(Play::Drip(answer("200 OK", token(7, 7200).as_bytes()))).await;
    let client = client(options(&stub.url()));
    let appid = appid();
    let mut first = Box::pin(client.access_token(&appid));
    begin(&stub, first.as_mut()).await;
    let mut second = Box::pin(client.access_token(&appid));
    assert!(timeout(Duration::ZERO, &mut second).await.is_err());
    drop(first);
    assert_eq!(second.await.unwrap().value.expose(), "token-7_");
    assert_eq!(stub.seen.requests().len(), 1);
}

/// Proves F14: when all have left, the next one begins anew and waits for nobody.
#[tokio::test]
async fn a_call_that_everybody_left_is_over() {
    let stub = Stub::scripted(|nth| match nth {
        0 => Play::Hang(Vec::new()),
        _ => say(&token(nth, 7200)),
    })
    .await;
    let client = client(options(&stub.url()));
    let appid = appid();
    let mut first = Box::pin(client.access_token(&appid));
    begin(&stub, first.as_mut()).await;
    drop(first);
    assert_eq!(value(&client).await.unwrap(), "token-1_");
}

/// Proves F14: a failure is everybody's who waited and nobody's after them.
#[tokio::test]
async fn a_failure_is_shared_and_not_kept() {
    let stub = Stub::scripted(|nth| match nth {
        0 => Play::Reset,
        _ => say(&token(nth, 7200)),
    })
    .await;
    let client = client(options(&stub.url()));
    for outcome in join_all((0..10).map(|_| value(&client))).await {
        let error = outcome.unwrap_err();
        assert!(matches!(error, Error::Unreachable(_)), "{error:?}");
    }
    assert_eq!(stub.seen.requests().len(), 1);
    assert_eq!(value(&client).await.unwrap(), "token-1_");
}

/// Proves F14: nobody waits longer than the time limit, and the wait of many is one failure.
#[tokio::test]
async fn nobody_waits_for_ever() {
    let stub = Stub::always(Play::Hang(Vec::new())).await;
    let client = client(impatient(&stub.url()));
    let begun = Instant::now();
    for outcome in join_all((0..30).map(|_| phone(&client))).await {
        let error = outcome.unwrap_err();
        assert!(matches!(error, Error::TimedOut), "{error:?}");
    }
    assert!(begun.elapsed() < Duration::from_secs(4));
    assert_eq!(asked(&stub), (1, 0));
    assert_eq!(client.circuits(), [(appid(), CircuitState::Closed)]);
}

/// A refused token is replaced once, and the call made once more.
#[tokio::test]
async fn a_refused_token_is_replaced() {
    for errcode in [40_001, 40_014, 42_001] {
        let refusal = format!(r#"{{"errcode":{errcode},"errmsg":"invalid credential"}}"#);
        let stub = stub(move |request| {
            if request.contains("access_token=token-1_") {
                say(&refusal)
            } else {
                say(PHONE)
            }
        })
        .await;
        let client = client(options(&stub.url()));
        phone(&client).await.unwrap();
        assert_eq!(asked(&stub), (2, 2), "{errcode}");
        phone(&client).await.unwrap();
        assert_eq!(asked(&stub), (2, 3), "{errcode}");
    }
}

#[tokio::test]
async fn a_token_is_replaced_once_and_no_more() {
    let stub = stub(|_| say(r#"{"errcode":42001,"errmsg":"access_token expired rid: a-b"}"#)).await;
    let client = client(options(&stub.url()));
    match phone(&client).await {
        Err(Error::Answered(rejection)) => assert_eq!(rejection.errcode, 42_001),
        other => panic!("{other:?}"),
    }
    assert_eq!(asked(&stub), (2, 2));
}

/// Many calls whose token is refused at once bring one new token, since a refusal that comes late
/// is of a token that has been replaced.
#[tokio::test]
async fn many_refusals_bring_one_new_token() {
    let stub = stub(|request| {
        if request.contains("access_token=token-1_") {
            say(r#"{"errcode":40001,"errmsg":"invalid credential"}"#)
        } else {
            say(PHONE)
        }
    })
    .await;
    let client = client(options(&stub.url()));
    value(&client).await.unwrap();
    for outcome in join_all((0..50).map(|_| phone(&client))).await {
        outcome.unwrap();
    }
    assert_eq!(asked(&stub), (2, 100));
}

/// Nothing but a refused token makes a call be repeated.
#[tokio::test]
async fn nothing_else_is_asked_twice() {
    for play in [
        Play::Reset,
        Play::Close(Vec::new()),
        Play::Hang(Vec::new()),
        Play::Say(answer("500 Oops", b"")),
        say("garbage"),
        say(r#"{"errcode":-1,"errmsg":"system error"}"#),
        say(r#"{"errcode":40029,"errmsg":"invalid code"}"#),
        say(r#"{"errcode":45011,"errmsg":"slower"}"#),
    ] {
        let stub = stub(move |_| play.clone()).await;
        let client = client(impatient(&stub.url()));
        phone(&client).await.unwrap_err();
        assert_eq!(asked(&stub), (1, 1));
    }
}

#[tokio::test]
async fn a_doubtful_token_is_none() {
    let long = format!(
        r#"{{"access_token":"{}","expires_in":7200}}"#,
        "t".repeat(2049)
    );
    for (body, words) in [
        (r#"{"expires_in":7200}"#, "no access_token"),
        (r#"{"access_token":7,"expires_in":7200}"#, "no access_token"),
        (
            r#"{"access_token":"","expires_in":7200}"#,
            "an impossible access_token",
        ),
        (
            r#"{"access_token":"a b","expires_in":7200}"#,
            "an impossible access_token",
        ),
        (&long, "an impossible access_token"),
        (r#"{"access_token":"t"}"#, "an impossible expires_in"),
        (
            r#"{"access_token":"t","expires_in":0}"#,
            "an impossible expires_in",
        ),
        (
            r#"{"access_token":"t","expires_in":-7200}"#,
            "an impossible expires_in",
        ),
        (
            r#"{"access_token":"t","expires_in":1e3}"#,
            "an impossible expires_in",
        ),
        (
            r#"{"access_token":"t","expires_in":86401}"#,
            "an impossible expires_in",
        ),
        (r#"["t",7200]"#, "not a JSON object"),
    ] {
        let stub = Stub::always(say(body)).await;
        match value(&client(options(&stub.url()))).await {
            Err(Error::Garbled(got)) => assert_eq!(got, words, "{body:.60}"),
            other => panic!("{body:.60}: {other:?}"),
        }
    }
    let text = r#"{"access_token":"t/+=","expires_in":"7200","errcode":0}"#;
    let stub = Stub::always(say(text)).await;
    assert_eq!(value(&client(options(&stub.url()))).await.unwrap(), "t/+=");
}

/// A token is put into the URL so that it cannot add to the query.
#[tokio::test]
async fn a_token_is_encoded() {
    let stub = Stub::answering(|request| {
        if is_for_token(request) {
            say(r#"{"access_token":"a&b=/+#%","expires_in":7200}"#)
        } else {
            say(PHONE)
        }
    })
    .await;
    phone(&client(options(&stub.url()))).await.unwrap();
    let path = "POST /wxa/business/getuserphonenumber?access_token=a%26b%3D%2F%2B%23%25 HTTP/1.1";
    assert!(stub.seen.requests()[1].starts_with(path));
}

/// One circuit for all calls of an app, whatever they ask.
#[tokio::test]
async fn all_calls_of_an_app_share_its_circuit() {
    let stub = stub(|_| Play::Reset).await;
    let client = client(options(&stub.url()));
    for _ in 0..20 {
        phone(&client).await.unwrap_err();
    }
    assert_eq!(asked(&stub), (1, 20));
    let error = client.code_to_session(&appid(), &code()).await.unwrap_err();
    assert!(matches!(error, Error::CircuitOpen { .. }), "{error:?}");
    let error = phone(&client).await.unwrap_err();
    assert!(matches!(error, Error::CircuitOpen { .. }), "{error:?}");
    assert_eq!(asked(&stub), (1, 20));
}

#[tokio::test]
async fn an_unknown_app_has_no_token() {
    let stub = Stub::always(say(&token(0, 7200))).await;
    let stranger = Appid::parse("wxfedcba9876543210").unwrap();
    let client = client(options(&stub.url()));
    let error = client.access_token(&stranger).await.unwrap_err();
    assert!(matches!(error, Error::Unreachable(_)), "{error:?}");
    assert!(stub.seen.requests().is_empty());
}
