//! Replicas on one database, a service that may ask everything, and people who sign in.

use std::{io, net::SocketAddr, process::Command};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use crate::harness::{
    APPID, Connection, Database, Folder, PATIENCE, Reply, Server, Simulator, configure, login,
    post, request, serve, try_ask,
};

const ID: &str = "team";
const SECRET: &str = "team-secret";
/// Of the secret, in the configuration.
const DIGEST: &str = "7509900f69b7d4f018b111f107a6c7fc92e3664ccaff6ed2c397bf02f5afe725";

/// What replicas share.
pub(super) struct Team {
    pub(super) folder: Folder,
    pub(super) simulator: Simulator,
    database: Option<Database>,
}

impl Team {
    pub(super) fn on_sqlite() -> Self {
        let (folder, simulator) = (Folder::new(), Simulator::start());
        configure(&folder, &simulator.url());
        let text = folder.read("menjin.toml");
        let service = format!(
            r#"
[token]
issuer = "http://menjin.test"
jwks_max_age = 1
[limits]
sign_in_per_address = 0
[log]
level = "warn,menjin::commands::serve=info"
[[services]]
id = "{ID}"
secret_digest = "{DIGEST}"
may = ["introspect", "revoke", "follow"]
"#
        );
        folder.write("menjin.toml", &format!("{text}{service}"));
        Self {
            folder,
            simulator,
            database: None,
        }
    }

    pub(super) fn on_postgres() -> Self {
        let database = Database::new();
        let team = Self::at(&database.url);
        Self {
            database: Some(database),
            ..team
        }
    }

    /// On a database of somebody else's.
    pub(super) fn at(url: &str) -> Self {
        let team = Self::on_sqlite();
        let text = team.folder.read("menjin.toml");
        let is_url = |line: &&str| line.starts_with("url = ");
        let own = text.lines().find(is_url).unwrap();
        team.folder.write(
            "menjin.toml",
            &text.replace(own, &format!("url = \"{url}\"")),
        );
        team
    }

    /// The address of the database.
    pub(super) fn url(&self) -> String {
        match &self.database {
            Some(database) => database.url.clone(),
            None => format!("sqlite://{}", self.folder.file("menjin.db").display()),
        }
    }

    pub(super) fn command(&self, settings: &[(&str, &str)]) -> Command {
        serve(&self.folder, settings)
    }

    /// A replica, ready to serve.
    pub(super) fn rise(&self) -> Server {
        Server::ready(self.command(&[]))
    }

    /// The token of somebody who registers by the phone button the first time.
    pub(super) fn sign_in(&self, server: SocketAddr, person: &str, number: &str) -> String {
        let reply = login(server, &self.simulator.code(person));
        if reply.json()["registered"] == true {
            return reply.token();
        }
        let button = json!({ "person": person, "number": number, "appid": APPID });
        let pressed = post(self.simulator.address, "/simulator/phone", &button).json();
        let body = json!({ "phone_code": pressed["code"] }).to_string();
        let bearer = format!("Bearer {}", reply.token());
        let headers = [("Authorization", bearer.as_str())];
        let asked = request("POST /v1/user/register", &headers, &body);
        let registered = try_ask(server, &asked).unwrap();
        assert_eq!(registered.json()["status"], "verified", "{registered:?}");
        registered.token()
    }

    /// The same for the `n`th of many.
    pub(super) fn user(&self, server: SocketAddr, n: usize) -> String {
        self.sign_in(server, &format!("p{n}"), &format!("137{n:08}"))
    }
}

/// Many tokens of one person, by a code that is sent again and again.
pub(super) fn many(team: &Team, server: SocketAddr, person: &str, count: usize) -> Vec<String> {
    let mut caller = Caller::of(server);
    let mut tokens = Vec::with_capacity(count);
    while tokens.len() < count {
        let body = json!({ "code": team.simulator.code(person) }).to_string();
        let again = request("POST /v1/user/login", &[], &body);
        // Few enough for one replay window.
        let part = (count - tokens.len()).min(200);
        tokens.extend((0..part).map(|_| caller.ask(&again).token()));
    }
    tokens
}

/// Stops a server as nothing stops one but the end of the world.
pub(super) fn kill(server: Server) {
    server.program.signal("KILL");
    let ended = server.program.end(PATIENCE);
    assert_eq!(ended.code, None, "{ended:?}");
}

