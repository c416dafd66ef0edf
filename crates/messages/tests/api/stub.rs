//! A web server that does what it is told with each request, and remembers what it read.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpListener,
    task::JoinSet,
};
use tokio_rustls::{TlsAcceptor, rustls::ServerConfig};

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
}

/// A request as it arrived.
#[derive(Clone)]
pub(crate) struct Request {
    head: String,
    pub(crate) body: String,
}

impl Request {
    /// Method and target.
    pub(crate) fn line(&self) -> &str {
        self.head.lines().next().unwrap()
    }

    /// A header by its name in lower case.
    pub(crate) fn header(&self, name: &str) -> &str {
        let mut lines = self.head.lines().skip(1);
        lines
            .find_map(|line| {
                let (found, value) = line.split_once(": ")?;
                found.eq_ignore_ascii_case(name).then_some(value)
            })
            .unwrap_or_else(|| panic!("no {name} in {}", self.head))
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

/// What arrived, and what left.
#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) connections: AtomicUsize,
    pub(crate) sent: AtomicUsize,
    requests: Mutex<Vec<Request>>,
}

/// A server that runs until it is dropped.
pub(crate) struct Stub {
    pub(crate) seen: Arc<Seen>,
    url: String,
    _tasks: JoinSet<()>,
}

impl Stub {
    /// Plays the same for every request.
    pub(crate) async fn always(play: Play) -> Self {
        Self::start(play, None).await
    }

    /// Answers every request with a status and this body.
    pub(crate) async fn answering(status: &str, body: &str) -> Self {
        Self::always(Play::Say(answer(status, "", body.as_bytes()))).await
    }

    /// Plays the same for every request, over TLS.
    pub(crate) async fn over_tls(play: Play, config: ServerConfig) -> Self {
        Self::start(play, Some(TlsAcceptor::from(Arc::new(config)))).await
    }

    async fn start(play: Play, acceptor: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let scheme = if acceptor.is_some() { "https" } else { "http" };
        let url = format!("{scheme}://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Seen::default());
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(listener, play, seen.clone(), acceptor));
        Self {
            seen,
            url,
            _tasks: tasks,
        }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// All requests so far.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.seen.requests.lock().unwrap().clone()
    }

    /// The one request that there was.
    pub(crate) fn request(&self) -> Request {
        let requests = self.requests();
        assert_eq!(requests.len(), 1);
        requests[0].clone()
    }
}

async fn accept(listener: TcpListener, play: Play, seen: Arc<Seen>, acceptor: Option<TlsAcceptor>) {
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        seen.connections.fetch_add(1, Ordering::SeqCst);
        let (play, seen, acceptor) = (play.clone(), seen.clone(), acceptor.clone());
        connections.spawn(async move {
            match acceptor {
                None => converse(stream, play, &seen).await,
                Some(acceptor) => match acceptor.accept(stream).await {
                    Ok(stream) => converse(stream, play, &seen).await,
                    Err(_) => None,
                },
            }
        });
    }
}

/// Serves one connection until either side has enough.
async fn converse(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    play: Play,
    seen: &Seen,
) -> Option<()> {
    loop {
        let request = read(&mut stream).await?;
        seen.requests.lock().unwrap().push(request);
        match &play {
            Play::Say(bytes) => say(&mut stream, bytes, seen).await?,
            Play::Close(bytes) => {
                say(&mut stream, bytes, seen).await?;
                return stream.shutdown().await.ok();
            }
            Play::Hang(bytes) => {
                say(&mut stream, bytes, seen).await?;
                std::future::pending::<()>().await;
            }
            Play::Flood(first, again) => {
                say(&mut stream, first, seen).await?;
                loop {
                    say(&mut stream, again, seen).await?;
                }
            }
        }
    }
}

async fn read(stream: &mut (impl AsyncRead + Unpin)) -> Option<Request> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    let mut request = Request {
        head: String::from_utf8(head).unwrap(),
        body: String::new(),
    };
    let mut body = vec![0; request.header("content-length").parse().unwrap()];
    stream.read_exact(&mut body).await.ok()?;
    request.body = String::from_utf8(body).unwrap();
    Some(request)
}

async fn say(stream: &mut (impl AsyncWrite + Unpin), bytes: &[u8], seen: &Seen) -> Option<()> {
    stream.write_all(bytes).await.ok()?;
    stream.flush().await.ok()?;
    seen.sent.fetch_add(bytes.len(), Ordering::SeqCst);
    Some(())
}

/// A whole answer with headers of one's own, each ended by CR LF.
pub(crate) fn answer(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {length}\r\n\r\n");
    [head.as_bytes(), body].concat()
}
