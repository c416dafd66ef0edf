//! Traces, sent by OTLP where the operator wants them.

use std::{
    sync::mpsc::channel,
    time::{Duration, Instant},
};

use crate::harness::{Folder, Play, Server, Simulator, Stub, configure, login, serve};

#[test]
fn a_request_is_traced() {
    let (sender, arrived) = channel();
    let collector = Stub::start(move |asked| {
        sender
            .send((asked.line.clone(), asked.body.clone()))
            .unwrap();
        Play::Say(200, String::new())
    });
    let (folder, simulator) = (Folder::new(), Simulator::start());
    configure(&folder, &simulator.url());
    let server = Server::ready(serve(
        &folder,
        &[("telemetry.otlp_endpoint", &collector.url())],
    ));
    let code = simulator.code("小王");
    let token = login(server.public, &code).token();
    let ran = server.program.stop();
    assert_eq!(ran.code, Some(0), "{ran:?}");

    let (line, body) = arrived.recv_timeout(Duration::from_secs(1)).unwrap();
    assert!(line.starts_with("POST /v1/traces "), "{line}");
    let mut text = String::from_utf8_lossy(&body).into_owned();
    while let Ok((_, body)) = arrived.try_recv() {
        text += &String::from_utf8_lossy(&body);
    }
    for word in ["service.name", "menjin", "request", "/v1/user/login"] {
        assert!(text.contains(word), "{word}: {text}");
    }
    assert!(
        !text.contains(&code) && !text.contains(&token),
        "no secret is traced"
    );
}

#[test]
fn a_dead_collector_holds_up_nobody() {
    let hung = Stub::start(|_| Play::Hang);
    for collector in [hung.url(), "http://127.0.0.1:1".to_owned()] {
        let (folder, simulator) = (Folder::new(), Simulator::start());
        configure(&folder, &simulator.url());
        let server = Server::ready(serve(&folder, &[("telemetry.otlp_endpoint", &collector)]));
        let began = Instant::now();
        login(server.public, &simulator.code("小王")).token();
        assert!(
            began.elapsed() < Duration::from_secs(2),
            "{:?}",
            began.elapsed()
        );
        server.program.signal("TERM");
        let ran = server.program.end(Duration::from_secs(12));
        assert_eq!(ran.code, Some(0), "{collector}: {ran:?}");
    }
}
