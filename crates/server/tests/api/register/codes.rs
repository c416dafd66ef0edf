//! The six digits: how long they count, how often they may be tried, and for what.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;

use super::{E164, PHONE, VERIFY, status, wrong};
use crate::harness::{TestApp, on_each_database};

on_each_database! {
    /// Proves OTP-3: a code counts for five minutes and not a second longer.
    async fn a_code_is_over_after_five_minutes(app) {
        let wang = app.person("wang").await;
        app.ask(&wang, PHONE).await;
        let code = app.code_to(E164).await;
        app.clock.advance(Duration::from_secs(301));
        let late = app.verify(&wang, PHONE, &code).await;
        assert_eq!((late.status.as_u16(), status(&late)), (400, json!("verification_failed")));
        app.ask(&wang, PHONE).await;
        let code = app.code_to(E164).await;
        app.clock.advance(Duration::from_secs(299));
        assert_eq!(status(&app.verify(&wang, PHONE, &code).await), "verified");
    }

    /// Proves OTP-4: of fifty wrong guesses at once five are compared; then the right one is refused.
    async fn a_code_dies_of_five_wrong_tries(app) {
        let wang = app.person("wang").await;
        app.ask(&wang, PHONE).await;
        let code = app.code_to(E164).await;
        let guess = wrong(&code);
        let all = join_all((0..50).map(|_| app.verify(&wang, PHONE, &guess))).await;
        assert!(all.iter().all(|reply| reply.status == 400), "{all:?}");
        assert_eq!(app.rows("verifications WHERE tries = 5").await, 1);
        assert_eq!(app.rows("guesses").await, 5);
        assert_eq!(app.verify(&wang, PHONE, &code).await.status, 400);
        assert_eq!(app.rows("users").await, 0);
    }

    /// Proves OTP-4: the sixth try is refused, right as it is.
    async fn the_right_code_comes_too_late(app) {
        let wang = app.person("wang").await;
        app.ask(&wang, PHONE).await;
        let code = app.code_to(E164).await;
        for _ in 0..5 {
            assert_eq!(app.verify(&wang, PHONE, &wrong(&code)).await.status, 400);
        }
        let reply = app.verify(&wang, PHONE, &code).await;
        assert_eq!((reply.status.as_u16(), status(&reply)), (400, json!("verification_failed")));
    }

    /// Proves OTP-5: a new code does not bring back the tries that the number has used up, whoever
    /// asks, from wherever, at whichever server.
    async fn wrong_tries_are_counted_over_all_codes(app) {
        let mut wrongs = 0;
        let mut last = None;
        for hour in 0..3 {
            for person in ["wang", "li", "zhao"] {
                let person = app.person(person).await;
                assert_eq!(app.ask(&person, PHONE).await.status, 200, "{hour}");
                let code = app.code_to(E164).await;
                for _ in 0..4 {
                    let reply = app.verify(&person, PHONE, &wrong(&code)).await;
                    wrongs += u32::from(reply.status == 400);
                    last = Some(reply);
                }
                app.clock.advance(Duration::from_mins(2));
            }
            assert_eq!(wrongs, 10 * (hour + 1).min(2), "in the hour {hour}");
            app.clock.advance(Duration::from_hours(1));
        }
        let reply = last.unwrap();
        assert_eq!(reply.status, 429, "twenty a day");
        let wait: u64 = reply.header("retry-after").parse().unwrap();
        assert!((72_000..86_400).contains(&wait), "{wait}");
    }

    /// Proves OTP-6: of fifty who send the right code at once, one is believed.
    async fn a_code_works_once(app) {
        let wang = app.person("wang").await;
        app.ask(&wang, PHONE).await;
        let body = json!({ "phone": PHONE, "code": app.code_to(E164).await });
        let all = join_all((0..50).map(|_| app.post(VERIFY, &body))).await;
        let good = all.iter().filter(|reply| reply.status == 200).count();
        assert_eq!(good, 1);
        for reply in &all {
            assert!([200, 400, 429].contains(&reply.status.as_u16()), "{}", reply.text);
        }
        assert_eq!(app.rows("users").await, 1);
    }

    /// Proves OTP-1: a code that begins with zeros works, as text and as a number.
    async fn leading_zeros_count(app) {
        let mut seen = 0;
        for n in 0..400 {
            if seen == 2 {
                break;
            }
            let (name, number) = (format!("p{n}"), format!("137{n:08}"));
            let person = app.person(&name).await;
            app.ask(&person, &number).await;
            let code = app.code_to(&format!("+86{number}")).await;
            if !code.starts_with('0') {
                continue;
            }
            let sent = if seen == 0 { json!(code) } else { json!(code.parse::<u32>().unwrap()) };
            let body = json!({ "phone": number, "code": sent });
            let reply = app.post_as(&person.token, VERIFY, &body).await;
            assert_eq!(status(&reply), "verified", "{code}");
            seen += 1;
        }
        assert_eq!(seen, 2);
    }

    /// A second code kills the first, also one for another number.
    async fn the_newest_code_counts(app) {
        let wang = app.person("wang").await;
        app.ask(&wang, PHONE).await;
        let first = app.code_to(E164).await;
        app.clock.advance(Duration::from_mins(1));
        app.ask(&wang, PHONE).await;
        let second = app.code_to(E164).await;
        if first != second {
            assert_eq!(app.verify(&wang, PHONE, &first).await.status, 400);
        }
        app.ask(&wang, "13900139000").await;
        assert_eq!(app.verify(&wang, PHONE, &second).await.status, 400);
        let third = app.code_to("+8613900139000").await;
        assert_eq!(status(&app.verify(&wang, "13900139000", &third).await), "verified");
    }

    /// Proves OTP-7: a code is worth nothing with the bearer of somebody else or with another number.
    async fn a_code_is_bound_to_who_asked_and_to_the_number(app) {
        let wang = app.person("wang").await;
        let li = app.person("li").await;
        app.ask(&wang, PHONE).await;
        app.ask(&li, "13900139000").await;
        let (ours, theirs) = (app.code_to(E164).await, app.code_to("+8613900139000").await);
        assert_eq!(app.verify(&li, PHONE, &ours).await.status, 400);
        if ours != theirs {
            assert_eq!(app.verify(&wang, "13900139000", &ours).await.status, 400);
            assert_eq!(app.verify(&wang, PHONE, &theirs).await.status, 400);
        }
        assert_eq!(app.rows("users").await, 0);
        assert_eq!(status(&app.verify(&wang, PHONE, &ours).await), "verified");
    }
}

