//! The life of a service, beside a server that runs.

use std::{path::Path, time::Duration};

use base64::{Engine, engine::general_purpose::STANDARD};
use menjin_store::{Entered, Options, Store};
use serde_json::{Value, json};

use super::{introspect, listed, secret, service};
use crate::{
    harness::{
        Database, Folder, Reply, Server, Simulator, configure, get_with, login, menjin, run, serve,
        within,
    },
    keys::kid,
};

/// How soon a server knows what a command did.
const SOON: Duration = Duration::from_secs(5);

/// The audit log, from the beginning.
fn audited(url: &str) -> Vec<Entered> {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let store = Store::open(&Options::new(url)).await.unwrap();
        let told = store.read(|tx| Box::pin(async move { tx.audit_all(0, 100).await }));
        let entries: Result<_, menjin_store::Error> = told.await;
        store.close().await;
        entries.unwrap()
    })
}

/// Whether any file of the database has these bytes.
fn is_kept(folder: &Path, bytes: &[u8]) -> bool {
    let files = std::fs::read_dir(folder).unwrap();
    files.map(|entry| entry.unwrap().path()).any(|path| {
        let kept = path.is_file().then(|| std::fs::read(path).unwrap());
        kept.is_some_and(|kept| kept.windows(bytes.len()).any(|part| part == bytes))
    })
}

/// A server under way, and somebody's token to ask about.
struct Running<'f> {
    folder: &'f Folder,
    server: Server,
    token: String,
}

impl<'f> Running<'f> {
    fn start(folder: &'f Folder, url: &str) -> Self {
        let simulator = Simulator::start();
        configure(folder, &simulator.url());
        let text = folder.read("menjin.toml");
        let own = text
            .lines()
            .find(|line| line.starts_with("url = "))
            .unwrap();
        folder.write(
            "menjin.toml",
            &text.replace(own, &format!("url = \"{url}\"")),
        );
        let server = Server::ready(serve(folder, &[]));
        let token = login(server.public, &simulator.code("小王")).token();
        Self {
            folder,
            server,
            token,
        }
    }

    /// Waits until the server answers a service with that status.
    fn answers(&self, secret: &str, status: u16) -> Reply {
        within(SOON, &format!("it is answered {status}"), || {
            let reply = introspect(self.server.public, ("repairs", secret), &self.token);
            (reply.status == status).then_some(reply)
        })
    }

    fn add(&self) -> String {
        let added = service(
            self.folder,
            &["add", "repairs", "--may", "follow,introspect"],
        );
        let told = "repairs is added and may introspect, follow.";
        assert!(added.err.starts_with(told), "{added:?}");
        let secret = secret(&added);
        let reply = self.answers(&secret, 200);
        assert_eq!(reply.json()["active"], true, "{reply:?}");
        let line = &listed(self.folder)[0];
        assert_eq!(
            (&line["id"], &line["from"]),
            (&json!("repairs"), &json!("store"))
        );
        assert_eq!(line["may"], json!(["introspect", "follow"]));
        assert_eq!(line["rotated_at"], Value::Null);
        secret
    }

    fn rotate(&self, first: &str) -> String {
        let rotated = service(self.folder, &["rotate", "repairs"]);
        let second = secret(&rotated);
        self.answers(&second, 200);
        self.answers(first, 200);
        let line = &listed(self.folder)[0];
        let instant = |key: &str| {
            line[key]
                .as_str()
                .unwrap()
                .parse::<jiff::Timestamp>()
                .unwrap()
        };
        let former = instant("former_until").as_second() - instant("rotated_at").as_second();
        assert_eq!(former, 24 * 3600, "{line}");
        assert!(instant("created_at") <= instant("rotated_at"), "{line}");
        let until = line["former_until"].as_str().unwrap();
        assert!(rotated.err.contains(until), "{rotated:?}");
        second
    }

    fn rotate_at_once(&self, first: &str, second: &str) -> String {
        let rotated = service(self.folder, &["rotate", "repairs", "--former-for", "0"]);
        let third = secret(&rotated);
        assert!(
            rotated.err.contains("the former one counts no more"),
            "{rotated:?}"
        );
        self.answers(&third, 200);
        self.answers(second, 401);
        self.answers(first, 401);
        assert_eq!(listed(self.folder)[0]["former_until"], Value::Null);
        third
    }
}

