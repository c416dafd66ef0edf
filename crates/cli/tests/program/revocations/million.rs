//! A million tokens that count no more.

use std::{
    process::Command,
    time::{Duration, Instant},
};

use menjin_core::{
    Appid, Role, Uid,
    revocation::{Entry, Revocation, Revoked},
    token::{Claims, Subject},
};

use super::{
    away::resident,
    psql::Psql,
    team::{Caller, Team},
};
use crate::{
    clock::library,
    harness::{APPID, Server, get, given, menjin, run, within},
};

const MILLION: usize = 1_000_000;
/// Those of them that are over in half an hour; the others in half a day.
const BRIEF: usize = 300_000;
/// What they may cost in memory, in KiB.
const MEMORY: u64 = 150 * 1024;
/// What a lookup may take.
const LOOKUP: Duration = Duration::from_millis(1);
/// What signing in for the first time and registering may take meanwhile.
const NEWCOMER: Duration = Duration::from_secs(2);
/// How long a server may take to read or to forget them, on a machine that does other things as well.
const LONG: Duration = Duration::from_secs(90);

/// Writes them down, with names in no order.
fn write_down(team: &Team, jti: &str, fill: impl Fn(&str)) {
    let migrated = run(menjin(&team.folder).arg("migrate"));
    assert_eq!(migrated.code, Some(0), "{migrated:?}");
    let now = jiff::Timestamp::now().as_millisecond();
    let (brief, long) = (now + 1_800_000, now + 43_200_000);
    fill(&format!(
        "WITH RECURSIVE n (seq) AS (SELECT 1 UNION ALL SELECT seq + 1 FROM n WHERE seq < {MILLION})
         INSERT INTO revocations (seq, until, jti)
         SELECT seq, CASE WHEN seq <= {BRIEF} THEN {brief} ELSE {long} END, {jti} FROM n;
         UPDATE revocation_numbers SET last = {MILLION}"
    ));
}

fn known(server: &Server) -> usize {
    let metrics = get(server.management, "/metrics").text;
    let mut lines = metrics.lines();
    let value = lines.find_map(|line| line.strip_prefix("menjin_revocations "));
    value.unwrap().parse().unwrap()
}

/// The time of the middle one of many checks of a token that counts.
fn middle(server: &Server, token: &str) -> Duration {
    let mut caller = Caller::of(server.public);
    assert!(caller.takes(token));
    let mut times: Vec<_> = (0..1_000)
        .map(|_| {
            let asked = Instant::now();
            assert_eq!(caller.verify(token).status, 200);
            asked.elapsed()
        })
        .collect();
    times.sort();
    times[500]
}

/// Starts with a million, costs little, answers as fast as an empty one, and forgets them in time.
fn a_million(empty: &Team, team: &Team, count: impl FnMut() -> usize) {
    let bare = empty.rise();
    let full = Server::listening(team.command(&[]));
    within(LONG, "it is ready", || {
        (get(full.management, "/readyz").status == 200).then_some(())
    });
    assert_eq!(known(&full), MILLION);
    let more = resident(&full).saturating_sub(resident(&bare));
    assert!(more <= MEMORY, "{more} KiB more");
    let slow = middle(&full, &team.user(full.public, 0));
    let fast = middle(&bare, &empty.user(bare.public, 0));
    assert!(slow <= fast + LOOKUP, "{slow:?}, and {fast:?} without any");
    let mut caller = Caller::of(full.public);
    let token = team.user(full.public, 0);
    assert_eq!(caller.revoke(&token).status, 200);
    assert!(caller.refuses(&token));
    let more = resident(&full).saturating_sub(resident(&bare));
    assert!(more <= MEMORY, "{more} KiB more");
    drop((bare, full));
    are_forgotten(team, count);
}

