//! Turns: what makes counting before writing exact.

use std::sync::Arc;

use menjin_store::{Error, Tx};
use tokio::{sync::Barrier, task::JoinSet};

use crate::harness::{Db, ask, on_each_database, on_postgres, on_sqlite, tell};

const TURN: [u8; 32] = [1; 32];
const NUMBER: [u8; 32] = [2; 32];
/// How many may be added.
const MOST: usize = 10;

/// Counts, and adds one if there is room; whether there was.
async fn count_and_add(tx: &mut Tx, id: u8) -> Result<bool, Error> {
    let room = tx.guess_latest(&NUMBER, 0).await?.len() < MOST;
    if room {
        tx.guess_add(&[id; 16], &NUMBER, 1_000).await?;
    }
    Ok(room)
}

async fn added(db: &Db) -> usize {
    ask!(db, |tx| tx.guess_latest(&NUMBER, 0).await)
        .unwrap()
        .len()
}

on_each_database! {
    /// Proves OTP-11: of a hundred that count and write, as many get through as may.
    async fn with_the_turn_a_hundred_count_exactly(db) {
        let mut racers = JoinSet::new();
        for racer in 0..100 {
            let db = db.clone();
            racers.spawn(async move {
                tell!(db, |tx| {
                    tx.turn_take(&TURN, 1_000).await?;
                    count_and_add(tx, racer).await
                }).unwrap()
            });
        }
        let let_in = racers.join_all().await.into_iter().filter(|got_in| *got_in).count();
        assert_eq!((let_in, added(&db).await), (MOST, MOST));
    }

    async fn a_turn_is_over_with_its_story(db) {
        for now in [1_000, 2_000] {
            tell!(db, |tx| tx.turn_take(&TURN, now).await).unwrap();
            let failed = tell!(db, |tx| {
                tx.turn_take(&NUMBER, now).await?;
                Err::<(), _>(Error::Broken)
            });
            assert!(failed.is_err());
        }
        assert_eq!(tell!(db, |tx| tx.turn_purge(2_000).await).unwrap(), 0);
        assert_eq!(tell!(db, |tx| tx.turn_purge(2_001).await).unwrap(), 1, "the failed ones are not");
        tell!(db, |tx| tx.turn_take(&TURN, 3_000).await).unwrap();
    }
}

/// Why there are turns: two stories that both count before either writes are both let in.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_turn_two_count_the_same_on_postgres() {
    on_postgres(async |db| {
        for id in 0..9 {
            tell!(db, |tx| count_and_add(tx, id).await).unwrap();
        }
        let both_counted = Arc::new(Barrier::new(2));
        let mut racers = JoinSet::new();
        for racer in 9..11 {
            let (db, both_counted) = (db.clone(), both_counted.clone());
            racers.spawn(async move {
                tell!(db, |tx| {
                    let room = tx.guess_latest(&NUMBER, 0).await?.len() < MOST;
                    both_counted.wait().await;
                    assert!(room);
                    tx.guess_add(&[racer; 16], &NUMBER, 1_000).await
                })
                .unwrap();
            });
        }
        racers.join_all().await;
        assert_eq!(added(&db).await, MOST + 1);
    })
    .await;
}
