//! A server that is killed right after it said that a token counts no more.

use std::{
    sync::{Mutex, mpsc},
    thread,
};

use super::team::{Caller, Team, bearer, kill, service_form};

/// Revocations that a server may be asked for in one life, and after how many yeses it is killed.
const ASKED: usize = 30;
const ENOUGH: usize = 20;
/// Yeses in all.
const ALL: usize = 1_000;

/// One life of a server: it is killed the moment it has said yes so often, with more under way. The tokens
/// of those who were told yes.
fn live(team: &Team) -> Vec<String> {
    let server = team.rise();
    let address = server.public;
    let tokens: Vec<_> = (0..ASKED).map(|n| team.user(address, n % 5)).collect();
    let next = Mutex::new(tokens.into_iter().enumerate());
    let (told, hear) = mpsc::channel();
    thread::scope(|scope| {
        for _ in 0..5 {
            let (next, told) = (&next, told.clone());
            scope.spawn(move || {
                let mut caller = Caller::of(address);
                loop {
                    let Some((n, token)) = next.lock().unwrap().next() else {
                        return;
                    };
                    let asked = match n % 2 {
                        0 => service_form("/oauth/revoke", &token),
                        _ => bearer("POST /v1/user/logout", &token),
                    };
                    let Ok(reply) = caller.try_ask(&asked) else {
                        return;
                    };
                    assert_eq!(reply.status, 200, "{reply:?}");
                    told.send(token).unwrap();
                }
            });
        }
        drop(told);
        let mut acknowledged: Vec<_> = hear.iter().take(ENOUGH).collect();
        kill(server);
        // Whoever was told yes while it died.
        acknowledged.extend(hear.iter());
        assert!(acknowledged.len() >= ENOUGH);
        acknowledged
    })
}

fn nothing_counts_again(team: &Team) {
    let mut acknowledged = Vec::new();
    while acknowledged.len() < ALL {
        acknowledged.extend(live(team));
    }
    let server = team.rise();
    let mut caller = Caller::of(server.public);
    assert!(caller.takes(&team.user(server.public, 0)));
    let counting = acknowledged.iter().filter(|token| !caller.refuses(token));
    assert_eq!(counting.count(), 0, "of {}", acknowledged.len());
    let feed = caller.feed(0, 0).unwrap();
    let told = feed.json()["items"].as_array().unwrap().len();
    assert!(told == ALL, "{told} on the first page");
}

/// Proves INT-7 and F2: a thousand tokens whose end was acknowledged, to a service or to whoever signed
/// out, right before a kill are still worth nothing after the start.
#[test]
fn what_was_revoked_stays_so_on_sqlite() {
    nothing_counts_again(&Team::on_sqlite());
}

/// Proves INT-7 and F2 on PostgreSQL.
#[test]
fn what_was_revoked_stays_so_on_postgres() {
    nothing_counts_again(&Team::on_postgres());
}
