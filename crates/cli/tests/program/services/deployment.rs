//! A server that knows one service, and people with tokens of every kind.

use serde_json::{Value, json};

use crate::{
    clock::library,
    harness::{
        APPID, Folder, Reply, Server, Simulator, configure, get, login, me, post, request, serve,
        try_ask,
    },
};

/// By which name services take tokens.
pub(super) const AUDIENCE: &str = "repairs";
/// A service that may ask, take back and follow.
pub(super) const ID: &str = "repairs";
/// What it shows; its digest is in the configuration.
pub(super) const SECRET: &str = "repairs-secret";
const DIGEST: &str = "6deeb87b89b14f284eb270226582cf21176237b3682b7d16b81d96f06fbc12db";
/// Who issues the tokens where no library has to find the server by it.
pub(super) const ISSUER: &str = "http://menjin.test";
/// A registered person.
const USER: &str = "小王";

/// A server under way.
pub(super) struct Deployment {
    pub(super) folder: Folder,
    simulator: Simulator,
    pub(super) server: Server,
}

/// Tokens of other servers. Of these, services take the last alone.
pub(super) struct Others {
    /// Its time is over.
    pub(super) expired: String,
    /// Of this issuer, and for other services.
    pub(super) elsewhere: String,
    /// Signed by the same key in the name of somebody else.
    pub(super) foreign: String,
    /// Of a replica whose clock is half a minute ahead.
    pub(super) early: String,
}

/// A configuration with the service, whose key set may be kept for one second.
fn prepare() -> (Folder, Simulator) {
    let (folder, simulator) = (Folder::new(), Simulator::start());
    configure(&folder, &simulator.url());
    let text = folder.read("menjin.toml");
    let services = format!(
        r#"
[token]
audience = ["{AUDIENCE}"]
jwks_max_age = 1
[limits]
sign_in_per_address = 0
[[services]]
id = "{ID}"
secret_digest = "{DIGEST}"
may = ["introspect", "revoke", "follow"]
"#
    );
    folder.write("menjin.toml", &format!("{text}{services}"));
    (folder, simulator)
}

impl Deployment {
    /// Its issuer is its own address, as where nothing is configured.
    pub(super) fn start() -> Self {
        Self::serving(prepare(), &[])
    }

    /// Its issuer has a name.
    pub(super) fn named() -> Self {
        Self::serving(prepare(), &[("token.issuer", ISSUER)])
    }

    fn serving((folder, simulator): (Folder, Simulator), settings: &[(&str, &str)]) -> Self {
        let server = Server::ready(serve(&folder, settings));
        Self {
            folder,
            simulator,
            server,
        }
    }

    /// One that had other settings, and another clock, before.
    pub(super) fn with_a_past() -> (Self, Others) {
        let (folder, simulator) = prepare();
        let earlier = |settings: &[(&str, &str)], offset: &str| {
            let mut command = serve(&folder, settings);
            command.env("LD_PRELOAD", library());
            command.env("FAKETIME", offset);
            command.env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
            let server = Server::ready(command);
            sign_in(&server, &simulator, USER)
        };
        let others = Others {
            expired: earlier(&[("token.issuer", ISSUER)], "-2h"),
            elsewhere: earlier(
                &[("token.issuer", ISSUER), ("token.audience", "parking")],
                "+0",
            ),
            foreign: earlier(&[("token.issuer", "http://other.test")], "+0"),
            early: earlier(&[("token.issuer", ISSUER)], "+30s"),
        };
        let now = Self::serving((folder, simulator), &[("token.issuer", ISSUER)]);
        (now, others)
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.server.public)
    }

    /// The token of a registered person.
    pub(super) fn user(&self) -> String {
        sign_in(&self.server, &self.simulator, USER)
    }

    /// The token of somebody who never registers.
    pub(super) fn guest(&self) -> String {
        login(self.server.public, &self.simulator.code("Mei")).token()
    }

    /// The account behind a token.
    pub(super) fn account(&self, token: &str) -> Value {
        me(self.server.public, token).json()
    }

    /// Has a token end, as the service.
    pub(super) fn take_back(&self, token: &str) {
        let form = format!("token={token}&client_id={ID}&client_secret={SECRET}");
        let bytes = format!(
            "POST /oauth/revoke HTTP/1.1\r\nHost: menjin.test\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{form}",
            form.len()
        );
        let reply = try_ask(self.server.public, bytes.as_bytes()).unwrap();
        assert_eq!(reply.status, 200, "{reply:?}");
    }

    /// How often the feed was asked for.
    pub(super) fn polls(&self) -> u64 {
        let counted = get(self.server.management, "/metrics").text;
        let of_feed = counted.lines().find_map(|line| {
            line.strip_prefix(r#"menjin_requests_total{route="/auth/revocations",status="200"} "#)
        });
        of_feed.map_or(0, |number| number.parse().unwrap())
    }

    /// Asks for something that needs nothing but a token.
    pub(super) fn ask(&self, token: &str, path: &str) -> Reply {
        let reply = post_as(&self.server, token, path, &json!({}));
        assert_eq!(reply.status, 200, "{path}: {reply:?}");
        reply
    }
}

/// Signs a person in, who registers by the phone button the first time.
fn sign_in(server: &Server, simulator: &Simulator, person: &str) -> String {
    let reply = login(server.public, &simulator.code(person));
    if reply.json()["registered"] == true {
        return reply.token();
    }
    let button = json!({ "person": person, "appid": APPID });
    let pressed = post(simulator.address, "/simulator/phone", &button).json();
    let body = json!({ "phone_code": pressed["code"] });
    let registered = post_as(server, &reply.token(), "/v1/user/register", &body);
    assert_eq!(registered.json()["status"], "verified", "{registered:?}");
    registered.token()
}

fn post_as(server: &Server, token: &str, path: &str, body: &Value) -> Reply {
    let bearer = format!("Bearer {token}");
    let headers = [("Authorization", &*bearer)];
    let bytes = request(&format!("POST {path}"), &headers, &body.to_string());
    try_ask(server.public, &bytes).unwrap()
}
