//! More clients than the process may have files.

use std::{
    net::SocketAddr,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use serde_json::json;

use crate::harness::{
    Connection, Folder, Server, Simulator, command, configure, login, me, request, serve, try_get,
    within,
};

const CLIENTS: usize = 200;
const WATCHED: Duration = Duration::from_secs(3);

/// The same command under a limit on open files.
fn limited(of: &Command, folder: &Folder, files: u32) -> Command {
    let mut limited = command("sh", folder);
    limited.args(["-c", &format!("ulimit -n {files} && exec \"$0\" \"$@\"")]);
    limited.arg(of.get_program()).args(of.get_args());
    for (name, value) in of.get_envs() {
        if let Some(value) = value {
            limited.env(name, value);
        }
    }
    limited
}

/// Connects, asks, and does not read what comes.
fn crowd(address: SocketAddr) -> Vec<Connection> {
    let client = |_| {
        let mut client = Connection::open(address).unwrap();
        client.send(&request("GET /healthz", &[], "")).unwrap();
        client
    };
    (0..CLIENTS).map(client).collect()
}

/// Proves F18: with 64 files and 200 clients the process lives, does not spin, serves who was there
/// first, signs in, and is itself again once they leave.
#[test]
fn too_many_clients_for_the_files_there_are() {
    let (folder, simulator) = (Folder::new(), Simulator::start());
    configure(&folder, &simulator.url());
    let settings = [("server.public_url", "http://menjin.test")];
    let mut server = Server::ready(limited(&serve(&folder, &settings), &folder, 64));
    let mut first = Connection::open(server.public).unwrap();
    let ask = request("GET /.well-known/jwks.json", &[], "");
    assert_eq!(first.ask(&ask).unwrap().status, 200);

    for address in [server.public, server.management] {
        let clients = crowd(address);
        let (before, began) = (server.program.cpu(), Instant::now());
        while began.elapsed() < WATCHED {
            assert_eq!(first.ask(&ask).unwrap().status, 200);
            thread::sleep(Duration::from_millis(50));
        }
        // The database and WeChat need some as well.
        assert!(server.program.files() < 50, "{}", server.program.files());
        let used = server.program.cpu().saturating_sub(before);
        assert!(used * 2 < began.elapsed(), "{used:?} of processor time");
        // On a busy machine a loop that spins does not get half a core; its log tells all the same.
        let log = server.program.said();
        let failed = log.matches("could not be accepted").count();
        assert!(failed < 100, "{failed} attempts to accept");
        let body = json!({ "code": simulator.code("小王") }).to_string();
        let signed_in = first
            .ask(&request("POST /v1/user/login", &[], &body))
            .unwrap();
        let caller = format!("Bearer {}", signed_in.token());
        let caller = request("GET /v1/user/me", &[("Authorization", &caller)], "");
        assert_eq!(first.ask(&caller).unwrap().status, 200);

        assert!(server.program.lives());
        drop(clients);
        within(Duration::from_secs(3), "newcomers are served", || {
            try_get(address, "/readyz")
                .ok()
                .filter(|reply| reply.status == 200)
        });
    }
    let token = login(server.public, &simulator.code("somebody new")).token();
    let ran = server.program.stop();
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(!ran.out.contains("panicked"), "{ran:?}");
    let server = Server::ready(serve(&folder, &settings));
    assert_eq!(
        me(server.public, &token).status,
        200,
        "the database is whole"
    );
}
