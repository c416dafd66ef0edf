//! What changes of an account, also by many at once.

use menjin_core::{Phone, Role, Uid, User};
use menjin_store::{Error, NewUser, Tx};
use serde_json::Map;
use tokio::task::JoinSet;

use crate::harness::{
    Db, account, ask, newcomer, on_each_database, on_postgres, on_sqlite, tell, user_with_identity,
};

const ONE: &str = "+8613800138001";
const TWO: &str = "+8613800138002";
const WANTED: &str = "+8613800138003";

fn phone(text: &str) -> Phone {
    Phone::stored(text).unwrap()
}

async fn make(db: &Db, phone: &'static str) -> Uid {
    let made = tell!(db, |tx| tx.user_create(&account(Some(phone))).await);
    made.unwrap().unwrap()
}

async fn find(db: &Db, uid: Uid) -> User {
    ask!(db, |tx| tx.user_find(uid).await).unwrap().unwrap()
}

/// The turn of a number: any digest will do.
async fn take_turn(tx: &mut Tx, phone: &str) -> Result<(), Error> {
    let mut turn = [0; 32];
    turn[..phone.len()].copy_from_slice(phone.as_bytes());
    tx.turn_take(&turn, 1).await
}

/// Gives an account another number as a flow does; whether it got it.
async fn change(db: Db, uid: Uid, wanted: &'static str) -> bool {
    let changed = tell!(db, |tx| {
        take_turn(tx, wanted).await?;
        tx.user_change_phone(uid, &phone(wanted), 2_000).await
    });
    changed.unwrap().is_some()
}

/// Makes an account with a number as a flow does; whether it got it.
async fn register(db: Db, wanted: &'static str) -> bool {
    let made = tell!(db, |tx| {
        take_turn(tx, wanted).await?;
        tx.user_create(&account(Some(wanted))).await
    });
    made.unwrap().is_some()
}

