//! Codes and links that were sent and not spent yet.

use menjin_core::verification::Purpose;
use menjin_store::{Error, NewVerification, Verification};
use tokio::task::JoinSet;

use crate::harness::{Db, ask, on_each_database, on_postgres, on_sqlite, tell};

const NUMBER: [u8; 32] = [7; 32];
const OTHER: [u8; 32] = [8; 32];
const NOW: i64 = 1_700_000_000_000;
const OVER: i64 = NOW + 300_000;
const PURPOSES: [Purpose; 4] = [
    Purpose::Register,
    Purpose::Migrate,
    Purpose::NewPhone,
    Purpose::NewEmail,
];

/// A code for [`NUMBER`] that `asker` wants, with an id of its own.
fn code(id: u8, asker: &str) -> NewVerification {
    NewVerification {
        id: [id; 16],
        purpose: Purpose::Register,
        contact_digest: NUMBER,
        contact: Some(b"sealed".to_vec()),
        asker: asker.to_owned(),
        code_digest: [id; 32],
        consent: Some("2026-11".to_owned()),
        expires_at: OVER,
    }
}

async fn open(db: &Db, new: NewVerification) {
    tell!(db, |tx| tx.verification_open(&new).await).unwrap();
}

async fn attempt(db: &Db, purpose: Purpose, number: [u8; 32], now: i64) -> Option<Verification> {
    tell!(db, |tx| tx.verification_try(purpose, &number, now).await).unwrap()
}

async fn rows(db: &Db) -> String {
    let rows = db
        .raw("SELECT CAST(COUNT(*) AS TEXT) FROM verifications")
        .await
        .unwrap();
    rows.concat()
}

