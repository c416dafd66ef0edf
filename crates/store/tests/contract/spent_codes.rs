//! Login codes that replicas race for.

use menjin_core::IdentityId;
use menjin_store::SpentCode;
use tokio::task::JoinSet;

use crate::harness::{Db, ask, on_each_database, on_postgres, on_sqlite, tell};

const CODE: [u8; 32] = [7; 32];
const NOW: i64 = 1_700_000_000_000;
const MINUTE: i64 = 60_000;

/// How many of fifty claims made at once succeed.
async fn race(db: &Db, now: i64) -> usize {
    let mut racers = JoinSet::new();
    for racer in 0..50 {
        let db = db.clone();
        racers.spawn(async move {
            tell!(db, |tx| tx
                .code_claim(&CODE, &[racer; 16], now, now + MINUTE)
                .await)
            .unwrap()
        });
    }
    racers
        .join_all()
        .await
        .into_iter()
        .filter(|won| *won)
        .count()
}

on_each_database! {
    async fn one_of_fifty_claims_a_code(db) {
        assert_eq!(race(&db, NOW).await, 1);
        assert_eq!(race(&db, NOW + MINUTE - 1).await, 0, "it lasts to its end");
        assert_eq!(race(&db, NOW + MINUTE).await, 1, "and then one may again");
    }

    async fn a_clock_set_back_locks_nobody_out(db) {
        assert_eq!(race(&db, NOW).await, 1);
        assert_eq!(race(&db, NOW - MINUTE).await, 0, "a minute is what clocks differ by");
        let hour = 60 * MINUTE;
        assert!(ask!(db, |tx| tx.code_find(&CODE, NOW - hour).await).unwrap().is_none());
        assert_eq!(race(&db, NOW - hour).await, 1);
    }

    async fn the_claimant_alone_settles_and_releases(db) {
        let (mine, other) = ([1; 16], [2; 16]);
        let identity = IdentityId::random();
        let claimed = tell!(db, |tx| tx.code_claim(&CODE, &mine, NOW, NOW + MINUTE).await);
        assert!(claimed.unwrap());
        let found = ask!(db, |tx| tx.code_find(&CODE, NOW).await).unwrap();
        let open = SpentCode { claim: mine, identity: None, refusal: None, claimed_at: NOW };
        assert_eq!(found, Some(open.clone()));
        for (claim, done) in [(other, false), (mine, true)] {
            let settled = tell!(db, |tx| {
                tx.code_settle(&CODE, &claim, Some(identity), None, NOW + 2 * MINUTE).await
            });
            assert_eq!(settled.unwrap(), done);
        }
        let found = ask!(db, |tx| tx.code_find(&CODE, NOW + MINUTE).await).unwrap();
        assert_eq!(found, Some(SpentCode { identity: Some(identity), ..open.clone() }));
        let refused = tell!(db, |tx| {
            tx.code_settle(&CODE, &mine, None, Some("{\"errcode\":40029}"), NOW + MINUTE).await
        });
        assert!(refused.unwrap());
        let found = ask!(db, |tx| tx.code_find(&CODE, NOW).await).unwrap();
        let refusal = Some("{\"errcode\":40029}".to_owned());
        assert_eq!(found, Some(SpentCode { refusal, ..open }));
        for (claim, done) in [(other, false), (mine, true), (mine, false)] {
            let released = tell!(db, |tx| tx.code_release(&CODE, &claim).await);
            assert_eq!(released.unwrap(), done);
        }
        assert_eq!(ask!(db, |tx| tx.code_find(&CODE, NOW).await).unwrap(), None);
    }

    async fn a_claim_that_was_taken_over_settles_nothing(db) {
        let (late, next) = ([1; 16], [2; 16]);
        for (claim, now) in [(late, NOW), (next, NOW + MINUTE)] {
            let claimed = tell!(db, |tx| tx.code_claim(&CODE, &claim, now, now + MINUTE).await);
            assert!(claimed.unwrap());
        }
        let settled =
            tell!(db, |tx| tx.code_settle(&CODE, &late, None, Some("{}"), NOW + MINUTE).await);
        assert!(!settled.unwrap());
        let found = ask!(db, |tx| tx.code_find(&CODE, NOW + MINUTE).await).unwrap().unwrap();
        assert_eq!((found.claim, found.refusal), (next, None));
    }

    async fn what_is_over_is_purged(db) {
        for (digest, end) in [([1; 32], NOW), ([2; 32], NOW + 1), ([3; 32], NOW + 2)] {
            tell!(db, |tx| tx.code_claim(&digest, &[0; 16], NOW - MINUTE, end).await).unwrap();
        }
        // Written by a clock that was an hour ahead: its end says nothing.
        let ahead = NOW + 60 * MINUTE;
        tell!(db, |tx| tx.code_claim(&[4; 32], &[0; 16], ahead, ahead + MINUTE).await).unwrap();
        assert_eq!(tell!(db, |tx| tx.code_purge(NOW + 1).await).unwrap(), 3);
        assert_eq!(tell!(db, |tx| tx.code_purge(NOW + 1).await).unwrap(), 0);
        assert!(ask!(db, |tx| tx.code_find(&[3; 32], NOW).await).unwrap().is_some());
        assert!(ask!(db, |tx| tx.code_find(&[2; 32], NOW).await).unwrap().is_none());
    }
}
