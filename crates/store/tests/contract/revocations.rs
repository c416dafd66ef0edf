//! What counts no more, in the order in which it came to hold.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use menjin_core::{
    Role,
    revocation::{Entry, Revocation},
};
use menjin_store::{Error, NewUser, Options, Store};
use tokio::task::JoinSet;

use crate::harness::{Db, ask, on_each_database, on_postgres, on_sqlite, tell};

const UNTIL: i64 = 1_700_000_000_000;
const NOW: i64 = UNTIL - 62 * 60_000;

fn token(jti: &str) -> Revocation {
    Revocation::Token(jti.to_owned())
}

async fn revoke(db: &Db, jti: &str, until: i64) {
    let what = token(jti);
    let told = tell!(db, |tx| {
        tx.revoke(what, until);
        Ok::<_, Error>(())
    });
    told.unwrap();
}

/// What follows a number, without the numbers.
async fn after(db: &Db, seq: i64) -> Vec<(Revocation, i64)> {
    let told = ask!(db, |tx| tx.revocation_after(seq, 1_000).await).unwrap();
    told.entries
        .into_iter()
        .map(|entry| (entry.what, entry.until))
        .collect()
}

on_each_database! {
    /// Proves INT-5: revoking twice is revoking once.
    async fn a_revoked_token_is_found_however_often_it_was_revoked(db) {
        let mut racers = JoinSet::new();
        for _ in 0..50 {
            let db = db.clone();
            racers.spawn(async move {
                revoke(&db, "PVC_zo_V81Y0sa80", UNTIL).await;
                ask!(db, |tx| tx.revocation_find("PVC_zo_V81Y0sa80").await).unwrap()
            });
        }
        assert!(racers.join_all().await.into_iter().all(|found| found), "at once");
        for other in ["PVC_zo_V81Y0sa8", "pvc_zo_v81y0sa80", "", "PVC_zo_V81Y0sa80 "] {
            assert!(!ask!(db, |tx| tx.revocation_find(other).await).unwrap(), "{other:?}");
        }
        assert_eq!(after(&db, 0).await, [(token("PVC_zo_V81Y0sa80"), UNTIL)]);
    }

    async fn what_is_over_by_itself_is_forgotten(db) {
        for (jti, until) in [("a", UNTIL - 1), ("b", UNTIL)] {
            revoke(&db, jti, until).await;
        }
        assert_eq!(tell!(db, |tx| tx.revocation_purge(UNTIL).await).unwrap(), 1);
        assert!(!ask!(db, |tx| tx.revocation_find("a").await).unwrap());
        assert_eq!(after(&db, 0).await, [(token("b"), UNTIL)]);
        let told = ask!(db, |tx| tx.revocation_after(2, 10).await).unwrap();
        assert_eq!((told.entries.len(), told.last), (0, 2));
        let told = ask!(db, |tx| tx.revocation_after(9, 10).await).unwrap();
        assert_eq!(told.last, 2, "less than what was asked for");
    }

    /// Proves TOK-13: whatever raises an epoch is in the feed, with the epoch that still counts.
    async fn whatever_raises_an_epoch_is_told(db) {
        let uid = tell!(db, |tx| tx.user_create(&NewUser::empty(NOW)).await).unwrap().unwrap();
        let account = |epoch| [(Revocation::Account { uid, epoch }, UNTIL)];
        tell!(db, |tx| tx.user_raise_epoch(uid, NOW).await).unwrap();
        assert_eq!(after(&db, 0).await, account(1));
        tell!(db, |tx| tx.user_set_role(uid, Role::Admin, NOW).await).unwrap();
        assert_eq!(after(&db, 1).await, account(2));
        tell!(db, |tx| tx.user_disable(uid, NOW).await).unwrap();
        assert_eq!(after(&db, 2).await, account(3));
        let phone = menjin_core::Phone::stored("+8613800138000").unwrap();
        tell!(db, |tx| tx.user_change_phone(uid, &phone, NOW).await).unwrap();
        assert_eq!(after(&db, 3).await, account(4));
        // What changed nothing revokes nothing.
        tell!(db, |tx| tx.user_set_role(uid, Role::Admin, NOW).await).unwrap();
        tell!(db, |tx| tx.user_disable(uid, NOW).await).unwrap();
        assert_eq!(after(&db, 4).await, []);
        assert!(tell!(db, |tx| tx.user_delete(uid, NOW).await).unwrap());
        assert_eq!(after(&db, 4).await, account(5));
        assert_eq!(after(&db, 0).await, account(5), "one row for an account");
    }

    /// A story that fails revokes nothing, also nothing of the next one's.
    async fn what_a_failed_story_revoked_counts(db) {
        let failed = tell!(db, |tx| {
            tx.revoke(token("a"), UNTIL);
            Err::<(), _>(Error::Broken)
        });
        failed.unwrap_err();
        revoke(&db, "b", UNTIL).await;
        let told = ask!(db, |tx| tx.revocation_after(0, 10).await).unwrap();
        let entry = Entry { seq: 1, what: token("b"), until: UNTIL };
        assert_eq!((told.entries, told.last), (vec![entry], 1));
    }

    /// Proves INT-6: whoever asks for what came after the last one they know misses nothing, although
    /// many are added at once.
    async fn nobody_sees_a_number_before_all_lower_ones(db) {
        let done = Arc::new(AtomicBool::new(false));
        let (reader, is_done) = (db.clone(), done.clone());
        let mut reading = JoinSet::new();
        reading.spawn(async move {
            let (mut seen, mut last) = (0, 0);
            loop {
                let was_done = is_done.load(Ordering::SeqCst);
                let told = ask!(reader, |tx| tx.revocation_after(last, 7).await).unwrap();
                for entry in &told.entries {
                    assert_eq!(entry.seq, last + 1, "nothing is skipped");
                    (seen, last) = (seen + 1, entry.seq);
                }
                if told.entries.is_empty() && was_done {
                    return seen;
                }
                tokio::task::yield_now().await;
            }
        });
        let mut writers = JoinSet::new();
        for writer in 0..10 {
            let db = db.clone();
            writers.spawn(async move {
                for n in 0..20 {
                    let jti = format!("{writer}-{n}");
                    revoke(&db, &jti, UNTIL).await;
                }
            });
        }
        writers.join_all().await;
        done.store(true, Ordering::SeqCst);
        assert_eq!(reading.join_all().await, [200]);
    }

    async fn the_bell_rings_when_something_was_revoked(db) {
        let bell = db.store.revocation_bell();
        tell!(db, |tx| tx.user_create(&NewUser::empty(NOW)).await).unwrap();
        assert!(!bell.has_changed().unwrap());
        revoke(&db, "a", UNTIL).await;
        assert!(bell.has_changed().unwrap());
    }
}

/// Proves INT-6: another replica hears of it without asking.
#[tokio::test]
async fn another_replica_hears_the_bell() {
    on_postgres(|db| async move {
        let other = Store::open(&Options::new(&*db.url)).await.unwrap();
        let mut bell = other.revocation_bell();
        let (listener, mut listening) = (other.clone(), JoinSet::new());
        listening.spawn(async move { listener.listen().await });
        // It rings once when it begins to listen, since what was said before that was not heard.
        bell.changed().await.unwrap();
        revoke(&db, "a", UNTIL).await;
        bell.changed().await.unwrap();
        listening.shutdown().await;
        other.close().await;
    })
    .await;
}
