//! Servers that are killed outright, in the middle of registering and right after they said yes:
//! what was acknowledged stays, and nothing is half there.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    net::SocketAddr,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use serde_json::{Value, json};

use crate::harness::{
    APPID, Database, Folder, PATIENCE, Reply, Server, Simulator, configure, login, me, post,
    request, serve, try_ask,
};

/// A server that comes back after each kill, with the database that it had.
struct Phoenix {
    folder: Folder,
    simulator: Simulator,
    _database: Option<Database>,
}

impl Phoenix {
    fn on_sqlite() -> Self {
        let (folder, simulator) = (Folder::new(), Simulator::start());
        configure(&folder, &simulator.url());
        Self {
            folder,
            simulator,
            _database: None,
        }
    }

    fn on_postgres() -> Self {
        let database = Database::new();
        let phoenix = Self::on_sqlite();
        let text = phoenix.folder.read("menjin.toml");
        let is_url = |line: &&str| line.starts_with("url = ");
        let sqlite = text.lines().find(is_url).unwrap();
        let text = text.replace(sqlite, &format!("url = \"{}\"", database.url));
        phoenix.folder.write("menjin.toml", &text);
        Self {
            _database: Some(database),
            ..phoenix
        }
    }

    fn rise(&self) -> Server {
        Server::ready(serve(
            &self.folder,
            &[
                ("limits.sign_in_per_address", "0"),
                ("log.level", "warn,menjin::commands::serve=info"),
            ],
        ))
    }

    /// What the phone button gives.
    fn phone_code(&self, person: &str, number: &str) -> String {
        let body = json!({ "person": person, "number": number, "appid": APPID });
        let reply = post(self.simulator.address, "/simulator/phone", &body);
        reply.json()["code"].as_str().unwrap().to_owned()
    }

    fn sign_in(&self, server: SocketAddr, person: &str) -> Value {
        let reply = login(server, &self.simulator.code(person));
        assert_eq!(reply.status, 200, "{reply:?}");
        reply.json()
    }

    /// Signs in and registers.
    fn user(&self, server: SocketAddr, person: &str, number: &str) -> String {
        let guest = self.sign_in(server, person);
        let code = self.phone_code(person, number);
        let registered = register(server, token(&guest), &code).unwrap();
        assert_eq!(registered.status, 200, "{registered:?}");
        registered.token()
    }
}

fn kill(server: Server) {
    server.program.signal("KILL");
    let ended = server.program.end(PATIENCE);
    assert_eq!(ended.code, None, "{ended:?}");
}

fn token(reply: &Value) -> &str {
    reply["access_token"].as_str().unwrap()
}

fn post_as(server: SocketAddr, token: &str, path: &str, body: &Value) -> io::Result<Reply> {
    let bearer = format!("Bearer {token}");
    let headers = [("Authorization", bearer.as_str())];
    try_ask(
        server,
        &request(&format!("POST {path}"), &headers, &body.to_string()),
    )
}

fn register(server: SocketAddr, token: &str, code: &str) -> io::Result<Reply> {
    let body = json!({ "phone_code": code });
    post_as(server, token, "/v1/user/register", &body)
}

