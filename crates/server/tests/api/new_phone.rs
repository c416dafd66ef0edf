//! Another number for an account: by a code to it, or by WeChat's phone button.

mod matrix;
mod races;

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::{
    harness::{Person, Reply, TestApp, on_each_database},
    register::{VERIFY, wrong},
};

pub(super) const NEW_PHONE: &str = "/v1/user/newphone";
pub(super) const CHANGE_VERIFY: &str = "/v1/user/phonechange_verify";
const OLD: &str = "13800138000";
const NEW: &str = "13900139000";
const NEW_E164: &str = "+8613900139000";
const INVALID: &str = r#"401 {"error":"invalid_token"}"#;

impl TestApp {
    /// Asks for a code to a number that the account shall have.
    pub(super) async fn want_phone(&self, person: &Person, phone: &str) -> Reply {
        self.post_as(&person.token, NEW_PHONE, &json!({ "phone": phone }))
            .await
    }

    /// Changes the number by WeChat's phone button.
    pub(super) async fn tap_phone(&self, person: &Person, phone: &str) -> Reply {
        let code = self.phone_code(&person.name, phone);
        self.post_as(&person.token, NEW_PHONE, &json!({ "phone_code": code }))
            .await
    }

    /// Sends the code of the new number.
    pub(super) async fn change_verify(&self, person: &Person, code: &str) -> Reply {
        self.post_as(&person.token, CHANGE_VERIFY, &json!({ "code": code }))
            .await
    }
}

pub(super) fn answer(reply: &Reply) -> (u16, Value) {
    (reply.status.as_u16(), reply.json()["status"].clone())
}

fn changed() -> (u16, Value) {
    (200, json!("phone_updated"))
}