/// Somebody who keeps a connection to a server, as a service and as whoever holds a token.
pub(super) struct Caller {
    server: SocketAddr,
    connection: Option<Connection>,
}

impl Caller {
    pub(super) const fn of(server: SocketAddr) -> Self {
        Self {
            server,
            connection: None,
        }
    }

    pub(super) const fn server(&self) -> SocketAddr {
        self.server
    }

    /// Asks once; on a new connection if the last one failed.
    pub(super) fn try_ask(&mut self, bytes: &[u8]) -> io::Result<Reply> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => Connection::open(self.server)?,
        };
        let reply = connection.ask(bytes)?;
        self.connection = Some(connection);
        Ok(reply)
    }

    /// Asks what may be asked twice: a connection that was idle for long is closed.
    fn ask(&mut self, bytes: &[u8]) -> Reply {
        let asked = self.try_ask(bytes).or_else(|_| self.try_ask(bytes));
        asked.unwrap_or_else(|error| panic!("{}: {error}", self.server))
    }

    pub(super) fn introspect(&mut self, token: &str) -> Reply {
        self.ask(&service_form("/oauth/introspect", token))
    }

    pub(super) fn revoke(&mut self, token: &str) -> Reply {
        self.ask(&service_form("/oauth/revoke", token))
    }

    pub(super) fn verify(&mut self, token: &str) -> Reply {
        self.ask(&bearer("GET /auth/verify", token))
    }

    pub(super) fn me(&mut self, token: &str) -> Reply {
        self.ask(&bearer("GET /v1/user/me", token))
    }

    pub(super) fn logout(&mut self, token: &str) -> Reply {
        self.ask(&bearer("POST /v1/user/logout", token))
    }

    pub(super) fn logout_all(&mut self, token: &str) -> Reply {
        self.ask(&bearer("POST /v1/user/logout_all", token))
    }

    pub(super) fn delete(&mut self, token: &str) -> Reply {
        let openid = self.me(token).json()["openid"].clone();
        let body = json!({ "openid": openid }).to_string();
        let headers = [("Authorization", &*format!("Bearer {token}"))];
        self.ask(&request("POST /v1/user/delete", &headers, &body))
    }

    /// What was revoked after a number.
    pub(super) fn feed(&mut self, after: i64, wait: u64) -> io::Result<Reply> {
        self.try_ask(&feed(after, wait))
    }

    /// Whether the token counts; fails if introspection and verification do not agree, or are not sure.
    pub(super) fn takes(&mut self, token: &str) -> bool {
        let (introspected, verified) = (self.introspect(token), self.verify(token));
        assert_eq!(introspected.status, 200, "{introspected:?}");
        let active = introspected.json()["active"] == true;
        let expected = if active { 200 } else { 401 };
        assert_eq!(verified.status, expected, "{introspected:?} {verified:?}");
        active
    }

    /// Whether both refuse the token; they are asked one after the other, so they may disagree.
    pub(super) fn refuses(&mut self, token: &str) -> bool {
        let (introspected, verified) = (self.introspect(token), self.verify(token));
        assert_eq!(introspected.status, 200, "{introspected:?}");
        assert!([200, 401].contains(&verified.status), "{verified:?}");
        introspected.json()["active"] == false && verified.status == 401
    }
}

/// What the service asks to hear what was revoked after a number, so many seconds from now at most.
pub(super) fn feed(after: i64, wait: u64) -> Vec<u8> {
    let line = format!("GET /auth/revocations?after={after}&wait={wait}");
    request(&line, &[("Authorization", &basic())], "")
}

/// A form with a token, sent by the service.
pub(super) fn service_form(path: &str, token: &str) -> Vec<u8> {
    let body = format!("token={token}");
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: menjin.test\r\nAuthorization: {}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
        basic(),
        body.len()
    );
    head.into_bytes()
}

/// A request by whoever holds a token, without a body.
pub(super) fn bearer(line: &str, token: &str) -> Vec<u8> {
    request(line, &[("Authorization", &format!("Bearer {token}"))], "")
}

fn basic() -> String {
    format!("Basic {}", STANDARD.encode(format!("{ID}:{SECRET}")))
}

/// What the token says.
pub(super) fn claims(token: &str) -> Value {
    let compact = menjin_core::jws::Compact::parse(token).unwrap();
    serde_json::from_slice(&compact.into_payload()).unwrap()
}