/// Kills the server at another moment each time while somebody registers.
fn killed_while_registering(phoenix: &Phoenix, kills: u64) {
    let mut acknowledged = BTreeMap::new();
    let mut server = phoenix.rise();
    for n in 0..kills {
        let (person, number) = (format!("p{n}"), format!("137{n:08}"));
        let guest = phoenix.sign_in(server.public, &person);
        let code = phoenix.phone_code(&person, &number);
        let (address, bearer) = (server.public, token(&guest).to_owned());
        let asking = thread::spawn(move || register(address, &bearer, &code));
        // From at once to fifty milliseconds, in no order.
        thread::sleep(Duration::from_micros(n * 7_919 % 50_000));
        kill(server);
        if let Ok(reply) = asking.join().unwrap() {
            assert_eq!(reply.status, 200, "{reply:?}");
            acknowledged.insert(n, reply.json()["uid"].clone());
        }
        server = phoenix.rise();
        let again = phoenix.sign_in(server.public, &person);
        let uid = if again["registered"] == true {
            again["uid"].clone()
        } else {
            assert!(!acknowledged.contains_key(&n), "acknowledged and lost");
            let code = phoenix.phone_code(&person, &number);
            let retried = register(server.public, token(&again), &code).unwrap();
            assert_eq!(retried.json()["status"], "verified", "{retried:?}");
            retried.json()["uid"].clone()
        };
        if let Some(known) = acknowledged.get(&n) {
            assert_eq!(*known, uid);
        }
        acknowledged.insert(n, uid);
    }
    let uids: BTreeSet<_> = acknowledged.values().map(ToString::to_string).collect();
    assert_eq!(uids.len() as u64, kills);
    for (n, uid) in &acknowledged {
        let somebody = phoenix.sign_in(server.public, &format!("p{n}"));
        assert_eq!(somebody["uid"], *uid);
        assert_eq!(somebody["phone"], format!("+86137{n:08}"));
    }
}

/// Proves F1: a hundred kills on SQLite.
#[test]
fn a_kill_leaves_no_half_user_on_sqlite() {
    killed_while_registering(&Phoenix::on_sqlite(), 100);
}

/// Proves F1: a hundred kills on PostgreSQL.
#[test]
fn a_kill_leaves_no_half_user_on_postgres() {
    killed_while_registering(&Phoenix::on_postgres(), 100);
}

/// What a server has said yes to before it was killed.
#[derive(Default)]
struct Done {
    signed_out: Vec<String>,
    deleted: Vec<(String, String)>,
    /// Who, the token before, and the number since.
    moved: Vec<(String, String, String)>,
}

impl Done {
    /// A life of the server: fifty sign-outs, ten deletions, ten changes of a number, and the kill.
    fn live(phoenix: &Phoenix, life: usize) -> Self {
        let server = phoenix.rise();
        let address = server.public;
        let mut done = Self::default();
        let name = |kind: &str, n: usize| format!("{kind}{life}-{n}");
        let number = |kind: usize, n: usize| format!("13{kind}{life:04}{n:04}");
        let guests: Vec<_> = (0..50)
            .map(|n| phoenix.sign_in(address, &name("g", n)))
            .collect();
        let leaving: Vec<_> = (0..10)
            .map(|n| phoenix.user(address, &name("d", n), &number(7, n)))
            .collect();
        let moving: Vec<_> = (0..10)
            .map(|n| phoenix.user(address, &name("m", n), &number(8, n)))
            .collect();
        for (n, token) in moving.into_iter().enumerate() {
            let to = number(9, n);
            let body = json!({ "phone_code": phoenix.phone_code(&name("m", n), &to) });
            let reply = post_as(address, &token, "/v1/user/newphone", &body).unwrap();
            assert_eq!(reply.json()["status"], "phone_updated", "{reply:?}");
            done.moved.push((name("m", n), token, format!("+86{to}")));
        }
        for (n, token) in leaving.into_iter().enumerate() {
            let openid = me(address, &token).json()["openid"].clone();
            let body = json!({ "openid": openid });
            let reply = post_as(address, &token, "/v1/user/delete", &body).unwrap();
            assert_eq!(reply.status, 200, "{reply:?}");
            done.deleted.push((name("d", n), token));
        }
        for guest in &guests {
            let reply = post_as(address, token(guest), "/v1/user/logout", &json!({})).unwrap();
            assert_eq!(reply.status, 200, "{reply:?}");
            done.signed_out.push(token(guest).to_owned());
        }
        kill(server);
        done
    }

    /// All of it still holds.
    fn check(&self, phoenix: &Phoenix, server: SocketAddr) {
        let ended = self.signed_out.iter();
        let ended = ended.chain(self.deleted.iter().map(|(_, token)| token));
        let ended = ended.chain(self.moved.iter().map(|(_, token, _)| token));
        for token in ended {
            assert_eq!(me(server, token).status, 401);
        }
        for (person, _) in &self.deleted {
            assert_eq!(phoenix.sign_in(server, person)["registered"], false);
        }
        for (person, _, number) in &self.moved {
            assert_eq!(phoenix.sign_in(server, person)["phone"], *number);
        }
    }
}