/// Proves OTP-5: the count is one over two servers.
#[tokio::test]
async fn replicas_count_tries_together() {
    let one = TestApp::postgres().await;
    let two = one.replica().await;
    let wang = one.person("wang").await;
    one.ask(&wang, PHONE).await;
    let guess = wrong(&one.code_to(E164).await);
    let tries = (0..40).map(|n| [&one, &two][n % 2].verify(&wang, PHONE, &guess));
    let all = join_all(tries).await;
    let compared = all.iter().filter(|reply| reply.status == 400).count();
    assert_eq!(compared, 40, "none is told from another");
    assert_eq!(one.rows("verifications WHERE tries = 5").await, 1);
    assert_eq!(one.rows("guesses").await, 5);
    two.app.close().await;
    one.end().await;
}

on_each_database! {
    /// Proves OTP-5: tries where no code is out lock nobody out.
    async fn a_number_without_a_code_cannot_be_locked(app) {
        let body = json!({ "phone": PHONE, "code": "000000" });
        for _ in 0..30 {
            assert_eq!(app.post(VERIFY, &body).await.status, 400);
        }
        let wang = app.person("wang").await;
        app.ask(&wang, PHONE).await;
        let code = app.code_to(E164).await;
        assert_eq!(status(&app.verify(&wang, PHONE, &code).await), "verified");
    }

    /// Of many who send the right code at once, those who came too late have not tried a wrong one.
    async fn a_right_code_that_came_too_late_is_no_wrong_one(app) {
        let wang = app.person("wang").await;
        app.ask(&wang, PHONE).await;
        let body = json!({ "phone": PHONE, "code": app.code_to(E164).await });
        join_all((0..20).map(|_| app.post(VERIFY, &body))).await;
        assert_eq!(app.rows("users").await, 1);
        assert_eq!(app.rows("guesses").await, 0);
    }
}
