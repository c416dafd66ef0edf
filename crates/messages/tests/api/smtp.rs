//! A mail server of few words, which says what it is told to say and remembers what it heard.

use std::sync::{Arc, Mutex};

use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader},
    net::TcpListener,
    task::JoinSet,
};
use tokio_rustls::{TlsAcceptor, rustls::ServerConfig};

/// What the server says to a command.
#[derive(Clone, Copy)]
pub(crate) enum Reply {
    /// This, and a line end.
    Say(&'static str),
    /// Nothing, ever.
    Hang,
    /// Nothing, and the connection ends.
    Close,
    /// A line without end.
    Flood,
}

/// How the server protects connections.
#[derive(Clone)]
pub(crate) enum Tls {
    No,
    Implicit(TlsAcceptor),
    Upgraded(TlsAcceptor),
}

impl Tls {
    pub(crate) fn implicit(config: ServerConfig) -> Self {
        Self::Implicit(TlsAcceptor::from(Arc::new(config)))
    }

    pub(crate) fn upgraded(config: ServerConfig) -> Self {
        Self::Upgraded(TlsAcceptor::from(Arc::new(config)))
    }
}

#[derive(Clone, Default)]
struct Script {
    /// Other replies than the usual ones, by the word that they answer: `GREETING`, a command, or
    /// `.` for the end of a message.
    replies: Vec<(&'static str, Reply)>,
    heard: Arc<Mutex<Vec<String>>>,
}

/// A server that runs until it is dropped.
pub(crate) struct SmtpStub {
    pub(crate) port: u16,
    heard: Arc<Mutex<Vec<String>>>,
    _tasks: JoinSet<()>,
}

impl SmtpStub {
    /// Takes every mail.
    pub(crate) async fn willing() -> Self {
        Self::start(Vec::new(), Tls::No).await
    }

    /// Says something else to one command.
    pub(crate) async fn saying(to: &'static str, reply: Reply) -> Self {
        Self::start(vec![(to, reply)], Tls::No).await
    }

    pub(crate) async fn start(replies: Vec<(&'static str, Reply)>, tls: Tls) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let script = Script {
            replies,
            heard: heard.clone(),
        };
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(listener, script, tls));
        Self {
            port,
            heard,
            _tasks: tasks,
        }
    }

    /// Every line so far; those of a message begin with `| `.
    pub(crate) fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap().clone()
    }

    /// The commands among them.
    pub(crate) fn commands(&self) -> Vec<String> {
        let lines = self.heard();
        lines.into_iter().filter(|l| !l.starts_with("| ")).collect()
    }

    /// The lines of messages.
    pub(crate) fn message(&self) -> Vec<String> {
        let lines = self.heard();
        lines
            .iter()
            .filter_map(|line| line.strip_prefix("| ").map(str::to_owned))
            .collect()
    }
}

async fn accept(listener: TcpListener, script: Script, tls: Tls) {
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let (script, tls) = (script.clone(), tls.clone());
        connections.spawn(async move {
            match tls {
                Tls::No => drop(script.converse(stream, true, "").await),
                Tls::Implicit(acceptor) => {
                    let stream = acceptor.accept(stream).await.ok()?;
                    drop(script.converse(stream, true, "").await);
                }
                Tls::Upgraded(acceptor) => {
                    let stream = script.converse(stream, true, "250-STARTTLS\r\n").await?;
                    let stream = acceptor.accept(stream).await.ok()?;
                    drop(script.converse(stream, false, "").await);
                }
            }
            Some(())
        });
    }
}

impl Script {
    /// Serves a connection to its end, or to the point where TLS begins.
    async fn converse<S>(&self, stream: S, greet: bool, offer: &str) -> Option<S>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let mut stream = BufReader::new(stream);
        if greet {
            self.reply(&mut stream, "GREETING", "220 stub ready")
                .await?;
        }
        loop {
            let line = self.line(&mut stream, "").await?;
            let word = line.split([' ', ':']).next().unwrap_or_default();
            let usual = match word {
                "EHLO" => format!("250-stub\r\n{offer}250-AUTH PLAIN LOGIN\r\n250 8BITMIME"),
                "AUTH" => "235 welcome".to_owned(),
                "STARTTLS" => "220 go on".to_owned(),
                "DATA" => "354 go on".to_owned(),
                "QUIT" => "221 goodbye".to_owned(),
                _ => "250 fine".to_owned(),
            };
            let said = self.reply(&mut stream, word, &usual).await?;
            match word {
                "STARTTLS" => return Some(stream.into_inner()),
                "QUIT" => return None,
                "DATA" if said.starts_with("354") => {
                    while self.line(&mut stream, "| ").await? != "." {}
                    self.reply(&mut stream, ".", "250 queued").await?;
                }
                _ => {}
            }
        }
    }

    async fn line(
        &self,
        stream: &mut (impl AsyncBufReadExt + Unpin),
        mark: &str,
    ) -> Option<String> {
        let mut line = String::new();
        if stream.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        let line = line.trim_end_matches(['\r', '\n']).to_owned();
        self.heard.lock().unwrap().push(format!("{mark}{line}"));
        Some(line)
    }

    async fn reply(
        &self,
        stream: &mut (impl AsyncWrite + Unpin),
        word: &str,
        usual: &str,
    ) -> Option<String> {
        let other = self.replies.iter().find(|(to, _)| *to == word);
        let text = match other.map(|(_, reply)| *reply) {
            None => usual,
            Some(Reply::Say(text)) => text,
            Some(Reply::Close) => return None,
            Some(Reply::Hang) => return std::future::pending().await,
            Some(Reply::Flood) => loop {
                stream.write_all(&[b'2'; 4096]).await.ok()?;
            },
        };
        stream
            .write_all(format!("{text}\r\n").as_bytes())
            .await
            .ok()?;
        stream.flush().await.ok()?;
        Some(text.to_owned())
    }
}
