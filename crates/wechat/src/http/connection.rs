//! One connection: a request goes out, its reply comes in.

use std::{
    future::poll_fn,
    io,
    pin::Pin,
    task::{Context, Poll},
};

use http::StatusCode;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt, ReadBuf},
    task::unconstrained,
};

use super::framing::{self, Body, Head};
use crate::{connect::Stream, error::Error, reply};

/// Bytes of a reply that are read, head and framing included.
const MOST: usize = 128 * 1024;
const TOO_MUCH: Error = Error::Garbled("a reply over 128 KiB");
/// Heads that may say that the reply is still to come.
const INTERIMS: usize = 16;
/// Room for a reply: what a real one needs, and what a connection keeps between two calls.
const ROOM: usize = 2 * 1024;

/// A connection that is at one call, or at none.
pub(super) struct Connection {
    /// In a box, since every future that makes a call holds a connection, and most of them none in TLS.
    stream: Box<Stream>,
    /// What was read of the reply.
    read: Vec<u8>,
}

/// A reply that came whole.
pub(super) struct Reply {
    pub(super) status: StatusCode,
    /// Whether the connection is fit for another call.
    pub(super) keep: bool,
    /// Where the body begins.
    start: usize,
    body: Body,
}

impl Connection {
    pub(super) fn new(stream: Stream) -> Self {
        Self {
            stream: Box::new(stream),
            read: Vec::with_capacity(ROOM),
        }
    }

    /// Whether the server has neither closed a kept connection nor said anything unasked, as far as this
    /// process was told. Asks the operating system only if it was told something.
    pub(super) async fn is_quiet(&mut self) -> bool {
        // A task that has read much is told to come back later, which is not to be taken for silence.
        unconstrained(poll_fn(|cx| {
            Poll::Ready(self.poll_unasked(cx).is_pending())
        }))
        .await
    }

    fn poll_unasked(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut byte = [0];
        Pin::new(&mut self.stream).poll_read(cx, &mut ReadBuf::new(&mut byte))
    }

    /// Fails if the server cannot have got the whole request.
    pub(super) async fn send(&mut self, request: &[u8]) -> io::Result<()> {
        self.stream.write_all(request).await?;
        self.stream.flush().await
    }

    /// Reads the reply. The call is over after an error, and the connection with it.
    pub(super) async fn receive(&mut self) -> Result<Reply, Error> {
        let head = self.head().await?;
        let (status, start) = (head.status, head.size);
        let (body, end) = self.rest(&head).await.map_err(|error| match status {
            StatusCode::OK => error,
            // Whoever sends it is not WeChat, and hardly minds how it ends.
            _ => Error::Garbled(reply::words_of(status)),
        })?;
        // What stands behind the reply is nobody's.
        let keep = head.keep && end == self.read.len();
        Ok(Reply {
            status,
            keep,
            start,
            body,
        })
    }

    /// The body of the reply that was received last.
    pub(super) fn body<'a>(&'a self, reply: &'a Reply) -> &'a [u8] {
        match &reply.body {
            Body::Unchunked(bytes) => bytes,
            Body::Plain(length) => self
                .read
                .get(reply.start..reply.start + length)
                .unwrap_or_default(),
        }
    }

    /// Ready for the next call, and no larger than it need be.
    pub(super) fn rested(mut self) -> Self {
        self.read.clear();
        self.read.shrink_to(ROOM);
        self
    }

    /// Reads up to the body, past whatever says that the reply is still to come.
    async fn head(&mut self) -> Result<Head, Error> {
        let mut interims = 0;
        loop {
            match framing::head(&self.read)? {
                Some(head) if head.is_interim() && interims < INTERIMS => {
                    self.read.drain(..head.size);
                    interims += 1;
                }
                Some(head) if head.is_interim() => return Err(framing::NOT_HTTP),
                Some(head) => return Ok(head),
                None if self.read.len() > MOST => return Err(framing::NOT_HTTP),
                None if self.more().await? => {}
                None => return Err(Error::unreachable(CutShort)),
            }
        }
    }

    /// Reads to the end of the reply: its body, and where it ends.
    async fn rest(&mut self, head: &Head) -> Result<(Body, usize), Error> {
        let mut ended = false;
        loop {
            let sent = self.read.get(head.size..).unwrap_or_default();
            match head.body(sent, ended)? {
                Some((body, size)) => return Ok((body, head.size + size)),
                None if ended => return Err(Error::unreachable(CutShort)),
                None if self.read.len() > MOST => return Err(TOO_MUCH),
                None => ended = !self.more().await?,
            }
        }
    }

    /// Reads what there is; `false` at the end.
    async fn more(&mut self) -> Result<bool, Error> {
        if self.read.len() == self.read.capacity() {
            self.read.reserve(ROOM);
        }
        let read = self.stream.read_buf(&mut self.read).await;
        Ok(read.map_err(Error::unreachable)? > 0)
    }
}

/// The server stopped half-way.
#[derive(Debug, thiserror::Error)]
#[error("the connection was closed before the reply was whole")]
struct CutShort;
