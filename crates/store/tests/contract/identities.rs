//! Identities, and the account that stands behind one.

use menjin_core::{IdentityId, Release};
use menjin_store::{Error, NewIdentity};
use tokio::task::JoinSet;

use crate::harness::{
    Db, account, appid, ask, newcomer, on_each_database, on_postgres, on_sqlite, openid, tell,
    unionid, user_with_identity,
};

on_each_database! {
    async fn somebody_new_is_found_again(db) {
        let new = NewIdentity {
            unionid: Some(unionid("wang")),
            release: Some(Release::Trial),
            ..newcomer("wang")
        };
        let id = new.id;
        let made = tell!(db, |tx| tx.identity_create(&new).await).unwrap();
        let found = ask!(db, |tx| tx.identity_find(&appid(), &openid("wang")).await).unwrap();
        assert_eq!(format!("{made:?}"), format!("{found:?}"));
        let found = found.unwrap();
        assert_eq!(found.id, id);
        assert_eq!(found.appid, appid());
        assert_eq!(found.openid, openid("wang"));
        assert_eq!(found.unionid, Some(unionid("wang")));
        assert_eq!(found.user, None);
        assert!(!found.linked);
        assert_eq!(found.session_key_digest, [1; 32]);
        assert_eq!(found.release, Some(Release::Trial));
        assert_eq!(found.last_seen_at, 1_000);
        let again = ask!(db, |tx| tx.identity_find_by_id(&id).await).unwrap().unwrap();
        assert_eq!(again.openid, found.openid);
        let nobody = ask!(db, |tx| tx.identity_find(&appid(), &openid("li")).await).unwrap();
        assert!(nobody.is_none());
        let nobody = IdentityId::random();
        assert!(ask!(db, |tx| tx.identity_find_by_id(&nobody).await).unwrap().is_none());
    }

    /// Proves LGN-13: one openid under two appids is two people.
    async fn an_openid_belongs_to_one_app(db) {
        let other = menjin_core::Appid::parse("wxfedcba9876543210").unwrap();
        let here = newcomer("wang");
        let there = NewIdentity { appid: other.clone(), ..newcomer("wang") };
        let (here_id, there_id) = (here.id, there.id);
        tell!(db, |tx| {
            let uid = user_with_identity(tx, &here).await?;
            assert!(tx.identity_create(&there).await?.is_some());
            assert!(tx.user_find(uid).await?.is_some());
            Ok::<_, Error>(())
        }).unwrap();
        let here = ask!(db, |tx| tx.identity_find(&appid(), &openid("wang")).await);
        let there = ask!(db, |tx| tx.identity_find(&other, &openid("wang")).await);
        let (here, there) = (here.unwrap().unwrap(), there.unwrap().unwrap());
        assert_eq!((here.id, here.user.is_some()), (here_id, true));
        assert_eq!((there.id, there.user.is_some()), (there_id, false));
    }

    async fn creating_twice_keeps_the_first(db) {
        let (first, second) = (newcomer("wang"), newcomer("wang"));
        let id = first.id;
        assert!(tell!(db, |tx| tx.identity_create(&first).await).unwrap().is_some());
        assert!(tell!(db, |tx| tx.identity_create(&second).await).unwrap().is_none());
        let found = ask!(db, |tx| tx.identity_find(&appid(), &openid("wang")).await);
        assert_eq!(found.unwrap().unwrap().id, id);
    }

    async fn of_fifty_who_create_one_identity_one_does(db) {
        let mut racers = JoinSet::new();
        for _ in 0..50 {
            let db = db.clone();
            racers.spawn(async move {
                let new = newcomer("wang");
                tell!(db, |tx| tx.identity_create(&new).await).unwrap()
            });
        }
        let won = racers.join_all().await.into_iter().flatten().count();
        assert_eq!(won, 1);
    }

    async fn an_account_is_reached_through_the_unionid(db) {
        let first = NewIdentity { unionid: Some(unionid("wang")), ..newcomer("wang") };
        let guest = NewIdentity {
            appid: menjin_core::Appid::parse("wxfedcba9876543210").unwrap(),
            ..newcomer("elsewhere")
        };
        let guest_id = guest.id;
        let uid = tell!(db, |tx| {
            assert!(tx.identity_create(&guest).await?.is_some());
            user_with_identity(tx, &first).await
        }).unwrap();
        // Late: the guest's unionid is told after the account was made.
        let learned = tell!(db, |tx| tx.identity_learn_unionid(&guest_id, &unionid("wang")).await);
        assert!(learned.unwrap());
        let found = ask!(db, |tx| tx.identity_find_by_id(&guest_id).await).unwrap().unwrap();
        assert_eq!(found.user.as_ref().map(|user| user.uid), Some(uid));
        assert!(!found.linked);
        let user = ask!(db, |tx| tx.user_find_by_unionid(&unionid("wang")).await).unwrap();
        assert_eq!(user, found.user);
        assert!(tell!(db, |tx| tx.identity_link(&guest_id, uid).await).unwrap());
        let found = ask!(db, |tx| tx.identity_find_by_id(&guest_id).await).unwrap().unwrap();
        assert!(found.linked);
        // Early: somebody new arrives with it, and is linked at once.
        let third = NewIdentity { unionid: Some(unionid("wang")), ..newcomer("third") };
        let third_id = third.id;
        assert!(tell!(db, |tx| tx.identity_create(&third).await).unwrap().is_some());
        let found = ask!(db, |tx| tx.identity_find_by_id(&third_id).await).unwrap().unwrap();
        assert_eq!((found.user.map(|user| user.uid), found.linked), (Some(uid), true));
    }

    async fn two_accounts_of_one_unionid_are_one_answer(db) {
        let older = NewIdentity { unionid: Some(unionid("wang")), ..newcomer("one") };
        let newer = newcomer("two");
        let guest = newcomer("three");
        let (newer_id, guest_id) = (newer.id, guest.id);
        let (older, newer) = tell!(db, |tx| {
            assert!(tx.identity_create(&guest).await?.is_some());
            let newer = user_with_identity(tx, &newer).await?;
            Ok::<_, Error>((user_with_identity(tx, &older).await?, newer))
        }).unwrap();
        for id in [newer_id, guest_id] {
            tell!(db, |tx| tx.identity_learn_unionid(&id, &unionid("wang")).await).unwrap();
        }
        let own = ask!(db, |tx| tx.identity_find_by_id(&newer_id).await).unwrap().unwrap();
        assert_eq!(own.user.map(|user| user.uid), Some(newer), "one's own account comes first");
        let reached = ask!(db, |tx| tx.identity_find_by_id(&guest_id).await).unwrap().unwrap();
        assert_eq!(reached.user.map(|user| user.uid), Some(older.min(newer)));
    }

    async fn a_unionid_is_learned_once_and_may_change(db) {
        let new = newcomer("wang");
        let id = new.id;
        tell!(db, |tx| tx.identity_create(&new).await).unwrap();
        for (name, changes) in [("a", true), ("a", false), ("b", true)] {
            let learned = tell!(db, |tx| tx.identity_learn_unionid(&id, &unionid(name)).await);
            assert_eq!(learned.unwrap(), changes);
        }
        let found = ask!(db, |tx| tx.identity_find_by_id(&id).await).unwrap().unwrap();
        assert_eq!(found.unionid, Some(unionid("b")));
    }

    async fn an_identity_is_linked_once_and_to_somebody(db) {
        let new = newcomer("wang");
        let id = new.id;
        let (one, two) = tell!(db, |tx| {
            assert!(tx.identity_create(&new).await?.is_some());
            let one = tx.user_create(&account(None)).await?.unwrap();
            Ok::<_, Error>((one, tx.user_create(&account(None)).await?.unwrap()))
        }).unwrap();
        let nobody = menjin_core::Uid::new(999_999).unwrap();
        for (uid, linked) in [(nobody, false), (one, true), (two, false), (one, false)] {
            assert_eq!(tell!(db, |tx| tx.identity_link(&id, uid).await).unwrap(), linked);
        }
        let found = ask!(db, |tx| tx.identity_find_by_id(&id).await).unwrap().unwrap();
        assert_eq!(found.user.map(|user| user.uid), Some(one));
    }

    async fn the_last_seen_identity_speaks_for_an_account(db) {
        let (early, late) = (newcomer("early"), NewIdentity { now: 2_000, ..newcomer("late") });
        let (early_id, late_id) = (early.id, late.id);
        let uid = tell!(db, |tx| {
            let uid = user_with_identity(tx, &early).await?;
            assert!(tx.identity_create(&late).await?.is_some());
            assert!(tx.identity_link(&late_id, uid).await?);
            Ok::<_, Error>(uid)
        }).unwrap();
        let found = ask!(db, |tx| tx.identity_find_of_user(&appid(), uid).await).unwrap();
        assert_eq!(found.unwrap().id, late_id);
        tell!(db, |tx| tx.identity_touch(&early_id, None, 3_000).await).unwrap();
        let found = ask!(db, |tx| tx.identity_find_of_user(&appid(), uid).await).unwrap();
        assert_eq!(found.unwrap().id, early_id);
        let other = menjin_core::Appid::parse("wxfedcba9876543210").unwrap();
        let found = ask!(db, |tx| tx.identity_find_of_user(&other, uid).await).unwrap();
        assert!(found.is_none());
    }

    async fn the_session_key_before_is_kept(db) {
        let new = newcomer("wang");
        let id = new.id;
        tell!(db, |tx| tx.identity_create(&new).await).unwrap();
        let keys = ask!(db, |tx| tx.identity_session_keys(&id).await).unwrap();
        assert_eq!(keys, Some((b"sealed".to_vec(), None)));
        for (sealed, digest) in [(b"second", [2; 32]), (b"third!", [3; 32])] {
            let changed =
                tell!(db, |tx| tx.identity_change_session_key(&id, sealed, &digest).await);
            assert!(changed.unwrap());
        }
        let keys = ask!(db, |tx| tx.identity_session_keys(&id).await).unwrap();
        assert_eq!(keys, Some((b"third!".to_vec(), Some(b"second".to_vec()))));
        let found = ask!(db, |tx| tx.identity_find_by_id(&id).await).unwrap().unwrap();
        assert_eq!(found.session_key_digest, [3; 32]);
    }

    async fn a_build_that_is_not_told_stays(db) {
        let new = newcomer("wang");
        let id = new.id;
        tell!(db, |tx| tx.identity_create(&new).await).unwrap();
        for (told, kept) in [(Some(Release::Devtools), Release::Devtools), (None, Release::Devtools)] {
            assert!(tell!(db, |tx| tx.identity_touch(&id, told, 5_000).await).unwrap());
            let found = ask!(db, |tx| tx.identity_find_by_id(&id).await).unwrap().unwrap();
            assert_eq!((found.release, found.last_seen_at), (Some(kept), 5_000));
        }
    }

    async fn nobody_is_changed_without_being_there(db) {
        let id = IdentityId::random();
        assert!(!tell!(db, |tx| tx.identity_touch(&id, None, 1).await).unwrap());
        assert!(!tell!(db, |tx| tx.identity_learn_unionid(&id, &unionid("x")).await).unwrap());
        let changed = tell!(db, |tx| tx.identity_change_session_key(&id, b"x", &[0; 32]).await);
        assert!(!changed.unwrap());
        assert_eq!(ask!(db, |tx| tx.identity_session_keys(&id).await).unwrap(), None);
    }
}
