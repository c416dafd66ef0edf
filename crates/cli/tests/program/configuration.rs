//! `menjin config`, exit codes, and what a mistake is told.

use std::net::TcpListener;

use crate::harness::{Folder, Server, configure, get, menjin, run, serve};

#[test]
fn the_example_shows_every_key_and_needs_secrets() {
    let folder = Folder::new();
    let example = run(menjin(&folder).args(["config", "example"]));
    assert_eq!(example.code, Some(0));
    for key in ["[secrets]", "jwks_max_age = 300", "replay_window = 30"] {
        assert!(example.out.contains(key), "{key}");
    }
    folder.write("menjin.toml", &example.out);
    let checked = run(menjin(&folder).args(["config", "check"]));
    assert_eq!(checked.code, Some(1));
    for key in ["store.url", "secrets.master_keys", "wechat.apps[0].secret"] {
        assert!(checked.err.contains(key), "{key}: {checked:?}");
    }
}

#[test]
fn each_mistake_says_where_it_stands() {
    let folder = Folder::new();
    configure(&folder, "http://127.0.0.1:1");
    let text = folder.read("menjin.toml") + "[token]\nttl = \"soon\"\nlifetime = 60\n";
    folder.write("menjin.toml", &text);
    let line = text
        .lines()
        .position(|line| line.starts_with("ttl"))
        .unwrap()
        + 1;
    let mut command = menjin(&folder);
    command.args(["config", "check"]);
    command.env("MENJIN_STORE__CONNECTION", "5");
    let checked = run(&mut command);
    assert_eq!((checked.code, &*checked.out), (Some(1), ""));
    for expected in [
        &*format!("menjin.toml:{line}: token.ttl: "),
        &format!("menjin.toml:{}: token.lifetime: ", line + 1),
        "MENJIN_STORE__CONNECTION: there is no such variable; did you mean MENJIN_STORE__CONNECTIONS?",
    ] {
        assert!(checked.err.contains(expected), "{expected}: {checked:?}");
    }
    assert!(!checked.err.contains("soon"), "no value is quoted");
}

#[test]
fn the_environment_wins_over_the_file() {
    let folder = Folder::new();
    configure(&folder, "http://127.0.0.1:1");
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let busy = run(&mut serve(&folder, &[("server.listen", &address)]));
    assert_eq!(busy.code, Some(1), "{busy:?}");
    assert!(busy.err.contains(&address), "{busy:?}");
    assert!(busy.err.contains("another server.listen"), "{busy:?}");
}

#[test]
fn without_a_file_the_ways_out_are_named() {
    let folder = Folder::new();
    let ran = run(menjin(&folder).arg("serve"));
    assert_eq!(ran.code, Some(1));
    for way in ["menjin init", "--config", "menjin dev"] {
        assert!(ran.err.contains(way), "{way}: {ran:?}");
    }
    let ran = run(menjin(&folder).args(["serve", "--config", "nowhere.toml"]));
    assert_eq!(ran.code, Some(1));
    assert!(ran.err.contains("nowhere.toml"), "{ran:?}");
}

#[test]
fn what_breaks_exits_with_two() {
    let folder = Folder::new();
    configure(&folder, "http://127.0.0.1:1");
    folder.write("menjin.db", "this is no database, whatever its name says");
    for words in [&["migrate"][..], &["key", "list"]] {
        let ran = run(menjin(&folder).args(words));
        assert_eq!((ran.code, &*ran.out), (Some(2), ""), "{words:?}: {ran:?}");
        assert!(ran.err.starts_with("menjin: "), "{ran:?}");
        assert!(!ran.err.contains("panicked"), "{ran:?}");
    }
    let ran = run(menjin(&folder).args(["key", "list", "--sideways"]));
    assert_eq!(
        ran.code,
        Some(2),
        "so does a command line that makes no sense"
    );
}

/// Proves HTTP-7: what was counted is not for the public.
#[test]
fn metrics_are_on_the_management_listener_alone() {
    let folder = Folder::new();
    configure(&folder, "http://127.0.0.1:1");
    let server = Server::ready(serve(&folder, &[]));
    assert_eq!(get(server.management, "/metrics").status, 200);
    assert_eq!(get(server.public, "/metrics").status, 404);
    assert_eq!(get(server.management, "/v1/user/me").status, 404);
    for listener in [server.public, server.management] {
        assert_eq!(get(listener, "/healthz").status, 200);
        assert_eq!(get(listener, "/readyz").status, 200);
    }
}
