//! How many messages go out: to one number, for one person, from one address, and in all.

use std::time::Duration;

use axum::{body::Body, http::Request};
use futures_util::future::join_all;
use menjin_core::sending::SendLimits;
use serde_json::{Value, json};

use super::{PHONE, REGISTER, status};
use crate::harness::{Reply, TestApp, on_each_database};

fn refused(reply: &Reply) -> (u16, Value) {
    (reply.status.as_u16(), status(reply))
}

impl TestApp {
    /// Asks for a code past a proxy that says where the request came from.
    async fn ask_from(&self, token: &str, phone: &str, forwarded: &str) -> Reply {
        let request = Request::post(REGISTER)
            .header("content-type", "application/json")
            .header("authorization", format!("Bearer {token}"))
            .header("x-forwarded-for", forwarded);
        let body = json!({ "phone": phone }).to_string();
        self.send(request.body(Body::from(body)).unwrap()).await
    }
}

on_each_database! {
    /// Proves OTP-8: a number gets one message a minute, five an hour, ten a day, whoever asks.
    async fn a_number_gets_so_many_messages(app) {
        let mut people = Vec::new();
        for n in 0..20 {
            people.push(app.person(&format!("p{n}")).await);
        }
        let many = people.iter().cycle().take(100).map(|person| app.ask(person, PHONE));
        let all = join_all(many).await;
        for reply in &all {
            assert!([200, 429].contains(&reply.status.as_u16()), "{}", reply.text);
        }
        assert_eq!(app.sms().await.len(), 1);
        let again = app.ask(&people[0], PHONE).await;
        assert_eq!(refused(&again), (429, json!("too_many_requests")));
        assert_eq!(again.header("retry-after"), "60");
        let mut sent = vec![1];
        for hour in 0..25 {
            for minute in 0..6 {
                app.clock.advance(Duration::from_mins(1));
                let person = &people[(hour * 6 + minute) % 20];
                app.post_as(&app.sign_in(&person.name).await.token(), REGISTER,
                            &json!({ "phone": PHONE })).await;
            }
            sent.push(app.sms().await.len());
            app.clock.advance(Duration::from_mins(54));
        }
        assert_eq!(sent[1], 5, "in the first hour");
        assert_eq!(sent[2..24], [10; 22], "in the first day");
        assert!(sent[25] > 10, "the day is over");
    }

    /// Proves OTP-9: twenty spellings are one number.
    async fn spellings_are_one_number(app) {
        let spellings = [
            "13800138000", "+8613800138000", "008613800138000", "8613800138000", "138 0013 8000",
            "+86 138-0013-8000", "１３８００１３８０００", "138\u{200b}00138000", "(86) 13800138000",
            " 13800138000", "138.0013.8000", "＋８６ 13800138000", "13800138000\u{feff}",
            "\u{202d}13800138000\u{202c}", "138\u{3000}00138000", "0086-13800138000",
            "+86\u{a0}13800138000", "1380013-8000", "86 13800138000", "138\u{2060}00138000",
        ];
        for (n, spelling) in spellings.iter().enumerate() {
            let person = app.person(&format!("p{n}")).await;
            let reply = app.ask(&person, spelling).await;
            assert_eq!(reply.status, if n == 0 { 200 } else { 429 }, "{spelling:?}");
        }
        assert_eq!(app.sms().await.len(), 1);
    }

    /// Proves OTP-10 and OTP-15: one person asks ten times a day with five numbers at most, and a
    /// number that is somebody's counts like any other.
    async fn a_person_asks_so_often(app) {
        app.user("li", "13900139000").await;
        let wang = app.person("wang").await;
        assert_eq!(status(&app.ask(&wang, "13900139000").await), "user_exists");
        for n in 0..4 {
            assert_eq!(app.ask(&wang, &format!("1370013700{n}")).await.status, 200, "{n}");
        }
        let sixth = app.ask(&wang, "13700137009").await;
        assert_eq!(refused(&sixth), (429, json!("too_many_requests")));
        for n in 0..5 {
            app.clock.advance(Duration::from_mins(1));
            assert_eq!(app.ask(&wang, &format!("1370013700{}", n % 4)).await.status, 200, "{n}");
        }
        app.clock.advance(Duration::from_mins(10));
        let eleventh = app.ask(&wang, "13900139000").await;
        assert_eq!(refused(&eleventh), (429, json!("too_many_requests")));
        let wait: u64 = eleventh.header("retry-after").parse().unwrap();
        assert!(wait > 80_000, "{wait}");
    }

    /// Proves OTP-10: whoever deletes themselves and comes back has no fresh allowance.
    async fn deleting_oneself_brings_no_new_messages(app) {
        let wang = app.person("wang").await;
        for n in 0..5 {
            assert_eq!(app.ask(&wang, &format!("1370013700{n}")).await.status, 200, "{n}");
        }
        let body = json!({ "openid": wang.openid });
        assert_eq!(app.post_as(&wang.token, "/v1/user/delete", &body).await.status, 200);
        let again = app.person("wang").await;
        assert_eq!(app.ask(&again, "13700137009").await.status, 429, "a sixth number");
        assert_eq!(app.rows("sends WHERE address <> ''").await, 0);
    }

    /// Proves OTP-11: what was sent counts after a restart, and at another server on the database.
    async fn limits_outlive_the_server(app) {
        let wang = app.person("wang").await;
        assert_eq!(app.ask(&wang, PHONE).await.status, 200);
        let next = app.replica().await;
        assert_eq!(next.ask(&wang, PHONE).await.status, 429);
        app.clock.advance(Duration::from_mins(1));
        assert_eq!(next.ask(&wang, PHONE).await.status, 200);
        assert_eq!(app.ask(&wang, PHONE).await.status, 429);
        next.app.close().await;
    }
}

