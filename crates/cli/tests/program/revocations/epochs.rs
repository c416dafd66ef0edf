//! Signing out everywhere, within one second of signing in.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::Duration,
};

use super::team::{Caller, Team, claims};
use crate::harness::within;

/// Times that somebody signs out everywhere in the second in which their tokens were made.
const TRIES: usize = 1_000;

/// Proves INT-8 over two replicas: a thousand times, with the tokens before and after made in one second,
/// those before are dead where it was done at once, and on the other replica within five seconds; those
/// after live everywhere, always.
#[test]
fn signing_out_everywhere_knows_old_from_new() {
    let team = Team::on_postgres();
    let (a, b) = (team.rise(), team.rise());
    let tries = AtomicUsize::new(0);
    thread::scope(|scope| {
        for person in 0..4 {
            let (team, tries) = (&team, &tries);
            let (mut here, mut there) = (Caller::of(a.public), Caller::of(b.public));
            scope.spawn(move || {
                let mut old = team.user(here.server(), person);
                let mut old_there = old.clone();
                while tries.load(Ordering::Relaxed) < TRIES {
                    let fresh = here.logout_all(&old).token();
                    let mine = team.user(here.server(), person);
                    let other = team.user(there.server(), person);
                    let new = [&fresh, &mine, &other];
                    for token in [&old, &old_there] {
                        assert!(here.refuses(token), "an old one lives");
                        within(Duration::from_secs(5), "the other refuses it", || {
                            there.refuses(token).then_some(())
                        });
                    }
                    for token in new {
                        assert!(here.takes(token) && there.takes(token), "a new one is dead");
                    }
                    let second = |token: &str| claims(token)["iat"].as_i64().unwrap();
                    if new.iter().all(|token| second(token) == second(&old)) {
                        tries.fetch_add(1, Ordering::Relaxed);
                    }
                    (old, old_there) = (mine, other);
                    std::mem::swap(&mut here, &mut there);
                }
            });
        }
    });
}