/// Adds, lists, rotates twice and removes a service while a server runs.
fn live(folder: &Folder, url: &str) {
    let running = Running::start(folder, url);
    let first = running.add();
    let second = running.rotate(&first);
    let third = running.rotate_at_once(&first, &second);
    let shown = service(folder, &["list"]);
    assert!(
        shown.out.contains("repairs  introspect,follow  store"),
        "{shown:?}"
    );
    let removed = service(folder, &["remove", "repairs"]);
    assert_eq!((removed.code, &*removed.err), (Some(0), ""), "{removed:?}");
    running.answers(&third, 401);
    assert!(listed(folder).is_empty());

    let stopped = running.server.program.stop();
    let said = format!("{stopped:?}{shown:?}{removed:?}");
    for secret in [&first, &second, &third] {
        assert!(!said.contains(secret.as_str()), "{said}");
        assert!(!is_kept(folder.path(), secret.as_bytes()));
    }
    let mut events = audited(url);
    events.retain(|entry| entry.event.starts_with("service_"));
    let names: Vec<_> = events.iter().map(|entry| entry.event.as_str()).collect();
    let all = [
        "service_added",
        "service_rotated",
        "service_rotated",
        "service_removed",
    ];
    assert_eq!(names, all);
    let own = |entry: &Entered| entry.actor == "operator" && entry.subject == "repairs";
    assert!(events.iter().all(own), "{events:?}");
    assert_eq!(events[0].detail, r#"{"may":"introspect follow"}"#);
}

/// Proves INT-1: a service is let in by its secret alone, from the command that adds it to the one that
/// removes it, and nobody sees the secret a second time.
#[test]
fn a_service_lives_on_sqlite() {
    let folder = Folder::new();
    let url = format!("sqlite://{}/menjin.db", folder.path().display());
    live(&folder, &url);
}

/// Proves INT-1 on PostgreSQL.
#[test]
fn a_service_lives_on_postgres() {
    let database = Database::new();
    live(&Folder::new(), &database.url);
}

/// What the operator says of tokens decides for how long services keep in mind what was revoked, also
/// what a command revokes.
#[test]
fn the_feed_lasts_as_long_as_tokens() {
    a_removed_key_is_told_of(7_200, 7_200);
}

/// A time that was made shorter does not let services forget while tokens from before it last.
#[test]
fn the_feed_lasts_an_hour_at_least() {
    a_removed_key_is_told_of(300, 3_600);
}

/// Whether, with tokens of `ttl` seconds, the feed tells of a removed key for `lasts` seconds.
fn a_removed_key_is_told_of(ttl: u32, lasts: i64) {
    let folder = Folder::new();
    configure(&folder, "http://127.0.0.1:1");
    let text = folder.read("menjin.toml");
    folder.write("menjin.toml", &format!("{text}[token]\nttl = {ttl}\n"));
    let server = Server::ready(serve(&folder, &[]));
    let secret = secret(&service(&folder, &["add", "repairs", "--may", "follow"]));
    let before = jiff::Timestamp::now();
    let removed = run(menjin(&folder).args(["key", "remove", &kid(&folder, "signs")]));
    assert_eq!(removed.code, Some(0), "{removed:?}");
    let after = jiff::Timestamp::now();

    let basic = format!("Basic {}", STANDARD.encode(format!("repairs:{secret}")));
    let until = within(SOON, "the feed tells of it", || {
        let path = "/auth/revocations?after=0&wait=0";
        let reply = get_with(server.public, path, &[("Authorization", &basic)]);
        let until = (reply.status == 200).then(|| reply.json()["items"][0]["until"].clone())?;
        Some(until.as_str()?.parse::<jiff::Timestamp>().unwrap())
    });
    // A minute of leeway on either side, and whole seconds in the reply.
    let lasts = jiff::SignedDuration::from_secs(lasts + 120);
    let second = jiff::SignedDuration::from_secs(1);
    assert!(
        before + lasts - second <= until && until <= after + lasts + second,
        "{until}"
    );
}
