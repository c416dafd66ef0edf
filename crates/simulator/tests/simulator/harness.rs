//! A simulator on a port of its own, and a client that sees every byte.

use std::{io, net::SocketAddr, time::Duration};

use menjin_simulator::{App, Options, Simulator};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::oneshot,
    task::JoinSet,
    time::timeout,
};

pub(crate) const APPID: &str = "wx0123456789abcdef";
pub(crate) const OTHER_APPID: &str = "wxfedcba9876543210";
pub(crate) const TYPE: &str = "application/json; encoding=utf-8";
pub(crate) const SECRET: &str = "0123456789abcdef0123456789abcdef";
/// Longer than anything takes, so that a broken simulator fails a test instead of stopping it.
const PATIENCE: Duration = Duration::from_secs(20);

/// A served simulator. It ends with this value.
pub(crate) struct Wechat {
    pub(crate) simulator: Simulator,
    pub(crate) address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    serving: JoinSet<io::Result<()>>,
}

/// An answer, as it came.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    pub(crate) fn parse(bytes: &[u8]) -> Self {
        let end = bytes
            .windows(4)
            .position(|window| window == b"\r\n\r\n")
            .expect("a whole head");
        let head = std::str::from_utf8(&bytes[..end]).unwrap();
        let mut lines = head.split("\r\n");
        let status = lines
            .next()
            .and_then(|line| line.strip_prefix("HTTP/1.1 "))
            .unwrap();
        let headers = lines.map(|line| line.split_once(": ").unwrap());
        Self {
            status: status[..3].parse().unwrap(),
            headers: headers
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
            body: bytes[end + 4..].to_vec(),
        }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self
            .headers
            .iter()
            .find(|(given, _)| given.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The errcode, and the errmsg with its rid masked once that was seen to be one.
    pub(crate) fn declined(&self) -> (i64, String) {
        assert_eq!(self.status, 200, "{self:?}");
        let json = self.json();
        let errmsg = json["errmsg"].as_str().unwrap();
        let (words, rid) = errmsg.split_once("rid: ").unwrap();
        let groups: Vec<_> = rid.split('-').collect();
        let hex = |group: &&str| {
            group.len() == 8
                && group
                    .bytes()
                    .all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
        };
        assert!(groups.len() == 3 && groups.iter().all(hex), "{errmsg}");
        (json["errcode"].as_i64().unwrap(), format!("{words}rid: R"))
    }
}

impl Wechat {
    /// Any app will do.
    pub(crate) async fn open() -> Self {
        Self::with(Options::default()).await
    }

    /// Only two apps exist, both with [`SECRET`].
    pub(crate) async fn configured() -> Self {
        let app = |appid: &str| App {
            appid: appid.to_owned(),
            secret: SECRET.to_owned(),
        };
        Self::with(Options {
            apps: vec![app(APPID), app(OTHER_APPID)],
        })
        .await
    }

    async fn with(options: Options) -> Self {
        let simulator = Simulator::new(options);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let mut serving = JoinSet::new();
        let served = simulator.clone();
        serving.spawn(async move {
            let stop = async { drop(stopped.await) };
            served.serve(listener, stop).await
        });
        Self {
            simulator,
            address,
            stop: Some(stop),
            serving,
        }
    }

    /// Asks the simulator to stop and waits until it has.
    pub(crate) async fn stop(&mut self) {
        self.stop.take().unwrap().send(()).unwrap();
        let served = timeout(PATIENCE, self.serving.join_next())
            .await
            .expect("stopping takes long");
        served.unwrap().unwrap().unwrap();
    }

    /// A connection on which `request` has been written.
    pub(crate) async fn send(&self, request: &[u8]) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(request).await.unwrap();
        stream
    }

    /// Everything that comes back for `request`, which should ask to close the connection.
    pub(crate) async fn exchange(&self, request: &[u8]) -> io::Result<Vec<u8>> {
        let mut stream = self.send(request).await;
        let mut bytes = Vec::new();
        timeout(PATIENCE, stream.read_to_end(&mut bytes))
            .await
            .expect("no end")?;
        Ok(bytes)
    }

    pub(crate) async fn request(&self, method: &str, target: &str, body: &str) -> Reply {
        let request = write(method, target, body);
        Reply::parse(&self.exchange(request.as_bytes()).await.unwrap())
    }

    pub(crate) async fn get(&self, target: &str) -> Reply {
        self.request("GET", target, "").await
    }

    /// What a control answers to `body`; it must accept it.
    pub(crate) async fn control(&self, method: &str, name: &str, body: Value) -> Value {
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        let reply = self
            .request(method, &format!("/simulator/{name}"), &body)
            .await;
        assert_eq!(reply.status, 200, "{reply:?}");
        assert_eq!(reply.header("content-type"), Some("application/json"));
        reply.json()
    }

    /// Waits until `code` was shown to WeChat.
    pub(crate) async fn shown(&self, code: &str) {
        let calls = async || self.control("GET", "calls", Value::Null).await;
        let shown = async { while calls().await["codes"].get(code).is_none() {} };
        timeout(PATIENCE, shown).await.expect("the code never came");
    }

    pub(crate) async fn advance(&self, seconds: u64) {
        self.control("POST", "clock", serde_json::json!({ "seconds": seconds }))
            .await;
    }

    pub(crate) fn code(&self, person: &str) -> String {
        self.simulator.login(person, None).unwrap()
    }

    /// What WeChat says to a back end that exchanges `code` as [`APPID`] does.
    pub(crate) async fn exchange_code(&self, code: &str) -> Reply {
        self.get(&session_target(APPID, SECRET, code)).await
    }

    /// A new access token of `/cgi-bin/token`.
    pub(crate) async fn token(&self, appid: &str) -> String {
        let query = format!("grant_type=client_credential&appid={appid}&secret={SECRET}");
        let reply = self.get(&format!("/cgi-bin/token?{query}")).await;
        reply.json()["access_token"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn session_key(&self, person: &str) -> String {
        let reply = self.exchange_code(&self.code(person)).await;
        reply.json()["session_key"].as_str().unwrap().to_owned()
    }
}

/// One request with a fixed length, after which the connection is to close.
pub(crate) fn write(method: &str, target: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "{method} {target} HTTP/1.1\r\nHost: simulator\r\nConnection: close\r\n\
         Content-Length: {length}\r\n\r\n{body}"
    )
}

/// Two lower-case digits for each byte.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let digits: Vec<_> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    digits.concat()
}

pub(crate) fn session_target(appid: &str, secret: &str, code: &str) -> String {
    format!(
        "/sns/jscode2session?appid={appid}&secret={secret}&js_code={code}\
         &grant_type=authorization_code"
    )
}
