//! Many at once: one number has one owner, and nobody is left without a number.

use std::collections::HashSet;

use futures_util::future::{join, join_all};
use serde_json::json;

use super::answer;
use crate::harness::{
    Person, Reply, TestApp,
    held::{Held, ends},
    on_each_database,
};

/// Two people who change their numbers over and over.
struct Pair {
    people: [Person; 2],
    numbers: [String; 2],
}

impl Pair {
    async fn new(app: &TestApp, name: &str, first: u64) -> Self {
        let numbers = [first, first + 1].map(|number| number.to_string());
        let people = [
            app.user(&format!("{name}1"), &numbers[0]).await,
            app.user(&format!("{name}2"), &numbers[1]).await,
        ];
        Self { people, numbers }
    }

    /// Both want a number at the same moment. Whoever gets it goes on with the token of the reply.
    async fn want(&mut self, app: &TestApp, wanted: [&str; 2]) -> [bool; 2] {
        let [one, two] = &self.people;
        let both = join_all([app.tap_phone(one, wanted[0]), app.tap_phone(two, wanted[1])]).await;
        let mut got = [false; 2];
        for (n, reply) in both.iter().enumerate() {
            got[n] = self.note(n, wanted[n], reply);
        }
        got
    }

    fn note(&mut self, n: usize, wanted: &str, reply: &Reply) -> bool {
        if reply.status == 200 {
            self.people[n].token = reply.token();
            wanted.clone_into(&mut self.numbers[n]);
            return true;
        }
        assert_eq!(
            answer(reply),
            (409, json!("phone_in_use")),
            "{}",
            reply.text
        );
        false
    }

    /// Everybody has the number that they were told they have, and nobody shares one.
    async fn check(&self, app: &TestApp) {
        let mut seen = HashSet::new();
        for (person, number) in self.people.iter().zip(&self.numbers) {
            let me = app.me(&person.token).await.json();
            assert_eq!(me["phone"], format!("+86{number}"), "{}", person.name);
            assert!(seen.insert(number));
        }
        let lost = "users WHERE phone IS NULL OR phone = '' OR phone_verified_at IS NULL";
        assert_eq!(app.rows(lost).await, 0);
    }
}

on_each_database! {
    /// Proves PRF-2: two users want one number, 500 times: one of them has it, and both have one.
    async fn two_users_and_one_number(app) {
        let mut pair = Pair::new(app, "p", 13_800_000_000).await;
        for round in 0..250_u64 {
            let wanted = (13_900_000_000 + round).to_string();
            let got = pair.want(app, [&wanted, &wanted]).await;
            assert_eq!(got.iter().filter(|got| **got).count(), 1, "round {round}");
            if round % 25 == 0 {
                pair.check(app).await;
            }
        }
        pair.check(app).await;
        assert_eq!(app.rows("audit WHERE event = 'phone_changed'").await, 250);
    }

    /// Proves PRF-2: two users want each other's number, or one wants what the other is leaving, 500
    /// times: at no time has a number two owners, or an owner none.
    async fn two_users_who_swap(app) {
        let mut pair = Pair::new(app, "p", 13_800_000_000).await;
        for round in 0..125_u64 {
            let [one, two] = pair.numbers.clone();
            let got = pair.want(app, [&two, &one]).await;
            assert_eq!(got, [false, false], "neither has left theirs");
            let free = (13_900_000_000 + round).to_string();
            let [one, _] = pair.numbers.clone();
            let got = pair.want(app, [&free, &one]).await;
            assert!(got[0], "the number is free");
            if round % 25 == 0 {
                pair.check(app).await;
            }
        }
        pair.check(app).await;
    }

    /// Proves PRF-1, PRF-2: of fifty changes with one token, one counts, since it ends the token.
    async fn one_token_changes_the_number_once(app) {
        let wang = app.user("wang", "13800138000").await;
        let numbers: Vec<_> = (0..50_u64).map(|n| (13_900_000_000 + n).to_string()).collect();
        let all = join_all(numbers.iter().map(|number| app.tap_phone(&wang, number))).await;
        assert_eq!(all.iter().filter(|reply| reply.status == 200).count(), 1);
        for reply in all.iter().filter(|reply| reply.status != 200) {
            assert_eq!(reply.line(), r#"401 {"error":"invalid_token"}"#);
        }
        assert_eq!((app.rows("users").await, app.rows("errands").await), (1, 1));
    }

    /// Proves PRF-2: 25 guests register a number while 25 users move to it; it has one owner.
    async fn guests_and_users_want_one_number(app) {
        let mut people = Vec::new();
        for n in 0..25_u64 {
            people.push(app.user(&format!("u{n}"), &(13_800_000_000 + n).to_string()).await);
            people.push(app.person(&format!("g{n}")).await);
        }
        let all = people.iter().enumerate().map(async |(n, person)| {
            if n % 2 == 0 {
                return app.tap_phone(person, "13900139000").await;
            }
            let code = app.phone_code(&person.name, "13900139000");
            let body = json!({ "phone_code": code });
            app.post_as(&person.token, crate::register::REGISTER, &body).await
        });
        let all = join_all(all).await;
        let good = ["phone_updated", "verified"].map(|word| json!(word));
        let good = all.iter().filter(|reply| good.contains(&reply.json()["status"]));
        assert_eq!(good.count(), 1);
        assert_eq!(app.rows("users WHERE phone = '+8613900139000'").await, 1);
        assert_eq!(app.rows("users WHERE phone IS NULL").await, 0);
    }
}

/// Proves PRF-2: an import, which takes no turns, gives a number away while somebody changes theirs to it.
#[tokio::test]
async fn a_number_that_an_import_just_took_is_in_use() {
    let app = TestApp::postgres().await;
    let wang = app.user("wang", "13800138000").await;
    assert_eq!(app.want_phone(&wang, "13900139000").await.status, 200);
    let code = app.code_to("+8613900139000").await;
    let import = Held::begin(
        &app,
        "INSERT INTO users (phone, created_at, updated_at) VALUES ('+8613900139000', 1, 1)",
    );
    let import = import.await;
    let (reply, ()) = join(app.change_verify(&wang, &code), import.end_when(1)).await;
    assert_eq!(
        answer(&reply),
        (409, json!("phone_in_use")),
        "{}",
        reply.text
    );
    assert_eq!(
        app.rows("verifications").await + app.rows("guesses").await,
        0
    );
    app.end().await;
}

/// Proves PRF-1: a token that is ended while its number is changed becomes no fresh one.
#[tokio::test]
async fn a_token_that_ends_meanwhile_changes_no_number() {
    let app = TestApp::postgres().await;
    app.user("wang", "13800138000").await;
    for n in 0..2 {
        let wang = app.person("wang").await;
        let held = Held::begin(&app, &ends(&wang.token)[n]).await;
        let late = app.tap_phone(&wang, "13900139000");
        let (late, ()) = join(late, held.end_when(1)).await;
        assert_eq!(late.line(), r#"401 {"error":"invalid_token"}"#, "{n}");
    }
    assert_eq!(app.rows("users WHERE phone = '+8613800138000'").await, 1);
    app.end().await;
}
