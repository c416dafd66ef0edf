//! Becoming a user: by text message, by WeChat's phone button, or as somebody who was imported.

mod callers;
mod codes;
mod limits;
mod privacy;
mod races;
mod senders;

use menjin_core::Role;
use menjin_store::{Imported, NewUser};
use serde_json::{Value, json};

use crate::harness::{Person, Reply, TestApp, on_each_database};

pub(super) const REGISTER: &str = "/v1/user/register";
pub(super) const VERIFY: &str = "/v1/user/verify";
pub(super) const MIGRATION: &str = "/v1/user/migration";
pub(super) const PHONE: &str = "13800138000";
pub(super) const E164: &str = "+8613800138000";

impl TestApp {
    /// Asks for a code to a number.
    pub(super) async fn ask(&self, person: &Person, phone: &str) -> Reply {
        self.post_as(&person.token, REGISTER, &json!({ "phone": phone }))
            .await
    }

    /// Sends a code with the bearer of whoever asked.
    pub(super) async fn verify(&self, person: &Person, phone: &str, code: &str) -> Reply {
        let body = json!({ "phone": phone, "code": code });
        self.post_as(&person.token, VERIFY, &body).await
    }

    /// Puts an account into the store that nobody has claimed.
    pub(super) async fn imported(&self, phone: &str, nickname: &'static str) {
        let phone = phone.to_owned();
        let story = self.store.write(move |tx| {
            Box::pin(async move {
                let new = NewUser {
                    phone: Some(&phone),
                    nickname,
                    ..NewUser::empty(1)
                };
                tx.user_create(&new).await
            })
        });
        let uid: Result<_, menjin_store::Error> = story.await;
        assert!(uid.unwrap().is_some());
    }
}

/// Another six digits than these.
pub(super) fn wrong(code: &str) -> String {
    let number: u32 = code.parse().unwrap();
    format!("{:06}", (number + 1) % 1_000_000)
}

fn status(reply: &Reply) -> Value {
    reply.json()["status"].clone()
}

