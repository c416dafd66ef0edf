//! The log when clients write into it what they like.

use serde_json::Value;

use crate::harness::{Folder, Play, Ran, Server, Stub, configure, login, request, serve, try_ask};

/// Values of a header, as hostile as HTTP lets them be, and some that it does not.
const HOSTILE: [&[u8]; 14] = [
    b"plain",
    b"\"quotes\" and \\backslashes\\ and {\"message\":\"forged\"}",
    b"tab\there",
    b"\xff\xfe obs-text \x80\x9b31m",
    "C1 \u{9b}31m control".as_bytes(),
    "lines \u{2028} and \u{2029} and \u{85}".as_bytes(),
    "right to left \u{202e} override".as_bytes(),
    b"%0d%0a{\"message\":\"forged\"}",
    b"\\r\\n{\"message\":\"forged\"}",
    b"escape \x1b[31m",
    b"bare \r return",
    b"bare \n{\"message\":\"forged\"}",
    b"null \x00 byte",
    b"bell \x07 and delete \x7f",
];

/// Sends each as User-Agent, as X-Request-Id and as Referer; how many requests were taken.
fn storm(server: &Server) -> usize {
    let mut taken = 0;
    for value in HOSTILE {
        let mut bytes = b"GET /v1/user/me HTTP/1.1\r\nHost: menjin.test\r\n".to_vec();
        for name in ["User-Agent", "X-Request-Id", "Referer", "Authorization"] {
            bytes.extend(name.as_bytes());
            bytes.extend(b": ");
            bytes.extend(value);
            bytes.extend(b"\r\n");
        }
        bytes.extend(b"\r\n");
        let reply = try_ask(server.public, &bytes).unwrap();
        assert!(matches!(reply.status, 400 | 401), "{reply:?}");
        if reply.status == 401 {
            taken += 1;
            let id = reply.header("x-request-id").unwrap();
            assert!(id == "plain" || id.len() == 32, "{id}");
        }
    }
    let body = r#"{"code": "\u001b[31m\r\n{\"message\":\"forged\"}"}"#;
    let reply = try_ask(server.public, &request("POST /v1/user/login", &[], body)).unwrap();
    assert_eq!(reply.errcode(), 40029);
    // WeChat's own words, which a proxy on the way could choose.
    assert_eq!(login(server.public, "anything").status, 502);
    taken + 2
}

fn logged(format: &str) -> (usize, Ran) {
    let folder = Folder::new();
    let stub = Stub::start(|_| {
        let errmsg = "\\u001b[31m system error\\r\\n{\\\"message\\\":\\\"forged\\\"}\\u009b31m";
        Play::Say(
            200,
            format!("{{\"errcode\": 41002, \"errmsg\": \"{errmsg}\"}}"),
        )
    });
    configure(&folder, &stub.url());
    let settings = [("log.format", format), ("log.level", "trace")];
    let server = Server::ready(serve(&folder, &settings));
    let taken = storm(&server);
    (taken, server.program.stop())
}

/// Proves LOG-2: whatever a client sends, each line of the log is one JSON object.
#[test]
fn every_line_is_one_json_object() {
    let (taken, ran) = logged("json");
    assert!(taken >= 11, "{taken}");
    assert_eq!(ran.err, "");
    let mut answered = 0;
    for line in ran.out.lines() {
        let line: Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("{line:?}"));
        assert!(line.is_object() && line["message"] != "forged", "{line}");
        let of_ours = line["message"] == "answered" && line["span"]["route"] != "/readyz";
        answered += usize::from(of_ours);
    }
    assert_eq!(answered, taken);
    assert!(ran.out.contains("backslashes"), "the header was logged");
}

/// Proves LOG-2 for people: no escape sequence of a client reaches the terminal, no line is forged.
#[test]
fn a_terminal_sees_no_escape_sequences() {
    let (_, ran) = logged("terminal");
    assert!(ran.out.contains("backslashes"), "the header was logged");
    for line in ran.out.lines() {
        let strange = line.chars().find(|c| c.is_control() && *c != '\t');
        assert_eq!(strange, None, "{line:?}");
        assert!(
            line.starts_with("20"),
            "a line begins with its time: {line:?}"
        );
    }
}

/// What reads the log may die; the server goes on.
#[test]
fn a_log_that_nobody_reads_stops_nothing() {
    let folder = Folder::new();
    let stub = Stub::start(|_| Play::session("oWang", "c2Vzc2lvbiBrZXkgMTIzNA=="));
    configure(&folder, &stub.url());
    let mut server = Server::ready(serve(&folder, &[("log.level", "trace")]));
    server.program.stop_reading();
    // The first lines after this are what the readers notice it by, and the next find nobody.
    for _ in 0..8 {
        login(server.public, "good").token();
    }
    assert!(server.program.lives());
    assert_eq!(server.program.stop().code, Some(0));
}
