//! What goes by itself, and when.

use std::time::Duration;

use serde_json::json;

use crate::harness::{TestApp, on_each_database};

const PHONE: &str = "13800138000";
const HOUR: Duration = Duration::from_hours(1);

/// Time passes, and the minute comes in which what is over is deleted.
async fn after(app: &TestApp, duration: Duration) {
    app.clock.advance(duration);
    app.app.purge().await;
}

on_each_database! {
    /// Proves DEL-8: codes are gone within a day, addresses within thirty days, sessions that ended with
    /// their tokens; the security log stays, with numbers of accounts alone.
    async fn what_is_over_goes(app) {
        let wang = app.person("wang").await;
        let asked = app.post_as(&wang.token, "/v1/user/register", &json!({ "phone": PHONE })).await;
        assert_eq!(asked.status, 200, "{}", asked.text);
        let code = app.code_to("+8613800138000").await;
        let wrong = format!("{:06}", (code.parse::<u32>().unwrap() + 1) % 1_000_000);
        let verify = json!({ "phone": PHONE, "code": wrong });
        assert_eq!(app.post("/v1/user/verify", &verify).await.status, 400);
        let li = app.user("li", "13800138001").await;
        let token = app.sign_in("li").await.token();
        assert_eq!(app.post_as(&token, "/v1/user/logout", &json!({})).await.status, 200);
        app.delete(&li.token, &li.openid).await;
        let short = ["verifications", "guesses", "revocations", "turns"];
        for table in short {
            assert!(app.rows(table).await > 0, "{table}");
        }
        let logged = app.rows("audit").await;
        after(app, 25 * HOUR).await;
        for table in short.into_iter().chain(["spent_codes"]) {
            assert_eq!(app.rows(table).await, 0, "{table}");
        }
        assert_eq!(app.rows("sends WHERE address <> ''").await, 1);
        after(app, 30 * 24 * HOUR).await;
        assert_eq!(app.rows("sends").await, 0);
        after(app, 200 * 24 * HOUR).await;
        assert_eq!(app.rows("audit").await, logged);
        app.app.scrub().await;
        let stored = app.stored().await;
        for number in [PHONE, "13800138001"] {
            let found = stored.windows(number.len()).any(|bytes| bytes == number.as_bytes());
            assert!(!found, "{number}");
        }
    }

    /// Proves DEL-8: a minute's purge takes nothing that still counts.
    async fn what_is_not_over_stays(app) {
        let wang = app.person("wang").await;
        let asked = app.post_as(&wang.token, "/v1/user/register", &json!({ "phone": PHONE })).await;
        assert_eq!(asked.status, 200, "{}", asked.text);
        after(app, Duration::from_secs(299)).await;
        assert_eq!(app.rows("verifications").await, 1);
        after(app, Duration::from_secs(1)).await;
        assert_eq!(app.rows("verifications").await, 0);
        after(app, 29 * 24 * HOUR).await;
        assert_eq!(app.rows("sends").await, 1);
    }

    /// Proves DEL-8: a table that cannot be purged keeps nothing in the others.
    async fn one_table_that_fails_holds_up_no_other(app) {
        let wang = app.person("wang").await;
        let asked = app.post_as(&wang.token, "/v1/user/register", &json!({ "phone": PHONE })).await;
        assert_eq!(asked.status, 200, "{}", asked.text);
        app.sql("ALTER TABLE spent_codes RENAME TO away; ALTER TABLE guesses RENAME TO away_too").await;
        after(app, 31 * 24 * HOUR).await;
        for table in ["verifications", "turns", "sends"] {
            assert_eq!(app.rows(table).await, 0, "{table}");
        }
    }
}
