//! How much of a request is read, and for how long.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{Instant, timeout},
};

use super::{LOGIN, MALFORMED};
use crate::harness::{TestApp, wire::PATIENCE};

const TOO_LARGE: &str = "413 {\"success\":false,\
    \"error\":{\"errcode\":45002,\"errmsg\":\"the body is larger than 64 KiB\"},\"registered\":false}";

/// A good sign-in of exactly that many bytes.
fn body_of(app: &TestApp, bytes: usize) -> String {
    let short = format!(r#"{{"code":"{}","pad":""}}"#, app.code("wang"));
    let pad = "x".repeat(bytes - short.len());
    short.replace(r#""pad":"""#, &format!(r#""pad":"{pad}""#))
}

/// A request of HTTP/1.1 that ends its connection.
fn request(head: &str, body: &str) -> String {
    let length = body.len();
    format!("{head}\r\nhost: x\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}")
}

fn status(answer: &str) -> &str {
    answer.split(' ').nth(1).unwrap_or(answer)
}

/// Proves HTTP-2: 64 KiB are read and not a byte more.
#[tokio::test]
async fn a_body_has_64_kib() {
    let app = TestApp::sqlite().await;
    assert_eq!(
        app.post_text(LOGIN, &body_of(&app, 65_536)).await.status,
        200
    );
    for bytes in [65_537, 65_600, 500_000] {
        let reply = app.post_text(LOGIN, &body_of(&app, bytes)).await;
        assert_eq!(reply.line(), TOO_LARGE, "{bytes}");
    }
    let served = app.serve().await;
    let head = format!("POST {LOGIN} HTTP/1.1\r\ncontent-type: application/json");
    let whole = served.say(request(&head, &body_of(&app, 65_536))).await;
    assert_eq!(status(&whole), "200", "{whole}");
    let over = served.say(request(&head, &body_of(&app, 65_537))).await;
    assert_eq!(status(&over), "413", "{over}");
    served.end().await;
    app.end().await;
}

/// Proves HTTP-2: what is nested too deep is refused where it becomes so, however long it goes on.
#[tokio::test]
async fn nesting_has_an_end() {
    let app = TestApp::sqlite().await;
    let served = app.serve().await;
    let head = format!("POST {LOGIN} HTTP/1.1\r\ncontent-type: application/json");
    for (open, close) in [("[", "]"), ("{\"a\":", "}"), ("[{\"code\":", "}]")] {
        let body = format!("{}1{}", open.repeat(100_000), close.repeat(100_000));
        assert_eq!(
            app.post_text(LOGIN, &body).await.line(),
            MALFORMED,
            "{open}"
        );
        let wrapped = format!("{{\"x\":\"[[\\\"{{\",\"code\":{body}}}");
        let answer = served.say(request(&head, &wrapped)).await;
        assert_eq!(status(&answer), "400", "{open}: {answer}");
    }
    // Brackets in a text nest nothing.
    let text = "[{\\\"".repeat(16_000);
    let body = format!(r#"{{"code":"{}","x":"{text}"}}"#, app.code("wang"));
    assert!(body.len() < 65_536);
    assert_eq!(app.post_text(LOGIN, &body).await.status, 200);
    served.end().await;
    app.end().await;
}

/// Proves HTTP-2: a head of more than 16 KiB is refused, in whichever of its parts it is large.
#[tokio::test]
async fn a_head_has_16_kib() {
    let app = TestApp::sqlite().await;
    let served = app.serve().await;
    let head = |lines: &str| format!("GET /healthz HTTP/1.1\r\nhost: x\r\n{lines}\r\n");
    let long = |bytes: usize| {
        head(&format!(
            "connection: close\r\nx-long: {}\r\n",
            "x".repeat(bytes)
        ))
    };
    assert_eq!(status(&served.say(long(16_000)).await), "200");
    for bytes in [16_400, 20_000, 1_000_000] {
        let answer = served.say(long(bytes)).await;
        assert_eq!(status(&answer), "431", "{bytes}: {answer}");
    }
    let many: Vec<_> = (0..1_000)
        .map(|n| format!("x-{n}: {n}{n}{n}\r\n"))
        .collect();
    assert_eq!(status(&served.say(head(&many.concat())).await), "431");
    let token = format!("authorization: Bearer {}\r\n", "x".repeat(64 * 1024));
    assert_eq!(status(&served.say(head(&token)).await), "431");
    let path = format!("GET /{} HTTP/1.1\r\nhost: x\r\n\r\n", "x".repeat(20_000));
    let answer = served.say(path).await;
    assert!(["414", "431"].contains(&status(&answer)), "{answer}");
    assert_eq!(
        status(&served.say(long(1)).await),
        "200",
        "and it still lives"
    );
    served.end().await;
    app.end().await;
}

/// What came of sending one thing again and again.
struct Cut {
    sent: usize,
    took: Duration,
    answer: String,
}

/// Sends `head` and then `chunk` without end, until the server has had enough.
async fn pour(address: std::net::SocketAddr, head: &str, chunk: &[u8]) -> Cut {
    let (mut reading, mut writing) = TcpStream::connect(address).await.unwrap().into_split();
    writing.write_all(head.as_bytes()).await.unwrap();
    let began = Instant::now();
    let pouring = async {
        let mut sent = 0;
        while writing.write_all(chunk).await.is_ok() {
            sent += chunk.len();
            assert!(sent < 1 << 30, "the server takes all of it");
        }
        sent
    };
    let listening = async {
        let mut answer = Vec::new();
        // A reset is an end too.
        let _ = reading.read_to_end(&mut answer).await;
        String::from_utf8(answer).unwrap()
    };
    let (sent, answer) = timeout(PATIENCE, async { tokio::join!(pouring, listening) })
        .await
        .expect("the server has had enough at some time");
    Cut {
        sent,
        took: began.elapsed(),
        answer,
    }
}

/// Proves HTTP-2: a body that says no length is cut soon after the limit.
#[tokio::test]
async fn an_endless_body_is_cut() {
    let app = TestApp::sqlite().await;
    let served = app.serve().await;
    let head = format!(
        "POST {LOGIN} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n\
         transfer-encoding: chunked\r\n\r\n"
    );
    let chunk = format!("4000\r\n{}\r\n", " ".repeat(0x4000));
    let cut = pour(served.address, &head, chunk.as_bytes()).await;
    assert_eq!(status(&cut.answer), "413", "{}", cut.answer);
    assert!(cut.took < Duration::from_secs(1), "{:?}", cut.took);
    // What the kernel holds in between is neither ours to refuse nor in our memory.
    assert!(cut.sent < 32 << 20, "{}", cut.sent);

    let announced = head.replace("transfer-encoding: chunked", "content-length: 1073741824");
    let cut = pour(served.address, &announced, " ".repeat(0x4000).as_bytes()).await;
    assert_eq!(status(&cut.answer), "413", "{}", cut.answer);
    assert!(cut.took < Duration::from_secs(1), "{:?}", cut.took);
    served.end().await;
    app.end().await;
}

/// Proves HTTP-2, of a head that never ends.
#[tokio::test]
async fn an_endless_head_is_cut() {
    let app = TestApp::sqlite().await;
    let served = app.serve().await;
    let cut = pour(
        served.address,
        "GET /healthz HTTP/1.1\r\nx: ",
        &[b'x'; 4096],
    )
    .await;
    assert_eq!(status(&cut.answer), "431", "{}", cut.answer);
    assert!(cut.took < Duration::from_secs(1), "{:?}", cut.took);
    served.end().await;
    app.end().await;
}
