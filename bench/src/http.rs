//! The callers' side of HTTP/1.1: one kept connection, one request at a time, bodies of a declared
//! length. It does little on purpose, for callers that cost more than the server would measure
//! themselves.

use std::{io, net::SocketAddr};

use bytes::BytesMut;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// More headers than any measured server sends.
const HEADERS: usize = 32;
/// The longest reply that is waited for.
const LONGEST: usize = 1024 * 1024;

/// A connection that is kept from request to request.
pub(crate) struct Connection {
    stream: TcpStream,
    received: BytesMut,
}

/// An answer of whatever status.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Reply<'a> {
    /// The HTTP status.
    pub(crate) status: u16,
    /// The whole body.
    pub(crate) body: &'a [u8],
}

impl Connection {
    /// Connects.
    pub(crate) async fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            received: BytesMut::with_capacity(16 * 1024),
        })
    }

    /// Sends a whole request and waits for the whole answer.
    pub(crate) async fn exchange(&mut self, request: &[u8]) -> io::Result<Reply<'_>> {
        self.received.clear();
        self.stream.write_all(request).await?;
        let (status, body, end) = loop {
            if self.stream.read_buf(&mut self.received).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            match parse(&self.received)? {
                Some((_, _, end)) if end < self.received.len() => {
                    return Err(unusable("bytes after the answer"));
                }
                Some(found) if found.2 == self.received.len() => break found,
                Some((_, _, end)) if end > LONGEST => return Err(unusable("too long an answer")),
                _ => {}
            }
        };
        let body = self.received.get(body..end).unwrap_or_default();
        Ok(Reply { status, body })
    }
}

/// Status, start and end of the body, as soon as the head is whole.
fn parse(received: &[u8]) -> io::Result<Option<(u16, usize, usize)>> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS];
    let mut response = httparse::Response::new(&mut headers);
    let head = match response
        .parse(received)
        .map_err(|_| unusable("not HTTP/1.1"))?
    {
        httparse::Status::Complete(head) => head,
        httparse::Status::Partial => return Ok(None),
    };
    let length = response
        .headers
        .iter()
        .find(|header| header.name.eq_ignore_ascii_case("content-length"))
        .and_then(|header| {
            std::str::from_utf8(header.value)
                .ok()?
                .parse::<usize>()
                .ok()
        })
        .ok_or_else(|| unusable("an answer without Content-Length"))?;
    Ok(Some((
        response.code.unwrap_or_default(),
        head,
        head.saturating_add(length),
    )))
}

fn unusable(why: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    /// What a caller makes of `parts`, sent one after the other.
    async fn answered(parts: &[&[u8]]) -> Result<(u16, Vec<u8>), String> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut connection = Connection::open(listener.local_addr().unwrap())
            .await
            .unwrap();
        let (mut server, _) = listener.accept().await.unwrap();
        let sending = async {
            for part in parts {
                server.write_all(part).await.unwrap();
                tokio::task::yield_now().await;
            }
            server.shutdown().await.unwrap();
        };
        let (reply, ()) = tokio::join!(connection.exchange(b"GET / HTTP/1.1\r\n\r\n"), sending);
        reply
            .map(|reply| (reply.status, reply.body.to_vec()))
            .map_err(|error| error.to_string())
    }

    #[tokio::test]
    async fn an_answer_may_come_in_pieces() {
        let parts: [&[u8]; 4] = [
            b"HTTP/1.1 200 OK\r\nContent-Le",
            b"ngth: 5\r\n\r",
            b"\nhe",
            b"llo",
        ];
        assert_eq!(answered(&parts).await, Ok((200, b"hello".to_vec())));
    }

    #[tokio::test]
    async fn an_empty_body_and_another_status_are_answers() {
        let parts: [&[u8]; 1] = [b"HTTP/1.1 503 Later\r\ncontent-length: 0\r\n\r\n"];
        assert_eq!(answered(&parts).await, Ok((503, Vec::new())));
    }

    #[tokio::test]
    async fn what_cannot_be_measured_is_an_error() {
        for (sent, error) in [
            (
                "HTTP/1.1 200 OK\r\n\r\n",
                "an answer without Content-Length",
            ),
            (
                "HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nab",
                "bytes after the answer",
            ),
            (
                "HTTP/1.1 200 OK\r\ncontent-length: 9999999\r\n\r\n",
                "too long an answer",
            ),
            (
                "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\na",
                "unexpected end of file",
            ),
            ("garbage\r\n\r\n", "not HTTP/1.1"),
            ("", "unexpected end of file"),
        ] {
            assert_eq!(
                answered(&[sent.as_bytes()]).await,
                Err(error.to_owned()),
                "{sent}"
            );
        }
    }
}
