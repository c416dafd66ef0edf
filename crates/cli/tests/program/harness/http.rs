//! A client that sends exactly what it is told, byte by byte, and reads whole replies.

use std::{
    io::{self, BufRead, BufReader, ErrorKind, Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use serde_json::{Value, json};

use super::PATIENCE;

/// What a server answered.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    /// Status line and headers, as they came.
    pub(crate) head: String,
    pub(crate) text: String,
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("not JSON: {self:?}"))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.head.lines().filter_map(|line| line.split_once(": "));
        headers
            .find(|(header, _)| header.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    /// The access token of a sign-in that went well.
    pub(crate) fn token(&self) -> String {
        assert_eq!(self.status, 200, "{self:?}");
        self.json()["access_token"].as_str().unwrap().to_owned()
    }

    /// WeChat's number in a sign-in that went wrong.
    pub(crate) fn errcode(&self) -> i64 {
        let body = self.json();
        assert_eq!(body["success"], false, "{self:?}");
        body["error"]["errcode"].as_i64().unwrap()
    }
}

/// A connection that stays open.
pub(crate) struct Connection(BufReader<TcpStream>);

impl Connection {
    pub(crate) fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect_timeout(&address, Duration::from_secs(5))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        Ok(Self(BufReader::new(stream)))
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.get_mut().write_all(bytes)
    }

    pub(crate) fn reply(&mut self) -> io::Result<Reply> {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if self.0.read_line(&mut head)? == 0 {
                return Err(ErrorKind::UnexpectedEof.into());
            }
        }
        let status = head.split(' ').nth(1).and_then(|word| word.parse().ok());
        let mut reply = Reply {
            status: status.ok_or(ErrorKind::InvalidData)?,
            head,
            text: String::new(),
        };
        let length = reply.header("content-length").unwrap_or("0");
        let length = length.parse::<usize>();
        let mut body = vec![0; length.map_err(|_| ErrorKind::InvalidData)?];
        self.0.read_exact(&mut body)?;
        reply.text = String::from_utf8_lossy(&body).into_owned();
        Ok(reply)
    }

    pub(crate) fn ask(&mut self, bytes: &[u8]) -> io::Result<Reply> {
        self.send(bytes)?;
        self.reply()
    }
}

/// A request in the usual form; whoever wants another writes it by hand.
pub(crate) fn request(line: &str, headers: &[(&str, &str)], body: &str) -> Vec<u8> {
    let mut text = format!("{line} HTTP/1.1\r\nHost: menjin.test\r\n");
    for (name, value) in headers {
        text.extend([name, ": ", value, "\r\n"]);
    }
    if line.starts_with("POST") {
        let length = body.len().to_string();
        text.extend([
            "Content-Type: application/json\r\nContent-Length: ",
            &length,
            "\r\n",
        ]);
    }
    text.extend(["\r\n", body]);
    text.into_bytes()
}

/// Asks once, on a connection of its own.
pub(crate) fn try_ask(address: SocketAddr, bytes: &[u8]) -> io::Result<Reply> {
    Connection::open(address)?.ask(bytes)
}

pub(crate) fn try_get(address: SocketAddr, path: &str) -> io::Result<Reply> {
    try_ask(address, &request(&format!("GET {path}"), &[], ""))
}

pub(crate) fn get(address: SocketAddr, path: &str) -> Reply {
    get_with(address, path, &[])
}

pub(crate) fn get_with(address: SocketAddr, path: &str, headers: &[(&str, &str)]) -> Reply {
    try_ask(address, &request(&format!("GET {path}"), headers, ""))
        .unwrap_or_else(|error| panic!("GET {path}: {error}"))
}

pub(crate) fn post(address: SocketAddr, path: &str, body: &Value) -> Reply {
    let bytes = request(&format!("POST {path}"), &[], &body.to_string());
    try_ask(address, &bytes).unwrap_or_else(|error| panic!("POST {path}: {error}"))
}

/// Signs in with a code.
pub(crate) fn login(address: SocketAddr, code: &str) -> Reply {
    post(address, "/v1/user/login", &json!({ "code": code }))
}

/// Asks for the account behind a token.
pub(crate) fn me(address: SocketAddr, token: &str) -> Reply {
    let bearer = format!("Bearer {token}");
    get_with(address, "/v1/user/me", &[("Authorization", &bearer)])
}
