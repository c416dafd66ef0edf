//! Consent to the deployment's privacy policy: at registration, later, and taken back.

use std::time::Duration;

use futures_util::future::join_all;
use menjin_server::Options;
use serde_json::{Value, json};

use crate::harness::{Person, Reply, TestApp};

const CONSENT: &str = "/v1/user/consent";
const REGISTER: &str = "/v1/user/register";
const PHONE: &str = "13800138000";

fn with_policy(options: &mut Options) {
    options.registration.policy = Some("2026-11".to_owned());
}

impl TestApp {
    async fn consent(&self, person: &Person, body: Value) -> Reply {
        self.post_as(&person.token, CONSENT, &body).await
    }

    /// Registers with the phone button.
    async fn agreed(&self, name: &str, number: &str) -> Person {
        let guest = self.person(name).await;
        let body = json!({ "phone_code": self.phone_code(name, number), "consent": "2026-11" });
        let reply = self.post_as(&guest.token, REGISTER, &body).await;
        Person {
            token: reply.token(),
            ..guest
        }
    }

    async fn held(&self, person: &Person) -> Value {
        self.me(&person.token).await.json()["consent"].clone()
    }
}

#[track_caller]
fn refused(reply: &Reply) -> (u16, String) {
    let body = reply.json();
    let word = body.get("status").or(body.get("error")).unwrap();
    (reply.status.as_u16(), word.as_str().unwrap().to_owned())
}

