//! Roles that change, and accounts that are switched off or go.

use std::time::Duration;

use menjin_core::{Instant, Role, Uid};
use menjin_store::{Error, Options, Store};

use super::team::{Caller, Team, claims};
use crate::harness::{Server, login, within};

/// How soon a change counts where it was made.
const HERE: Duration = Duration::from_secs(1);
/// And elsewhere.
const THERE: Duration = Duration::from_secs(5);
/// Accounts of each kind.
const EACH: usize = 10;

/// Another program that changes accounts, as a command would.
struct Operator {
    runtime: tokio::runtime::Runtime,
    store: Store,
}

impl Operator {
    fn of(team: &Team) -> Self {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let store = runtime.block_on(Store::open(&Options::new(team.url())));
        Self {
            runtime,
            store: store.unwrap(),
        }
    }

    fn disable(&self, uid: Uid) {
        let told = self
            .store
            .write(move |tx| Box::pin(tx.user_disable(uid, now())));
        assert!(self.ends(told));
    }

    fn promote(&self, uid: Uid) {
        let told = self
            .store
            .write(move |tx| Box::pin(tx.user_set_role(uid, Role::Admin, now())));
        assert!(self.ends(told));
    }

    fn ends(&self, told: impl Future<Output = Result<bool, Error>>) -> bool {
        self.runtime.block_on(told).unwrap()
    }
}

impl Drop for Operator {
    fn drop(&mut self) {
        self.runtime.block_on(self.store.close());
    }
}

fn now() -> Instant {
    jiff::Timestamp::now().as_millisecond()
}

fn uid(token: &str) -> Uid {
    Uid::new(claims(token)["uid"].as_i64().unwrap()).unwrap()
}

/// What is done to an account.
#[derive(Clone, Copy, Debug)]
enum Change {
    Disable,
    Promote,
    Delete,
    LogoutAll,
}

impl Change {
    /// Does it, by the first server or beside all; whether it was a server that did.
    fn make(self, operator: &Operator, first: &mut Caller, token: &str) -> bool {
        match self {
            Self::Disable => operator.disable(uid(token)),
            Self::Promote => operator.promote(uid(token)),
            Self::Delete => assert_eq!(first.delete(token).status, 200),
            Self::LogoutAll => assert_eq!(first.logout_all(token).status, 200),
        }
        matches!(self, Self::Delete | Self::LogoutAll)
    }

    /// How the person stands afterwards.
    fn check(self, team: &Team, server: &Server, n: usize) {
        let again = login(server.public, &team.simulator.code(&format!("p{n}")));
        let mut caller = Caller::of(server.public);
        match self {
            Self::Disable => assert_eq!(again.status, 403, "{again:?}"),
            Self::Promote => {
                let verified = caller.verify(&again.token());
                assert_eq!(verified.header("x-menjin-role"), Some("admin"));
                let introspected = caller.introspect(&again.token()).json();
                assert_eq!(introspected["role"], "admin");
            }
            Self::Delete => assert_eq!(again.json()["registered"], false, "{again:?}"),
            Self::LogoutAll => assert!(caller.takes(&again.token())),
        }
    }
}

/// Changes accounts whose tokens every server has seen.
fn changes_count(team: &Team, servers: &[Server]) {
    let operator = Operator::of(team);
    let mut callers: Vec<_> = servers
        .iter()
        .map(|server| Caller::of(server.public))
        .collect();
    let kinds = [
        Change::Disable,
        Change::Promote,
        Change::Delete,
        Change::LogoutAll,
    ];
    for n in 0..EACH * kinds.len() {
        let change = kinds[n % kinds.len()];
        let token = team.user(servers[0].public, n);
        assert!(callers.iter_mut().all(|caller| caller.takes(&token)));
        let by_server = change.make(&operator, &mut callers[0], &token);
        for (at, caller) in callers.iter_mut().enumerate() {
            let limit = if by_server && at == 0 { HERE } else { THERE };
            within(limit, &format!("{change:?} counts at {at}"), || {
                caller.refuses(&token).then_some(())
            });
            assert_eq!(caller.me(&token).status, 401);
        }
        change.check(team, servers.last().unwrap(), n);
    }
}

/// Proves TOK-13 and DEL-2: a deletion and signing out everywhere count within a second at the replica
/// that was asked for them, and within five at the other; another role and switching off, by another
/// program, within five at both.
#[test]
fn changes_of_accounts_count_on_two_replicas() {
    let team = Team::on_postgres();
    let servers = [team.rise(), team.rise()];
    changes_count(&team, &servers);
}

/// Proves TOK-13 and DEL-2 on SQLite, where another program cannot ring.
#[test]
fn changes_of_accounts_count_on_sqlite() {
    let team = Team::on_sqlite();
    let servers = [team.rise()];
    changes_count(&team, &servers);
}