on_each_database! {
    /// Proves PRF-1: a code to the new number changes it; every older token of the account is dead,
    /// and the reply carries a new one.
    async fn a_code_changes_the_number(app) {
        let guest = app.person("wang").await;
        let wang = app.user("wang", OLD).await;
        let another = app.sign_in("wang").await.token();
        let sent = app.want_phone(&wang, " 139-0013-9000 ").await;
        assert_eq!(answer(&sent), (200, json!("verification_code_sent")));
        assert_eq!(app.me(&wang.token).await.json()["phone"], "+8613800138000");
        let reply = app.change_verify(&wang, &app.code_to(NEW_E164).await).await;
        assert_eq!(answer(&reply), changed());
        for dead in [&guest.token, &wang.token, &another] {
            assert_eq!(app.me(dead).await.line(), INVALID);
        }
        let me = app.me(&reply.token()).await.json();
        assert_eq!((&me["phone"], &me["uid"]), (&json!(NEW_E164), &json!(100_001)));
        let again = app.sign_in("wang").await.json();
        assert_eq!((&again["phone"], &again["uid"]), (&json!(NEW_E164), &json!(100_001)));
        assert_eq!(app.rows("audit WHERE event = 'phone_changed' AND actor = '100001'").await, 1);
        assert_eq!(app.rows("verifications").await + app.rows("guesses").await, 0);
        // The former number is free.
        app.user("li", OLD).await;
    }

    /// Proves PRF-1: WeChat's phone button proves a number too, at once and without a message.
    async fn the_phone_button_changes_the_number(app) {
        let wang = app.user("wang", OLD).await;
        let reply = app.tap_phone(&wang, NEW).await;
        assert_eq!(answer(&reply), changed());
        assert_eq!(app.me(&wang.token).await.line(), INVALID);
        assert_eq!(app.me(&reply.token()).await.json()["phone"], NEW_E164);
        assert!(app.sms().await.is_empty(), "the notice is an errand's");
    }

    /// Proves PRF-3: the former number and the mail address hear of the change, once.
    async fn the_former_number_is_told(app) {
        let wang = app.user("wang", OLD).await;
        app.sql("UPDATE users SET email = 'wang@example.com'").await;
        let reply = app.tap_phone(&wang, NEW).await;
        assert_eq!(answer(&reply), changed());
        for _ in 0..2 {
            app.app.do_errands().await;
        }
        let (sms, mails) = (app.sms().await, app.mails().await);
        assert_eq!((sms.len(), mails.len(), app.rows("errands").await), (1, 1, 0));
        assert_eq!(sms[0]["to"], "+8613800138000");
        assert!(sms[0]["text"].as_str().unwrap().contains("已更换手机号"), "{}", sms[0]);
        assert_eq!(mails[0]["to"], "wang@example.com");
        assert!(mails[0]["subject"].as_str().unwrap().contains("phone number was changed"));
    }

    async fn a_refused_change_tells_nobody(app) {
        let wang = app.user("wang", OLD).await;
        app.user("li", NEW).await;
        assert_eq!(answer(&app.tap_phone(&wang, NEW).await), (409, json!("phone_in_use")));
        assert_eq!(app.rows("errands").await, 0);
        assert_eq!(app.me(&wang.token).await.json()["phone"], "+8613800138000");
    }

    async fn who_may_not_and_what_may_not_be(app) {
        for path in [NEW_PHONE, CHANGE_VERIFY] {
            let body = json!({ "phone": NEW, "code": "123456" });
            let nobody = app.post(path, &body).await;
            assert_eq!(nobody.line(), r#"401 {"error":"Unauthorized for no Authorization"}"#);
            let guest = app.person("guest").await;
            let reply = app.post_as(&guest.token, path, &body).await;
            assert_eq!(
                reply.line(),
                r#"403 {"success":false,"error":"forbidden","message":"not allowed"}"#
            );
        }
        let wang = app.user("wang", OLD).await;
        app.user("li", "13700137000").await;
        app.imported("+8613600136000", "老李").await;
        for (body, status, word) in [
            (json!({}), 400, "invalid_phone"),
            (json!({ "phone": "12345" }), 400, "invalid_phone"),
            (json!({ "phone": 13_900_139_000_u64 }), 400, "invalid_phone"),
            (json!({ "phone_code": "" }), 400, "invalid_phone_code"),
            (json!({ "phone_code": 1 }), 400, "invalid_phone_code"),
            (json!({ "phone_code": "never-given" }), 400, "invalid_phone_code"),
            (json!({ "phone": "+86 138 0013 8000" }), 400, "same_phone"),
            (json!({ "phone_code": app.phone_code("wang", OLD) }), 400, "same_phone"),
            (json!({ "phone": "13700137000" }), 409, "phone_in_use"),
            (json!({ "phone": "13600136000" }), 409, "phone_in_use"),
            (json!({ "phone_code": app.phone_code("wang", "13700137000") }), 409, "phone_in_use"),
            (json!({ "phone_code": app.phone_code("wang", "13600136000") }), 409, "phone_in_use"),
        ] {
            let reply = app.post_as(&wang.token, NEW_PHONE, &body).await;
            assert_eq!(answer(&reply), (status, json!(word)), "{body} {}", reply.text);
        }
        for (body, word) in [
            (json!({}), "invalid_code"),
            (json!({ "code": "12345" }), "invalid_code"),
            (json!({ "code": "123456" }), "bad_code"),
        ] {
            let reply = app.post_as(&wang.token, CHANGE_VERIFY, &body).await;
            assert_eq!(answer(&reply), (400, json!(word)), "{body}");
        }
        assert!(app.sms().await.is_empty());
        assert_eq!(app.me(&wang.token).await.json()["phone"], "+8613800138000");
    }

    /// Whoever asks about many numbers learns no more than who has codes sent to them (OTP-15).
    async fn asking_about_numbers_counts(app) {
        let wang = app.user("wang", OLD).await;
        for n in 0..6 {
            app.imported(&format!("+861370000000{n}"), "老李").await;
        }
        for n in 0..5 {
            let reply = app.want_phone(&wang, &format!("1370000000{n}")).await;
            assert_eq!(answer(&reply), (409, json!("phone_in_use")));
        }
        let reply = app.want_phone(&wang, "13700000005").await;
        assert_eq!(answer(&reply), (429, json!("too_many_requests")));
        assert!(!reply.header("retry-after").is_empty());
        assert_eq!(app.want_phone(&wang, NEW).await.status, 429, "nor a free one");
    }

    async fn a_code_is_limited_as_any_other(app) {
        let wang = app.user("wang", OLD).await;
        assert_eq!(app.want_phone(&wang, NEW).await.status, 200);
        assert_eq!(app.want_phone(&wang, NEW).await.status, 429);
        let old_code = app.code_to(NEW_E164).await;
        app.clock.advance(Duration::from_secs(61));
        assert_eq!(app.want_phone(&wang, NEW).await.status, 200);
        let code = app.code_to(NEW_E164).await;
        if old_code != code {
            assert_eq!(answer(&app.change_verify(&wang, &old_code).await), (400, json!("bad_code")));
        }
        app.clock.advance(Duration::from_secs(301));
        assert_eq!(answer(&app.change_verify(&wang, &code).await), (400, json!("bad_code")), "it is old");
        assert_eq!(app.want_phone(&wang, NEW).await.status, 200);
        let code = app.code_to(NEW_E164).await;
        for _ in 0..5 {
            let reply = app.change_verify(&wang, &wrong(&code)).await;
            assert_eq!(answer(&reply), (400, json!("bad_code")));
        }
        let reply = app.change_verify(&wang, &code).await;
        assert_eq!(answer(&reply), (400, json!("bad_code")), "five tries are all");
    }

    async fn a_code_may_be_a_number(app) {
        let wang = app.user("wang", OLD).await;
        app.want_phone(&wang, NEW).await;
        let code: u32 = app.code_to(NEW_E164).await.parse().unwrap();
        let reply = app.post_as(&wang.token, CHANGE_VERIFY, &json!({ "code": code })).await;
        assert_eq!(answer(&reply), changed());
    }

    /// The number was free when it was asked for; the code decides, and is spent.
    async fn a_number_that_was_taken_meanwhile(app) {
        let wang = app.user("wang", OLD).await;
        app.want_phone(&wang, NEW).await;
        let code = app.code_to(NEW_E164).await;
        app.user("li", NEW).await;
        assert_eq!(answer(&app.change_verify(&wang, &code).await), (409, json!("phone_in_use")));
        assert_eq!(answer(&app.change_verify(&wang, &code).await), (400, json!("bad_code")));
        assert_eq!(app.me(&wang.token).await.json()["phone"], "+8613800138000");
        assert_eq!(app.rows("guesses").await, 0, "a right code is no wrong try");
    }

    /// Proves OTP-6, of this purpose: a code is worth one change, whoever sends it how often.
    async fn a_code_is_worth_one_change(app) {
        let wang = app.user("wang", OLD).await;
        app.want_phone(&wang, NEW).await;
        let code = app.code_to(NEW_E164).await;
        let all = join_all((0..50).map(|_| app.change_verify(&wang, &code))).await;
        assert_eq!(all.iter().filter(|reply| reply.status == 200).count(), 1);
        assert_eq!(app.rows("errands").await, 1);
        assert_eq!(app.rows("audit WHERE event = 'phone_changed'").await, 1);
    }

    /// A provider that fails leaves the account as it was, and the person may try again.
    async fn a_provider_that_fails_changes_nothing(app) {
        let wang = app.user("wang", OLD).await;
        app.fault(json!({ "path": "/wxa/business/getuserphonenumber", "kind": "status", "status": 500, "times": 1 }))
            .await;
        let reply = app.tap_phone(&wang, NEW).await;
        assert_eq!(answer(&reply), (502, json!("delivery_failed")));
        let mute = app.replica_outside(|outside| outside.sms = None).await;
        let reply = mute.want_phone(&wang, NEW).await;
        assert_eq!(answer(&reply), (502, json!("delivery_failed")));
        assert_eq!(app.me(&wang.token).await.json()["phone"], "+8613800138000");
        mute.app.close().await;
    }

    /// What becomes known of a number by a code to register does not serve to change one, nor does the
    /// code of a guest who has become a user meanwhile.
    async fn a_guests_code_changes_nothing(app) {
        let wang = app.person("wang").await;
        app.ask(&wang, NEW).await;
        let code = app.code_to(NEW_E164).await;
        let user = app.user("wang", OLD).await;
        assert_eq!(answer(&app.change_verify(&user, &code).await), (400, json!("bad_code")));
        let body = json!({ "phone": NEW, "code": code });
        let reply = app.post_as(&user.token, VERIFY, &body).await;
        assert_eq!(answer(&reply), (409, json!("already_registered")));
        assert_eq!(app.me(&user.token).await.json()["phone"], "+8613800138000");
    }
}
