//! Accounts that are looked for: the same answer from both databases.

use menjin_core::{Role, Uid};
use menjin_store::{Error, NewUser, UserFilter};
use serde_json::{Value, json};

use crate::harness::{Db, ask, on_each_database, on_postgres, on_sqlite, tell};

/// Texts that mean something to somebody on the way.
const HOSTILE: [&str; 14] = [
    "%",
    "_",
    "!",
    "100%",
    "a_b",
    "a!%b",
    "'; DROP TABLE users; --",
    "say \"hi\"",
    "back\\slash",
    "\",\"available\":true,\"x\":\"",
    "}",
    "line\nbreak\u{0}",
    "小王 Ünïcode",
    "",
];

/// Makes an account with fields of the deployment's own.
async fn with_fields(db: &Db, fields: Value) -> Uid {
    let profile = fields.to_string();
    let made = tell!(db, |tx| {
        let new = NewUser {
            profile: &profile,
            ..NewUser::empty(1_000)
        };
        tx.user_create(&new).await
    });
    made.unwrap().unwrap()
}

async fn list(db: &Db, filter: UserFilter) -> Vec<Uid> {
    let listed = ask!(db, |tx| tx.user_list(&filter, 1_000, 0).await).unwrap();
    listed.into_iter().map(|user| user.uid).collect()
}

async fn by_field(db: &Db, name: &str, value: Value) -> Vec<Uid> {
    let field = Some((name.to_owned(), value));
    list(
        db,
        UserFilter {
            field,
            ..UserFilter::default()
        },
    )
    .await
}

/// Two people who differ in everything, and one who is nobody in particular.
async fn three(db: &Db) -> [Uid; 3] {
    let wang = NewUser {
        phone: Some("+8613800138000"),
        email: "Wang@example.com",
        campus: "East",
        role: Role::Admin,
        ..NewUser::empty(1_000)
    };
    let li = NewUser {
        phone: Some("+8613900139000"),
        email: "li_x@example.com",
        campus: "West",
        ..NewUser::empty(1_000)
    };
    tell!(db, |tx| Ok::<_, Error>([
        tx.user_create(&wang).await?.unwrap(),
        tx.user_create(&li).await?.unwrap(),
        tx.user_create(&NewUser::empty(1_000)).await?.unwrap(),
    ]))
    .unwrap()
}

on_each_database! {
    async fn accounts_are_found_by_each_of_what_they_are(db) {
        let [wang, li, nobody] = three(&db).await;
        let any = UserFilter::default();
        let text = |text: &str| Some(text.to_owned());
        let cases = [
            (any.clone(), vec![wang, li, nobody]),
            (UserFilter { uid: Some(li), ..any.clone() }, vec![li]),
            (UserFilter { uid: Uid::new(1), ..any.clone() }, vec![]),
            (UserFilter { phone: text("+8613800138000"), ..any.clone() }, vec![wang]),
            (UserFilter { phone: text("+861380013800"), ..any.clone() }, vec![]),
            (UserFilter { email: text("wANG@EXAMPLE.com"), ..any.clone() }, vec![wang]),
            (UserFilter { email: text("li%@example.com"), ..any.clone() }, vec![]),
            (UserFilter { email: text("li-x@example.com"), ..any.clone() }, vec![]),
            (UserFilter { campus: text("East"), ..any.clone() }, vec![wang]),
            (UserFilter { campus: text("east"), ..any.clone() }, vec![]),
            (UserFilter { campus: text(""), ..any.clone() }, vec![nobody]),
            (UserFilter { role: Some(Role::Admin), ..any.clone() }, vec![wang]),
            (UserFilter { role: Some(Role::User), ..any.clone() }, vec![li, nobody]),
            (UserFilter { role: Some(Role::Admin), campus: text("West"), ..any.clone() }, vec![]),
            (UserFilter { role: Some(Role::User), campus: text("West"), ..any }, vec![li]),
        ];
        for (filter, expected) in cases {
            let shown = format!("{filter:?}");
            assert_eq!(list(&db, filter).await, expected, "{shown}");
        }
    }

    async fn a_field_is_found_to_the_letter(db) {
        let first = with_fields(&db, json!({"available": true, "wants": "Lamp", "year": 1})).await;
        let last = with_fields(&db, json!({"year": 12, "zone": false})).await;
        let none = Vec::new();
        for (name, value, expected) in [
            ("available", json!(true), vec![first]),
            ("available", json!(false), none.clone()),
            ("available", json!("true"), none.clone()),
            ("Available", json!(true), none.clone()),
            ("vailable", json!(true), none.clone()),
            ("zone", json!(false), vec![last]),
            ("year", json!(1), vec![first]),
            ("year", json!(12), vec![last]),
            ("year", json!(2), none.clone()),
            ("year", json!("1"), none.clone()),
            ("wants", json!("Lamp"), vec![first]),
            ("wants", json!("lamp"), none.clone()),
            ("wants", json!("Lam"), none.clone()),
            ("wants", json!("Lam_"), none.clone()),
            ("wants", json!("%"), none.clone()),
            ("wants", json!(null), none),
        ] {
            let shown = format!("{name} {value}");
            assert_eq!(by_field(&db, name, value).await, expected, "{shown}");
        }
    }

    async fn hostile_text_finds_itself_and_nothing_else(db) {
        let mut uids = Vec::new();
        for text in HOSTILE {
            uids.push(with_fields(&db, json!({"a": 0, "wants": text})).await);
            uids.push(with_fields(&db, json!({"wants": text, "z": 0})).await);
        }
        for (text, uids) in HOSTILE.iter().zip(uids.chunks(2)) {
            assert_eq!(by_field(&db, "wants", json!(text)).await, uids, "{text:?}");
            let name = format!("wants\":\"{text}");
            assert_eq!(by_field(&db, &name, json!(0)).await, [], "{text:?} as a name");
        }
        // One of the texts reads like a field to whoever does not mind the quotes.
        assert_eq!(by_field(&db, "available", json!(true)).await, []);
    }

    async fn pages_follow_one_another(db) {
        let mut all = Vec::new();
        for n in 0..25 {
            all.push(with_fields(&db, json!({"even": n % 2 == 0})).await);
        }
        let even: Vec<_> = all.iter().copied().step_by(2).collect();
        let filter = UserFilter {
            field: Some(("even".to_owned(), json!(true))),
            ..UserFilter::default()
        };
        for (offset, length) in [(0, 10), (10, 3), (20, 0)] {
            let filter = filter.clone();
            let page = ask!(db, |tx| tx.user_list(&filter, 10, offset).await).unwrap();
            let page: Vec<_> = page.into_iter().map(|user| user.uid).collect();
            let from = usize::try_from(offset).unwrap().min(even.len());
            assert_eq!(page, even[from..from + length], "after {offset}");
        }
        let (after, next) = (all[9].get(), &all[10..13]);
        let page = ask!(db, |tx| tx.user_after(after, 3).await).unwrap();
        let page: Vec<_> = page.into_iter().map(|user| user.uid).collect();
        assert_eq!(page, next);
    }
}
