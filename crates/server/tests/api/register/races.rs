//! Many at once: one number has one owner, and one person one account.

use std::{
    collections::HashSet,
    sync::atomic::{AtomicUsize, Ordering},
};

use futures_util::future::{join, join_all};
use serde_json::json;

use super::{PHONE, REGISTER, VERIFY, status};
use crate::harness::{TestApp, held::Held, on_each_database};

on_each_database! {
    /// Proves REG-1: a hundred people with one number; one gets it.
    async fn one_number_many_people(app) {
        let mut people = Vec::new();
        for n in 0..100 {
            let name = format!("p{n}");
            let person = app.person(&name).await;
            people.push((person, app.phone_code(&name, PHONE)));
        }
        let all = people.iter().map(async |(person, code)| {
            let body = json!({ "phone_code": code });
            app.post_as(&person.token, REGISTER, &body).await
        });
        let all = join_all(all).await;
        let words: Vec<_> = all.iter().map(status).collect();
        assert!(all.iter().all(|reply| reply.status == 200), "{words:?}");
        assert_eq!(words.iter().filter(|word| **word == "verified").count(), 1);
        assert_eq!(words.iter().filter(|word| **word == "user_exists").count(), 99);
        assert_eq!(app.rows("users").await, 1);
        assert_eq!(app.rows("identities WHERE user_id IS NOT NULL").await, 1);
    }

    /// Proves REG-2: one person a hundred times; there is one account.
    async fn one_person_many_numbers(app) {
        let person = app.person("wang").await;
        let codes: Vec<_> = (0..100).map(|n| {
            // Each code belongs to a number of its own.
            app.phone_code("wang", &format!("137{n:08}"))
        }).collect();
        let all = codes.iter().map(async |code| {
            let body = json!({ "phone_code": code });
            app.post_as(&person.token, REGISTER, &body).await
        });
        let all = join_all(all).await;
        for reply in &all {
            let answer = (reply.status.as_u16(), status(reply));
            assert!(answer == (200, json!("verified")) || answer == (409, json!("already_registered")),
                    "{}", reply.text);
        }
        let good = all.iter().filter(|reply| reply.status == 200);
        let uids: HashSet<_> = good.map(|reply| reply.json()["uid"].to_string()).collect();
        assert_eq!((uids.len(), app.rows("users").await), (1, 1));
    }

    /// Proves REG-1: what was said when the code was asked for is a hint; the code decides.
    async fn a_number_that_was_taken_meanwhile(app) {
        let wang = app.person("wang").await;
        assert_eq!(app.ask(&wang, PHONE).await.status, 200);
        let code = app.code_to("+8613800138000").await;
        app.user("li", PHONE).await;
        app.clock.advance(std::time::Duration::from_secs(1));
        let reply = app.verify(&wang, PHONE, &code).await;
        assert_eq!((reply.status.as_u16(), status(&reply)), (409, json!("phone_in_use")));
        assert_eq!(app.rows("users").await, 1);
        assert_eq!(app.me(&wang.token).await.json()["registered"], false);
    }

    /// A code and the phone button at once, for one person and one number.
    async fn two_ways_at_once(app) {
        for n in 0..20 {
            let (name, number) = (format!("p{n}"), format!("137{n:08}"));
            let person = app.person(&name).await;
            app.ask(&person, &number).await;
            let by_code = json!({ "phone": number, "code": app.code_to(&format!("+86{number}")).await });
            let by_button = json!({ "phone_code": app.phone_code(&name, &number) });
            let (one, two) = tokio::join!(
                app.post_as(&person.token, VERIFY, &by_code),
                app.post_as(&person.token, REGISTER, &by_button),
            );
            let good = [&one, &two].iter().filter(|reply| reply.status == 200).count();
            assert_eq!(good, 1, "{} {}", one.text, two.text);
        }
        assert_eq!(app.rows("users").await, 20);
    }
}

/// Proves REG-1: over two servers as well.
#[tokio::test]
async fn one_number_over_two_replicas() {
    let one = TestApp::postgres().await;
    let two = one.replica().await;
    let mut people = Vec::new();
    for n in 0..50 {
        let name = format!("p{n}");
        let person = one.person(&name).await;
        people.push((person, one.phone_code(&name, PHONE)));
    }
    let all = people.iter().enumerate().map(async |(n, (person, code))| {
        let body = json!({ "phone_code": code });
        let app = [&one, &two][n % 2];
        app.post_as(&person.token, REGISTER, &body).await
    });
    let words: Vec<_> = join_all(all).await.iter().map(status).collect();
    assert_eq!(words.iter().filter(|word| **word == "verified").count(), 1);
    assert_eq!(one.rows("users").await, 1);
    two.app.close().await;
    one.end().await;
}

/// Proves OTP-10: many who wait to be counted keep nobody else from the database, and are told to come back.
#[tokio::test]
async fn who_waits_for_a_turn_leaves_room_for_others() {
    let app = TestApp::postgres().await;
    let mut people = Vec::new();
    for n in 0..40 {
        people.push(app.person(&format!("p{n}")).await);
    }
    assert_eq!(app.ask(&people[0], PHONE).await.status, 200);
    let refused = AtomicUsize::new(0);
    let slow = Held::begin(&app, "UPDATE turns SET taken_at = taken_at").await;
    let many = people.iter().enumerate().skip(1);
    let many = join_all(many.map(async |(n, person)| {
        let number = format!("137001370{n:02}");
        let status = app.ask(person, &number).await.status.as_u16();
        refused.fetch_add(usize::from(status == 503), Ordering::Relaxed);
        status
    }));
    let beside = async {
        while slow.waiting().await < 4 {
            tokio::task::yield_now().await;
        }
        for person in &people {
            assert_eq!(app.me(&person.token).await.status, 200);
        }
        assert_eq!(slow.waiting().await, 4);
        while refused.load(Ordering::Relaxed) < 35 {
            tokio::task::yield_now().await;
        }
        slow.end_when(4).await;
    };
    let (all, ()) = join(many, beside).await;
    let count = |status| all.iter().filter(|reply| **reply == status).count();
    assert_eq!((count(200), count(503)), (4, 35), "{all:?}");
    app.end().await;
}
