//! A replica that goes silent between drawing a number and writing down what it revokes.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use super::{
    proxy::Proxy,
    team::{Caller, Team},
};
use crate::harness::{Server, login, within};

/// How long whoever is silent may hold up those who want to revoke.
const HELD_UP: Duration = Duration::from_secs(20);
/// How long a caller may wait for the answer that it cannot be done now.
const WAIT: Duration = Duration::from_secs(4);
/// How long it may take until somebody else is signed in and known.
const SERVED: Duration = Duration::from_secs(5);

/// Proves INT-5, and F13 of a replica that holds a lock: nothing that was not written down is acknowledged.
/// The other replica says within four seconds that it cannot revoke now, answers everything else, and can
/// revoke again as soon as the database has given up on the silent one.
#[test]
fn a_replica_that_holds_the_numbers_is_given_up() {
    let team = Team::on_postgres();
    let proxy = Proxy::deaf_to(&team.url(), b"INSERT INTO revocations (seq, until, jti)");
    let a = team.rise();
    let b = Server::ready(team.command(&[("store.url", &proxy.url(&team.url()))]));
    let tokens: Vec<_> = (0..30).map(|n| team.user(a.public, n)).collect();
    let (mut at_a, mut at_b) = (Caller::of(a.public), Caller::of(b.public));
    assert!(at_b.takes(&tokens[0]));
    let silent = at_b.revoke(&tokens[0]);
    assert_eq!(silent.status, 503, "{silent:?}");
    assert!(proxy.deaf() > 0);
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let revoking: Vec<_> = tokens
            .iter()
            .map(|token| {
                let mut caller = Caller::of(a.public);
                scope.spawn(move || {
                    within(HELD_UP, "it can revoke again", || {
                        let asked = Instant::now();
                        let reply = caller.revoke(token);
                        assert!(asked.elapsed() <= WAIT, "{:?}: {reply:?}", asked.elapsed());
                        assert!([200, 503].contains(&reply.status), "{reply:?}");
                        (reply.status == 200).then_some(())
                    });
                })
            })
            .collect();
        scope.spawn(|| {
            let mut caller = Caller::of(a.public);
            while !over.load(Ordering::Relaxed) {
                // On a busy machine one of them may be late; the next is not.
                within(SERVED, "everybody else is served", || {
                    let reply = login(a.public, &team.simulator.code("p0"));
                    let token = (reply.status == 200).then(|| reply.token())?;
                    let told = caller.introspect(&token);
                    told.text.contains(r#""active":true"#).then_some(())
                });
            }
        });
        for thread in revoking {
            thread.join().unwrap();
        }
        over.store(true, Ordering::Relaxed);
    });
    assert!(tokens.iter().all(|token| at_a.refuses(token)));
}
