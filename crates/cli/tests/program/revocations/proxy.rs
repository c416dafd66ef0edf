//! A way to PostgreSQL that swallows what is sent on it, without a word to either side.

use std::{
    io::{Read, Write},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Condvar, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
};

/// Where to, and for whom nothing comes through.
struct Way {
    to: SocketAddr,
    /// Whoever sends this hears and says nothing any more.
    deaf_to: &'static [u8],
    deaf: AtomicUsize,
    gate: Mutex<Gate>,
    moved: Condvar,
    over: AtomicBool,
}

/// Whether anything comes through, and whose connections there are.
#[derive(Default)]
struct Gate {
    is_shut: bool,
    streams: Vec<TcpStream>,
}

/// Carries connections on, as long as nobody shuts it. What was sent meanwhile comes through later.
pub(super) struct Proxy {
    address: SocketAddr,
    way: Arc<Way>,
}

impl Proxy {
    /// To the server of a database.
    pub(super) fn to(url: &str) -> Self {
        Self::deaf_to(url, b"")
    }

    /// The same; a connection on which the client says `word` carries nothing from then on.
    pub(super) fn deaf_to(url: &str, word: &'static [u8]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let way = Arc::new(Way {
            to: host(url).parse().unwrap(),
            deaf_to: word,
            deaf: AtomicUsize::new(0),
            gate: Mutex::default(),
            moved: Condvar::new(),
            over: AtomicBool::new(false),
        });
        let ways = way.clone();
        thread::spawn(move || {
            for stream in listener.incoming() {
                if ways.over.load(Ordering::SeqCst) {
                    return;
                }
                connect(&ways, &stream.unwrap());
            }
        });
        Self { address, way }
    }

    /// The address of the database by this way.
    pub(super) fn url(&self, url: &str) -> String {
        url.replace(host(url), &self.address.to_string())
    }

    /// How many connections are deaf.
    pub(super) fn deaf(&self) -> usize {
        self.way.deaf.load(Ordering::SeqCst)
    }

    pub(super) fn shut(&self) {
        self.way.set(true);
    }

    pub(super) fn open(&self) {
        self.way.set(false);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.way.over.store(true, Ordering::SeqCst);
        self.way.set(false);
        for stream in &self.way.gate.lock().unwrap().streams {
            let _ = stream.shutdown(Shutdown::Both);
        }
        // Wakes whoever accepts, so that it sees that it is over.
        let _ = TcpStream::connect(self.address);
    }
}

impl Way {
    fn set(&self, is_shut: bool) {
        self.gate.lock().unwrap().is_shut = is_shut;
        self.moved.notify_all();
    }

    /// Waits until something may come through, for those for whom anything may.
    fn pass(&self, is_deaf: &AtomicBool) {
        let mut gate = self.gate.lock().unwrap();
        let is_over = || self.over.load(Ordering::SeqCst);
        while (gate.is_shut || is_deaf.load(Ordering::SeqCst)) && !is_over() {
            gate = self.moved.wait(gate).unwrap();
        }
    }

    /// Carries bytes one way until there are no more.
    fn carry(&self, mut from: TcpStream, mut to: TcpStream, is_deaf: &AtomicBool) {
        let mut part = [0; 16 * 1024];
        while let Ok(count @ 1..) = from.read(&mut part) {
            let (part, word) = (&part[..count], self.deaf_to);
            let says = !word.is_empty() && part.windows(word.len()).any(|said| said == word);
            if says && !is_deaf.swap(true, Ordering::SeqCst) {
                self.deaf.fetch_add(1, Ordering::SeqCst);
            }
            self.pass(is_deaf);
            if to.write_all(part).is_err() {
                break;
            }
        }
        // The end does not come through either.
        self.pass(is_deaf);
        let _ = to.shutdown(Shutdown::Both);
        let _ = from.shutdown(Shutdown::Both);
    }
}

fn connect(way: &Arc<Way>, client: &TcpStream) {
    let Ok(server) = TcpStream::connect(way.to) else {
        return;
    };
    let both = || (client.try_clone().unwrap(), server.try_clone().unwrap());
    {
        let (client, server) = both();
        way.gate.lock().unwrap().streams.extend([client, server]);
    }
    let is_deaf = Arc::<AtomicBool>::default();
    let (there, back) = (both(), both());
    let (ways, deaf) = (way.clone(), is_deaf.clone());
    thread::spawn(move || ways.carry(there.0, there.1, &deaf));
    let ways = way.clone();
    thread::spawn(move || ways.carry(back.1, back.0, &is_deaf));
}

/// `127.0.0.1:5432` of `postgres://postgres@127.0.0.1:5432/name`.
fn host(url: &str) -> &str {
    let (_, after) = url.split_once('@').unwrap();
    after.split(['/', '?']).next().unwrap()
}
