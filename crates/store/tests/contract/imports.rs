//! Accounts that come from elsewhere, and go there again.

use menjin_core::{Phone, Role, Uid};
use menjin_store::{Error, Imported, Linked, NewIdentity, NewUser};
use tokio::task::JoinSet;

use crate::harness::{
    Db, account, appid, ask, newcomer, on_each_database, on_postgres, on_sqlite, openid, tell,
    unionid, user_with_identity,
};

const PHONE: &str = "+8613800138000";
const ROWS: usize = 1_000;

/// Somebody of whom an older system knew this much, and who has not come yet.
fn old(phone: &str) -> NewUser<'_> {
    NewUser {
        phone: Some(phone),
        nickname: "老王",
        email: "wang@example.com",
        campus: "East",
        avatar: "https://example.com/a.png",
        profile: r#"{"available":true,"year":2024}"#,
        ..NewUser::empty(1_000)
    }
}

fn phone() -> Phone {
    Phone::stored(PHONE).unwrap()
}

/// A thousand numbers, the first of which is `+8613900000000`.
fn phones() -> Vec<String> {
    (0..ROWS).map(|n| format!("+86139{n:08}")).collect()
}

async fn import_all(db: &Db, now: i64) -> Vec<Imported> {
    let phones = phones();
    tell!(db, |tx| {
        let mut imported = Vec::with_capacity(ROWS);
        for phone in &phones {
            let new = NewUser { now, ..old(phone) };
            imported.push(tx.user_import(&new).await?);
        }
        Ok::<_, Error>(imported)
    })
    .unwrap()
}