fn limits(per_address: u32, budget: u32) -> impl Fn(&mut menjin_server::Options) {
    move |options| {
        options.registration.limits = SendLimits {
            per_address,
            budget,
        };
        options.trusted_proxies = vec!["0.0.0.0/32".parse().unwrap()];
    }
}

/// Proves OTP-11: two servers together send as many as one.
#[tokio::test]
async fn replicas_count_messages_together() {
    let one = TestApp::postgres().await;
    let two = one.replica().await;
    let mut people = Vec::new();
    for n in 0..10 {
        people.push(one.person(&format!("p{n}")).await);
    }
    let many = (0..60).map(|n| [&one, &two][n % 2].ask(&people[n % 10], PHONE));
    join_all(many).await;
    assert_eq!(one.sms().await.len(), 1);
    two.app.close().await;
    one.end().await;
}

/// Proves OTP-10: an address asks so often, and everybody together.
#[tokio::test]
async fn addresses_and_everybody_have_a_limit() {
    let app = TestApp::sqlite_with(limits(3, 5)).await;
    let mut people = Vec::new();
    for n in 0..8 {
        people.push(app.person(&format!("p{n}")).await);
    }
    let ask = async |n: usize, from: &str| {
        let phone = format!("1380013800{n}");
        app.ask_from(&people[n].token, &phone, from)
            .await
            .status
            .as_u16()
    };
    for n in 0..3 {
        assert_eq!(ask(n, "192.0.2.1").await, 200);
    }
    assert_eq!(ask(3, "192.0.2.1").await, 429);
    // Whatever stands further left was written by the caller.
    assert_eq!(ask(3, "203.0.113.9, 192.0.2.1").await, 429);
    assert_eq!(ask(3, "192.0.2.2").await, 200);
    assert_eq!(ask(4, "192.0.2.3").await, 200);
    assert_eq!(ask(5, "192.0.2.4").await, 429, "the budget of the minute");
    app.clock.advance(Duration::from_mins(1));
    assert_eq!(ask(5, "192.0.2.4").await, 200);
    app.end().await;
}

/// Proves OTP-10: a hundred forged addresses are one, where no proxy is trusted.
#[tokio::test]
async fn forged_addresses_are_one() {
    let app = TestApp::sqlite_with(|options| {
        options.registration.limits.per_address = 3;
    })
    .await;
    let mut sent = 0;
    for n in 0..100 {
        let person = app.person(&format!("p{n}")).await;
        let (phone, from) = (format!("137{n:08}"), format!("198.51.100.{n}"));
        let reply = app.ask_from(&person.token, &phone, &from).await;
        sent += u32::from(reply.status == 200);
    }
    assert_eq!(sent, 3);
    app.end().await;
}
