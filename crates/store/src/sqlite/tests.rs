//! How SQLite goes about the statements: that it needs an index for each, and compiles each once.

use rusqlite::{StatementStatus, types::Value};

use super::{checkpoint::Checkpoints, *};

/// A folder that goes when this does.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// An empty, migrated database, and the folder that is its own.
async fn database() -> (Connection, Folder) {
    let id = menjin_core::IdentityId::random();
    let folder = Folder(std::env::temp_dir().join(format!("menjin_test_{id}")));
    std::fs::create_dir_all(&folder.0).unwrap();
    let path = folder.0.join("menjin.db");
    let made = Database::open(path.clone(), &Options::new("")).unwrap();
    made.migrate().unwrap();
    made.close().await;
    (connect(&path, LITTLE).unwrap(), folder)
}

/// The lines of the plan of one statement.
fn plan(connection: &Connection, sql: &str) -> Vec<String> {
    let mut statement = connection
        .prepare(&format!("EXPLAIN QUERY PLAN {sql}"))
        .unwrap();
    let nulls = vec![Value::Null; statement.parameter_count()];
    let lines = statement
        .query_map(rusqlite::params_from_iter(nulls), |row| row.get(3))
        .unwrap();
    lines.collect::<Result<_, _>>().unwrap()
}

#[tokio::test]
async fn every_lookup_has_an_index() {
    let (connection, _folder) = database().await;
    // A handful of rows, in the order that is asked for; what is a minute's at most; and what waits
    // to be done, which is looked through once in a while.
    let small = [
        "SCAN signing_keys",
        "SCAN spent_codes",
        "SCAN errands",
        "SCAN services USING INDEX sqlite_autoindex_services_1",
    ];
    for sql in crate::statements() {
        for line in plan(&connection, sql.sqlite) {
            let scans = line.starts_with("SCAN") && !line.starts_with("SCAN CONSTANT ROW");
            assert!(
                !scans || small.contains(&line.as_str()),
                "{line}: {}",
                sql.sqlite
            );
            // Within one account there are a few identities, to be put in order.
            let few = ["i.user_id = ?", "i.user_id >= ?"]
                .iter()
                .any(|account| sql.sqlite.contains(account));
            let sorts = line.contains("TEMP B-TREE") && !few;
            assert!(!sorts, "{line}: {}", sql.sqlite);
        }
    }
}

/// A look for one account reads one, not all that follow it.
#[tokio::test]
async fn a_list_of_one_account_has_two_bounds() {
    let (connection, _folder) = database().await;
    let lists = crate::users::lists::ALL.iter();
    let mut bounded =
        lists.filter(|sql| plan(&connection, sql.sqlite)[0].contains("(rowid>? AND rowid<?)"));
    let list = bounded.next().unwrap();
    assert!(list.sqlite.contains("OFFSET"), "{}", list.sqlite);
}

#[tokio::test]
async fn a_deleted_account_finds_its_identities_by_an_index() {
    let (connection, _folder) = database().await;
    let lines = plan(&connection, "DELETE FROM identities WHERE user_id = ?1");
    assert!(
        lines
            .iter()
            .any(|line| line.contains("identities_by_user (user_id=?)")),
        "{lines:?}"
    );
}

/// A statement whose plan hangs on the values would be compiled for each of them.
#[tokio::test]
async fn no_statement_is_compiled_for_its_values() {
    let (connection, _folder) = database().await;
    let mut asked = 0;
    for sql in crate::statements() {
        let mut statement = connection.prepare(sql.sqlite).unwrap();
        if !statement.readonly() {
            continue;
        }
        for n in 0..5 {
            let values = vec![Value::Integer(n); statement.parameter_count()];
            let mut rows = statement.query(rusqlite::params_from_iter(values)).unwrap();
            while rows.next().unwrap().is_some() {}
        }
        assert_eq!(
            statement.get_status(StatementStatus::RePrepare),
            0,
            "{}",
            sql.sqlite
        );
        asked += 1;
    }
    assert!(asked >= 8, "{asked}");
}

/// Writes a row, and does what the log calls for; the log's length in bytes. Waits for the thread that
/// copies: where nothing is synchronised, this one would write thousands of rows before a busy machine
/// lets the other go on.
fn add(connection: &Connection, checkpoints: &mut Checkpoints, folder: &Folder) -> u64 {
    let sql = "INSERT INTO audit (at, event, actor, subject, detail) VALUES (1, '', '', '', '')";
    connection.execute(sql, []).unwrap();
    checkpoints.tend(connection);
    while checkpoints.is_copying() {
        std::thread::yield_now();
    }
    folder.0.join("menjin.db-wal").metadata().unwrap().len()
}

#[tokio::test]
async fn the_log_begins_anew_before_it_is_too_long() {
    let (mut connection, folder) = database().await;
    let path = folder.0.join("menjin.db");
    let mut checkpoints = Checkpoints::start(path.clone(), 25).unwrap();
    checkpoints.attend(&mut connection).unwrap();
    connection
        .execute_batch("PRAGMA synchronous = OFF")
        .unwrap();
    let longest = (0..1_000)
        .map(|_| add(&connection, &mut checkpoints, &folder))
        .max()
        .unwrap();
    assert!(longest < 250 * 4_200, "{longest}");

    // Somebody who reads keeps it from that, until they have read.
    let reader = connect(&path, LITTLE).unwrap();
    reader.execute_batch("BEGIN; SELECT * FROM audit").unwrap();
    let longest = (0..300)
        .map(|_| add(&connection, &mut checkpoints, &folder))
        .max()
        .unwrap();
    assert!(longest > 300 * 4_096, "{longest}");
    reader.execute_batch("COMMIT").unwrap();
    for _ in 0..1_000 {
        let length = add(&connection, &mut checkpoints, &folder);
        assert!(length < longest + 20 * 4_200, "{length} after {longest}");
    }
    let rows: i64 = connection
        .query_row("SELECT COUNT(*) FROM audit", [], |row| row.get(0))
        .unwrap();
    assert_eq!(rows, 2_300);
}