on_each_database! {
    async fn an_import_is_as_good_as_the_first_one_however_often(db) {
        let first = tell!(db, |tx| tx.user_import(&old(PHONE)).await).unwrap();
        let uid = first.uid();
        assert_eq!(first, Imported::Created(uid));
        let again = tell!(db, |tx| tx.user_import(&NewUser {
            // The same object in another order.
            profile: r#"{"year":2024,"available":true}"#,
            now: 2_000,
            ..old(PHONE)
        }).await).unwrap();
        assert_eq!(again, Imported::Unchanged(uid));
        let user = ask!(db, |tx| tx.user_find_by_phone(&phone()).await).unwrap().unwrap();
        assert_eq!((user.uid, &*user.nickname, &*user.campus), (uid, "老王", "East"));
        assert_eq!(user.profile.get("year"), Some(&2024.into()));
        assert!(!user.is_registered());
    }

    async fn what_differs_is_brought_up_to_date(db) {
        let uid = tell!(db, |tx| tx.user_import(&old(PHONE)).await).unwrap().uid();
        let base = old(PHONE);
        let changes = [
            NewUser { nickname: "新王", ..base },
            NewUser { email: "", ..base },
            NewUser { campus: "West", ..base },
            NewUser { avatar: "", ..base },
            NewUser { profile: r#"{"available":false}"#, ..base },
            NewUser { role: Role::Admin, ..base },
        ];
        let mut epochs = Vec::new();
        for change in changes {
            let updated = tell!(db, |tx| tx.user_import(&change).await).unwrap();
            assert_eq!(updated, Imported::Updated(uid), "{change:?}");
            let user = ask!(db, |tx| tx.user_find(uid).await).unwrap().unwrap();
            let shown = (&*user.nickname, &*user.email, &*user.campus, &*user.avatar, user.role);
            let said = (change.nickname, change.email, change.campus, change.avatar, change.role);
            assert_eq!(shown, said);
            assert_eq!(serde_json::to_string(&user.profile).unwrap(), change.profile);
            epochs.push(user.epoch);
        }
        assert_eq!(epochs, [0; 6], "nobody has a token of an account that nobody has claimed");
    }

    async fn what_a_person_has_claimed_is_theirs(db) {
        let uid = tell!(db, |tx| tx.user_import(&old(PHONE)).await).unwrap().uid();
        assert!(tell!(db, |tx| tx.user_claim(uid, Some("2026-11"), 5_000).await).unwrap());
        assert!(!tell!(db, |tx| tx.user_claim(uid, None, 6_000).await).unwrap());
        let before = ask!(db, |tx| tx.user_find(uid).await).unwrap().unwrap();
        assert_eq!(before.phone_verified_at, Some(5_000));
        let consent = before.consent.as_ref().map(|consent| (&*consent.version, consent.at));
        assert_eq!(consent, Some(("2026-11", 5_000)));
        let late = NewUser { nickname: "somebody else", role: Role::Admin, ..old(PHONE) };
        let imported = tell!(db, |tx| tx.user_import(&late).await).unwrap();
        assert_eq!(imported, Imported::Claimed(uid));
        assert!(!tell!(db, |tx| tx.user_fill_in(uid, &late).await).unwrap());
        assert_eq!(ask!(db, |tx| tx.user_find(uid).await).unwrap(), Some(before));
    }

    async fn what_an_import_would_do_is_what_it_does(db) {
        let foresee = async |new: NewUser<'static>| {
            ask!(db, |tx| tx.user_foresee_import(&new).await).unwrap()
        };
        assert_eq!(foresee(old(PHONE)).await, None);
        let uid = tell!(db, |tx| tx.user_import(&old(PHONE)).await).unwrap().uid();
        assert_eq!(foresee(old(PHONE)).await, Some(Imported::Unchanged(uid)));
        let other = NewUser { nickname: "", ..old(PHONE) };
        assert_eq!(foresee(other).await, Some(Imported::Updated(uid)));
        assert_eq!(foresee(old(PHONE)).await, Some(Imported::Unchanged(uid)), "nothing was done");
        tell!(db, |tx| tx.user_claim(uid, None, 5_000).await).unwrap();
        assert_eq!(foresee(other).await, Some(Imported::Claimed(uid)));
    }

    async fn an_account_without_a_number_is_not_imported(db) {
        let refused = tell!(db, |tx| tx.user_import(&NewUser::empty(1)).await).unwrap_err();
        assert!(matches!(refused, Error::Broken), "{refused:?}");
    }

    /// A second import, or a person who registers meanwhile, doubles nobody.
    async fn fifty_imports_at_once_make_one_account(db) {
        let mut racers = JoinSet::new();
        for racer in 0..50 {
            let db = db.clone();
            racers.spawn(async move {
                if racer % 2 == 0 {
                    let imported = tell!(db, |tx| tx.user_import(&old(PHONE)).await).unwrap();
                    return matches!(imported, Imported::Created(_));
                }
                tell!(db, |tx| tx.user_create(&account(Some(PHONE))).await).unwrap().is_some()
            });
        }
        let made = racers.join_all().await.into_iter().filter(|made| *made).count();
        assert_eq!(made, 1);
        let rows = db.raw("SELECT CAST(COUNT(*) AS TEXT) FROM users").await.unwrap();
        assert_eq!(rows, ["1"]);
    }

    async fn a_thousand_rows_in_one_story_twice(db) {
        let first = import_all(&db, 1_000).await;
        assert!(first.iter().all(|imported| matches!(imported, Imported::Created(_))));
        let second = import_all(&db, 2_000).await;
        let unchanged: Vec<_> = first.iter().map(|made| Imported::Unchanged(made.uid())).collect();
        assert_eq!(second, unchanged);
    }

    async fn everybody_comes_out_again_page_by_page(db) {
        let imported = import_all(&db, 1_000).await;
        let gone = imported[500].uid();
        assert!(tell!(db, |tx| tx.user_delete(gone, 1).await).unwrap());
        let (mut after, mut seen) = (0, Vec::new());
        loop {
            let page = ask!(db, |tx| tx.user_after(after, 300).await).unwrap();
            let Some(last) = page.last() else { break };
            after = last.uid.get();
            seen.extend(page.iter().map(|user| user.phone.clone()));
        }
        let mut expected = phones();
        expected.remove(500);
        assert_eq!(seen, expected);
    }

    async fn an_imported_identity_leads_to_its_account(db) {
        let new = NewIdentity { unionid: Some(unionid("wang")), ..newcomer("wang") };
        let id = new.id;
        let uid = tell!(db, |tx| tx.user_import(&old(PHONE)).await).unwrap().uid();
        for expected in [Linked::Now, Linked::Before] {
            // Another id each time, as a program that is run again would draw.
            let new = NewIdentity {
                id: if expected == Linked::Now { id } else { newcomer("wang").id },
                ..new.clone()
            };
            let linked = tell!(db, |tx| tx.identity_import(uid, &new).await).unwrap();
            assert_eq!(linked, expected);
        }
        let found = ask!(db, |tx| tx.identity_find(&appid(), &openid("wang")).await);
        let found = found.unwrap().unwrap();
        assert_eq!((found.id, found.linked, found.unionid), (id, true, Some(unionid("wang"))));
        assert_eq!(found.user.map(|user| user.uid), Some(uid));
    }

    async fn an_import_links_a_guest_and_takes_nobody_away(db) {
        let (guest, theirs) = (newcomer("guest"), newcomer("theirs"));
        let guest_id = guest.id;
        let other = tell!(db, |tx| {
            assert!(tx.identity_create(&guest).await?.is_some());
            user_with_identity(tx, &theirs).await
        }).unwrap();
        let uid = tell!(db, |tx| tx.user_import(&old(PHONE)).await).unwrap().uid();
        let placeholder = |name| NewIdentity {
            unionid: Some(unionid(name)),
            session_key: b"none".to_vec(),
            session_key_digest: [9; 32],
            ..newcomer(name)
        };
        let new = placeholder("guest");
        let linked = tell!(db, |tx| tx.identity_import(uid, &new).await).unwrap();
        assert_eq!(linked, Linked::Now);
        let new = placeholder("theirs");
        let linked = tell!(db, |tx| tx.identity_import(uid, &new).await).unwrap();
        assert_eq!(linked, Linked::Elsewhere(other));
        let guest = ask!(db, |tx| tx.identity_find_by_id(&guest_id).await).unwrap().unwrap();
        assert_eq!(guest.user.map(|user| user.uid), Some(uid));
        assert_eq!(guest.unionid, Some(unionid("guest")));
        assert_eq!(guest.session_key_digest, [1; 32], "its session key is the real one");
        let nobody = Uid::new(999_999).unwrap();
        let new = placeholder("nobody");
        assert!(tell!(db, |tx| tx.identity_import(nobody, &new).await).is_err());
    }

    async fn the_identities_of_a_page_come_in_one_answer(db) {
        let mut uids = Vec::new();
        for name in ["a", "b", "c", "d"] {
            let new = newcomer(name);
            uids.push(tell!(db, |tx| user_with_identity(tx, &new).await).unwrap());
        }
        let (first, last) = (uids[1], uids[2]);
        let second = NewIdentity { now: 3_000, ..newcomer("second") };
        tell!(db, |tx| tx.identity_import(first, &second).await).unwrap();
        let guest = newcomer("guest");
        tell!(db, |tx| tx.identity_create(&guest).await).unwrap();
        let listed = ask!(db, |tx| tx.identity_list_between(first, last).await).unwrap();
        let owners: Vec<_> = listed.iter().map(|one| one.user.as_ref().unwrap().uid).collect();
        assert_eq!(owners, [first, first, last]);
        let mut names: Vec<_> = listed.iter().map(|one| one.openid.clone()).collect();
        names.sort();
        assert_eq!(names, ["b", "c", "second"].map(openid));
        assert!(listed.iter().all(|one| one.linked));
    }
}
