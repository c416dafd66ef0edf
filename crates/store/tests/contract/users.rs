//! Accounts: one owner to a phone number, and no uid given twice.

use menjin_core::{Role, Uid};
use menjin_store::{Error, NewUser};
use tokio::task::JoinSet;

use crate::harness::{
    Db, account, ask, newcomer, on_each_database, on_postgres, on_sqlite, tell, user_with_identity,
};

const PHONE: &str = "+8613800138000";

on_each_database! {
    async fn an_account_is_found_as_it_was_made(db) {
        let uid = tell!(db, |tx| tx.user_create(&NewUser {
            phone: Some(PHONE),
            phone_verified_at: Some(900),
            email: "wang@example.com",
            nickname: "王\u{1F600}",
            avatar: "https://example.com/a.png",
            campus: "East",
            profile: r#"{"available":true}"#,
            consent: Some("2026-11"),
            role: Role::Admin,
            now: 1_000,
        }).await).unwrap().unwrap();
        assert_eq!(uid.get(), 100_001);
        let user = ask!(db, |tx| tx.user_find(uid).await).unwrap().unwrap();
        assert_eq!(user.uid, uid);
        assert_eq!(user.phone, PHONE);
        assert_eq!(user.phone_verified_at, Some(900));
        assert_eq!(user.email, "wang@example.com");
        assert_eq!(user.nickname, "王\u{1F600}");
        assert_eq!(user.avatar, "https://example.com/a.png");
        assert_eq!(user.campus, "East");
        assert_eq!(user.role, Role::Admin);
        assert_eq!((user.epoch, user.disabled_at), (0, None));
    }

    async fn what_an_account_lacks_is_empty(db) {
        let uid = tell!(db, |tx| tx.user_create(&account(None)).await).unwrap().unwrap();
        let user = ask!(db, |tx| tx.user_find(uid).await).unwrap().unwrap();
        assert_eq!((&*user.phone, user.phone_verified_at), ("", None));
        assert!(!user.is_registered());
        let nobody = Uid::new(100_002).unwrap();
        assert_eq!(ask!(db, |tx| tx.user_find(nobody).await).unwrap(), None);
    }

    async fn a_phone_number_has_one_owner(db) {
        assert!(tell!(db, |tx| tx.user_create(&account(Some(PHONE))).await).unwrap().is_some());
        assert_eq!(tell!(db, |tx| tx.user_create(&account(Some(PHONE))).await).unwrap(), None);
        for _ in 0..2 {
            let without = tell!(db, |tx| tx.user_create(&account(None)).await).unwrap();
            assert!(without.is_some(), "any number of accounts may have no phone number");
        }
    }

    async fn of_a_hundred_with_one_phone_number_one_gets_it(db) {
        for (phone, racers) in [(PHONE, 50), ("+8613900139000", 100)] {
            let mut race = JoinSet::new();
            for _ in 0..racers {
                let db = db.clone();
                race.spawn(async move {
                    tell!(db, |tx| tx.user_create(&account(Some(phone))).await).unwrap()
                });
            }
            assert_eq!(race.join_all().await.into_iter().flatten().count(), 1);
        }
        let rows = db.raw("SELECT CAST(COUNT(*) AS TEXT) FROM users").await.unwrap();
        assert_eq!(rows, ["2"]);
    }

    /// Proves TOK-12.
    async fn a_uid_is_never_given_again(db) {
        let create = async || tell!(db, |tx| tx.user_create(&account(Some(PHONE))).await);
        let first = create().await.unwrap().unwrap();
        for _ in 0..3 {
            let newest = create().await.unwrap();
            assert_eq!(newest, None);
        }
        assert!(tell!(db, |tx| tx.user_delete(first, 1).await).unwrap());
        let second = create().await.unwrap().unwrap();
        assert!(second > first, "{second} after {first}");
        assert!(tell!(db, |tx| tx.user_delete(second, 1).await).unwrap());
        // Also after everything was closed in between.
        let again = menjin_store::Store::open(&menjin_store::Options::new(&*db.url)).await.unwrap();
        let third = again.write(|tx| Box::pin(async move {
            tx.user_create(&account(Some(PHONE))).await
        })).await.unwrap().unwrap();
        assert!(third > second, "{third} after {second}");
        again.close().await;
    }

    async fn identities_go_with_their_account(db) {
        let (mine, other) = (newcomer("mine"), newcomer("other"));
        let (mine_id, other_id) = (mine.id, other.id);
        let (uid, theirs) = tell!(db, |tx| Ok::<_, Error>((
            user_with_identity(tx, &mine).await?,
            user_with_identity(tx, &other).await?,
        ))).unwrap();
        assert!(tell!(db, |tx| tx.user_delete(uid, 1).await).unwrap());
        assert!(!tell!(db, |tx| tx.user_delete(uid, 1).await).unwrap());
        assert!(ask!(db, |tx| tx.identity_find_by_id(&mine_id).await).unwrap().is_none());
        let other = ask!(db, |tx| tx.identity_find_by_id(&other_id).await).unwrap().unwrap();
        assert_eq!(other.user.map(|user| user.uid), Some(theirs));
    }

    async fn disabling_makes_older_tokens_worthless(db) {
        let uid = tell!(db, |tx| tx.user_create(&account(None)).await).unwrap().unwrap();
        assert!(!tell!(db, |tx| tx.user_enable(uid).await).unwrap());
        assert!(tell!(db, |tx| tx.user_disable(uid, 2_000).await).unwrap());
        assert!(!tell!(db, |tx| tx.user_disable(uid, 3_000).await).unwrap());
        let user = ask!(db, |tx| tx.user_find(uid).await).unwrap().unwrap();
        assert_eq!((user.epoch, user.disabled_at), (1, Some(2_000)));
        assert!(tell!(db, |tx| tx.user_enable(uid).await).unwrap());
        let user = ask!(db, |tx| tx.user_find(uid).await).unwrap().unwrap();
        assert_eq!((user.epoch, user.disabled_at), (1, None));
        let raised = tell!(db, |tx| tx.user_raise_epoch(uid, 4_000).await).unwrap();
        assert_eq!(raised, Some(2));
        let nobody = Uid::new(1).unwrap();
        assert_eq!(tell!(db, |tx| tx.user_raise_epoch(nobody, 1).await).unwrap(), None);
    }

    async fn hostile_text_comes_back_as_it_was(db) {
        for text in ["'; DROP TABLE users; --", "\u{202E}\u{0}x", "\r\n\u{1b}[31m", "%_\\\"$1?1"] {
            let made = tell!(db, |tx| {
                tx.user_create(&NewUser { nickname: text, ..account(None) }).await
            });
            // PostgreSQL cannot store a NUL; what matters is that nothing else is stored either.
            let Ok(made) = made else {
                assert!(text.contains('\0') && db.store.is_shared(), "{text:?}");
                continue;
            };
            let user = ask!(db, |tx| tx.user_find(made.unwrap()).await).unwrap().unwrap();
            assert_eq!(user.nickname, text);
        }
    }
}