/// Two hours later, by a clock that runs three times as fast, nobody knows of those that are over, and
/// whoever comes while they are forgotten does not wait for that.
fn are_forgotten(team: &Team, mut count: impl FnMut() -> usize) {
    let mut command = team.command(&[]);
    command
        .env("LD_PRELOAD", library())
        .env("FAKETIME", "+2h x3");
    let later = Server::listening(command);
    within(LONG, "it is ready", || {
        (get(later.management, "/readyz").status == 200).then_some(())
    });
    let mut n = 1;
    within(LONG, "they are purged", || {
        let asked = Instant::now();
        team.user(later.public, n);
        assert!(asked.elapsed() < NEWCOMER, "{:?}", asked.elapsed());
        n += 1;
        (count() == MILLION - BRIEF && known(&later) == MILLION - BRIEF).then_some(())
    });
    let ran = later.program.stop();
    assert_eq!(ran.code, Some(0), "{ran:?}");
}

/// Proves INT-9 on PostgreSQL: a million revocations are known from the start, cost 150 MB at most, slow a
/// check of a token down by a millisecond at most, and none is left that is over; nobody waits for that.
#[test]
fn a_million_are_known_and_forgotten_on_postgres() {
    let (empty, team) = (Team::on_postgres(), Team::on_postgres());
    write_down(&team, "substr(md5(seq::text), 1, 16)", |sql| {
        let mut psql = Psql::open(&team.url());
        psql.ask(&format!("{sql}; ANALYZE revocations; SELECT 1"));
    });
    let mut psql = Psql::open(&team.url());
    a_million(&empty, &team, move || {
        psql.ask("SELECT count(*) FROM revocations")
            .parse()
            .unwrap()
    });
}

/// Proves INT-9 on SQLite.
#[test]
fn a_million_are_known_and_forgotten_on_sqlite() {
    let (empty, team) = (Team::on_sqlite(), Team::on_sqlite());
    let sqlite = |sql: &str| {
        let script = "import sqlite3, sys\n\
            c = sqlite3.connect(sys.argv[1], timeout=30)\n\
            r = [c.execute(s).fetchone() for s in sys.argv[2].split(';')]\n\
            c.commit()\n\
            print(r[-1][0] if r[-1] else 0)";
        let mut python = Command::new(given("MENJIN_TEST_PYTHON"));
        let file = team.folder.file("menjin.db");
        let ran = python.args(["-c", script]).arg(file).arg(sql).output();
        let ran = ran.unwrap();
        assert!(ran.status.success(), "{ran:?}");
        String::from_utf8(ran.stdout).unwrap().trim().to_owned()
    };
    write_down(&team, "hex(randomblob(8))", |sql| {
        sqlite(sql);
    });
    a_million(&empty, &team, || {
        sqlite("SELECT count(*) FROM revocations").parse().unwrap()
    });
}

/// Proves INT-9: of a hundred thousand lookups among a million 99 of 100 take a millisecond at most, those
/// of what is revoked and those of what is not.
#[test]
fn a_lookup_among_a_million_takes_no_time() {
    let mut revoked = Revoked::default();
    for seq in 1..=1_000_000_i64 {
        revoked.apply(&Entry {
            seq,
            what: Revocation::Token(format!("{:016}", seq * 2)),
            until: 2_000_000_000_000,
        });
    }
    let mut claims = Claims {
        subject: Subject::User {
            uid: Uid::new(100_001).unwrap(),
            role: Role::User,
            epoch: 0,
        },
        client_id: Appid::parse(APPID).unwrap(),
        jti: String::new(),
        iat: 0,
        exp: 0,
    };
    let mut times = Vec::new();
    for n in 0..100_000_i64 {
        let number = n * 7_919 % 2_000_000 + 1;
        claims.jti = format!("{number:016}");
        let asked = Instant::now();
        let is_revoked = revoked.is_revoked(&claims);
        times.push(asked.elapsed());
        assert_eq!(is_revoked, number % 2 == 0);
    }
    times.sort();
    assert!(times[99_000] <= LOOKUP, "{:?}", times[99_000]);
}
