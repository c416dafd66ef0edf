//! Replicas whose clocks disagree.

use std::{net::SocketAddr, thread, time::Duration};

use super::team::{Caller, Team, many};
use crate::{
    clock::library,
    harness::{Server, within},
};

/// Tokens of either replica whose clock is wrong.
const TOKENS: usize = 5_000;
/// Times that somebody signs out everywhere.
const TRIES: usize = 200;

/// A replica whose clock is so many seconds off.
fn off(team: &Team, offset: &str) -> Server {
    let mut command = team.command(&[]);
    command
        .env("LD_PRELOAD", library())
        .env("FAKETIME", offset)
        .env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
    Server::ready(command)
}

/// Each of many tokens that one replica makes is good at the other.
fn good_elsewhere(team: &Team, maker: SocketAddr, checker: SocketAddr, person: usize) {
    team.user(maker, person);
    let tokens = many(team, maker, &format!("p{person}"), TOKENS);
    let mut caller = Caller::of(checker);
    for (n, token) in tokens.iter().enumerate() {
        let reply = caller.verify(token);
        assert_eq!(reply.status, 200, "{n}: {reply:?}");
        if n % 10 == 0 {
            assert!(caller.takes(token), "{n}");
            assert_eq!(caller.me(token).status, 200, "{n}");
        }
    }
}

/// Proves F21: with one replica half a minute ahead and one half a minute behind, 10,000 of 10,000 of
/// their tokens are good at one whose clock is right. And INT-8: wherever somebody signs out everywhere,
/// the tokens before are dead everywhere within five seconds, and those after live everywhere.
#[test]
fn clocks_may_disagree_by_half_a_minute() {
    let team = Team::on_postgres();
    let servers = [team.rise(), off(&team, "+30"), off(&team, "-30")];
    let [right, ahead, behind] = servers.each_ref().map(|server| server.public);
    thread::scope(|scope| {
        for (person, maker) in [ahead, behind].into_iter().enumerate() {
            let team = &team;
            scope.spawn(move || good_elsewhere(team, maker, right, person));
        }
    });

    let mut callers = [right, ahead, right, behind].map(Caller::of);
    for n in 0..TRIES {
        let (here, there) = (n % 4, (n + 1) % 4);
        let old = team.user(callers[here].server(), 2);
        let elsewhere = team.user(callers[there].server(), 2);
        let fresh = callers[here].logout_all(&old).token();
        let new = team.user(callers[there].server(), 2);
        for token in [&old, &elsewhere] {
            assert!(callers[here].refuses(token), "an old one lives");
            for caller in &mut callers {
                within(Duration::from_secs(5), "all refuse it", || {
                    caller.refuses(token).then_some(())
                });
            }
        }
        for token in [&fresh, &new] {
            assert!(callers[here].takes(token), "a new one is dead");
            assert!(callers[there].takes(token), "a new one is dead");
        }
    }
}