on_each_database! {
    async fn what_was_opened_is_handed_out(db) {
        open(&db, code(1, "wang")).await;
        let expected = Verification {
            id: [1; 16],
            contact_digest: NUMBER,
            contact: Some(b"sealed".to_vec()),
            asker: "wang".to_owned(),
            code_digest: [1; 32],
            consent: Some("2026-11".to_owned()),
        };
        let found = ask!(db, |tx| {
            tx.verification_find(Purpose::Register, &[1; 16], NOW).await
        });
        assert_eq!(found.unwrap().as_ref(), Some(&expected));
        assert_eq!(attempt(&db, Purpose::Register, NUMBER, NOW).await, Some(expected));
        let bare = NewVerification { contact: None, consent: None, ..code(2, "wang") };
        open(&db, bare).await;
        let found = attempt(&db, Purpose::Register, NUMBER, NOW).await.unwrap();
        assert_eq!((found.contact, found.consent), (None, None));
    }

    /// Proves OTP-4: of fifty at once, five get to see what to compare with, and then nobody does.
    async fn five_of_fifty_tries_are_compared(db) {
        open(&db, code(1, "wang")).await;
        let mut racers = JoinSet::new();
        for _ in 0..50 {
            let db = db.clone();
            racers.spawn(async move { attempt(&db, Purpose::Register, NUMBER, NOW).await });
        }
        assert_eq!(racers.join_all().await.into_iter().flatten().count(), 5);
        assert_eq!(attempt(&db, Purpose::Register, NUMBER, NOW).await, None, "not the right one either");
    }

    /// Proves OTP-6: of fifty with the right code, one spends it.
    async fn one_of_fifty_spends_a_code(db) {
        open(&db, code(1, "wang")).await;
        let mut racers = JoinSet::new();
        for _ in 0..50 {
            let db = db.clone();
            racers.spawn(async move {
                tell!(db, |tx| tx.verification_spend(&[1; 16], NOW).await).unwrap()
            });
        }
        assert_eq!(racers.join_all().await.into_iter().filter(|spent| *spent).count(), 1);
        assert_eq!(attempt(&db, Purpose::Register, NUMBER, NOW).await, None);
    }

    async fn what_a_failed_story_spent_is_there_again(db) {
        open(&db, code(1, "wang")).await;
        let failed = tell!(db, |tx| {
            assert!(tx.verification_spend(&[1; 16], NOW).await?);
            Err::<(), _>(Error::Broken)
        });
        assert!(failed.is_err());
        assert!(tell!(db, |tx| tx.verification_spend(&[1; 16], NOW).await).unwrap());
    }

    /// Proves OTP-3: at its end a code is refused everywhere.
    async fn a_code_ends_on_time(db) {
        open(&db, code(1, "wang")).await;
        assert!(attempt(&db, Purpose::Register, NUMBER, OVER - 1).await.is_some());
        assert_eq!(attempt(&db, Purpose::Register, NUMBER, OVER).await, None);
        let found = ask!(db, |tx| {
            tx.verification_find(Purpose::Register, &[1; 16], OVER).await
        });
        assert_eq!(found.unwrap(), None);
        assert!(!tell!(db, |tx| tx.verification_spend(&[1; 16], OVER).await).unwrap());
        assert!(tell!(db, |tx| tx.verification_spend(&[1; 16], OVER - 1).await).unwrap());
    }

    /// Proves OTP-7: a code for one purpose and number is none for any other.
    async fn a_code_is_for_one_purpose_and_number(db) {
        for (n, purpose) in (1..).zip(PURPOSES) {
            open(&db, NewVerification { purpose, ..code(n, "wang") }).await;
        }
        for (n, purpose) in (1..).zip(PURPOSES) {
            let found = attempt(&db, purpose, NUMBER, NOW).await.unwrap();
            assert_eq!(found.code_digest, [n; 32], "{purpose:?}");
            assert_eq!(attempt(&db, purpose, OTHER, NOW).await, None, "{purpose:?}");
            for other in PURPOSES {
                let found = ask!(db, |tx| tx.verification_find(other, &[n; 16], NOW).await);
                assert_eq!(found.unwrap().is_some(), other == purpose, "{purpose:?} as {other:?}");
            }
        }
    }

    async fn asking_anew_kills_the_former(db) {
        open(&db, code(1, "wang")).await;
        for _ in 0..5 {
            assert!(attempt(&db, Purpose::Register, NUMBER, NOW).await.is_some());
        }
        // The same number, whoever asks.
        open(&db, code(2, "li")).await;
        assert!(!tell!(db, |tx| tx.verification_spend(&[1; 16], NOW).await).unwrap());
        let found = attempt(&db, Purpose::Register, NUMBER, NOW).await.unwrap();
        assert_eq!((found.id, &*found.asker), ([2; 16], "li"));
        // The same person, whichever number.
        open(&db, NewVerification { contact_digest: OTHER, ..code(3, "li") }).await;
        assert_eq!(attempt(&db, Purpose::Register, NUMBER, NOW).await, None);
        let open_for = |asker: &'static str| {
            let db = db.clone();
            async move {
                ask!(db, |tx| tx.verification_contact(Purpose::Register, asker).await).unwrap()
            }
        };
        assert_eq!(open_for("li").await, Some(OTHER));
        assert_eq!(open_for("wang").await, None);
        assert_eq!(rows(&db).await, "1");
    }

    async fn fifty_who_ask_for_one_number_leave_one_code(db) {
        let mut racers = JoinSet::new();
        for n in 0..50 {
            let db = db.clone();
            racers.spawn(async move { open(&db, code(n, &format!("person {n}"))).await });
        }
        racers.join_all().await;
        assert_eq!(rows(&db).await, "1");
        assert!(attempt(&db, Purpose::Register, NUMBER, NOW).await.is_some());
    }

    async fn what_is_open_is_forgotten_by_number_and_by_person(db) {
        open(&db, code(1, "wang")).await;
        open(&db, NewVerification { purpose: Purpose::NewPhone, ..code(2, "li") }).await;
        open(&db, NewVerification { contact_digest: OTHER, ..code(3, "zhao") }).await;
        tell!(db, |tx| tx.verification_forget_contact(&NUMBER).await).unwrap();
        assert_eq!(rows(&db).await, "1");
        tell!(db, |tx| tx.verification_forget_asker("wang").await).unwrap();
        assert_eq!(rows(&db).await, "1", "somebody else's");
        tell!(db, |tx| tx.verification_forget_asker("zhao").await).unwrap();
        assert_eq!(rows(&db).await, "0");
    }

    /// Proves DEL-8: what is over goes, a day after it was sent at the latest.
    async fn what_is_over_is_purged(db) {
        open(&db, code(1, "wang")).await;
        open(&db, NewVerification {
            contact_digest: OTHER,
            expires_at: OVER + 1,
            ..code(2, "li")
        }).await;
        assert_eq!(tell!(db, |tx| tx.verification_purge(OVER - 1).await).unwrap(), 0);
        assert_eq!(tell!(db, |tx| tx.verification_purge(OVER).await).unwrap(), 1);
        assert!(attempt(&db, Purpose::Register, OTHER, OVER).await.is_some());
    }
}
