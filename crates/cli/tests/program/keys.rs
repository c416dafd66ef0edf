//! `menjin key`, beside a server that runs.

use std::time::Duration;

use serde_json::Value;

use crate::harness::{
    Folder, Server, Simulator, configure, eventually, get, login, me, menjin, run, serve, within,
};

/// `menjin key list --json`
pub(crate) fn list(folder: &Folder) -> Vec<Value> {
    let ran = run(menjin(folder).args(["key", "list", "--json"]));
    assert_eq!(ran.code, Some(0), "{ran:?}");
    serde_json::from_str(&ran.out).unwrap()
}

/// The key in that state, if there is one.
pub(crate) fn kid(folder: &Folder, state: &str) -> String {
    let keys = list(folder);
    let found = keys.iter().find(|key| key["state"] == state);
    let found = found.unwrap_or_else(|| panic!("no key {state}: {keys:?}"));
    found["kid"].as_str().unwrap().to_owned()
}

fn published(server: &Server) -> String {
    get(server.public, "/.well-known/jwks.json").text
}

/// Proves KEY-3: what a removed key signed is refused within five seconds, and the next key signs.
#[test]
fn a_removed_key_is_refused_at_once() {
    let (folder, simulator) = (Folder::new(), Simulator::start());
    configure(&folder, &simulator.url());
    let server = Server::ready(serve(&folder, &[]));
    let token = login(server.public, &simulator.code("小王")).token();
    assert_eq!(me(server.public, &token).status, 200);
    let (signs, next) = (kid(&folder, "signs"), kid(&folder, "next"));

    let removed = run(menjin(&folder).args(["key", "remove", &signs]));
    assert_eq!(removed.code, Some(0), "{removed:?}");
    assert!(removed.out.contains("within five seconds"), "{removed:?}");
    let refused = within(Duration::from_secs(5), "the token is refused", || {
        let reply = me(server.public, &token);
        (reply.status != 200).then_some(reply)
    });
    assert_eq!(refused.status, 401);
    assert_eq!(refused.text, r#"{"error":"invalid_token"}"#);
    assert!(!published(&server).contains(&signs));

    assert_eq!(kid(&folder, "signs"), next);
    assert_eq!(kid(&folder, "removed"), signs);
    let token = login(server.public, &simulator.code("小王")).token();
    assert_eq!(me(server.public, &token).status, 200);
    eventually("there is a next key again", || {
        let published = published(&server);
        let keys: Value = serde_json::from_str(&published).unwrap();
        (keys["keys"].as_array().unwrap().len() == 2).then_some(())
    });

    // The second is none, and could be one.
    for kid in [&*signs, "-4bVx0Qk3mT_9sLw"] {
        let again = run(menjin(&folder).args(["key", "remove", kid]));
        assert_eq!(again.code, Some(1), "{again:?}");
        assert!(again.err.contains("menjin key list"), "{again:?}");
    }
}

#[test]
fn a_rotation_waits_until_everybody_can_know_the_key() {
    let folder = Folder::new();
    configure(&folder, "http://127.0.0.1:1");
    let server = Server::ready(serve(&folder, &[]));
    let before = list(&folder);
    let words: Vec<_> = before.iter().map(|key| key["state"].clone()).collect();
    assert_eq!(words, ["signs", "next"]);

    let rotated = run(menjin(&folder).args(["key", "rotate"]));
    assert_eq!(rotated.code, Some(0), "{rotated:?}");
    assert!(rotated.out.starts_with("KID"), "{rotated:?}");
    let after = list(&folder);
    let instant = |value: &Value| value.as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    let (made, from) = (&after[1]["created_at"], &after[1]["signs_from"]);
    let wait = instant(from).as_second() - instant(made).as_second();
    // One lifetime of the key set in caches, and time for every replica to hear of it.
    assert!((300..=311).contains(&wait), "{after:?}");
    assert!(instant(&before[1]["signs_from"]) > instant(from));
    assert!(published(&server).contains(after[1]["kid"].as_str().unwrap()));
}

#[test]
fn keys_are_in_a_database_that_is_up_to_date() {
    let folder = Folder::new();
    configure(&folder, "http://127.0.0.1:1");
    let early = run(menjin(&folder).args(["key", "list"]));
    assert_eq!(early.code, Some(1), "{early:?}");
    assert!(early.err.contains("menjin migrate"), "{early:?}");
    run(menjin(&folder).arg("migrate"));
    let none = run(menjin(&folder).args(["key", "list"]));
    assert_eq!(none.code, Some(0), "{none:?}");
    assert!(none.out.contains("there are no keys yet"), "{none:?}");
    let rotated = run(menjin(&folder).args(["key", "rotate"]));
    assert_eq!(rotated.code, Some(0), "{rotated:?}");
    assert_eq!(list(&folder).len(), 2, "one signs, one is next");
}
