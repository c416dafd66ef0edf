//! The way from nothing, or from an older schema, to the newest.

use menjin_core::Uid;
use menjin_store::{Error, Options, Store};
use tokio::task::JoinSet;

use crate::harness::{
    Db, Folder, account, appid, ask, connect, on_each_database, on_empty_postgres, on_postgres,
    on_sqlite, openid, tell,
};

const ALL: [&str; 3] = ["0001_init", "0002_accounts", "0003_services"];

/// From nothing to the newest schema, by as many as may come at once.
async fn from_nothing(url: String) {
    let store = Store::open(&Options::new(&*url)).await.unwrap();
    assert_eq!(store.pending().await.unwrap(), ALL);
    assert_eq!(
        store.pending().await.unwrap(),
        ALL,
        "asking changes nothing"
    );
    let mut replicas = JoinSet::new();
    for _ in 0..8 {
        let url = url.clone();
        replicas.spawn(async move {
            Store::open(&Options::new(url))
                .await
                .unwrap()
                .migrate()
                .await
                .unwrap()
        });
    }
    let applied = replicas.join_all().await;
    assert_eq!(
        applied.iter().filter(|names| *names == &ALL).count(),
        1,
        "{applied:?}"
    );
    assert_eq!(
        applied.iter().filter(|names| names.is_empty()).count(),
        7,
        "{applied:?}"
    );
    assert_eq!(store.pending().await.unwrap(), Vec::<String>::new());
    assert_eq!(store.migrate().await.unwrap(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite_from_nothing() {
    let folder = Folder::new();
    from_nothing(folder.url()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_from_nothing() {
    on_empty_postgres(from_nothing).await;
}

on_each_database! {
    async fn an_older_program_refuses_a_newer_schema(db) {
        db.raw(
            "INSERT INTO refinery_schema_history (version, name, applied_on, checksum)
             VALUES (7, 'later', '2030-01-01T00:00:00Z', '1')",
        ).await.unwrap();
        for refused in [db.store.migrate().await, db.store.pending().await] {
            let error = refused.unwrap_err();
            assert!(matches!(error, Error::Newer { found: 7, known: 3 }), "{error:?}");
            assert!(error.to_string().contains("newer version"), "{error}");
            assert!(!error.is_unavailable());
        }
    }

    async fn a_schema_that_was_tampered_with_is_refused(db) {
        db.raw("UPDATE refinery_schema_history SET checksum = '1'").await.unwrap();
        let error = db.store.migrate().await.unwrap_err();
        assert!(matches!(error, Error::Migration(_)), "{error:?}");
    }
}

/// Rows as the first version wrote them, every column of which is filled in one of them.
const OLD_ROWS: [&str; 7] = [
    "INSERT INTO users (phone, phone_verified_at, email, nickname, avatar, campus, role, epoch,
                        disabled_at, created_at, updated_at)
     VALUES ('+8613800138000', 900, 'wang@example.com', '小王', 'https://example.com/a.png', 'East',
             'admin', 3, 1100, 1000, 1200)",
    "INSERT INTO users (created_at, updated_at) VALUES (1000, 1000)",
    "INSERT INTO users (phone, created_at, updated_at) VALUES ('+8613900139000', 1000, 1000)",
    "INSERT INTO identities VALUES (X'000102030405060708090a0b0c0d0e0f', 'wx0123456789abcdef',
        'oGZUI0wang', 'uGZUI0wang', 100001, 'trial', 1000, 1300,
        X'0101010101010101010101010101010101010101010101010101010101010101', X'02', X'03')",
    "INSERT INTO identities VALUES (X'100102030405060708090a0b0c0d0e0f', 'wx0123456789abcdef',
        'oGZUI0guest', NULL, NULL, NULL, 1000, 1300,
        X'0101010101010101010101010101010101010101010101010101010101010101', X'02', NULL)",
    "INSERT INTO audit (at, event, actor, subject, detail)
     VALUES (1, 'user_disabled', 'operator', '100001', '{}')",
    "DELETE FROM users WHERE uid = 100003",
];

/// Every column that the first version knew, each row as one text.
const OLD_COLUMNS: [&str; 3] = [
    "SELECT CONCAT_WS('|', uid, phone, phone_verified_at, email, nickname, avatar, campus, role, epoch,
                      disabled_at, created_at, updated_at) FROM users ORDER BY uid",
    "SELECT CONCAT_WS('|', HEX(id), appid, openid, unionid, user_id, release, first_seen_at,
                      last_seen_at, HEX(session_key_digest), HEX(session_key),
                      HEX(previous_session_key)) FROM identities ORDER BY id",
    "SELECT CONCAT_WS('|', seq, at, event, actor, subject, detail) FROM audit ORDER BY seq",
];

