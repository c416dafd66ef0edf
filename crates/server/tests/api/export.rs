//! All that is stored of a person, and nothing of anybody else.

mod schema;

use std::time::{Duration, Instant};

use menjin_core::profile::{Field, Fields, Kind, SetBy};
use serde_json::{Value, json};

use crate::harness::{APPID, OTHER, TestApp, on_each_database};

pub(super) const EXPORT: &str = "/v1/user/export";
const NUMBERS: [&str; 2] = ["13800138000", "13800138001"];

/// The same server with a field of its own.
pub(super) async fn with_a_field(app: &TestApp) -> TestApp {
    app.replica_with(&app.wechat, |options| {
        let wants = Field {
            name: "wants",
            kind: Kind::Text(50),
            set_by: SetBy::User,
        };
        options.profile.fields = Fields::new(vec![wants]).unwrap();
        options.registration.policy = Some("2026-11".to_owned());
    })
    .await
}

on_each_database! {
    async fn nobody_gets_anything(app) {
        assert_eq!(
            app.get(EXPORT).await.line(),
            r#"401 {"error":"Unauthorized for no Authorization"}"#
        );
        assert_eq!(app.get_as("a.b.c", EXPORT).await.line(), r#"401 {"error":"invalid_token"}"#);
    }

    async fn a_guest_gets_their_identity(app) {
        let guest = app.person("wang").await;
        app.user("li", NUMBERS[1]).await;
        let export = app.get_as(&guest.token, EXPORT).await.json();
        assert_eq!((&export["success"], &export["account"]), (&json!(true), &Value::Null));
        assert_eq!(export["exported_at"], "2026-11-18T11:06:40Z");
        let identities = export["identities"].as_array().unwrap();
        assert_eq!(identities.len(), 1);
        let identity = &identities[0];
        assert_eq!((&identity["openid"], &identity["appid"]), (&json!(guest.openid), &json!(APPID)));
        assert_eq!(identity["id"], app.identity(&guest.openid).await.id.to_string());
        assert!(identity["unionid"].is_string());
        assert_eq!(identity["first_seen_at"], "2026-11-18T11:06:40Z");
        assert_eq!((&identity["session_key"], &identity["previous_session_key"]), (&json!(true), &json!(false)));
        for list in ["verifications", "messages", "audit"] {
            assert_eq!(export[list], json!([]), "{list}");
        }
    }

    /// What was asked for as a guest is still told to the user, and each mini program is told of.
    async fn a_user_gets_all_of_it(app) {
        let there = app.sign_in_there("wang").await;
        let guest = app.person("wang").await;
        let asked = json!({ "phone": NUMBERS[0] });
        assert_eq!(app.post_as(&guest.token, "/v1/user/register", &asked).await.status, 200);
        let waiting = app.get_as(&guest.token, EXPORT).await.json();
        assert_eq!(waiting["verifications"][0]["purpose"], "register");
        assert_eq!(waiting["messages"].as_array().unwrap().len(), 1);
        assert_eq!(waiting["messages"][0]["contact"], "", "only a digest is kept");
        let code = app.code_to("+8613800138000").await;
        let body = json!({ "phone": NUMBERS[0], "code": code });
        let token = app.post_as(&guest.token, "/v1/user/verify", &body).await.token();
        app.sign_in_there("wang").await;
        let export = app.get_as(&token, EXPORT).await.json();
        let account = &export["account"];
        assert_eq!((&account["uid"], &account["phone"]), (&json!(100_001), &json!("+8613800138000")));
        assert_eq!(account["phone_verified_at"], "2026-11-18T11:06:40Z");
        let apps: Vec<_> = export["identities"].as_array().unwrap().iter()
            .map(|identity| (identity["appid"].clone(), identity["openid"].clone())).collect();
        assert_eq!(apps.len(), 2);
        assert!(apps.contains(&(json!(OTHER), there.json()["openid"].clone())));
        assert!(apps.contains(&(json!(APPID), json!(guest.openid))));
        let message = &export["messages"][0];
        assert_eq!((&message["channel"], &message["purpose"]), (&json!("sms"), &json!("register")));
        assert_eq!(message["contact"], "+8613800138000");
        assert_eq!(message["at"], "2026-11-18T11:06:40Z");
        assert_eq!(export["verifications"], json!([]));
        let audit = export["audit"].as_array().unwrap();
        assert_eq!((&audit[0]["event"], &audit[0]["by"]), (&json!("registered"), &json!("you")));
    }

    /// A mail to an address that the person spells with capitals is known for theirs.
    async fn an_address_is_known_in_any_case(app) {
        let wang = app.user("wang", NUMBERS[0]).await;
        let body = json!({ "email": "Wang@Example.com" });
        let asked = app.post_as(&wang.token, "/v1/user/newemail", &body).await;
        assert_eq!(asked.status, 200, "{}", asked.text);
        app.sql("UPDATE users SET email = 'Wang@example.com'; DELETE FROM verifications").await;
        let export = app.get_as(&wang.token, EXPORT).await.json();
        assert_eq!(export["messages"][0]["contact"], "Wang@example.com");
    }

    /// Of a long history the latest ten thousand entries are told, in order, and that there are more.
    async fn the_latest_of_a_long_history(app) {
        let wang = app.user("wang", NUMBERS[0]).await;
        let add = |first: u32, last: u32| {
            format!("INSERT INTO audit (at, event, actor, subject, detail)
                     WITH RECURSIVE n(i) AS (SELECT {first} UNION ALL SELECT i + 1 FROM n WHERE i < {last})
                     SELECT i, 'x' || i, '100001', '100001', '{{}}' FROM n")
        };
        // Registering was one.
        app.sql(&add(1, 9_999)).await;
        let whole = app.get_as(&wang.token, EXPORT).await.json();
        let audit = whole["audit"].as_array().unwrap();
        assert_eq!((audit.len(), &audit[0]["event"]), (10_000, &json!("registered")));
        assert!(whole.get("audit_truncated").is_none());
        app.sql(&add(10_000, 10_001)).await;
        let latest = app.get_as(&wang.token, EXPORT).await.json();
        let audit = latest["audit"].as_array().unwrap();
        assert_eq!((audit.len(), &latest["audit_truncated"]), (10_000, &json!(true)));
        assert_eq!((&audit[0]["event"], &audit[9_999]["event"]), (&json!("x2"), &json!("x10001")));
    }

    /// A session key is a secret, also from whoever holds a token.
    async fn no_secret_is_told(app) {
        let wang = app.user("wang", NUMBERS[0]).await;
        for _ in 0..10 {
            app.sign_in("wang").await;
        }
        let export = app.get_as(&wang.token, EXPORT).await;
        assert_eq!(export.json()["identities"][0]["previous_session_key"], true);
        assert_eq!(export.header("cache-control"), "no-store");
        for secret in ["digest", "code_", "private", "jti"] {
            assert!(!export.text.contains(secret), "{secret}");
        }
    }

    /// Somebody else who asked about the same number, before or after it was the person's, is not shown;
    /// nor is who did something to the account.
    async fn nothing_of_others_is_told(app) {
        let li = app.person("li").await;
        let ask = json!({ "phone": NUMBERS[0] });
        assert_eq!(app.post_as(&li.token, "/v1/user/register", &ask).await.status, 200);
        app.sql("UPDATE sends SET address = '203.0.113.77'").await;
        app.clock.advance(Duration::from_mins(2));
        let wang = app.user("wang", NUMBERS[0]).await;
        let before = app.get_as(&wang.token, EXPORT).await;
        assert_eq!(before.json()["messages"], json!([]), "it was not their number then");
        app.clock.advance(Duration::from_mins(2));
        app.sql("UPDATE sends SET at = at + 240000").await;
        let audit = |actor: &str, detail: &str| format!(
            "INSERT INTO audit (at, event, actor, subject, detail)
             VALUES (1, 'enabled', '{actor}', '100001', '{detail}')"
        );
        app.sql(&audit("100777", r#"{"other": 100888, "why": "asked"}"#)).await;
        app.sql(&audit("operator", "{}")).await;
        let after = app.get_as(&wang.token, EXPORT).await;
        let export = after.json();
        let message = &export["messages"][0];
        assert_eq!((&message["contact"], &message["address"]), (&json!("+8613800138000"), &json!("")));
        let by: Vec<_> = export["audit"].as_array().unwrap().iter().map(|entry| &entry["by"]).collect();
        assert_eq!(by, ["you", "somebody else", "operator"]);
        assert_eq!(export["audit"][1]["detail"], json!({ "why": "asked" }));
        let li = app.identity(&li.openid).await;
        for foreign in ["203.0.113.77", "100777", "100888", li.openid.as_str(), &li.id.to_string()] {
            assert!(!after.text.contains(foreign), "{foreign}");
        }
    }

    /// Proves DEL-5: whoever was here for years waits no longer than anybody.
    async fn a_long_life_is_told_in_time(app) {
        let wang = app.user("wang", NUMBERS[0]).await;
        let many = |values: &str, table: &str| format!(
            "INSERT INTO {table} WITH RECURSIVE n (n) AS
                (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 2500) SELECT {values} FROM n"
        );
        let audit = "audit (at, event, actor, subject, detail)";
        app.sql(&many("n, 'signed_out', '100001', '100001', '{}'", audit)).await;
        app.sql(&many("n, 'signed_out', '100002', '100002', '{}'", audit)).await;
        let began = Instant::now();
        let export = app.get_as(&wang.token, EXPORT).await.json();
        assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
        assert_eq!(export["audit"].as_array().unwrap().len(), 2_501);
    }
}
