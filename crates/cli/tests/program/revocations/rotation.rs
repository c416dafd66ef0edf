//! Keys that change under somebody who checks tokens all the time.

use std::{
    collections::BTreeSet,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use menjin_core::jws::Compact;
use serde_json::Value;

use super::team::{Caller, Team};
use crate::{
    harness::{Server, get, menjin, run, within},
    keys,
    replicas::Verifier,
};

/// No rotation takes as long as this: twelve seconds are its due.
const ROTATION: Duration = Duration::from_secs(25);
/// How often each of two verifiers checks a token.
const PACE: Duration = Duration::from_millis(4);
/// What both check at least.
const CHECKS: usize = 20_000;

fn kid(token: &str) -> String {
    Compact::parse(token).unwrap().header.kid.unwrap()
}

/// What goes on while keys change.
struct Load<'a> {
    team: &'a Team,
    servers: &'a [Server; 2],
    /// Tokens from the first to the newest.
    tokens: Mutex<Vec<String>>,
    checks: AtomicUsize,
    over: AtomicBool,
}

impl Load<'_> {
    fn goes_on(&self) -> bool {
        !self.over.load(Ordering::Relaxed)
    }

    /// Somebody signs in at both, again and again.
    fn sign_in(&self) {
        for n in 0_usize.. {
            if !self.goes_on() {
                return;
            }
            let token = self.team.user(self.servers[n % 2].public, 0);
            self.tokens.lock().unwrap().push(token);
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// A service checks tokens with the keys that it keeps: every other time one of the newest.
    fn check(&self, server: &Server) {
        let (mut verifier, mut due) = (Verifier::of(server.public), Instant::now());
        for n in 0_usize.. {
            if !self.goes_on() {
                return;
            }
            let token = {
                let tokens = self.tokens.lock().unwrap();
                let back = if n % 2 == 0 {
                    n % 8
                } else {
                    n * 31 % tokens.len()
                };
                tokens[tokens.len().saturating_sub(back + 1)].clone()
            };
            verifier.check(&token);
            self.checks.fetch_add(1, Ordering::Relaxed);
            due += PACE;
            thread::sleep(due.saturating_duration_since(Instant::now()));
        }
    }

    /// Rotates, and waits until nothing is signed by any key that signed before; the key that signs.
    fn rotate(&self) -> String {
        let rotated = run(menjin(&self.team.folder).args(["key", "rotate"]));
        assert_eq!(rotated.code, Some(0), "{rotated:?}");
        let kids = |tokens: &[String]| tokens.iter().map(|token| kid(token)).collect();
        let former: BTreeSet<_> = kids(&self.tokens.lock().unwrap());
        within(ROTATION, "another key signs on both", || {
            let newest: BTreeSet<_> = {
                let tokens = self.tokens.lock().unwrap();
                kids(&tokens[tokens.len() - 2..])
            };
            let is_one = newest.len() == 1 && newest.is_disjoint(&former);
            is_one.then(|| newest.into_iter().next().unwrap())
        })
    }
}

/// Whether the feed tells of a key.
fn is_told(caller: &mut Caller, kid: &str) -> bool {
    let page = caller.feed(0, 0).unwrap().json();
    let items = page["items"].as_array().unwrap();
    items.iter().any(|item| item["kid"] == kid)
}

/// Proves F23, KEY-2 and KEY-3: three rotations by command within a minute under 500 checks a second by
/// verifiers that know nothing but the key set of one replica each, and ask for it only when it is as old
/// as it may be: no check fails. Then a key is taken away: within five seconds both replicas refuse what
/// it signed, and the feed of both tells of it.
#[test]
fn keys_rotate_under_load() {
    let team = Team::on_postgres();
    let servers = [team.rise(), team.rise()];
    let load = Load {
        team: &team,
        servers: &servers,
        tokens: Mutex::new((0..2).map(|n| team.user(servers[n].public, 0)).collect()),
        checks: AtomicUsize::new(0),
        over: AtomicBool::new(false),
    };
    let signing = thread::scope(|scope| {
        let mut threads = vec![scope.spawn(|| load.sign_in())];
        for server in &servers {
            let load = &load;
            threads.push(scope.spawn(move || load.check(server)));
        }
        let began = Instant::now();
        let signing = [(); 3].map(|()| load.rotate());
        let rotated = began.elapsed();
        within(ROTATION, "the checks", || {
            let failed = threads.iter().any(thread::ScopedJoinHandle::is_finished);
            let enough = load.checks.load(Ordering::Relaxed) >= CHECKS;
            (failed || enough).then_some(())
        });
        load.over.store(true, Ordering::Relaxed);
        assert!(rotated < Duration::from_mins(1), "{rotated:?}");
        signing
    });
    assert_eq!(signing.iter().collect::<BTreeSet<_>>().len(), 3);

    let removed = &signing[2];
    let tokens = load.tokens.into_inner().unwrap();
    let mut signed = tokens.iter().filter(|token| kid(token) == *removed);
    let token = signed.next_back().unwrap();
    let mut callers = servers.each_ref().map(|server| Caller::of(server.public));
    assert!(callers.iter_mut().all(|caller| caller.takes(token)));
    let ran = run(menjin(&team.folder).args(["key", "remove", removed]));
    assert_eq!(ran.code, Some(0), "{ran:?}");
    within(Duration::from_secs(5), "both refuse what it signed", || {
        let refused = callers.iter_mut().all(|caller| caller.refuses(token));
        (refused && callers.iter_mut().all(|caller| is_told(caller, removed))).then_some(())
    });
    for (server, caller) in servers.iter().zip(&mut callers) {
        assert!(
            !get(server.public, "/.well-known/jwks.json")
                .text
                .contains(&**removed)
        );
        assert!(caller.takes(&team.user(server.public, 0)));
    }
    let states = keys::list(&team.folder);
    let state = |key: &&Value| key["kid"] == **removed;
    assert_eq!(states.iter().find(state).unwrap()["state"], "removed");
}
