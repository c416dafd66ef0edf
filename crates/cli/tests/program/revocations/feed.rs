//! Whoever follows the feed, through everything that a server goes through.

use std::{
    collections::BTreeSet,
    net::SocketAddr,
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::team::{Caller, Team, claims, feed, many};
use crate::harness::{Connection, PATIENCE};

/// Tokens that are revoked while somebody follows.
const TOKENS: usize = 5_000;
/// Entries on a page at most.
const PAGE: usize = 1_000;

/// Somebody who follows, and keeps what was heard.
#[derive(Default)]
struct Follower {
    last: i64,
    ended: BTreeSet<String>,
    pages: Vec<usize>,
}

impl Follower {
    /// Takes a page to heart; fails if it repeats anything, or goes back.
    fn hear(&mut self, page: &Value) {
        let items = page["items"].as_array().unwrap();
        for item in items {
            let seq = item["seq"].as_i64().unwrap();
            assert!(seq > self.last, "{seq} after {}", self.last);
            self.last = seq;
            let jti = item["jti"].as_str().unwrap().to_owned();
            assert!(self.ended.insert(jti), "{item} twice");
        }
        assert!(items.len() <= PAGE);
        assert_eq!(page["last"], self.last);
        self.pages.push(items.len());
    }

    /// Follows wherever the server is, until everything was heard; how often it was not there.
    fn follow(&mut self, address: &Mutex<SocketAddr>, ends: &AtomicBool) -> usize {
        let (mut failures, mut known) = (0, *address.lock().unwrap());
        let mut caller = Caller::of(known);
        while self.ended.len() < TOKENS && !ends.load(Ordering::Relaxed) {
            let now = *address.lock().unwrap();
            if now != known {
                (known, caller) = (now, Caller::of(now));
            }
            match caller.feed(self.last, 5) {
                Ok(reply) if reply.status == 200 => self.hear(&reply.json()),
                _ => {
                    failures += 1;
                    thread::sleep(Duration::from_millis(50));
                }
            }
        }
        failures
    }
}

/// Ends tokens, by four callers at once.
fn revoke(server: SocketAddr, tokens: &[String]) {
    thread::scope(|scope| {
        for part in tokens.chunks(tokens.len().div_ceil(4)) {
            scope.spawn(move || {
                let mut caller = Caller::of(server);
                for token in part {
                    assert_eq!(caller.revoke(token).status, 200);
                }
            });
        }
    });
}

fn nothing_is_missed(team: &Team) {
    let server = team.rise();
    let tokens = many(team, server.public, "小王", TOKENS);
    let expected: BTreeSet<_> = tokens
        .iter()
        .map(|token| claims(token)["jti"].as_str().unwrap().to_owned())
        .collect();
    let (address, ends) = (Mutex::new(server.public), AtomicBool::new(false));
    let (server, failures, follower) = thread::scope(|scope| {
        let following = scope.spawn(|| {
            let mut follower = Follower::default();
            (follower.follow(&address, &ends), follower)
        });
        let (before, after) = tokens.split_at(TOKENS / 2);
        revoke(server.public, before);
        let stopped = server.program.stop();
        assert_eq!(stopped.code, Some(0), "{stopped:?}");
        let server = team.rise();
        *address.lock().unwrap() = server.public;
        revoke(server.public, after);
        let end = Instant::now() + PATIENCE;
        while !following.is_finished() && Instant::now() < end {
            thread::sleep(Duration::from_millis(10));
        }
        ends.store(true, Ordering::Relaxed);
        let (failures, follower) = following.join().unwrap();
        (server, failures, follower)
    });
    assert!(failures > 0, "the server was not missed");
    assert_eq!(follower.ended.len(), TOKENS);
    assert!(follower.ended == expected);

    // And whoever comes late, page by page.
    let mut late = Follower::default();
    let mut caller = Caller::of(server.public);
    while late.pages.last() != Some(&0) {
        late.hear(&caller.feed(late.last, 0).unwrap().json());
    }
    assert_eq!(late.pages, [PAGE, PAGE, PAGE, PAGE, PAGE, 0]);
    assert!(late.ended == expected);
}

/// Proves INT-6 of the feed: through 5,000 revocations by four callers and a restart in their midst a
/// follower hears of each once and in order, and one who comes late reads the same, page by page.
#[test]
fn a_follower_misses_nothing_on_sqlite() {
    nothing_is_missed(&Team::on_sqlite());
}

/// Proves INT-6 of the feed on PostgreSQL.
#[test]
fn a_follower_misses_nothing_on_postgres() {
    nothing_is_missed(&Team::on_postgres());
}

/// Proves INT-6 of the feed, and F26: followers who wait at either of two replicas hear at once of what
/// is revoked at one, and when a replica is told to stop they are let go and do not hold it up.
#[test]
fn who_waits_is_told_and_let_go() {
    let team = Team::on_postgres();
    let (a, b) = (team.rise(), team.rise());
    let token = team.user(a.public, 0);
    let wait = |server: SocketAddr, after: i64| {
        let mut connection = Connection::open(server).unwrap();
        connection.send(&feed(after, 30)).unwrap();
        thread::spawn(move || {
            let reply = connection.reply().unwrap();
            assert_eq!(reply.status, 200, "{reply:?}");
            reply.json()
        })
    };
    let waiting: Vec<_> = (0..20)
        .map(|n| wait(if n < 10 { a.public } else { b.public }, 0))
        .collect();
    assert_eq!(Caller::of(a.public).logout(&token).status, 200);
    let revoked = Instant::now();
    for waiting in waiting {
        let page = waiting.join().unwrap();
        assert_eq!(page["items"][0]["jti"], claims(&token)["jti"], "{page}");
    }
    assert!(revoked.elapsed() < Duration::from_secs(5));

    let waiting: Vec<_> = (0..10).map(|_| wait(b.public, 1)).collect();
    assert!(Caller::of(b.public).refuses(&token), "it answers others");
    assert!(!waiting.iter().any(JoinHandle::is_finished));
    b.program.signal("TERM");
    let ran = b.program.end(Duration::from_secs(10));
    assert_eq!(ran.code, Some(0), "{ran:?}");
    for waiting in waiting {
        let page = waiting.join().unwrap();
        assert_eq!(page, json!({ "last": 1, "items": [] }));
    }
}
