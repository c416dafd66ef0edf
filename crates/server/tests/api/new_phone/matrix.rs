//! Codes in the wrong place.

use std::time::Duration;

use serde_json::json;

use super::CHANGE_VERIFY;
use crate::{
    harness::{Person, TestApp, on_each_database},
    register::{MIGRATION, VERIFY},
};

/// The number of a guest's code and of a user's, that of an imported account, and another user's.
const NUMBERS: [&str; 3] = ["13900139000", "13600136000", "13500135000"];

/// Where a code may be tried: the path, and the number beside it.
fn places() -> Vec<(&'static str, &'static str)> {
    let with_number = [VERIFY, MIGRATION].into_iter();
    let mut all: Vec<_> = with_number
        .flat_map(|path| NUMBERS.map(|number| (path, number)))
        .collect();
    all.push((CHANGE_VERIFY, ""));
    all
}

/// Everybody whose bearer comes along.
struct Cast {
    guest: Person,
    imported: Person,
    user: Person,
    other_user: Person,
    other_guest: Person,
}

impl Cast {
    async fn gather(app: &TestApp) -> Self {
        app.imported("+8613600136000", "老李").await;
        Self {
            guest: app.person("guest").await,
            imported: app.person("imported").await,
            user: app.user("user", "13800138000").await,
            other_user: app.user("other", "13700137000").await,
            other_guest: app.person("nobody").await,
        }
    }

    fn bearers(&self) -> [(&'static str, Option<&str>); 6] {
        [
            ("", None),
            ("guest", Some(&self.guest.token)),
            ("imported", Some(&self.imported.token)),
            ("user", Some(&self.user.token)),
            ("other", Some(&self.other_user.token)),
            ("nobody", Some(&self.other_guest.token)),
        ]
    }
}

/// Sends a code; whether it was taken. It is never refused for being one too many.
async fn taken(app: &TestApp, bearer: Option<&str>, place: (&str, &str), code: &str) -> bool {
    app.sql("DELETE FROM guesses; UPDATE verifications SET tries = 0")
        .await;
    let (path, number) = place;
    let body = json!({ "phone": number, "code": code });
    let reply = match bearer {
        Some(token) => app.post_as(token, path, &body).await,
        None => app.post(path, &body).await,
    };
    let status = reply.status.as_u16();
    assert!(
        [200, 400, 401, 403, 409].contains(&status),
        "{}",
        reply.text
    );
    status == 200
}

on_each_database! {
    /// Proves OTP-7: a code works for the purpose, the number and the person that it was made for, and
    /// nowhere else, though several are open, two of them for one number.
    async fn a_code_in_the_wrong_place(app) {
        let cast = Cast::gather(app).await;
        assert_eq!(app.ask(&cast.guest, NUMBERS[0]).await.status, 200);
        let of_guest = app.code_to("+8613900139000").await;
        assert_eq!(app.ask(&cast.imported, NUMBERS[1]).await.json()["status"], "user_need_migration");
        assert_eq!(app.want_phone(&cast.other_user, NUMBERS[2]).await.status, 200);
        app.clock.advance(Duration::from_secs(61));
        assert_eq!(app.want_phone(&cast.user, NUMBERS[0]).await.status, 200);
        let codes = [
            (of_guest, (VERIFY, NUMBERS[0]), "guest"),
            (app.code_to("+8613600136000").await, (MIGRATION, NUMBERS[1]), "imported"),
            (app.code_to("+8613900139000").await, (CHANGE_VERIFY, ""), "user"),
            (app.code_to("+8613500135000").await, (CHANGE_VERIFY, ""), "other"),
        ];
        let mut cells = 0;
        for (code, home, owner) in &codes {
            for place in places() {
                for (name, bearer) in cast.bearers() {
                    let anonymous = name.is_empty() && place.0 != CHANGE_VERIFY;
                    if place == *home && (name == *owner || anonymous) {
                        continue;
                    }
                    // One time in a million two codes are the same.
                    let twin = codes.iter().any(|other| other.2 != *owner && other.0 == *code);
                    assert!(twin || !taken(app, bearer, place, code).await, "{owner} {place:?} {name}");
                    cells += 1;
                }
            }
        }
        assert_eq!(cells, 4 * 7 * 6 - 6);
        // None of that has used a code up. Each of the two for one number is good until one is taken.
        for (code, home, owner) in &codes {
            if *owner != "guest" {
                let (_, bearer) = cast.bearers().into_iter().find(|(name, _)| name == owner).unwrap();
                assert!(taken(app, bearer, *home, code).await, "{owner}");
            }
        }
        let (code, home, _) = &codes[0];
        assert!(!taken(app, Some(&cast.guest.token), *home, code).await, "the number has an owner");
    }
}
