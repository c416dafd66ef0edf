//! What holds of a file: who may read it, who serves from it, and what other processes do to it.

use std::{
    os::unix::fs::PermissionsExt,
    pin::pin,
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use menjin_store::{Error, Options, Store, Writes};
use tokio::task::JoinSet;

use crate::harness::{Db, Folder, appid, ask, newcomer, on_sqlite, openid, tell};

#[tokio::test]
async fn the_files_are_their_owners_alone() {
    on_sqlite(async |db| {
        tell!(db, |tx| tx.identity_create(&newcomer("li")).await).unwrap();
        let _lock = menjin_store::lock(&db.url).unwrap().unwrap();
        let folder = db.file().parent().unwrap().to_owned();
        let mut names = Vec::new();
        for file in std::fs::read_dir(folder).unwrap() {
            let file = file.unwrap();
            let mode = file.metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{file:?}");
            names.push(file.file_name().into_string().unwrap());
        }
        names.sort();
        assert_eq!(
            names,
            [
                "menjin.db",
                "menjin.db-shm",
                "menjin.db-wal",
                "menjin.db.lock"
            ]
        );
        db.store.close().await;
        assert!(!db.file().with_extension("db-wal").exists());
    })
    .await;
}

#[tokio::test]
async fn an_address_names_a_file() {
    let folder = Folder::new();
    let path = folder.path().join("a b%20c?d.db");
    for prefix in ["sqlite://", "sqlite:"] {
        let url = format!("{prefix}{}", path.display());
        Store::open(&Options::new(url)).await.unwrap();
        assert!(path.exists());
    }
    for odd in [
        "sqlite:",
        "sqlite://",
        "sqlite::memory:",
        "mysql://x/y",
        "menjin.db",
        "",
    ] {
        let refused = Store::open(&Options::new(odd)).await.unwrap_err();
        assert!(matches!(refused, Error::Url(_)), "{odd}: {refused:?}");
    }
}

#[tokio::test]
async fn a_missing_folder_is_named() {
    let folder = Folder::new();
    let url = format!("sqlite://{}/not/there/menjin.db", folder.path().display());
    for refused in [
        Store::open(&Options::new(&*url)).await.err(),
        menjin_store::lock(&url).err(),
    ] {
        let refused = refused.unwrap().to_string();
        assert!(
            refused.contains("/not/there: the folder of the database is not there"),
            "{refused}"
        );
    }
}

#[tokio::test]
async fn options_keep_the_password_to_themselves() {
    let options = Options::new("postgres://menjin:hunter2@127.0.0.1/menjin");
    let store = Store::open(&options).await.unwrap();
    let shown = format!("{options:?} {store:?}");
    assert!(!shown.contains("hunter2"), "{shown}");
    let refused = Store::open(&Options::new("postgres://menjin:hunter2@[/x"))
        .await
        .unwrap_err();
    assert!(
        !format!("{refused:?} {refused}").contains("hunter2"),
        "{refused:?}"
    );
}

/// Proves OPS-3: a hundred writers here and another process's on the same file, and nobody is told
/// that the database is locked.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_writers_and_a_stranger() {
    on_sqlite(async |db| {
        let done = Arc::new(AtomicBool::new(false));
        let (file, over) = (db.file(), done.clone());
        let stranger = std::thread::spawn(move || {
            let connection = rusqlite::Connection::open(file).unwrap();
            connection.busy_timeout(Duration::from_secs(5)).unwrap();
            let mut written = 0;
            while !over.load(Ordering::Relaxed) {
                let sql = "BEGIN IMMEDIATE;
                    INSERT INTO audit (at, event, actor, subject, detail) VALUES (1, '', '', '', '');
                    COMMIT";
                connection.execute_batch(sql).unwrap();
                written += 1;
            }
            written
        });
        let mut writers = JoinSet::new();
        for writer in 0..100 {
            let db = db.clone();
            writers.spawn(async move {
                for n in 0..10 {
                    let new = newcomer(&format!("w{writer}n{n}"));
                    assert!(tell!(db, |tx| tx.identity_create(&new).await).unwrap().is_some());
                    let found = ask!(db, |tx| {
                        tx.identity_find(&appid(), &openid(&format!("w{writer}n{n}"))).await
                    });
                    assert!(found.unwrap().is_some(), "what was acknowledged is there");
                }
            });
        }
        writers.join_all().await;
        done.store(true, Ordering::Relaxed);
        assert!(stranger.join().unwrap() > 0);
        let rows = db.raw("SELECT CAST(COUNT(*) AS TEXT) FROM identities").await.unwrap();
        assert_eq!(rows, ["1000"]);
    })
    .await;
}

