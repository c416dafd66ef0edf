use std::fmt::Write;

use proptest::prelude::*;

use super::*;

const CHUNKED: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n";

/// Status, body, whether the connection is kept, and what is left behind the reply.
type Read = (u16, Vec<u8>, bool, usize);

/// What stands in `bytes`, if it is there whole.
fn read(bytes: &[u8], ended: bool) -> Result<Option<Read>, Error> {
    let Some(head) = head(bytes)? else {
        return Ok(None);
    };
    let sent = &bytes[head.size..];
    let Some((body, size)) = head.body(sent, ended)? else {
        return Ok(None);
    };
    let body = match body {
        Body::Plain(length) => sent[..length].to_vec(),
        Body::Unchunked(bytes) => bytes,
    };
    Ok(Some((
        head.status.as_u16(),
        body,
        head.keep,
        sent.len() - size,
    )))
}

fn whole(text: &str) -> Read {
    read(text.as_bytes(), true).unwrap().unwrap()
}

#[test]
fn a_length_ends_a_body() {
    let reply = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}HTTP";
    assert_eq!(whole(reply), (200, b"{}".to_vec(), true, 4));
    let twice = reply.replace("\r\n\r\n", "\r\nContent-Length: 2\r\n\r\n");
    assert_eq!(whole(&twice), whole(reply));
}

#[test]
fn without_a_length_the_connection_ends_a_body() {
    let reply = b"HTTP/1.1 200 OK\r\nA: b\r\n\r\n{}";
    assert!(read(reply, false).unwrap().is_none());
    let expected = (200, b"{}".to_vec(), false, 0);
    assert_eq!(read(reply, true).unwrap(), Some(expected));
}

#[test]
fn chunks_are_put_together() {
    let chunks = "3;a=b\r\n{\"a\r\n0004\r\n\":1}\r\n0\r\nX: y\r\n\r\nHTTP";
    let expected = (200, b"{\"a\":1}".to_vec(), true, 4);
    assert_eq!(whole(&format!("{CHUNKED}{chunks}")), expected);
}

#[test]
fn some_replies_have_no_body() {
    for status in [100, 101, 103, 204, 304] {
        let reply = format!("HTTP/1.1 {status} X\r\nContent-Length: 9\r\n\r\n");
        let keep = status != 101;
        assert_eq!(whole(&reply), (status, Vec::new(), keep, 0));
        let interim = head(reply.as_bytes()).unwrap().unwrap().is_interim();
        assert_eq!(interim, matches!(status, 100 | 103));
    }
}

#[test]
fn a_server_says_whether_it_goes_on() {
    for (version, said, kept) in [
        ("1.1", "X: close", true),
        ("1.1", "Connection: close", false),
        ("1.1", "Connection: foo, Close", false),
        ("1.1", "Connection: close, keep-alive", false),
        ("1.1", "Connection: keep-alive\r\nConnection: close", false),
        ("1.0", "Connection: close\r\nConnection: keep-alive", false),
        ("1.0", "X: y", false),
        ("1.0", "connection: Keep-Alive", true),
    ] {
        let reply = format!("HTTP/{version} 200 OK\r\n{said}\r\nContent-Length: 0\r\n\r\n");
        assert_eq!(whole(&reply).2, kept, "{reply}");
    }
}

#[test]
fn what_could_be_read_in_two_ways_is_not_http() {
    for headers in [
        "Content-Length: 1\r\nContent-Length: 2",
        "Content-Length: 1, 1",
        "Content-Length: +1",
        "Content-Length: -1",
        "Content-Length:",
        "Content-Length: 99999999999999999999",
        "Transfer-Encoding: gzip, chunked",
        "Transfer-Encoding: identity",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nContent-Length: 1",
        "Content-Length: 1\r\nTransfer-Encoding: chunked",
        " folded: 1",
        "Content-Length : 1",
    ] {
        let reply = format!("HTTP/1.1 200 OK\r\n{headers}\r\n\r\n{{}}");
        let error = read(reply.as_bytes(), true).unwrap_err();
        assert!(
            matches!(error, Error::Garbled("not HTTP")),
            "{headers}: {error:?}"
        );
    }
}

#[test]
fn bad_chunks_are_no_body() {
    for chunks in [
        "zz\r\n",
        "\r\n",
        "2\r\n{}{}\r\n",
        "2\r\n{}\n\n",
        "-2\r\n",
        "11111111111111111\r\n",
    ] {
        let reply = format!("{CHUNKED}{chunks}");
        let error = read(reply.as_bytes(), false).unwrap_err();
        assert!(
            matches!(error, Error::Unreachable(_)),
            "{chunks}: {error:?}"
        );
    }
}

#[test]
fn a_body_has_64_kib_at_most() {
    let limit = "x".repeat(BODY_LIMIT);
    let announced = |n: usize| format!("HTTP/1.1 200 OK\r\nContent-Length: {n}\r\n\r\n{limit}");
    let open = |more: &str| format!("HTTP/1.1 200 OK\r\n\r\n{limit}{more}");
    let half = BODY_LIMIT / 2;
    let chunks = |size: usize| {
        let half = "x".repeat(half);
        format!(
            "{CHUNKED}{:x}\r\n{half}\r\n{size:x}\r\n{half}\r\n0\r\n\r\n",
            half.len()
        )
    };
    for good in [announced(BODY_LIMIT), open(""), chunks(half)] {
        assert_eq!(whole(&good).1.len(), BODY_LIMIT);
    }
    for bad in [announced(BODY_LIMIT + 1), open("x"), chunks(half + 1)] {
        assert!(matches!(
            read(bad.as_bytes(), false),
            Err(Error::Garbled("a body over 64 KiB"))
        ));
    }
}

proptest! {
    /// It does not matter in which pieces a reply comes: until it is whole there is nothing, and then
    /// the same as at once.
    #[test]
    fn pieces_do_not_matter(
        body in "[ -~]{0,40}",
        framed in any::<bool>(),
        sizes in prop::collection::vec(1_usize..9, 1..8),
        behind in "[ -~]{0,9}",
    ) {
        let mut reply = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        if framed {
            reply = CHUNKED.to_owned();
            let (mut rest, mut sizes) = (body.as_str(), sizes.iter().cycle());
            while !rest.is_empty() {
                let (chunk, after) = rest.split_at(sizes.next().unwrap().min(&rest.len()).to_owned());
                let _ = write!(reply, "{:X}\r\n{chunk}\r\n", chunk.len());
                rest = after;
            }
            reply += "0\r\n\r\n";
        }
        let end = reply.len();
        reply += &behind;
        for at in 0..=reply.len() {
            let read = read(&reply.as_bytes()[..at], false).unwrap();
            let expected = (at >= end).then(|| (200, body.clone().into_bytes(), true, at - end));
            prop_assert_eq!(read, expected);
        }
    }

    /// Nothing that arrives does harm.
    #[test]
    fn anything_may_arrive(
        bytes in prop::collection::vec(any::<u8>(), 0..300),
        start in 0_usize..4,
        ended in any::<bool>(),
    ) {
        let beginnings: [&[u8]; 4] =
            [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: ", CHUNKED.as_bytes()];
        let _ = read(&[beginnings[start], &bytes].concat(), ended);
    }
}
