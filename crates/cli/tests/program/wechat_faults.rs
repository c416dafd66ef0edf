//! Every fault that the simulator can play, against the whole program.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::harness::{Folder, Server, Simulator, configure, eventually, get, login, serve, within};

/// WeChat's time limit here, in seconds.
const LIMIT: &str = "1";

fn faults() -> Vec<(Value, u16)> {
    vec![
        (json!({ "kind": "status", "status": 500 }), 502),
        (json!({ "kind": "status", "status": 302 }), 502),
        (json!({ "kind": "delay", "ms": 8000 }), 504),
        (json!({ "kind": "hang" }), 504),
        (json!({ "kind": "reset" }), 502),
        (json!({ "kind": "garbage" }), 502),
        (json!({ "kind": "truncate" }), 502),
        (json!({ "kind": "errcode", "errcode": 40226 }), 403),
        (json!({ "kind": "errcode", "errcode": 45009 }), 429),
        (json!({ "kind": "errcode", "errcode": 99999 }), 502),
    ]
}

/// Proves F14: no fault of WeChat's makes a token, takes long, or outlasts itself.
#[test]
fn a_fault_of_wechat_ends_with_itself() {
    let (folder, simulator) = (Folder::new(), Simulator::start());
    configure(&folder, &simulator.url());
    let server = Server::ready(serve(&folder, &[("wechat.timeout", LIMIT)]));
    for (fault, status) in faults() {
        simulator.fault(fault.clone());
        let code = simulator.code("小王");
        let began = Instant::now();
        let reply = login(server.public, &code);
        assert_eq!(reply.status, status, "{fault}: {reply:?}");
        assert!(!reply.text.contains("access_token"), "{fault}: {reply:?}");
        assert!(
            began.elapsed() < Duration::from_secs(2),
            "{fault}: {:?}",
            began.elapsed()
        );
        assert_eq!(
            reply.header("retry-after").is_some(),
            matches!(status, 429 | 504),
            "{fault}"
        );
        assert_eq!(get(server.management, "/readyz").status, 200, "{fault}");
        simulator.heal();
        login(server.public, &simulator.code("小王")).token();
    }
}

/// Proves F14: a WeChat that fails for long is left alone, and is noticed within 5 s of its return.
#[test]
fn a_wechat_that_is_back_is_noticed() {
    let (folder, simulator) = (Folder::new(), Simulator::start());
    configure(&folder, &simulator.url());
    let server = Server::ready(serve(&folder, &[]));
    simulator.fault(json!({ "kind": "reset" }));
    let open = eventually("the circuit opens", || {
        let reply = login(server.public, &simulator.code("小王"));
        assert!(matches!(reply.status, 502 | 503), "{reply:?}");
        (reply.status == 503).then_some(reply)
    });
    assert!(open.header("retry-after").is_some(), "{open:?}");
    let metrics = get(server.management, "/metrics").text;
    let circuit = metrics
        .lines()
        .find(|line| line.starts_with("menjin_wechat_circuit{"));
    assert!(
        circuit.is_some_and(|line| !line.ends_with(" 0")),
        "{metrics}"
    );
    let code = simulator.code("小王");
    assert_eq!(login(server.public, &code).status, 503);
    assert_eq!(simulator.calls(&code), 0, "WeChat was not asked");
    simulator.heal();
    within(Duration::from_secs(5), "it is noticed", || {
        let reply = login(server.public, &simulator.code("小王"));
        (reply.status == 200).then_some(())
    });
}
