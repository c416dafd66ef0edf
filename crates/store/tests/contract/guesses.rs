//! Tries that are counted for a number over all of its codes.

use crate::harness::{Db, ask, on_each_database, on_postgres, on_sqlite, tell};

const NUMBER: [u8; 32] = [7; 32];
const OTHER: [u8; 32] = [8; 32];
const NOW: i64 = 1_700_000_000_000;

async fn guess(db: &Db, id: u8, number: [u8; 32], at: i64) {
    tell!(db, |tx| tx.guess_add(&[id; 16], &number, at).await).unwrap();
}

async fn latest(db: &Db, number: [u8; 32], after: i64) -> Vec<i64> {
    ask!(db, |tx| tx.guess_latest(&number, after).await).unwrap()
}

on_each_database! {
    /// Proves OTP-5: tries are counted for a number, whatever becomes of the code.
    async fn tries_are_counted_for_each_number(db) {
        for id in 0..25 {
            guess(&db, id, NUMBER, NOW + i64::from(id)).await;
        }
        guess(&db, 100, OTHER, NOW).await;
        let expected: Vec<_> = (5..25).rev().map(|n| NOW + n).collect();
        assert_eq!(latest(&db, NUMBER, 0).await, expected, "twenty, the latest first");
        assert_eq!(latest(&db, NUMBER, NOW + 23).await, [NOW + 24]);
        assert_eq!(latest(&db, OTHER, NOW - 1).await, [NOW]);
        assert_eq!(latest(&db, OTHER, NOW).await, Vec::<i64>::new());
    }

    async fn a_try_that_was_right_counts_no_more(db) {
        guess(&db, 1, NUMBER, NOW).await;
        guess(&db, 2, NUMBER, NOW + 1).await;
        for _ in 0..2 {
            tell!(db, |tx| tx.guess_take_back(&[1; 16]).await).unwrap();
            assert_eq!(latest(&db, NUMBER, 0).await, [NOW + 1]);
        }
    }

    /// Proves DEL-8: yesterday's tries go.
    async fn old_tries_are_purged(db) {
        for id in 0..3 {
            guess(&db, id, NUMBER, NOW + i64::from(id)).await;
        }
        assert_eq!(tell!(db, |tx| tx.guess_purge(NOW + 2).await).unwrap(), 2);
        assert_eq!(latest(&db, NUMBER, 0).await, [NOW + 2]);
    }

    /// What is there twice is told from what is broken.
    async fn a_second_row_of_one_id_is_a_duplicate(db) {
        guess(&db, 1, NUMBER, NOW).await;
        let twice = tell!(db, |tx| tx.guess_add(&[1; 16], &OTHER, NOW).await).unwrap_err();
        assert!(twice.is_duplicate() && !twice.is_unavailable(), "{twice}");
        db.raw("ALTER TABLE guesses RENAME TO away").await.unwrap();
        let broken = tell!(db, |tx| tx.guess_add(&[2; 16], &OTHER, NOW).await).unwrap_err();
        assert!(!broken.is_duplicate(), "{broken}");
    }
}
