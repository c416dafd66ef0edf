//! The end of a server, while people use it.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
        mpsc::{Sender, channel},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use crate::harness::{
    Connection, Folder, Play, Server, Stub, configure, eventually, get, login, request, serve,
    try_get,
};

/// A WeChat that answers when it is told to.
struct Held {
    stub: Stub,
    asked: Arc<AtomicUsize>,
    release: Sender<()>,
}

impl Held {
    fn start() -> Self {
        let (release, released) = channel();
        let released = Mutex::new(released);
        let asked = Arc::new(AtomicUsize::new(0));
        let counter = asked.clone();
        let stub = Stub::start(move |_| {
            counter.fetch_add(1, Ordering::SeqCst);
            let _ = released.lock().unwrap().recv();
            Play::session("oWang", "c2Vzc2lvbiBrZXkgMTIzNA==")
        });
        Self {
            stub,
            asked,
            release,
        }
    }

    /// Begins a sign-in and waits until WeChat has been asked.
    fn hang(&self, public: SocketAddr) -> JoinHandle<u16> {
        let before = self.asked.load(Ordering::SeqCst);
        let hung = thread::spawn(move || {
            let body = r#"{"code": "hung"}"#;
            let bytes = request("POST /v1/user/login", &[], body);
            let reply = Connection::open(public).unwrap().ask(&bytes);
            reply.map_or(0, |reply| reply.status)
        });
        eventually("WeChat was asked", || {
            (self.asked.load(Ordering::SeqCst) > before).then_some(())
        });
        hung
    }
}

fn started(held: &Held, folder: &Folder) -> Server {
    configure(folder, &held.stub.url());
    Server::ready(serve(folder, &[("wechat.timeout", "15")]))
}

/// A request: when it began, and the status of its reply, if that came whole.
type Short = (Instant, Option<u16>);

/// Asks about 100 times a second until told to end: on a new connection each time, or on one.
fn ask(
    public: SocketAddr,
    (path, keep): (&'static str, bool),
    over: Arc<AtomicBool>,
) -> JoinHandle<Vec<Short>> {
    let bytes = request(&format!("GET {path}"), &[], "");
    thread::spawn(move || {
        let mut kept: Option<Connection> = None;
        let mut all = Vec::new();
        while !over.load(Ordering::SeqCst) {
            let began = Instant::now();
            let connection = kept.take().map_or_else(|| Connection::open(public), Ok);
            let reply = connection.and_then(|mut connection| {
                let reply = connection.ask(&bytes);
                kept = Some(connection).filter(|_| keep && reply.is_ok());
                reply
            });
            all.push((began, reply.ok().map(|reply| reply.status)));
            thread::sleep(Duration::from_millis(10).saturating_sub(began.elapsed()));
        }
        all
    })
}

/// Proves F26: no request that was begun before the signal is cut, readiness goes first, a call to
/// WeChat is waited for, and the end is a good one.
#[test]
fn a_signal_drains() {
    let (held, folder) = (Held::start(), Folder::new());
    let server = started(&held, &folder);
    let (public, management) = (server.public, server.management);
    let over = Arc::new(AtomicBool::new(false));
    let key_set = "/.well-known/jwks.json";
    let [ready, fresh, kept] = [("/readyz", false), (key_set, false), (key_set, true)]
        .map(|what| ask(public, what, over.clone()));
    let hung = held.hang(public);

    server.program.signal("TERM");
    let signalled = Instant::now();
    eventually("no more is accepted", || try_get(public, "/healthz").err());
    // Health and metrics stay to the end.
    assert_eq!(get(management, "/healthz").status, 200);
    let going = get(management, "/readyz");
    assert_eq!(going.status, 503);
    assert!(going.header("retry-after").is_some(), "{going:?}");
    assert_eq!(get(management, "/metrics").status, 200);
    assert!(!hung.is_finished(), "the sign-in is waited for");
    held.release.send(()).unwrap();
    assert_eq!(hung.join().unwrap(), 200);
    let ran = server.program.end(Duration::from_secs(10));
    assert_eq!(ran.code, Some(0), "{ran:?}");

    over.store(true, Ordering::SeqCst);
    let ready = ready.join().unwrap();
    let changes = ready.chunk_by(|one, next| one.1 == next.1);
    let changes: Vec<_> = changes.map(|same| same[0].1).collect();
    assert_eq!(
        changes,
        [Some(200), Some(503), None],
        "readiness goes first"
    );
    let mut before = 0;
    for (began, status) in [fresh, kept].map(|caller| caller.join().unwrap()).concat() {
        if began < signalled {
            before += 1;
            let ago = signalled - began;
            assert_eq!(status, Some(200), "begun {ago:?} before the signal");
        }
    }
    assert!(before > 0, "somebody asked before the signal");
}

/// Proves F26: with nothing to wait for the end comes within 10 s, by either signal.
#[test]
fn an_idle_server_ends_soon() {
    for signal in ["TERM", "INT"] {
        let (held, folder) = (Held::start(), Folder::new());
        let server = started(&held, &folder);
        // Somebody who is connected and says nothing holds up nobody.
        let mut idle = Connection::open(server.public).unwrap();
        let reply = idle.ask(&request("GET /healthz", &[], "")).unwrap();
        assert_eq!(reply.status, 200);
        server.program.signal(signal);
        let ran = server.program.end(Duration::from_secs(10));
        assert_eq!(ran.code, Some(0), "{signal}: {ran:?}");
        assert!(ran.out.contains("\"ended\""), "{ran:?}");
    }
}

/// Proves F26: a second signal ends at once, whatever is under way.
#[test]
fn a_second_signal_ends_at_once() {
    let (held, folder) = (Held::start(), Folder::new());
    let server = started(&held, &folder);
    let hung = held.hang(server.public);
    server.program.signal("TERM");
    eventually("the drain has begun", || {
        server.program.said().contains("draining").then_some(())
    });
    server.program.signal("TERM");
    let ran = server.program.end(Duration::from_secs(2));
    assert_eq!(ran.code, Some(130), "{ran:?}");
    assert_ne!(hung.join().unwrap(), 200);
    // What it held is free again.
    let server = Server::ready(serve(&folder, &[]));
    held.release.send(()).unwrap();
    held.release.send(()).unwrap();
    login(server.public, "another").token();
}
