//! PostgreSQL is not there yet, goes away, and comes back.

use std::time::Duration;

use crate::harness::{
    Cluster, Folder, Server, Simulator, configure, eventually, get, login, me, serve, within,
};

fn readiness(server: &Server) -> u16 {
    get(server.management, "/readyz").status
}

/// Proves F27 and HTTP-7: a server that was started first waits for its database; one whose
/// database goes says so, lives on, and is ready again soon after the database is.
#[test]
fn the_server_outlives_its_database() {
    let (folder, simulator, mut cluster) = (Folder::new(), Simulator::start(), Cluster::new());
    configure(&folder, &simulator.url());
    let mut server = Server::listening(serve(&folder, &[("store.url", &cluster.url())]));
    // Long enough for its pauses between attempts to have grown to their full length.
    eventually("it has tried several times", || {
        let tries = server.program.said().matches("will try again").count();
        (tries >= 5).then_some(())
    });
    assert_eq!(get(server.public, "/healthz").status, 200);
    assert_eq!(readiness(&server), 503);
    let early = login(server.public, &simulator.code("early"));
    assert_eq!((early.status, early.errcode()), (503, -1), "{early:?}");
    assert!(early.header("retry-after").is_some(), "{early:?}");
    assert!(server.program.lives());

    cluster.start();
    within(Duration::from_secs(3), "ready after the database", || {
        (readiness(&server) == 200).then_some(())
    });
    let token = login(server.public, &simulator.code("小王")).token();

    for _ in 0..2 {
        cluster.stop();
        within(Duration::from_secs(3), "not ready without it", || {
            (readiness(&server) == 503).then_some(())
        });
        assert_eq!(get(server.public, "/healthz").status, 200);
        assert_eq!(get(server.public, "/.well-known/jwks.json").status, 200);
        let away = login(server.public, &simulator.code("小王"));
        assert_eq!(away.status, 503, "{away:?}");
        assert!(away.header("retry-after").is_some(), "{away:?}");
        let caller = me(server.public, &token);
        assert_eq!(caller.status, 503, "{caller:?}");
        assert!(caller.header("retry-after").is_some(), "{caller:?}");

        cluster.start();
        within(Duration::from_secs(4), "ready again", || {
            (readiness(&server) == 200).then_some(())
        });
        assert_eq!(me(server.public, &token).status, 200);
        login(server.public, &simulator.code("小王")).token();
    }
    assert!(server.program.lives());
    let ran = server.program.stop();
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(!ran.out.contains("panicked"), "{ran:?}");
}
