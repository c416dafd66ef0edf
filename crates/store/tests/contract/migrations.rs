//! The way from nothing, or from an older schema, to the newest.

use menjin_store::{Error, Options, Store};
use tokio::task::JoinSet;

use crate::harness::{Db, Folder, on_each_database, on_empty_postgres, on_postgres, on_sqlite};

const ALL: [&str; 2] = ["0001_init", "0002_accounts"];

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
            assert!(matches!(error, Error::Newer { found: 7, known: 2 }), "{error:?}");
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