on_each_database! {
    async fn a_new_number_is_verified_and_older_tokens_are_worthless(db) {
        let uid = make(&db, ONE).await;
        let epoch = tell!(db, |tx| tx.user_change_phone(uid, &phone(TWO), 2_000).await);
        assert_eq!(epoch.unwrap(), Some(1));
        let user = find(&db, uid).await;
        assert_eq!((&*user.phone, user.phone_verified_at, user.epoch), (TWO, Some(2_000), 1));
        let found = ask!(db, |tx| tx.user_find_by_phone(&phone(TWO)).await).unwrap();
        assert_eq!(found.map(|user| user.uid), Some(uid));
        assert_eq!(ask!(db, |tx| tx.user_find_by_phone(&phone(ONE)).await).unwrap(), None);
        let nobody = Uid::new(1).unwrap();
        let gone = tell!(db, |tx| tx.user_change_phone(nobody, &phone(WANTED), 2_000).await);
        assert_eq!(gone.unwrap(), None);
    }

    /// Proves PRF-2: of those who change to a number and those who register it, one gets it, and
    /// nobody meets an error or is left without a number.
    async fn a_number_that_many_want_gets_one_owner(db) {
        let mut olds = Vec::new();
        for n in 0..50_i64 {
            let old = format!("+86139{n:08}");
            let new = tell!(db, |tx| tx.user_create(&account(Some(&old))).await);
            olds.push(new.unwrap().unwrap());
        }
        let mut racers = JoinSet::new();
        for uid in olds.clone() {
            racers.spawn(change(db.clone(), uid, WANTED));
            racers.spawn(register(db.clone(), WANTED));
        }
        assert_eq!(racers.join_all().await.into_iter().filter(|got| *got).count(), 1);
        let mut owners = 0;
        for uid in olds {
            let user = find(&db, uid).await;
            assert!(user.is_registered() && !user.phone.is_empty());
            owners += usize::from(user.phone == WANTED);
        }
        let rows = db.raw("SELECT phone FROM users WHERE uid > 100050").await.unwrap();
        assert!(owners + rows.len() == 1, "{owners} {rows:?}");
    }

    /// Proves PRF-2: two who swap their numbers both keep one, a thousand times.
    async fn two_who_swap_keep_a_number_each(db) {
        let (wang, li) = (make(&db, ONE).await, make(&db, TWO).await);
        for round in 0..500 {
            let mut racers = JoinSet::new();
            // Who has the number is no matter to who wants it; every third round there is a free one.
            let wanted = if round % 3 == 0 { [WANTED, ONE] } else { [TWO, ONE] };
            racers.spawn(change(db.clone(), wang, wanted[0]));
            racers.spawn(change(db.clone(), li, wanted[1]));
            racers.join_all().await;
            let (wang, li) = (find(&db, wang).await.phone, find(&db, li).await.phone);
            assert!(wang != li && !wang.is_empty() && !li.is_empty(), "{wang} {li}");
        }
    }

    /// Proves PRF-5: a hundred edits of as many fields, and none is lost.
    async fn edits_of_different_fields_lose_nothing(db) {
        let uid = make(&db, ONE).await;
        let mut racers = JoinSet::new();
        for n in 0..100 {
            let db = db.clone();
            racers.spawn(async move {
                tell!(db, |tx| {
                    let mut user = tx.user_lock(uid, n).await?.unwrap();
                    user.profile.insert(format!("field_{n}"), n.into());
                    if n == 50 {
                        user.nickname = "小王".to_owned();
                    }
                    assert!(tx.user_set_profile(&user, n).await?);
                    Ok::<_, Error>(())
                }).unwrap();
            });
        }
        racers.join_all().await;
        let user = find(&db, uid).await;
        assert_eq!(user.nickname, "小王");
        let all: Map<_, _> = (0..100).map(|n| (format!("field_{n}"), n.into())).collect();
        assert_eq!(user.profile, all);
    }

    async fn a_profile_comes_back_as_it_was_set(db) {
        let uid = make(&db, ONE).await;
        let mut user = find(&db, uid).await;
        user.nickname = "<b>'; DROP TABLE users; --".to_owned();
        user.avatar = "0a1b.jpg".to_owned();
        user.campus = "East".to_owned();
        let fields = r#"{"wants":"a\"b\\\u0000\n","year":-9007199254740991}"#;
        user.profile = serde_json::from_str(fields).unwrap();
        let set = user.clone();
        assert!(tell!(db, |tx| tx.user_set_profile(&set, 2_000).await).unwrap());
        assert_eq!(find(&db, uid).await, user);
        let shown = "0a1b.jpg";
        assert_eq!(ask!(db, |tx| tx.user_count_avatar(shown).await).unwrap(), 1);
        assert_eq!(ask!(db, |tx| tx.user_count_avatar("0A1B.jpg").await).unwrap(), 0);
        let nobody = Uid::new(1).unwrap();
        let gone = User { uid: nobody, ..user };
        assert!(!tell!(db, |tx| tx.user_set_profile(&gone, 2_000).await).unwrap());
        assert_eq!(tell!(db, |tx| tx.user_lock(nobody, 1).await).unwrap(), None);
    }

    async fn another_role_makes_tokens_worthless_and_the_same_does_not(db) {
        let uid = make(&db, ONE).await;
        for (role, changes) in [(Role::User, false), (Role::Admin, true), (Role::Admin, false)] {
            let changed = tell!(db, |tx| tx.user_set_role(uid, role, 2_000).await);
            assert_eq!(changed.unwrap(), changes, "{role:?}");
        }
        let user = find(&db, uid).await;
        assert_eq!((user.role, user.epoch), (Role::Admin, 1));
    }

    async fn a_mail_address_and_a_consent_are_given_and_taken_back(db) {
        let uid = make(&db, ONE).await;
        let consented = |user: User| user.consent.map(|consent| (consent.version, consent.at));
        assert_eq!(consented(find(&db, uid).await), None);
        for (version, now) in [(Some("2026-11"), 2_000), (Some("2026-12"), 3_000), (None, 4_000)] {
            assert!(tell!(db, |tx| tx.user_consent(uid, version, now).await).unwrap());
            let expected = version.map(|version| (version.to_owned(), now));
            assert_eq!(consented(find(&db, uid).await), expected);
        }
        for email in ["wang@example.com", ""] {
            assert!(tell!(db, |tx| tx.user_change_email(uid, email, 2_000).await).unwrap());
            assert_eq!(find(&db, uid).await.email, email);
        }
        let made = tell!(db, |tx| tx.user_create(&NewUser {
            consent: Some("2026-11"),
            ..NewUser::empty(5_000)
        }).await);
        let user = find(&db, made.unwrap().unwrap()).await;
        assert_eq!(consented(user), Some(("2026-11".to_owned(), 5_000)));
        let nobody = Uid::new(1).unwrap();
        assert!(!tell!(db, |tx| tx.user_change_email(nobody, "", 1).await).unwrap());
        assert!(!tell!(db, |tx| tx.user_consent(nobody, None, 1).await).unwrap());
    }

    /// Proves REG-1: of a hundred who claim an imported account, one does.
    async fn an_imported_account_is_claimed_once(db) {
        let imported = NewUser { phone_verified_at: None, ..account(Some(ONE)) };
        let uid = tell!(db, |tx| tx.user_create(&imported).await).unwrap().unwrap();
        let mut racers = JoinSet::new();
        for now in 0..100 {
            let db = db.clone();
            racers.spawn(async move {
                tell!(db, |tx| tx.user_claim(uid, None, 2_000 + now).await).unwrap()
            });
        }
        assert_eq!(racers.join_all().await.into_iter().filter(|claimed| *claimed).count(), 1);
    }

    /// Proves DEL-4: a hundred who sign in and are linked while the account goes leave no row of it.
    async fn deleting_against_linking_resurrects_nobody(db) {
        let new = newcomer("wang");
        let uid = tell!(db, |tx| user_with_identity(tx, &new).await).unwrap();
        let mut racers = JoinSet::new();
        for n in 0..100 {
            let db = db.clone();
            racers.spawn(async move {
                if n == 50 {
                    return assert!(tell!(db, |tx| tx.user_delete(uid, 1).await).unwrap());
                }
                let linked = tell!(db, |tx| {
                    let new = newcomer(&format!("n{n}"));
                    assert!(tx.identity_create(&new).await?.is_some());
                    tx.identity_link(&new.id, uid).await
                });
                // Whoever waited for the deletion hears that there is nothing to link to.
                let overtaken = linked.as_ref().err().is_some_and(Error::is_overtaken);
                assert!(linked.is_ok() || overtaken, "{linked:?}");
            });
        }
        racers.join_all().await;
        let rows = db.raw("SELECT openid FROM identities WHERE user_id IS NOT NULL").await;
        assert_eq!(rows.unwrap(), Vec::<String>::new());
        assert_eq!(ask!(db, |tx| tx.user_find(uid).await).unwrap(), None);
    }
}
