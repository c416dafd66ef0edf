//! A server that does what it is told with each request, however wrong, and remembers what it read.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};
use tokio_rustls::{TlsAcceptor, rustls::ServerConfig, server::TlsStream};

/// What the stub does with one request.
#[derive(Clone)]
pub(crate) enum Play {
    /// Says this and waits for the next request on the connection.
    Say(Vec<u8>),
    /// Says this and closes the connection.
    Close(Vec<u8>),
    /// Says this and then nothing, with the connection open.
    Hang(Vec<u8>),
    /// Says the first and repeats the second for as long as anybody reads.
    Flood(Vec<u8>, Vec<u8>),
    /// Says this a byte every ten milliseconds.
    Drip(Vec<u8>),
    /// Resets the connection.
    Reset,
}

/// What arrived, and what left.
#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) connections: AtomicUsize,
    pub(crate) sent: AtomicUsize,
    requests: Mutex<Vec<String>>,
}

impl Seen {
    /// All requests so far, heads and bodies.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

/// A server that runs until it is dropped.
pub(crate) struct Stub {
    pub(crate) port: u16,
    pub(crate) seen: Arc<Seen>,
    tls: bool,
    _tasks: JoinSet<()>,
}

type Script = Arc<dyn Fn(usize, &str) -> Play + Send + Sync>;

impl Stub {
    /// Plays the same for every request.
    pub(crate) async fn always(play: Play) -> Self {
        Self::scripted(move |_| play.clone()).await
    }

    /// Plays what `script` says for the first request, the second, and so on from 0.
    pub(crate) async fn scripted(script: impl Fn(usize) -> Play + Send + Sync + 'static) -> Self {
        Self::start(Arc::new(move |nth, _: &str| script(nth)), None).await
    }

    /// Plays what `script` says for a request.
    pub(crate) async fn answering(script: impl Fn(&str) -> Play + Send + Sync + 'static) -> Self {
        Self::start(Arc::new(move |_, request: &str| script(request)), None).await
    }

    /// Plays the same for every request, over TLS.
    pub(crate) async fn over_tls(play: Play, config: ServerConfig) -> Self {
        let acceptor = TlsAcceptor::from(Arc::new(config));
        Self::start(Arc::new(move |_, _: &str| play.clone()), Some(acceptor)).await
    }

    async fn start(script: Script, acceptor: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen = Arc::new(Seen::default());
        let tls = acceptor.is_some();
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(listener, script, seen.clone(), acceptor));
        Self {
            port,
            seen,
            tls,
            _tasks: tasks,
        }
    }

    /// Where it listens.
    pub(crate) fn url(&self) -> String {
        let scheme = if self.tls { "https" } else { "http" };
        format!("{scheme}://127.0.0.1:{}", self.port)
    }
}

async fn accept(
    listener: TcpListener,
    script: Script,
    seen: Arc<Seen>,
    acceptor: Option<TlsAcceptor>,
) {
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        seen.connections.fetch_add(1, Ordering::SeqCst);
        let (script, seen, acceptor) = (script.clone(), seen.clone(), acceptor.clone());
        connections.spawn(async move {
            match acceptor {
                None => converse(stream, script, &seen).await,
                Some(acceptor) => match acceptor.accept(stream).await {
                    Ok(stream) => converse(stream, script, &seen).await,
                    Err(_) => None,
                },
            }
        });
    }
}

/// A stream that can be reset.
trait Wire: AsyncRead + AsyncWrite + Unpin {
    fn tcp(&self) -> &TcpStream;
}

impl Wire for TcpStream {
    fn tcp(&self) -> &TcpStream {
        self
    }
}

impl Wire for TlsStream<TcpStream> {
    fn tcp(&self) -> &TcpStream {
        self.get_ref().0
    }
}

/// Serves one connection until either side has enough.
async fn converse(mut stream: impl Wire, script: Script, seen: &Seen) -> Option<()> {
    loop {
        let request = request(&mut stream).await?;
        let nth = {
            let mut requests = seen.requests.lock().unwrap();
            requests.push(request.clone());
            requests.len() - 1
        };
        match script(nth, &request) {
            Play::Say(bytes) => say(&mut stream, &bytes, seen).await?,
            Play::Close(bytes) => {
                say(&mut stream, &bytes, seen).await?;
                return stream.shutdown().await.ok();
            }
            Play::Hang(bytes) => {
                say(&mut stream, &bytes, seen).await?;
                std::future::pending::<()>().await;
            }
            Play::Flood(first, again) => {
                say(&mut stream, &first, seen).await?;
                loop {
                    say(&mut stream, &again, seen).await?;
                }
            }
            Play::Drip(bytes) => {
                let mut pace = tokio::time::interval(Duration::from_millis(10));
                for byte in bytes {
                    pace.tick().await;
                    say(&mut stream, &[byte], seen).await?;
                }
            }
            Play::Reset => return stream.tcp().set_zero_linger().ok(),
        }
    }
}

async fn request(stream: &mut impl Wire) -> Option<String> {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        request.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8_lossy(&request).into_owned();
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length")
            .then(|| value.trim().parse::<usize>().unwrap())
    });
    for _ in 0..length.unwrap_or(0) {
        request.push(stream.read_u8().await.ok()?);
    }
    Some(String::from_utf8(request).unwrap())
}

async fn say(stream: &mut impl Wire, bytes: &[u8], seen: &Seen) -> Option<()> {
    stream.write_all(bytes).await.ok()?;
    stream.flush().await.ok()?;
    seen.sent.fetch_add(bytes.len(), Ordering::SeqCst);
    Some(())
}

/// A whole answer in WeChat's manner.
pub(crate) fn answer(status: &str, body: &[u8]) -> Vec<u8> {
    answer_with(status, "Content-Type: text/plain\r\n", body)
}

/// A whole answer with headers of one's own, each ended by CR LF.
pub(crate) fn answer_with(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

/// A whole answer in chunks of seven bytes.
pub(crate) fn chunked(body: &[u8]) -> Vec<u8> {
    let mut answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    for chunk in body.chunks(7) {
        answer.extend(format!("{:x}\r\n", chunk.len()).into_bytes());
        answer.extend(chunk);
        answer.extend(b"\r\n");
    }
    answer.extend(b"0\r\n\r\n");
    answer
}
