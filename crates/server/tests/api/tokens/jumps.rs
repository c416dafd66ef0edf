//! A wall clock that somebody sets while the server runs.

use std::time::Duration;

use super::{EXPIRED, INVALID};
use crate::harness::{TestApp, on_each_database};

const SECOND: i64 = 1_000;
const HOUR: i64 = 3_600 * SECOND;
const YEAR: i64 = 365 * 24 * HOUR;

async fn fresh(app: &TestApp) -> String {
    let token = app.sign_in("wang").await.token();
    assert_eq!(app.me(&token).await.status, 200);
    token
}

on_each_database! {
    /// Proves F20: an hour ahead, and what was made before is over at once.
    async fn ahead_by_an_hour(app) {
        let old = fresh(app).await;
        app.clock.jump(HOUR - SECOND);
        assert_eq!(app.me(&old).await.status, 200);
        app.clock.jump(SECOND);
        assert_eq!(app.me(&old).await.line(), EXPIRED);
        fresh(app).await;
    }

    /// Proves F20: an hour back, and what was over stays over; what is made from now on is good for
    /// its whole hour.
    async fn back_by_an_hour(app) {
        let old = fresh(app).await;
        app.clock.advance(Duration::from_hours(1));
        assert_eq!(app.me(&old).await.line(), EXPIRED);
        let young = fresh(app).await;
        app.clock.jump(-HOUR);
        assert_eq!(app.me(&old).await.line(), EXPIRED, "it lives again");
        // Made an hour from now, as it seems, so it cannot be judged; the next sign-in mends it.
        assert_eq!(app.me(&young).await.line(), INVALID);
        let new = fresh(app).await;
        for _ in 0..60 {
            app.clock.advance(Duration::from_mins(1));
            assert_eq!(app.me(&new).await.status, 200);
            assert_eq!(app.me(&old).await.line(), EXPIRED);
        }
        app.clock.advance(Duration::from_secs(1));
        assert_eq!(app.me(&new).await.line(), EXPIRED);
    }

    /// Proves F20: somebody signs in right after the jump, before the clock was looked at for
    /// anything else.
    async fn a_sign_in_notices_the_jump(app) {
        let old = fresh(app).await;
        app.clock.advance(Duration::from_hours(1));
        assert_eq!(app.me(&old).await.line(), EXPIRED);
        app.clock.jump(-2 * HOUR);
        let new = app.sign_in("wang").await.token();
        app.clock.advance(Duration::from_secs(5));
        assert_eq!(app.me(&new).await.status, 200);
        assert_eq!(app.me(&old).await.line(), INVALID);
    }

    /// Proves F20: a year ahead and back again.
    async fn ahead_by_a_year_and_back(app) {
        let old = fresh(app).await;
        app.clock.jump(YEAR);
        assert_eq!(app.me(&old).await.line(), EXPIRED);
        let far = fresh(app).await;
        app.clock.jump(-YEAR);
        assert_eq!(app.me(&old).await.line(), EXPIRED);
        assert_eq!(app.me(&far).await.line(), INVALID);
        let new = fresh(app).await;
        app.clock.advance(Duration::from_secs(3_599));
        assert_eq!(app.me(&new).await.status, 200);
        assert_eq!(app.me(&old).await.line(), EXPIRED);
    }

    /// Proves F20: two seconds, as NTP may set it, are nobody's business.
    async fn back_by_two_seconds(app) {
        let old = fresh(app).await;
        app.clock.jump(-2 * SECOND);
        assert_eq!(app.me(&old).await.status, 200);
        let new = fresh(app).await;
        app.clock.advance(Duration::from_secs(3_599));
        assert_eq!(app.me(&new).await.status, 200);
    }

    /// Proves F20: wherever the clock jumps, there is a key to sign with, and a next one.
    async fn keys_outlive_a_jump(app) {
        for jump in [HOUR, -HOUR, YEAR, -YEAR, -2 * SECOND, -YEAR, YEAR] {
            app.clock.jump(jump);
            app.app.start().await.unwrap();
            fresh(app).await;
            let keys = app.get("/.well-known/jwks.json").await.json();
            assert!(keys["keys"].as_array().unwrap().len() >= 2, "{jump}");
        }
    }
}