/// Proves OPS-3: of two processes, one serves from a file.
#[tokio::test]
async fn one_process_serves_from_a_file() {
    let folder = Folder::new();
    let first = menjin_store::lock(&folder.url()).unwrap();
    assert!(first.is_some());
    let second = menjin_store::lock(&folder.url()).unwrap_err();
    assert!(matches!(second, Error::InUse(_)), "{second:?}");
    assert!(
        second
            .to_string()
            .contains("menjin.db is in use by another process"),
        "{second}"
    );
    drop(first);
    assert!(menjin_store::lock(&folder.url()).unwrap().is_some());
    assert!(
        menjin_store::lock("postgres://127.0.0.1/menjin")
            .unwrap()
            .is_none()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stranger_who_keeps_the_file_makes_the_store_unavailable_and_no_more() {
    on_sqlite(async |db| {
        let stranger = rusqlite::Connection::open(db.file()).unwrap();
        stranger.execute_batch("BEGIN IMMEDIATE").unwrap();
        let mut waiting = JoinSet::new();
        for n in 0..10 {
            let db = db.clone();
            waiting.spawn(async move {
                tell!(db, |tx| tx
                    .identity_create(&newcomer(&format!("n{n}")))
                    .await)
            });
        }
        for refused in waiting.join_all().await {
            let refused = refused.unwrap_err();
            assert!(refused.is_unavailable(), "{refused:?}");
        }
        let found = ask!(db, |tx| tx.identity_find(&appid(), &openid("n0")).await);
        assert!(
            found.unwrap().is_none(),
            "readers do not mind, and nothing was kept"
        );
        stranger.execute_batch("ROLLBACK").unwrap();
        assert!(
            tell!(db, |tx| tx.identity_create(&newcomer("n0")).await)
                .unwrap()
                .is_some()
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn past_its_queue_the_store_says_busy_at_once() {
    on_sqlite(async |db| {
        let stranger = rusqlite::Connection::open(db.file()).unwrap();
        stranger.execute_batch("BEGIN IMMEDIATE").unwrap();
        let mut stories = JoinSet::new();
        for n in 0..3_000 {
            let db = db.clone();
            stories.spawn(async move {
                tell!(db, |tx| tx
                    .identity_create(&newcomer(&format!("n{n}")))
                    .await)
            });
        }
        let first = stories.join_next().await.unwrap().unwrap();
        assert!(matches!(first, Err(Error::Busy)), "{first:?}");
        stranger.execute_batch("ROLLBACK").unwrap();
        let mut made = 0;
        for told in stories.join_all().await {
            match told {
                Ok(new) => made += usize::from(new.is_some()),
                Err(error) => assert!(matches!(error, Error::Busy), "{error:?}"),
            }
        }
        let rows = db
            .raw("SELECT CAST(COUNT(*) AS TEXT) FROM identities")
            .await
            .unwrap();
        assert_eq!(rows, [made.to_string()]);
        assert!(db.store.waits().refused > 0);
        assert_eq!(db.store.waits().queued, 0);
    })
    .await;
}

/// A process may write files up to a limit only; past it, writing fails as on a full disk. The limit
/// is one of the whole process, so this happens in a child of its own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_loses_nothing_that_was_acknowledged_and_heals() {
    if std::env::var_os("MENJIN_TEST_INNER").is_some() {
        return on_sqlite(fill_the_disk).await;
    }
    let name = "sqlite::a_full_disk_loses_nothing_that_was_acknowledged_and_heals";
    // The signal that would end the process instead is ignored, and stays so in the child.
    let child = Command::new("sh")
        .args(["-c", "trap '' XFSZ; exec \"$@\"", "sh"])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture"])
        .env("MENJIN_TEST_INNER", "1")
        .output()
        .unwrap();
    assert!(
        child.status.success(),
        "{}",
        String::from_utf8_lossy(&child.stderr)
    );
}

async fn fill_the_disk(db: Db) {
    let limit = |bytes: &str| {
        let pid = std::process::id().to_string();
        let fsize = format!("--fsize={bytes}:");
        let limited = Command::new("prlimit")
            .args(["--pid", &pid, &fsize])
            .status();
        assert!(limited.unwrap().success());
    };
    limit("300000");
    let mut acknowledged = 0;
    let full = loop {
        let new = newcomer(&format!("n{acknowledged}"));
        match tell!(db, |tx| tx.identity_create(&new).await) {
            Ok(_) => acknowledged += 1,
            Err(error) => break error,
        }
    };
    assert!(full.is_unavailable(), "{full:?}");
    let rows = "SELECT CAST(COUNT(*) AS TEXT) FROM identities";
    for _ in 0..3 {
        let new = newcomer("more");
        let full = tell!(db, |tx| tx.identity_create(&new).await).unwrap_err();
        assert!(full.is_unavailable(), "{full:?}");
        assert_eq!(db.raw(rows).await.unwrap(), [acknowledged.to_string()]);
        let found = ask!(db, |tx| tx.identity_find(&appid(), &openid("n0")).await);
        assert!(found.unwrap().is_some(), "readers do not mind");
    }
    limit("unlimited");
    for n in 0..100 {
        let new = newcomer(&format!("later{n}"));
        assert!(
            tell!(db, |tx| tx.identity_create(&new).await)
                .unwrap()
                .is_some()
        );
    }
    assert_eq!(
        db.raw(rows).await.unwrap(),
        [(acknowledged + 100).to_string()]
    );
    assert_eq!(db.raw("PRAGMA integrity_check").await.unwrap(), ["ok"]);
}

/// Whether it runs on the writer's connection or beside it.
#[tokio::test]
async fn a_story_that_only_reads_cannot_write() {
    on_sqlite(async |db| {
        for n in 0..20 {
            let name = format!("n{n}");
            let sly = newcomer(&name);
            let wrote = ask!(db, |tx| tx.identity_create(&sly).await);
            assert!(wrote.is_err());
            let _ = tell!(db, |tx| tx.identity_create(&newcomer("li")).await).unwrap();
            let found = ask!(db, |tx| tx.identity_find(&appid(), &openid(&name)).await);
            assert!(found.unwrap().is_none());
        }
    })
    .await;
}

/// A story that said it writes one row, and fails after it, has no savepoint to go back to.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broken_promise_keeps_nothing_of_what_was_to_be_committed_with_it() {
    on_sqlite(async |db| {
        let stranger = rusqlite::Connection::open(db.file()).unwrap();
        stranger.execute_batch("BEGIN IMMEDIATE").unwrap();
        // The writer waits with this one, and the others gather behind it.
        let mut before = pin!(
            db.store
                .write(|tx| { Box::pin(async { tx.identity_create(&newcomer("before")).await }) })
        );
        tokio::select! {
            biased;
            _ = &mut before => panic!("the file is locked"),
            () = std::future::ready(()) => {}
        }
        while db.store.waits().queued > 0 {
            tokio::task::yield_now().await;
        }
        let one_row = |fails: bool, name| {
            db.store.write_as(Writes::OneRow, move |tx| {
                Box::pin(async move {
                    tx.identity_create(&newcomer(name)).await?;
                    if fails { Err(Error::Column(0)) } else { Ok(()) }
                })
            })
        };
        let (beside, broken, ()) =
            tokio::join!(one_row(false, "beside"), one_row(true, "broken"), async {
                stranger.execute_batch("ROLLBACK").unwrap();
            });
        assert!(matches!(broken, Err(Error::Column(0))), "{broken:?}");
        assert!(matches!(beside, Err(Error::Broken)), "{beside:?}");
        before.await.unwrap();
        one_row(false, "after").await.unwrap();
        let names = db
            .raw("SELECT openid FROM identities ORDER BY first_seen_at, openid")
            .await;
        let names = names.unwrap().join(" ");
        assert!(
            !names.contains("beside") && !names.contains("broken"),
            "{names}"
        );
        assert!(
            names.contains("before") && names.contains("after"),
            "{names}"
        );
    })
    .await;
}
