//! What was deleted is not in the files any more, for whoever may read them.

use std::{collections::HashSet, path::PathBuf};

use menjin_core::Uid;
use menjin_store::{Error, NewIdentity, NewUser, Tx};
use tokio::task::JoinSet;

use crate::harness::{
    Db, account, appid, ask, newcomer, on_each_database, on_postgres, on_sqlite, openid, tell,
    unionid,
};

/// The length of a [`canary`].
const LENGTH: usize = 16;
const MANY: usize = 3_000;

/// A text that is one person's and nobody else's; of neighbours, not neighbours.
fn canary(n: usize) -> String {
    format!("canary{:010}", (n * 2_654_435_761) % 10_000_000_019)
}

/// The database's file and what SQLite keeps beside it.
fn files(db: &Db) -> [PathBuf; 3] {
    ["db", "db-wal", "db-shm"].map(|end| db.file().with_extension(end))
}

/// Every canary in any of the files.
fn canaries(db: &Db) -> HashSet<String> {
    let mut found = HashSet::new();
    for file in files(db) {
        let bytes = std::fs::read(file).unwrap();
        for text in bytes.windows(LENGTH) {
            if let Some(number) = text.strip_prefix(b"canary")
                && number.iter().all(u8::is_ascii_digit)
            {
                found.insert(String::from_utf8_lossy(text).into_owned());
            }
        }
    }
    found
}

/// Makes an account whose every text is its canary, and an identity of the same kind.
async fn settle(tx: &mut Tx, n: usize) -> Result<Uid, Error> {
    let name = canary(n);
    // From a few bytes to more than a page.
    let profile = format!("{{\"wants\":\"{}\"}}", name.repeat(1 + n % 400));
    let new = NewUser {
        phone: Some(&name),
        email: &name,
        nickname: &name,
        avatar: &name,
        campus: &name,
        profile: &profile,
        ..account(None)
    };
    let uid = tx.user_create(&new).await?.unwrap();
    let new = NewIdentity {
        unionid: Some(unionid(&name)),
        session_key: name.clone().into_bytes(),
        ..newcomer(&name)
    };
    tx.identity_import(uid, &new).await?;
    Ok(uid)
}

/// Proves DEL-3: nothing of a deleted account is in the file, its log or its index of the log.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deleted_account_is_in_no_file() {
    on_sqlite(async |db| {
        let mut uids = Vec::new();
        for n in 0..20 {
            let uid = tell!(db, |tx| settle(tx, n).await).unwrap();
            tell!(db, |tx| tx.user_raise_epoch(uid, 2).await).unwrap();
            assert!(tell!(db, |tx| tx.user_change_email(uid, "", 3).await).unwrap());
            uids.push(uid);
        }
        // Afterwards, so that no new row takes the place of a deleted one.
        for uid in uids.into_iter().step_by(2) {
            assert!(tell!(db, |tx| tx.user_delete(uid, 1).await).unwrap());
        }
        assert!(canaries(&db).contains(&canary(0)), "the log still has it");
        db.store.scrub().await.unwrap();
        let kept = (1..20).step_by(2).map(canary).collect();
        assert_eq!(canaries(&db), kept);
        let [_, log, _] = files(&db);
        assert_eq!(log.metadata().unwrap().len(), 0);
    })
    .await;
}

/// Proves DEL-3: nor is anything left where SQLite had put it before it moved it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_thousands_nothing_is_left_in_a_file_that_is_written_anew() {
    on_sqlite(async |db| {
        let uids = tell!(db, |tx| {
            let mut uids = Vec::new();
            for n in 0..MANY {
                uids.push(settle(tx, n).await?);
            }
            Ok::<_, Error>(uids)
        })
        .unwrap();
        for uid in uids.into_iter().step_by(2) {
            assert!(tell!(db, |tx| tx.user_delete(uid, 1).await).unwrap());
        }
        db.store.rewrite().await.unwrap();
        let kept: HashSet<_> = (1..MANY).step_by(2).map(canary).collect();
        let found = canaries(&db);
        assert_eq!(found.difference(&kept).next(), None);
        assert_eq!(found.len(), kept.len());
        assert_eq!(db.raw("PRAGMA integrity_check").await.unwrap(), ["ok"]);
        let found = ask!(db, |tx| tx
            .identity_find(&appid(), &openid(&canary(1)))
            .await);
        assert_eq!(found.unwrap().unwrap().user.unwrap().nickname, canary(1));
    })
    .await;
}

/// Somebody who reads from the log keeps it; when they have done, a later story cuts it off.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_is_being_read_is_cut_off_later() {
    on_sqlite(async |db| {
        let reader = rusqlite::Connection::open(db.file()).unwrap();
        let uid = tell!(db, |tx| settle(tx, 1).await).unwrap();
        reader.execute_batch("BEGIN; SELECT * FROM users").unwrap();
        assert!(tell!(db, |tx| tx.user_delete(uid, 1).await).unwrap());
        let begun = std::time::Instant::now();
        db.store.scrub().await.unwrap();
        assert!(begun.elapsed().as_secs() < 2, "{:?}", begun.elapsed());
        assert!(canaries(&db).contains(&canary(1)));
        let another = newcomer("li");
        assert!(
            tell!(db, |tx| tx.identity_create(&another).await)
                .unwrap()
                .is_some()
        );
        reader.execute_batch("COMMIT").unwrap();
        while !canaries(&db).is_empty() {
            tell!(db, |tx| tx.turn_take(&[1; 32], 1).await).unwrap();
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_process_that_writes_keeps_the_file_from_being_written_anew() {
    on_sqlite(async |db| {
        tell!(db, |tx| settle(tx, 1).await).unwrap();
        let stranger = rusqlite::Connection::open(db.file()).unwrap();
        stranger.execute_batch("BEGIN IMMEDIATE").unwrap();
        let refused = db.store.rewrite().await.unwrap_err();
        assert!(refused.is_unavailable(), "{refused:?}");
        stranger.execute_batch("ROLLBACK").unwrap();
        db.store.rewrite().await.unwrap();
        tell!(db, |tx| settle(tx, 2).await).unwrap();
    })
    .await;
}

on_each_database! {
    async fn scrubbing_disturbs_nobody(db) {
        let mut everybody = JoinSet::new();
        for n in 0..100 {
            let db = db.clone();
            everybody.spawn(async move {
                match n % 10 {
                    0 => db.store.rewrite().await.unwrap(),
                    1 | 2 => db.store.scrub().await.unwrap(),
                    _ => drop(tell!(db, |tx| settle(tx, n).await).unwrap()),
                }
            });
        }
        everybody.join_all().await;
        let rows = db.raw("SELECT CAST(COUNT(*) AS TEXT) FROM users").await.unwrap();
        assert_eq!(rows, ["70"]);
    }

    async fn a_closed_store_scrubs_nothing(db) {
        db.store.close().await;
        for scrubbed in [db.store.scrub().await, db.store.rewrite().await] {
            assert_eq!(scrubbed.is_ok(), db.store.is_shared());
        }
    }
}
