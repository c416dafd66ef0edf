//! Tokens that were revoked one by one.

use tokio::task::JoinSet;

use crate::harness::{Db, ask, on_each_database, on_postgres, on_sqlite, tell};

const UNTIL: i64 = 1_700_000_000_000;

on_each_database! {
    /// Proves INT-5: revoking twice is revoking once.
    async fn a_revoked_token_is_found_however_often_it_was_revoked(db) {
        let mut racers = JoinSet::new();
        for _ in 0..50 {
            let db = db.clone();
            racers.spawn(async move {
                tell!(db, |tx| tx.revocation_add("PVC_zo_V81Y0sa80", UNTIL).await).unwrap();
                ask!(db, |tx| tx.revocation_find("PVC_zo_V81Y0sa80").await).unwrap()
            });
        }
        assert!(racers.join_all().await.into_iter().all(|found| found), "at once");
        for other in ["PVC_zo_V81Y0sa8", "pvc_zo_v81y0sa80", "", "PVC_zo_V81Y0sa80 "] {
            assert!(!ask!(db, |tx| tx.revocation_find(other).await).unwrap(), "{other:?}");
        }
        let rows = db.raw("SELECT CAST(COUNT(*) AS TEXT) FROM revocations").await.unwrap();
        assert_eq!(rows, ["1"]);
    }

    async fn a_token_that_is_over_by_itself_is_forgotten(db) {
        for (jti, until) in [("a", UNTIL - 1), ("b", UNTIL)] {
            tell!(db, |tx| tx.revocation_add(jti, until).await).unwrap();
        }
        assert_eq!(tell!(db, |tx| tx.revocation_purge(UNTIL).await).unwrap(), 1);
        assert!(!ask!(db, |tx| tx.revocation_find("a").await).unwrap());
        assert!(ask!(db, |tx| tx.revocation_find("b").await).unwrap());
    }
}
