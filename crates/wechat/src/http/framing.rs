//! Where a reply begins and ends (RFC 9112, sections 6 and 7), told from the bytes that are there.

use std::mem::MaybeUninit;

use http::StatusCode;
use httparse::{EMPTY_HEADER, Header, ParserConfig, Response, Status};

use crate::error::Error;

pub(super) const NOT_HTTP: Error = Error::Garbled("not HTTP");
const TOO_LONG: Error = Error::Garbled("a body over 64 KiB");

/// Bytes of a body that are read. A real one has a few hundred.
const BODY_LIMIT: usize = 64 * 1024;
/// Headers of a reply, and of what follows its chunks.
const HEADERS: usize = 100;
const TRAILERS: usize = 16;

/// What stands before a body.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) status: StatusCode,
    /// Bytes that it takes.
    pub(super) size: usize,
    /// Whether another reply may follow on the connection.
    pub(super) keep: bool,
    length: Length,
}

/// How long a body is said to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Length {
    Known(u64),
    Chunked,
    ToTheEnd,
}

/// A body, apart from what frames it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Body {
    /// So many bytes, as they were sent.
    Plain(usize),
    /// Put together from chunks.
    Unchunked(Vec<u8>),
}

/// Reads a head; `None` if its end is not there yet.
///
/// # Errors
///
/// [`NOT_HTTP`].
pub(super) fn head(bytes: &[u8]) -> Result<Option<Head>, Error> {
    let mut headers = [const { MaybeUninit::uninit() }; HEADERS];
    let mut response = Response::new(&mut []);
    let parsed = ParserConfig::default().parse_response_with_uninit_headers(
        &mut response,
        bytes,
        &mut headers,
    );
    let Status::Complete(size) = parsed.map_err(|_| NOT_HTTP)? else {
        return Ok(None);
    };
    let code = response.code.unwrap_or_default();
    let status = StatusCode::from_u16(code).map_err(|_| NOT_HTTP)?;
    let mut said = Said::default();
    for header in &*response.headers {
        said.heed(header)?;
    }
    let latest = response.version == Some(1);
    let length = match (status.as_u16(), said.length) {
        // No body, whatever the headers say.
        (100..=199 | 204 | 304, _) => Length::Known(0),
        (_, None) => Length::ToTheEnd,
        // HTTP/1.0 has no chunks.
        (_, Some(Length::Chunked)) if !latest => return Err(NOT_HTTP),
        (_, Some(length)) => length,
    };
    let ends = length == Length::ToTheEnd || status == StatusCode::SWITCHING_PROTOCOLS;
    Ok(Some(Head {
        status,
        size,
        keep: (latest || said.keep_alive) && !said.close && !ends,
        length,
    }))
}

/// What the headers say of the reply and of the connection.
#[derive(Default)]
struct Said {
    length: Option<Length>,
    keep_alive: bool,
    close: bool,
}

impl Said {
    /// # Errors
    ///
    /// [`NOT_HTTP`] where the length is told in two ways.
    fn heed(&mut self, header: &Header<'_>) -> Result<(), Error> {
        let Header { name, value } = *header;
        if name.eq_ignore_ascii_case("content-length") {
            let length = Length::Known(decimal(value).ok_or(NOT_HTTP)?);
            if self
                .length
                .replace(length)
                .is_some_and(|other| other != length)
            {
                return Err(NOT_HTTP);
            }
        } else if name.eq_ignore_ascii_case("transfer-encoding") {
            let chunked = value.trim_ascii().eq_ignore_ascii_case(b"chunked");
            if !chunked || self.length.replace(Length::Chunked).is_some() {
                return Err(NOT_HTTP);
            }
        } else if name.eq_ignore_ascii_case("connection") {
            for word in value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii) {
                self.close |= word.eq_ignore_ascii_case(b"close");
                self.keep_alive |= word.eq_ignore_ascii_case(b"keep-alive");
            }
        }
        Ok(())
    }
}

impl Head {
    /// Whether the reply itself is still to come.
    pub(super) fn is_interim(&self) -> bool {
        self.status.is_informational() && self.status != StatusCode::SWITCHING_PROTOCOLS
    }

    /// The body, and the bytes that it takes with what frames it, from what was sent so far; `None` if
    /// it is not whole yet.
    ///
    /// # Errors
    ///
    /// [`TOO_LONG`], as soon as that is known, and [`Error::Unreachable`] for chunks that are none.
    pub(super) fn body(&self, sent: &[u8], ended: bool) -> Result<Option<(Body, usize)>, Error> {
        let length = match self.length {
            Length::Known(length) => usize::try_from(length).unwrap_or(usize::MAX),
            Length::ToTheEnd => sent.len(),
            Length::Chunked => return unchunk(sent),
        };
        if length > BODY_LIMIT {
            return Err(TOO_LONG);
        }
        let whole = match self.length {
            Length::ToTheEnd => ended,
            _ => length <= sent.len(),
        };
        Ok(whole.then_some((Body::Plain(length), length)))
    }
}

fn decimal(value: &[u8]) -> Option<u64> {
    let digits = value.trim_ascii();
    let text = std::str::from_utf8(digits).ok()?;
    // `parse` would take a sign.
    let plain = digits.iter().all(u8::is_ascii_digit);
    text.parse().ok().filter(|_| plain)
}

fn unchunk(sent: &[u8]) -> Result<Option<(Body, usize)>, Error> {
    let mut body = Vec::new();
    let mut rest = sent;
    loop {
        // `httparse` takes no digit at all for a zero, which would be the end.
        if rest.first().is_some_and(|byte| !byte.is_ascii_hexdigit()) {
            return Err(bad_chunks());
        }
        let size = httparse::parse_chunk_size(rest).map_err(|_| bad_chunks())?;
        let Status::Complete((start, size)) = size else {
            return Ok(None);
        };
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        if size > BODY_LIMIT - body.len() {
            return Err(TOO_LONG);
        }
        rest = rest.get(start..).unwrap_or_default();
        if size == 0 {
            let mut headers = [EMPTY_HEADER; TRAILERS];
            let trailers = httparse::parse_headers(rest, &mut headers);
            return match trailers.map_err(|_| bad_chunks())? {
                Status::Complete((end, _)) => {
                    let size = sent.len() - rest.len() + end;
                    Ok(Some((Body::Unchunked(body), size)))
                }
                Status::Partial => Ok(None),
            };
        }
        let Some((chunk, after)) = rest.split_at_checked(size) else {
            return Ok(None);
        };
        body.extend_from_slice(chunk);
        rest = match after {
            [b'\r', b'\n', next @ ..] => next,
            [] | [b'\r'] => return Ok(None),
            _ => return Err(bad_chunks()),
        };
    }
}

fn bad_chunks() -> Error {
    Error::unreachable(BadChunks)
}

/// What was announced in chunks does not come in chunks.
#[derive(Debug, thiserror::Error)]
#[error("the chunks of the reply are none")]
struct BadChunks;

#[cfg(test)]
mod tests;
