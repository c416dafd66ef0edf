//! A replica that is cut off from the store, and a store that is away.

use std::{
    fs,
    net::SocketAddr,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    thread::{self, ScopedJoinHandle},
    time::{Duration, Instant},
};

use super::{
    proxy::Proxy,
    team::{Caller, Team},
};
use crate::harness::{Cluster, Reply, Server, get, within};

/// For how long what was revoked elsewhere may not be known.
const STALE: Duration = Duration::from_secs(5);
/// For how long the replica is cut off.
const CUT: Duration = Duration::from_mins(1);
/// How long a caller may wait for the answer that there is none.
const WAIT: Duration = Duration::from_millis(2_800);
/// Those who ask at once, again and again.
const CROWD: usize = 40;

/// It says that it does not know, and when to ask again.
fn is_unsure(reply: &Reply) -> bool {
    let later = reply.header("retry-after");
    reply.status == 503 && later.is_some_and(|seconds| seconds.parse::<u32>().is_ok())
}

/// Whether a reply lets the token pass.
fn accepts(reply: &Reply) -> bool {
    reply.status == 200 && !reply.text.contains(r#""active":false"#)
}

/// The memory that a process holds, in KiB.
pub(super) fn resident(server: &Server) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", server.program.pid())).unwrap();
    let (_, after) = status.split_once("VmRSS:").unwrap();
    after.split_whitespace().next().unwrap().parse().unwrap()
}

/// What the crowd asks about, and since when the last of the revoked ones was.
struct Asked<'a> {
    replica: SocketAddr,
    revoked: &'a [String],
    good: &'a [String],
    since: Instant,
    over: &'a AtomicBool,
    answers: &'a AtomicUsize,
}

impl Asked<'_> {
    /// One of the crowd asks in three ways about one token after the other.
    fn keep_asking(&self, first: usize) {
        let mut caller = Caller::of(self.replica);
        let tokens: Vec<_> = self.revoked.iter().chain(self.good).collect();
        for n in first.. {
            if self.over.load(Ordering::Relaxed) {
                return;
            }
            let token = tokens[n % tokens.len()];
            let asked = Instant::now();
            let reply = match n % 3 {
                0 => caller.introspect(token),
                1 => caller.verify(token),
                _ => caller.me(token),
            };
            assert!(
                asked.elapsed() <= WAIT,
                "after {:?}: {reply:?}",
                asked.elapsed()
            );
            // What is asked at the last moment may be answered a little later.
            if asked.duration_since(self.since) > STALE {
                assert!(is_unsure(&reply), "{reply:?}");
            } else if n % tokens.len() < self.revoked.len() {
                assert!(accepts(&reply) || reply.status == 503, "{reply:?}");
            }
            self.answers.fetch_add(1, Ordering::Relaxed);
            // Some ask all the time, and some whenever it is least convenient.
            let pause = 50 + 40 * u64::try_from(first).unwrap();
            thread::sleep(Duration::from_millis(pause));
        }
    }
}

/// Proves F13, I3 and INT-5: a replica is cut off from the store for a minute, without a word, while
/// another one revokes. After five seconds it refuses to say anything about a token, to a crowd as fast
/// as to one; it shows its keys all the while, revokes nothing and claims nothing; and within five
/// seconds of the end it knows everything.
#[test]
fn a_replica_that_is_cut_off_says_so() {
    let team = Team::on_postgres();
    let proxy = Proxy::to(&team.url());
    let a = team.rise();
    let b = Server::ready(team.command(&[("store.url", &proxy.url(&team.url()))]));
    let tokens: Vec<_> = (0..20).map(|n| team.user(a.public, n)).collect();
    let (revoked, good) = tokens.split_at(10);
    let mut at_b = Caller::of(b.public);
    assert!(tokens.iter().all(|token| at_b.takes(token)));
    let before = resident(&b);

    proxy.shut();
    let mut at_a = Caller::of(a.public);
    for token in revoked {
        assert_eq!(at_a.revoke(token).status, 200);
    }
    let (since, over, answers) = (Instant::now(), AtomicBool::new(false), AtomicUsize::new(0));
    let asked = Asked {
        replica: b.public,
        revoked,
        good,
        since,
        over: &over,
        answers: &answers,
    };
    thread::scope(|scope| {
        let crowd: Vec<_> = (0..CROWD)
            .map(|n| {
                let asked = &asked;
                scope.spawn(move || asked.keep_asking(n))
            })
            .collect();
        while since.elapsed() < CUT && !crowd.iter().any(ScopedJoinHandle::is_finished) {
            assert_eq!(get(b.public, "/.well-known/jwks.json").status, 200);
            let unwritten = at_b.revoke(&good[0]);
            assert!(is_unsure(&unwritten), "{unwritten:?}");
            assert!(at_a.takes(&good[0]), "half revoked");
            thread::sleep(Duration::from_millis(500));
        }
        over.store(true, Ordering::Relaxed);
    });
    let answers = answers.into_inner();
    assert!(answers > CROWD * 10, "{answers} answers");
    let grown = resident(&b).saturating_sub(before);
    assert!(grown < 50 * 1024, "{grown} KiB more");

    proxy.open();
    within(STALE, "it answers again", || {
        let known = good.iter().all(|token| accepts(&at_b.introspect(token)));
        let checked = good.iter().all(|token| accepts(&at_b.verify(token)));
        let asked = good.iter().all(|token| accepts(&at_b.me(token)));
        (known && checked && asked).then_some(())
    });
    for token in revoked {
        assert!(at_b.refuses(token) && at_b.me(token).status == 401);
    }
}

/// Proves INT-5: with the store away no end of a token is acknowledged, however it is asked for, and
/// nothing is said about any after five seconds.
#[test]
fn nothing_is_acknowledged_without_the_store() {
    let mut cluster = Cluster::new();
    cluster.start();
    let team = Team::at(&cluster.url());
    let server = team.rise();
    let tokens: Vec<_> = (0..2).map(|n| team.user(server.public, n)).collect();
    let mut caller = Caller::of(server.public);
    assert!(tokens.iter().all(|token| caller.takes(token)));
    cluster.stop();
    let away = Instant::now();
    while away.elapsed() < STALE + Duration::from_secs(1) {
        for token in &tokens {
            for reply in [
                caller.revoke(token),
                caller.logout(token),
                caller.logout_all(token),
            ] {
                assert!(is_unsure(&reply), "{reply:?}");
            }
        }
        thread::sleep(Duration::from_millis(100));
    }
    for token in &tokens {
        assert!(is_unsure(&caller.introspect(token)) && is_unsure(&caller.verify(token)));
    }
    cluster.start();
    within(STALE, "it answers again", || {
        let mut known = tokens.iter().map(|token| caller.introspect(token));
        known.all(|reply| accepts(&reply)).then_some(())
    });
    for token in &tokens {
        assert!(caller.takes(token));
        assert_eq!(caller.revoke(token).status, 200);
        assert!(caller.refuses(token));
    }
}