fn nothing_is_undone(phoenix: &Phoenix, lives: usize) {
    let all: Vec<_> = (0..lives).map(|life| Done::live(phoenix, life)).collect();
    let server = phoenix.rise();
    for done in &all {
        done.check(phoenix, server.public);
    }
}

/// Proves F2: sign-outs, deletions and changes of a number outlive kills: 500, 100 and 100 here.
#[test]
fn what_was_acknowledged_is_not_undone_on_sqlite() {
    nothing_is_undone(&Phoenix::on_sqlite(), 10);
}

/// Proves F2: and as many here.
#[test]
fn what_was_acknowledged_is_not_undone_on_postgres() {
    nothing_is_undone(&Phoenix::on_postgres(), 10);
}

/// Registrations at two servers while one after the other is killed.
const CROWD: usize = 10_000;
const KILLS: usize = 20;

/// Proves REG-4: ten thousand registrations over two replicas with twenty kills, and no uid twice.
#[test]
fn uids_are_never_given_twice() {
    let phoenix = Phoenix::on_postgres();
    let servers = [(); 2].map(|()| Mutex::new(Some(phoenix.rise())));
    let addresses = servers
        .each_ref()
        .map(|server| Mutex::new(server.lock().unwrap().as_ref().unwrap().public));
    let (next, over) = (AtomicUsize::new(0), AtomicBool::new(false));
    let uids = Mutex::new(Vec::with_capacity(CROWD));
    thread::scope(|scope| {
        let registering: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    loop {
                        let n = next.fetch_add(1, Ordering::Relaxed);
                        if n >= CROWD {
                            break;
                        }
                        let uid = insist(&phoenix, &addresses, n);
                        uids.lock().unwrap().push(uid);
                    }
                })
            })
            .collect();
        scope.spawn(|| {
            for n in 0..KILLS {
                // Spread over all that there is to do.
                let due = CROWD * (n + 1) / (KILLS + 1);
                while next.load(Ordering::Relaxed) < due && !over.load(Ordering::Relaxed) {
                    thread::sleep(Duration::from_millis(1));
                }
                kill(servers[n % 2].lock().unwrap().take().unwrap());
                let risen = phoenix.rise();
                *addresses[n % 2].lock().unwrap() = risen.public;
                *servers[n % 2].lock().unwrap() = Some(risen);
            }
        });
        for thread in registering {
            thread.join().unwrap();
        }
        over.store(true, Ordering::Relaxed);
    });
    let uids = uids.into_inner().unwrap();
    let distinct: BTreeSet<_> = uids.iter().collect();
    assert_eq!((uids.len(), distinct.len()), (CROWD, CROWD));
}

/// Registers somebody, however often it takes; the uid.
fn insist(phoenix: &Phoenix, addresses: &[Mutex<SocketAddr>; 2], n: usize) -> i64 {
    let (person, number) = (format!("p{n}"), format!("137{n:08}"));
    for attempt in 0..1_000 {
        let address = *addresses[(n + attempt) % 2].lock().unwrap();
        let body = json!({ "code": phoenix.simulator.code(&person) });
        let asked = try_ask(
            address,
            &request("POST /v1/user/login", &[], &body.to_string()),
        );
        let Some(guest) = asked.ok().filter(|reply| reply.status == 200) else {
            continue;
        };
        if let Some(uid) = guest.json()["uid"].as_i64() {
            return uid;
        }
        let code = phoenix.phone_code(&person, &number);
        let registered = register(address, token(&guest.json()), &code);
        if let Some(uid) = registered
            .ok()
            .and_then(|reply| reply.json()["uid"].as_i64())
        {
            return uid;
        }
    }
    panic!("{person} could not register");
}
