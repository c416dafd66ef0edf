//! What one replica revokes, and when the other one refuses it.

use std::{
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use super::{
    proxy::Proxy,
    psql::Psql,
    team::{Caller, Team},
};
use crate::harness::{Server, eventually, within};

/// The longest that a replica may take to refuse what another one revoked.
const LONGEST: Duration = Duration::from_secs(5);
/// How often it is asked whether it does.
const TICK: Duration = Duration::from_millis(10);

/// Revokes a token in one of three ways; back when it is acknowledged.
fn revoke(replica: &mut Caller, token: &str, n: usize) {
    let reply = match n % 10 {
        0 => replica.logout_all(token),
        1 | 3 | 5 | 7 | 9 => replica.revoke(token),
        _ => replica.logout(token),
    };
    assert_eq!(reply.status, 200, "{reply:?}");
}

/// How long after an acknowledgement both ways to ask refuse the token.
fn delay(replica: &mut Caller, token: &str) -> Duration {
    let acknowledged = Instant::now();
    loop {
        if replica.refuses(token) {
            return acknowledged.elapsed();
        }
        assert!(acknowledged.elapsed() < LONGEST, "still taken");
        thread::sleep(TICK);
    }
}

/// Proves INT-6 and F22: of 1,000 tokens that replica A ends, by three ways and four callers at once,
/// replica B, which knew each as good and is asked every 10 ms, refuses 99 of 100 within a second and
/// the last within five, and goes on refusing them.
#[test]
fn a_replica_refuses_what_another_revoked() {
    let team = Team::on_postgres();
    let (a, b) = (team.rise(), team.rise());
    let seen = Mutex::new(Vec::new());
    let stays = team.user(a.public, 9);
    thread::scope(|scope| {
        for caller in 0..4 {
            let (team, seen) = (&team, &seen);
            let (mut at_a, mut at_b) = (Caller::of(a.public), Caller::of(b.public));
            scope.spawn(move || {
                for n in 0..250 {
                    let token = team.user(at_a.server(), caller);
                    assert!(at_b.takes(&token), "not known to be good");
                    revoke(&mut at_a, &token, n);
                    let delay = delay(&mut at_b, &token);
                    seen.lock().unwrap().push((delay, token));
                }
            });
        }
    });
    let mut seen = seen.into_inner().unwrap();
    assert_eq!(seen.len(), 1_000);
    for server in [&a, &b] {
        let mut caller = Caller::of(server.public);
        assert!(seen.iter().all(|(_, token)| caller.refuses(token)));
        assert!(caller.takes(&stays));
    }
    seen.sort();
    let (late, latest) = (seen[989].0, seen[999].0);
    assert!(late <= Duration::from_secs(1), "p99 {late:?}");
    assert!(latest <= LONGEST, "at most {latest:?}");
}

/// A hundred tokens that B knows are revoked at A; B refuses each within five seconds.
fn hundred_are_refused(team: &Team, a: &Server, b: &Server) {
    let (mut at_a, mut at_b) = (Caller::of(a.public), Caller::of(b.public));
    let tokens: Vec<_> = (0..100).map(|n| team.user(a.public, n % 20)).collect();
    for token in &tokens {
        assert!(at_b.takes(token));
    }
    let mut at = Vec::new();
    for (n, token) in tokens.iter().enumerate() {
        // An account's other tokens are to be revoked one by one, so its last ends them all.
        revoke(&mut at_a, token, if n >= 90 { 0 } else { n % 9 + 1 });
        at.push(Instant::now());
    }
    for (token, acknowledged) in tokens.iter().zip(at) {
        within(LONGEST, "B refuses it", || {
            at_b.refuses(token).then_some(())
        });
        assert!(acknowledged.elapsed() <= LONGEST, "refused too late");
    }
}

/// Proves F12 and INT-6: while A revokes a hundred, every connection on which B listens is cut as soon
/// as there is one.
#[test]
fn a_replica_that_is_kept_from_listening_asks() {
    let team = Team::on_postgres();
    let a = team.rise();
    let url = format!("{}?application_name=cut", team.url());
    let b = Server::ready(team.command(&[("store.url", &url)]));
    let mut database = Psql::open(&team.url());
    let mut cut = move || {
        let listening = "FROM pg_stat_activity WHERE datname = current_database() AND \
                         application_name = 'cut' AND query LIKE 'LISTEN%'";
        let ended = database.ask(&format!(
            "SELECT count(*) FILTER (WHERE pg_terminate_backend(pid)) {listening}"
        ));
        ended.parse::<usize>().unwrap()
    };
    within(LONGEST, "B listens", || (cut() > 0).then_some(()));
    let (over, cuts) = (AtomicBool::new(false), AtomicUsize::new(0));
    thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                cuts.fetch_add(cut(), Ordering::Relaxed);
                thread::sleep(TICK);
            }
        });
        hundred_are_refused(&team, &a, &b);
        eventually("it goes on trying to listen", || {
            (cuts.load(Ordering::Relaxed) >= 3).then_some(())
        });
        over.store(true, Ordering::Relaxed);
    });
    hundred_are_refused(&team, &a, &b);
}

/// Proves F12 and INT-6 where nobody notices that notices are lost: the connection on which B listens
/// stays open, and nothing comes through.
#[test]
fn a_replica_that_is_deaf_asks() {
    let team = Team::on_postgres();
    let a = team.rise();
    let proxy = Proxy::deaf_to(&team.url(), b"LISTEN menjin_revocations");
    let b = Server::ready(team.command(&[("store.url", &proxy.url(&team.url()))]));
    within(LONGEST, "B listens in vain", || {
        (proxy.deaf() > 0).then_some(())
    });
    hundred_are_refused(&team, &a, &b);
}