/// One test on both databases, of a deployment that has a policy.
macro_rules! with_a_policy {
    ($($(#[$doc:meta])* async fn $name:ident($app:ident) $body:block)+) => {$(
        $(#[$doc])*
        mod $name {
            use super::*;

            async fn story($app: &TestApp) $body

            #[tokio::test]
            async fn sqlite() {
                let app = TestApp::sqlite_with(with_policy).await;
                story(&app).await;
                app.end().await;
            }

            #[tokio::test]
            async fn postgres() {
                let app = TestApp::postgres_with(with_policy).await;
                story(&app).await;
                app.end().await;
            }
        }
    )+};
}

with_a_policy! {
    /// Proves DEL-6: nobody registers without agreeing to the policy of today, by phone button or by code.
    async fn nobody_registers_without(app) {
        let wang = app.person("wang").await;
        for consent in [json!(null), json!(""), json!("2025-01"), json!("2026-11 ")] {
            let by_button = json!({ "phone_code": app.phone_code("wang", PHONE), "consent": consent });
            let by_code = json!({ "phone": PHONE, "consent": consent });
            for body in [by_button, by_code] {
                let reply = app.post_as(&wang.token, REGISTER, &body).await;
                assert_eq!(refused(&reply), (400, "consent_needed".to_owned()), "{body}");
            }
        }
        let body = json!({ "phone": PHONE, "consent": true });
        let reply = app.post_as(&wang.token, REGISTER, &body).await;
        assert_eq!(refused(&reply), (400, "invalid_consent".to_owned()));
        assert_eq!((app.sms().await.len(), app.rows("users").await), (0, 0));
    }

    /// Proves DEL-6: what was agreed to is kept with its time, whichever way somebody registers.
    async fn consent_is_kept_from_registration(app) {
        let li = app.person("li").await;
        let body = json!({ "phone": PHONE, "consent": "2026-11" });
        assert_eq!(app.post_as(&li.token, REGISTER, &body).await.status, 200);
        let code = app.code_to("+8613800138000").await;
        let body = json!({ "phone": PHONE, "code": code });
        let reply = app.post_as(&li.token, "/v1/user/verify", &body).await;
        assert_eq!(reply.json()["status"], "verified", "{}", reply.text);
        let wang = app.agreed("wang", "13800138001").await;
        let at = app.held(&wang).await["at"].as_str().unwrap().to_owned();
        assert!(at.ends_with('Z') && at.contains('T'), "{at}");
        let held = json!({ "version": "2026-11", "at": at });
        assert_eq!((app.held(&li).await, app.held(&wang).await), (held.clone(), held));
    }

    /// Proves DEL-6: consent can be taken back and given again, and both are written down.
    async fn consent_is_taken_back(app) {
        let wang = app.agreed("wang", PHONE).await;
        let first = app.held(&wang).await;
        app.clock.advance(Duration::from_mins(1));
        let again = app.consent(&wang, json!({ "version": "2026-11" })).await.json();
        assert_eq!(again, json!({ "success": true, "status": "consent_given", "consent": first }));
        for _ in 0..2 {
            let reply = app.consent(&wang, json!({ "withdraw": true })).await;
            assert_eq!(reply.line(), r#"200 {"success":true,"status":"consent_withdrawn","consent":null}"#);
        }
        assert_eq!(app.held(&wang).await, json!(null));
        let reply = app.consent(&wang, json!({ "version": "2026-11", "withdraw": false })).await.json();
        assert_eq!(reply["consent"], app.held(&wang).await);
        assert_ne!(reply["consent"]["at"], first["at"]);
        for (event, times) in [("consent_given", 1), ("consent_withdrawn", 1)] {
            let entries = format!("audit WHERE event = '{event}' AND detail = '{{\"version\":\"2026-11\"}}'");
            assert_eq!(app.rows(&entries).await, times, "{event}");
        }
    }

    async fn only_the_policy_of_today_counts(app) {
        let wang = app.agreed("wang", PHONE).await;
        let before = app.held(&wang).await;
        for (body, word) in [
            (json!({}), "invalid_version"),
            (json!({ "version": "2025-01" }), "invalid_version"),
            (json!({ "version": "" }), "invalid_version"),
            (json!({ "version": null }), "invalid_version"),
            (json!({ "version": 202_611 }), "invalid_version"),
            (json!({ "withdraw": false }), "invalid_version"),
            (json!({ "withdraw": "true" }), "invalid_withdraw"),
            (json!({ "withdraw": 1 }), "invalid_withdraw"),
            (json!({ "withdraw": true, "version": "2026-11" }), "invalid_withdraw"),
        ] {
            let reply = app.consent(&wang, body.clone()).await;
            assert_eq!(refused(&reply), (400, word.to_owned()), "{body}");
        }
        assert_eq!(app.held(&wang).await, before);
    }

    async fn nobody_and_guests_agree_to_nothing(app) {
        assert_eq!(app.post(CONSENT, &json!({ "version": "2026-11" })).await.status, 401);
        let guest = app.person("wang").await;
        for body in [json!({ "version": "2026-11" }), json!({ "withdraw": true }), json!({})] {
            assert_eq!(refused(&app.consent(&guest, body).await), (403, "forbidden".to_owned()));
        }
    }

    /// Proves REG-6: nothing is set beside consent.
    async fn other_fields_have_no_effect(app) {
        let wang = app.agreed("wang", PHONE).await;
        let before = app.me(&wang.token).await.text;
        let reply = app.consent(&wang, json!({
            "version": "2026-11", "at": "1999-01-01T00:00:00Z", "uid": 100_002, "role": "admin", "status": "x",
            "openid": "o1", "phone": "+8613900139000", "email": "x@example.com", "email_verified": true,
            "available": true,
        })).await;
        assert_eq!(reply.status, 200);
        assert_eq!(app.me(&wang.token).await.text, before);
    }

    /// Of fifty who agree at once one is first, and that is the time that stays.
    async fn agreeing_at_once_is_agreeing_once(app) {
        let wang = app.agreed("wang", PHONE).await;
        app.consent(&wang, json!({ "withdraw": true })).await;
        let all = join_all((0..50).map(|_| app.consent(&wang, json!({ "version": "2026-11" })))).await;
        let held = app.held(&wang).await;
        for reply in &all {
            assert_eq!(reply.json()["consent"], held, "{}", reply.text);
        }
        assert_eq!(app.rows("audit WHERE event = 'consent_given'").await, 1);
    }
}

/// Where there is no policy, nobody can agree to one, and registration asks for nothing.
#[tokio::test]
async fn without_a_policy_there_is_nothing_to_agree_to() {
    let app = TestApp::sqlite().await;
    let wang = app.user("wang", PHONE).await;
    assert_eq!(app.held(&wang).await, json!(null));
    let reply = app.consent(&wang, json!({ "version": "2026-11" })).await;
    assert_eq!(refused(&reply), (400, "invalid_version".to_owned()));
    assert_eq!(
        app.consent(&wang, json!({ "withdraw": true })).await.status,
        200
    );
    app.end().await;
}
