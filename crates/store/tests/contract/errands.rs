//! What is to be done after a story, by one of however many.

use menjin_store::Error;
use tokio::task::JoinSet;

use crate::harness::{Db, on_each_database, on_postgres, on_sqlite, tell};

const NOW: i64 = 1_700_000_000_000;
const LATER: i64 = NOW + 60_000;
const DAY: i64 = 24 * 3_600_000;

async fn add(db: &Db, id: u8, now: i64) {
    tell!(db, |tx| tx
        .errand_add(&[id; 16], "notice", b"sealed", now)
        .await)
    .unwrap();
}

/// Takes errands until none is due; their ids.
async fn take_all(db: Db, now: i64, again_at: i64) -> Vec<[u8; 16]> {
    let mut taken = Vec::new();
    // Somebody else's may have been the one that was due for longest, so one `None` says little.
    let mut in_vain = 0;
    while in_vain < 100 {
        match tell!(db, |tx| tx.errand_take(now, again_at).await).unwrap() {
            Some(errand) => taken.push(errand.id),
            None => in_vain += 1,
        }
    }
    taken
}

on_each_database! {
    async fn each_of_fifty_errands_is_taken_by_one_of_ten(db) {
        for id in 0..50 {
            add(&db, id, NOW).await;
        }
        let mut takers = JoinSet::new();
        for _ in 0..10 {
            takers.spawn(take_all(db.clone(), NOW, LATER));
        }
        let mut taken = takers.join_all().await.concat();
        taken.sort_unstable();
        assert_eq!(taken, (0..50).map(|id| [id; 16]).collect::<Vec<_>>());
    }

    async fn what_was_due_for_longest_comes_first(db) {
        for (id, at) in [(1, NOW + 2), (2, NOW), (3, NOW + 1), (4, LATER)] {
            add(&db, id, at).await;
        }
        assert_eq!(take_all(db.clone(), LATER - 1, LATER).await, [[2; 16], [3; 16], [1; 16]]);
    }

    async fn what_was_not_done_is_due_again(db) {
        add(&db, 1, NOW).await;
        for tries in 1..=3 {
            let at = NOW + tries * 60_000;
            let errand = tell!(db, |tx| tx.errand_take(at, at + 60_000).await).unwrap().unwrap();
            assert_eq!((errand.id, &*errand.kind, &*errand.content), ([1; 16], "notice", &b"sealed"[..]));
            assert_eq!((errand.tries, errand.created_at), (tries, NOW));
            assert_eq!(tell!(db, |tx| tx.errand_take(at, at + 60_000).await).unwrap(), None);
        }
        tell!(db, |tx| tx.errand_put_off(&[1; 16], NOW + DAY).await).unwrap();
        assert_eq!(tell!(db, |tx| tx.errand_take(NOW + DAY - 1, 0).await).unwrap(), None);
        assert!(tell!(db, |tx| tx.errand_take(NOW + DAY, 0).await).unwrap().is_some());
        for _ in 0..2 {
            tell!(db, |tx| tx.errand_done(&[1; 16]).await).unwrap();
            assert_eq!(tell!(db, |tx| tx.errand_take(NOW + DAY, 0).await).unwrap(), None);
        }
    }

    async fn a_story_that_failed_leaves_no_errand(db) {
        let failed = tell!(db, |tx| {
            tx.errand_add(&[1; 16], "notice", b"sealed", NOW).await?;
            Err::<(), _>(Error::Broken)
        });
        assert!(failed.is_err());
        assert_eq!(tell!(db, |tx| tx.errand_take(LATER, LATER).await).unwrap(), None);
    }

    async fn what_nobody_could_do_is_given_up(db) {
        add(&db, 1, NOW).await;
        add(&db, 2, NOW + 1).await;
        assert_eq!(tell!(db, |tx| tx.errand_purge(NOW + 1).await).unwrap(), 1);
        assert_eq!(take_all(db.clone(), LATER, LATER + 1).await, [[2; 16]]);
    }
}
