//! `POST /v1/user/setuser`: who may set what, exactly what changed, and all of it or nothing.

use menjin_core::profile::{Field, Fields, Kind, SetBy};
use menjin_server::Options;
use serde_json::{Value, json};

use crate::harness::{Person, Reply, TestApp};

mod addresses;
mod fields;
mod nicknames;
mod races;
mod roles;

const SET: &str = "/v1/user/setuser";
const HOST: &str = "thirdwx.qlogo.cn";

impl TestApp {
    async fn set(&self, person: &Person, body: Value) -> Reply {
        self.post_as(&person.token, SET, &body).await
    }

    /// The account as `me` shows it.
    async fn shown(&self, person: &Person) -> Value {
        self.me(&person.token).await.json()
    }

    /// Makes the account of a number an administrator's, behind the server's back.
    async fn promote(&self, phone: &str) {
        let change = format!("UPDATE users SET role = 'admin' WHERE phone = '{phone}'");
        self.sql(&change).await;
    }
}

/// What changed, of a reply that went well.
#[track_caller]
fn changed(reply: &Reply) -> Value {
    assert_eq!(reply.status, 200, "{}", reply.text);
    reply.json()["changedFields"].clone()
}

/// Status and word of a refusal.
#[track_caller]
fn refused(reply: &Reply) -> (u16, String) {
    let body = reply.json();
    assert_eq!(body["success"], false, "{}", reply.text);
    let word = body.get("status").or(body.get("error")).unwrap();
    (reply.status.as_u16(), word.as_str().unwrap().to_owned())
}

fn bad(word: &str) -> (u16, String) {
    (400, word.to_owned())
}

fn field(name: &'static str, kind: Kind, set_by: SetBy) -> Field {
    Field { name, kind, set_by }
}

/// A repair club: what helpers say, and what the office says of them.
fn club(options: &mut Options) {
    let shifts = vec!["day".to_owned(), "night".to_owned()];
    let fields = vec![
        field("available", Kind::Bool, SetBy::User),
        field("wants", Kind::Text(20), SetBy::User),
        field("year", Kind::Int(2000, 2100), SetBy::User),
        field("shift", Kind::OneOf(shifts), SetBy::User),
        field("level", Kind::Int(0, 9), SetBy::Admin),
    ];
    options.profile.fields = Fields::new(fields).unwrap();
    options.profile.campuses = vec!["东".to_owned(), "西".to_owned()];
    options.profile.avatar_hosts = vec![HOST.to_owned()];
}

/// One test on both databases, with the fields of [`club`].
macro_rules! with_a_club {
    ($($(#[$doc:meta])* async fn $name:ident($app:ident) $body:block)+) => {$(
        $(#[$doc])*
        mod $name {
            use super::*;

            async fn story($app: &TestApp) $body

            #[tokio::test]
            async fn sqlite() {
                let app = TestApp::sqlite_with(crate::profile::club).await;
                story(&app).await;
                app.end().await;
            }

            #[tokio::test]
            async fn postgres() {
                let app = TestApp::postgres_with(crate::profile::club).await;
                story(&app).await;
                app.end().await;
            }
        }
    )+};
}
use with_a_club;

/// What nobody may change here, with values that would be good elsewhere.
fn forged() -> [(&'static str, Value); 9] {
    [
        ("phone", json!("+8613900139000")),
        ("email", json!("x@example.com")),
        ("email_verified", json!(true)),
        ("uid", json!(100_002)),
        ("openid", json!("o1234567890123456789012345678")),
        ("status", json!("admin")),
        ("epoch", json!(9)),
        ("disabled", json!(true)),
        ("nobody_declared", json!("x")),
    ]
}
