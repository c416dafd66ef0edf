//! What WeChat does, by its simulator.

mod accounts;

use menjin_core::{LoginCode, Secret};
use menjin_simulator::Simulator;
use menjin_wechat::{App, Client, Error, Rejection};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

use crate::{APPID, SECRET, TestClock, app, appid, client, impatient, options};

/// A simulator that runs until it is dropped.
struct Simulated {
    simulator: Simulator,
    address: String,
    _tasks: JoinSet<()>,
}

impl Simulated {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let simulator = Simulator::new(menjin_simulator::Options {
            apps: vec![menjin_simulator::App {
                appid: APPID.to_owned(),
                secret: SECRET.to_owned(),
            }],
        });
        let mut tasks = JoinSet::new();
        let served = simulator.clone();
        tasks.spawn(async move {
            served
                .serve(listener, std::future::pending())
                .await
                .unwrap();
        });
        Self {
            simulator,
            address,
            _tasks: tasks,
        }
    }

    fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    fn code_of(&self, person: &str) -> LoginCode {
        LoginCode::parse(&self.simulator.login(person, None).unwrap()).unwrap()
    }

    /// Sends a request of one's own and gives the whole answer.
    async fn ask(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    /// Turns one of the simulator's controls.
    async fn control(&self, name: &str, body: &str) {
        let answer = self
            .ask(&format!(
                "POST /simulator/{name} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\
                 Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            ))
            .await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }

    /// Makes the next sign-in fail.
    async fn fault(&self, kind: &str) {
        let body = format!(r#"{{"path":"/sns/jscode2session","times":1,{kind}}}"#);
        self.control("faults", &body).await;
    }
}

async fn rejection(client: &Client, code: &LoginCode) -> Rejection {
    match client.code_to_session(&appid(), code).await {
        Err(Error::Answered(rejection)) => rejection,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_code_becomes_a_session() {
    let wechat = Simulated::start().await;
    let client = client(options(&wechat.url()));
    let first = client
        .code_to_session(&appid(), &wechat.code_of("wang"))
        .await
        .unwrap();
    let again = client
        .code_to_session(&appid(), &wechat.code_of("wang"))
        .await
        .unwrap();
    let other = client
        .code_to_session(&appid(), &wechat.code_of("li"))
        .await
        .unwrap();
    assert_eq!(first.openid, again.openid);
    assert_ne!(first.openid, other.openid);
    assert!(first.unionid.is_some());
    assert_eq!(first.session_key.expose().len(), 24);
}

/// Proves LGN-6: codes that WeChat declines are told with its number and its words.
#[tokio::test]
async fn codes_that_are_used_or_unknown_are_declined() {
    let wechat = Simulated::start().await;
    let client = client(options(&wechat.url()));
    let code = wechat.code_of("wang");
    client.code_to_session(&appid(), &code).await.unwrap();
    let used = rejection(&client, &code).await;
    assert_eq!(
        (used.errcode, used.errmsg.as_str()),
        (40163, "code been used")
    );
    assert!(used.rid.is_some_and(|rid| rid.len() == 26));
    let unknown = rejection(&client, &crate::code()).await;
    assert_eq!(
        (unknown.errcode, unknown.errmsg.as_str()),
        (40029, "invalid code")
    );
}

/// Proves LGN-6: what WeChat makes of a wrong secret.
#[tokio::test]
async fn a_wrong_secret_is_declined() {
    let wechat = Simulated::start().await;
    let app = App {
        secret: Secret::new("wrong & wrong=1"),
        ..app()
    };
    let client = Client::new(
        options(&wechat.url()),
        vec![app],
        std::sync::Arc::<TestClock>::default(),
    )
    .unwrap();
    assert_eq!(
        rejection(&client, &wechat.code_of("wang")).await.errcode,
        40125
    );
}

/// Proves LGN-6: every errcode of the contract's table, and one that nobody knows, arrives as sent.
#[tokio::test]
async fn errcodes_arrive_as_sent() {
    let wechat = Simulated::start().await;
    let client = client(options(&wechat.url()));
    for (errcode, errmsg) in [
        (-1, "system error"),
        (40029, "invalid code"),
        (40163, "code been used"),
        (40226, "code blocked"),
        (
            45011,
            "api minute-quota reach limit, must slower, retry next minute",
        ),
        (45009, "reach max api daily quota limit"),
        (40013, "invalid appid"),
        (40125, "invalid appsecret"),
        (41002, "appid missing"),
        (41004, "appsecret missing"),
        (89999, "a word nobody knows"),
    ] {
        wechat
            .fault(&format!(
                r#""kind":"errcode","errcode":{errcode},"errmsg":"{errmsg}, rid: 652d44d0-1d0af18b-5b069232""#
            ))
            .await;
        let got = rejection(&client, &wechat.code_of("wang")).await;
        let rid = Some("652d44d0-1d0af18b-5b069232".to_owned());
        assert_eq!(
            got,
            Rejection {
                errcode,
                errmsg: errmsg.to_owned(),
                rid
            }
        );
    }
}

/// Proves F14: after each failure that the simulator plays, the next sign-in works.
#[tokio::test]
async fn the_call_after_a_failure_works() {
    let wechat = Simulated::start().await;
    for (kind, expected) in [
        (
            r#""kind":"status","status":500"#,
            "Garbled(\"HTTP status 5xx\")",
        ),
        (
            r#""kind":"status","status":412"#,
            "Garbled(\"HTTP status 412\")",
        ),
        (r#""kind":"garbage""#, "Garbled"),
        (r#""kind":"delay","ms":5000"#, "TimedOut"),
        (r#""kind":"hang""#, "TimedOut"),
        (r#""kind":"reset""#, "Unreachable"),
        (r#""kind":"truncate""#, "Unreachable"),
    ] {
        let client = client(impatient(&wechat.url()));
        wechat.fault(kind).await;
        let error = client
            .code_to_session(&appid(), &wechat.code_of("wang"))
            .await
            .unwrap_err();
        assert!(
            format!("{error:?}").starts_with(expected),
            "{kind}: {error:?}"
        );
        client
            .code_to_session(&appid(), &wechat.code_of("wang"))
            .await
            .unwrap();
    }
}