/// SQLite's words for bytes, in PostgreSQL's.
fn spelled(sql: &str, shared: bool) -> String {
    if !shared {
        return sql.to_owned();
    }
    let mut out = sql.to_owned();
    for column in [
        "id",
        "session_key_digest",
        "session_key",
        "previous_session_key",
    ] {
        let (hex, encode) = (format!("HEX({column})"), format!("ENCODE({column}, 'hex')"));
        out = out.replace(&hex, &encode);
    }
    // X'00' is '\x00'.
    out.replace("X'", "'\\x")
}

/// A database as the first version left it.
async fn first_version(url: &str) {
    let step = |sql: &str| refinery::Migration::unapplied("V0001__init", sql).unwrap();
    if let Some(file) = url.strip_prefix("sqlite://") {
        let mut connection = rusqlite::Connection::open(file).unwrap();
        let steps = [step(include_str!("../../migrations/sqlite/0001_init.sql"))];
        refinery::Runner::new(&steps).run(&mut connection).unwrap();
        for sql in OLD_ROWS {
            connection.execute_batch(sql).unwrap();
        }
        return;
    }
    let mut client = connect(url).await;
    let steps = [step(include_str!(
        "../../migrations/postgres/0001_init.sql"
    ))];
    refinery::Runner::new(&steps)
        .run_async(&mut client)
        .await
        .unwrap();
    for sql in OLD_ROWS {
        client.batch_execute(&spelled(sql, true)).await.unwrap();
    }
}

async fn old_columns(db: &Db) -> Vec<Vec<String>> {
    let mut tables = Vec::new();
    for sql in OLD_COLUMNS {
        let sql = spelled(sql, db.store.is_shared());
        tables.push(db.raw(&sql).await.unwrap());
    }
    tables
}

async fn from_the_first_version(url: String) {
    first_version(&url).await;
    let store = Store::open(&Options::new(&*url)).await.unwrap();
    let db = Db { store, url };
    let before = old_columns(&db).await;
    assert_eq!(before.iter().map(Vec::len).collect::<Vec<_>>(), [2, 2, 1]);
    assert_eq!(db.store.pending().await.unwrap(), ALL[1..]);
    assert_eq!(db.store.migrate().await.unwrap(), ALL[1..]);
    assert_eq!(old_columns(&db).await, before);

    let uid = Uid::new(100_001).unwrap();
    let user = ask!(db, |tx| tx.user_find(uid).await).unwrap().unwrap();
    assert_eq!(
        (&*user.nickname, user.epoch, user.disabled_at),
        ("小王", 3, Some(1_100))
    );
    assert_eq!((user.profile.len(), &user.consent), (0, &None));
    let found = ask!(db, |tx| tx.identity_find(&appid(), &openid("wang")).await);
    assert_eq!(found.unwrap().unwrap().user, Some(user));
    let audit = ask!(db, |tx| tx.audit_all(0, 10).await).unwrap();
    assert_eq!((audit.len(), &*audit[0].event), (1, "user_disabled"));
    let next = tell!(db, |tx| tx.user_create(&account(None)).await).unwrap();
    assert_eq!(
        next,
        Uid::new(100_004),
        "a uid that was given is not given again"
    );
}

/// Proves OPS-2: every row of the first version is kept.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite_from_the_first_version() {
    let folder = Folder::new();
    from_the_first_version(folder.url()).await;
}

/// Proves OPS-2: every row of the first version is kept.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_from_the_first_version() {
    on_empty_postgres(from_the_first_version).await;
}
