//! Two servers on one PostgreSQL database, and keys that change under way.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    time::{Duration, Instant},
};

use menjin_core::{json, jwk::VerifyingKey, jws::Compact};
use serde_json::Value;

use crate::{
    harness::{
        Database, Folder, Server, Simulator, configure, get, login, me, menjin, run, serve, within,
    },
    keys::kid,
};

/// How long a verifier keeps the key set: as long as the servers say.
const CACHE: Duration = Duration::from_secs(1);
/// No rotation takes as long as this: twelve seconds are its due.
const ROTATION: Duration = Duration::from_secs(25);

/// Somebody else's service: knows nothing but a key set, which it keeps for as long as it may.
pub(crate) struct Verifier {
    server: SocketAddr,
    keys: BTreeMap<String, VerifyingKey>,
    asked: Option<Instant>,
}

impl Verifier {
    pub(crate) fn of(server: SocketAddr) -> Self {
        Self {
            server,
            keys: BTreeMap::new(),
            asked: None,
        }
    }

    /// Which key signed a token; fails if the verifier cannot know.
    pub(crate) fn check(&mut self, token: &str) -> String {
        if self.asked.is_none_or(|asked| asked.elapsed() >= CACHE) {
            let reply = get(self.server, "/.well-known/jwks.json");
            assert_eq!(reply.header("cache-control"), Some("public, max-age=1"));
            let key = |jwk: &Value| {
                let jwk = json::parse_object(jwk.to_string().as_bytes()).unwrap();
                (
                    jwk["kid"].as_str().unwrap().to_owned(),
                    VerifyingKey::from_jwk(&jwk).unwrap(),
                )
            };
            self.keys = reply.json()["keys"]
                .as_array()
                .unwrap()
                .iter()
                .map(key)
                .collect();
            self.asked = Some(Instant::now());
        }
        let compact = Compact::parse(token).unwrap();
        let kid = compact.header.kid.clone().unwrap();
        let key = self.keys.get(&kid);
        let key =
            key.unwrap_or_else(|| panic!("{kid} is not in the key set: {:?}", self.keys.keys()));
        assert!(key.verify(&compact).is_ok(), "the signature does not fit");
        kid
    }
}

/// Two servers, and a verifier of each.
struct Replicas {
    folder: Folder,
    simulator: Simulator,
    servers: [Server; 2],
    verifiers: [Verifier; 2],
    tokens: Vec<String>,
    _database: Database,
}

impl Replicas {
    fn start() -> Self {
        let (folder, simulator, database) = (Folder::new(), Simulator::start(), Database::new());
        configure(&folder, &simulator.url());
        let text = folder.read("menjin.toml");
        let sqlite = text
            .lines()
            .find(|line| line.starts_with("url = "))
            .unwrap();
        let text = text.replace(sqlite, &format!("url = \"{}\"", database.url));
        folder.write(
            "menjin.toml",
            &format!("{text}[token]\njwks_max_age = 1\nissuer = \"http://menjin.test\"\n"),
        );
        let servers =
            [(); 2].map(|()| Server::ready(serve(&folder, &[("limits.sign_in_per_address", "0")])));
        let verifiers = [0, 1].map(|server: usize| Verifier::of(servers[server].public));
        Self {
            folder,
            simulator,
            servers,
            verifiers,
            tokens: Vec::new(),
            _database: database,
        }
    }

    /// Signs in at each; each token is good at the other and at the verifier of either. Tells which
    /// keys signed.
    fn round(&mut self) -> BTreeSet<String> {
        let mut kids = BTreeSet::new();
        for here in 0..2 {
            let code = self.simulator.code(if here == 0 { "小王" } else { "Mei" });
            let token = login(self.servers[here].public, &code).token();
            for verifier in &mut self.verifiers {
                kids.insert(verifier.check(&token));
            }
            let there = me(self.servers[1 - here].public, &token);
            assert_eq!(there.status, 200, "{there:?}");
            self.tokens.push(token);
            // An older one each time, so that all of the past is asked about as well.
            let old = &self.tokens[self.tokens.len() / 3];
            self.verifiers[here].check(old);
            assert_eq!(me(self.servers[here].public, old).status, 200);
        }
        kids
    }
}

/// Proves KEY-2, KEY-4 and F23: keys rotate by command under load; at no moment is there a token
/// that the other replica, or a verifier with a cached key set, does not accept. And KEY-3: what a
/// removed key signed is refused on both within five seconds.
#[test]
fn keys_rotate_and_go_on_two_replicas() {
    let mut replicas = Replicas::start();
    let first = replicas.round();
    assert_eq!(first.len(), 1, "one key signs on both");
    let mut signing = first;
    for _ in 0..2 {
        let rotated = run(menjin(&replicas.folder).args(["key", "rotate"]));
        assert_eq!(rotated.code, Some(0), "{rotated:?}");
        let former = signing.clone();
        signing = within(ROTATION, "the next key signs on both", || {
            let kids = replicas.round();
            kids.is_disjoint(&former).then_some(kids)
        });
    }
    assert!(
        replicas.tokens.len() > 200,
        "{} tokens",
        replicas.tokens.len()
    );
    for token in replicas.tokens.clone() {
        for verifier in &mut replicas.verifiers {
            verifier.check(&token);
        }
    }

    let removed = kid(&replicas.folder, "signs");
    assert!(signing.contains(&removed));
    let ran = run(menjin(&replicas.folder).args(["key", "remove", &removed]));
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let token = replicas.tokens.last().unwrap();
    within(Duration::from_secs(5), "both refuse what it signed", || {
        let refused = replicas
            .servers
            .iter()
            .all(|server| me(server.public, token).status == 401);
        refused.then_some(())
    });
    for server in &replicas.servers {
        let keys = get(server.public, "/.well-known/jwks.json").text;
        assert!(!keys.contains(&removed), "{keys}");
        login(server.public, &replicas.simulator.code("小王")).token();
    }
}
