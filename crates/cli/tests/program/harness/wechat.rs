//! Those who play WeChat: the simulator, as a program, and a stub that does what WeChat never would.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use serde_json::{Value, json};

use super::{APP_SECRET, APPID, Program, get, post, request, try_ask};

/// `menjin simulator`, which knows the one mini program.
pub(crate) struct Simulator {
    _program: Program,
    pub(crate) address: SocketAddr,
}

impl Simulator {
    pub(crate) fn start() -> Self {
        Self::knowing(APP_SECRET)
    }

    /// A WeChat that knows another secret of the mini program.
    pub(crate) fn knowing(secret: &str) -> Self {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_menjin"));
        command.args(["simulator", "--listen", "127.0.0.1:0", "--app"]);
        command.arg(format!("{APPID}:{secret}"));
        let mut program = Program::start(&mut command);
        let address = program.hear("the simulator's address", |said| {
            let (_, after) = said.split_once("played at http://")?;
            after.split_once(' ')?.0.parse().ok()
        });
        Self {
            _program: program,
            address,
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What `wx.login()` would give.
    pub(crate) fn code(&self, person: &str) -> String {
        let reply = post(
            self.address,
            "/simulator/login",
            &json!({ "person": person, "appid": APPID }),
        );
        reply.json()["code"].as_str().unwrap().to_owned()
    }

    /// Lets the next sign-ins fail.
    pub(crate) fn fault(&self, mut fault: Value) {
        fault["path"] = "/sns/jscode2session".into();
        let reply = post(self.address, "/simulator/faults", &fault);
        assert_eq!(reply.status, 200, "{reply:?}");
    }

    /// Lets nothing fail any more.
    pub(crate) fn heal(&self) {
        let reply = try_ask(self.address, &request("DELETE /simulator/faults", &[], ""));
        assert_eq!(reply.unwrap().status, 200);
    }

    /// How often it was asked about a code.
    pub(crate) fn calls(&self, code: &str) -> i64 {
        let calls = get(self.address, "/simulator/calls").json();
        calls["codes"][code].as_i64().unwrap_or(0)
    }
}

/// What the stub was asked.
pub(crate) struct Asked {
    /// The request line.
    pub(crate) line: String,
    pub(crate) body: Vec<u8>,
}

impl Asked {
    /// The login code in the question.
    pub(crate) fn code(&self) -> &str {
        let (_, after) = self.line.split_once("js_code=").unwrap_or_default();
        let end = after.find(['&', ' ']).unwrap_or(after.len());
        &after[..end]
    }
}

/// What the stub does about it.
pub(crate) enum Play {
    /// Answers in full, and takes the next question.
    Say(u16, String),
    /// Says these bytes and closes the connection.
    Raw(Vec<u8>),
    /// Says nothing, for as long as the other side waits.
    Hang,
}

impl Play {
    /// Somebody signed in.
    pub(crate) fn session(openid: &str, session_key: &str) -> Self {
        let body = json!({ "openid": openid, "session_key": session_key });
        Self::Say(200, body.to_string())
    }
}

/// A server that answers as `play` says, each connection on a thread of its own, so that `play`
/// may wait. It takes no more connections once it is dropped.
pub(crate) struct Stub {
    pub(crate) address: SocketAddr,
    over: Arc<AtomicBool>,
}

impl Stub {
    pub(crate) fn start(play: impl Fn(&Asked) -> Play + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let over = Arc::new(AtomicBool::new(false));
        let (play, ending) = (Arc::new(play), over.clone());
        thread::spawn(move || {
            for stream in listener.incoming() {
                if ending.load(Ordering::SeqCst) {
                    return;
                }
                let play = play.clone();
                thread::spawn(move || converse(&stream.unwrap(), &*play));
            }
        });
        Self { address, over }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Stub {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        // Wakes whoever accepts, so that it sees that it is over.
        let _ = TcpStream::connect(self.address);
    }
}

/// Serves one connection until either side has enough.
fn converse(stream: &TcpStream, play: &dyn Fn(&Asked) -> Play) -> Option<()> {
    let mut reader = BufReader::new(stream);
    let mut writer = stream;
    loop {
        let asked = read(&mut reader)?;
        match play(&asked) {
            Play::Say(status, body) => {
                let head = format!("HTTP/1.1 {status} So\r\nContent-Type: text/plain\r\n");
                let length = body.len();
                let text = format!("{head}Content-Length: {length}\r\n\r\n{body}");
                writer.write_all(text.as_bytes()).ok()?;
            }
            Play::Raw(bytes) => return writer.write_all(&bytes).ok(),
            Play::Hang => {
                // Ends when the other side hangs up.
                let _ = reader.read(&mut [0]);
                return None;
            }
        }
    }
}

fn read(reader: &mut impl BufRead) -> Option<Asked> {
    let (mut line, mut length) = (String::new(), 0);
    reader.read_line(&mut line).ok()?;
    loop {
        let mut header = String::new();
        if reader.read_line(&mut header).ok()? == 0 {
            return None;
        }
        if header == "\r\n" {
            break;
        }
        let lower = header.to_ascii_lowercase();
        if let Some(value) = lower.strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Asked { line, body })
}