on_each_database! {
    async fn a_code_makes_a_user_of_whoever_asked(app) {
        let wang = app.person("wang").await;
        let sent = app.ask(&wang, PHONE).await;
        assert_eq!((sent.status.as_u16(), status(&sent)), (200, json!("verification_code_sent")));
        assert_eq!(app.me(&sent.token()).await.json()["registered"], false);
        let sms = app.sms().await;
        assert_eq!((sms.len(), &sms[0]["to"]), (1, &json!(E164)));
        let code = app.code_to(E164).await;
        let reply = app.verify(&wang, PHONE, &code).await;
        let body = reply.json();
        assert_eq!((&body["success"], &body["status"]), (&json!(true), &json!("verified")));
        assert_eq!(body["uid"], 100_001);
        let me = app.me(&reply.token()).await.json();
        assert_eq!((&me["phone"], &me["uid"], &me["role"]), (&json!(E164), &json!(100_001), &json!("user")));
        // The token that the guest holds acts as the user's here.
        assert_eq!(app.me(&wang.token).await.json(), me);
        assert_eq!(app.sign_in("wang").await.json()["registered"], true);
        assert_eq!(app.rows("audit WHERE event = 'registered' AND subject = '100001'").await, 1);
    }

    async fn whoever_sends_the_code_only_its_owner_gets_a_token(app) {
        let wang = app.person("wang").await;
        app.ask(&wang, PHONE).await;
        let code = app.code_to(E164).await;
        let reply = app.post(VERIFY, &json!({ "phone": PHONE, "code": code })).await;
        assert_eq!(reply.line(), r#"200 {"success":true,"status":"verified"}"#);
        assert_eq!(app.me(&wang.token).await.json()["phone"], E164);
    }

    /// Proves REG-5: the number comes from WeChat's answer alone, and a code works once.
    async fn the_phone_button_needs_no_message(app) {
        let wang = app.person("wang").await;
        let code = app.phone_code("wang", PHONE);
        let body = json!({ "phone_code": code, "phone": "13900139000", "uid": 1, "role": "admin" });
        let reply = app.post_as(&wang.token, REGISTER, &body).await;
        assert_eq!((&reply.json()["status"], &reply.json()["uid"]), (&json!("verified"), &json!(100_001)));
        let me = app.me(&reply.token()).await.json();
        assert_eq!((&me["phone"], &me["role"]), (&json!(E164), &json!("user")));
        assert!(app.sms().await.is_empty());
        let li = app.person("li").await;
        let again = app.post_as(&li.token, REGISTER, &json!({ "phone_code": code })).await;
        assert_eq!(again.status, 400);
        assert_eq!((&again.json()["status"], &again.json()["error"]["errcode"]),
                   (&json!("invalid_phone_code"), &json!(40029)));
        // WeChat checks that the code is the caller's own.
        let own = app.phone_code("zhao", "13700137000");
        let stolen = app.post_as(&li.token, REGISTER, &json!({ "phone_code": own })).await;
        assert_eq!(stolen.json()["error"]["errcode"], 40029);
        assert_eq!(app.rows("users").await, 1);
    }

    async fn an_imported_account_is_taken_over(app) {
        app.imported(E164, "老王").await;
        let wang = app.person("wang").await;
        let asked = app.ask(&wang, PHONE).await;
        assert_eq!(status(&asked), "user_need_migration");
        let code = app.code_to(E164).await;
        let elsewhere = app.verify(&wang, PHONE, &code).await;
        assert_eq!(status(&elsewhere), "verification_failed", "it is no code to register with");
        let body = json!({ "phone": PHONE, "code": code });
        let reply = app.post_as(&wang.token, MIGRATION, &body).await;
        assert_eq!(status(&reply), "user_migrated");
        let me = app.me(&reply.token()).await.json();
        assert_eq!((&me["nickname"], &me["uid"]), (&json!("老王"), &json!(100_001)));
        let again = app.post(MIGRATION, &body).await;
        assert_eq!((again.status.as_u16(), status(&again)), (400, json!("invalid_verification_code")));
    }

    async fn the_phone_button_takes_an_imported_account_over(app) {
        app.imported(E164, "老王").await;
        let wang = app.person("wang").await;
        let body = json!({ "phone_code": app.phone_code("wang", PHONE) });
        let reply = app.post_as(&wang.token, REGISTER, &body).await;
        assert_eq!((status(&reply), &reply.json()["uid"]), (json!("user_migrated"), &json!(100_001)));
        assert_eq!(app.rows("users").await, 1);
    }

    /// A guest's token acts for the account that they took over, whatever imports had made of it before.
    async fn a_guest_token_works_after_an_import_of_another_role(app) {
        let wang = app.person("wang").await;
        app.imported(E164, "老王").await;
        let again = app.store.write(|tx| {
            Box::pin(async move {
                let new = NewUser { phone: Some(E164), role: Role::Admin, ..NewUser::empty(2) };
                tx.user_import(&new).await
            })
        });
        let again: Result<_, menjin_store::Error> = again.await;
        assert!(matches!(again.unwrap(), Imported::Updated(_)));
        let body = json!({ "phone_code": app.phone_code("wang", PHONE) });
        let reply = app.post_as(&wang.token, REGISTER, &body).await;
        assert_eq!(status(&reply), "user_migrated");
        let me = app.me(&wang.token).await.json();
        assert_eq!((&me["uid"], &me["role"]), (&json!(100_001), &json!("admin")));
    }

    async fn a_number_that_is_taken_is_said_to_be(app) {
        app.user("li", PHONE).await;
        let wang = app.person("wang").await;
        let asked = app.ask(&wang, PHONE).await;
        assert_eq!(asked.line(), r#"200 {"success":true,"status":"user_exists"}"#);
        assert!(app.sms().await.is_empty());
        let body = json!({ "phone_code": app.phone_code("wang", PHONE) });
        let button = app.post_as(&wang.token, REGISTER, &body).await;
        assert_eq!(button.line(), r#"200 {"success":true,"status":"user_exists"}"#);
        assert_eq!(app.me(&wang.token).await.json()["registered"], false);
    }

    async fn a_user_registers_no_second_time(app) {
        let wang = app.user("wang", PHONE).await;
        let code = app.phone_code("wang", "13900139000");
        for body in [json!({ "phone": "13900139000" }), json!({ "phone_code": code })] {
            let reply = app.post_as(&wang.token, REGISTER, &body).await;
            assert_eq!((reply.status.as_u16(), status(&reply)), (409, json!("already_registered")));
        }
        let body = json!({ "phone": PHONE, "code": "123456" });
        let reply = app.post_as(&wang.token, VERIFY, &body).await;
        assert_eq!((reply.status.as_u16(), status(&reply)), (409, json!("already_registered")));
    }

    async fn what_is_wrong_with_a_request_is_named(app) {
        let wang = app.person("wang").await;
        for (path, body, word) in [
            (REGISTER, json!({}), "invalid_phone"),
            (REGISTER, json!({ "phone": "12345" }), "invalid_phone"),
            (REGISTER, json!({ "phone": 13_800_138_000_i64 }), "invalid_phone"),
            (REGISTER, json!({ "phone": "+14155550123" }), "invalid_phone"),
            (REGISTER, json!({ "phone_code": "with blanks" }), "invalid_phone_code"),
            (REGISTER, json!({ "phone_code": 7 }), "invalid_phone_code"),
            (VERIFY, json!({ "code": "123456" }), "invalid_phone"),
            (VERIFY, json!({ "phone": PHONE }), "invalid_code"),
            (VERIFY, json!({ "phone": PHONE, "code": "12345" }), "invalid_code"),
            (MIGRATION, json!({ "phone": PHONE, "code": "abcdef" }), "invalid_code"),
        ] {
            let reply = app.post_as(&wang.token, path, &body).await;
            assert_eq!((reply.status.as_u16(), status(&reply)), (400, json!(word)), "{body}");
        }
        let nobody = app.post(REGISTER, &json!({ "phone": PHONE })).await;
        assert_eq!(nobody.line(), r#"401 {"error":"Unauthorized for no Authorization"}"#);
        let forged = app.post_as("x", VERIFY, &json!({ "phone": PHONE, "code": "123456" })).await;
        assert_eq!(forged.line(), r#"401 {"error":"invalid_token"}"#);
    }
}
