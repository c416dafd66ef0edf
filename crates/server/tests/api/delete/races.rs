//! Deletion against whatever else a person does at that moment.

use futures_util::future::{join, join_all, join3};
use serde_json::json;

use super::INVALID;
use crate::harness::{Person, Reply, TestApp, on_each_database};

const REGISTER: &str = "/v1/user/register";

/// The number of somebody.
fn number(n: usize) -> String {
    format!("139{n:08}")
}

/// The uid that a person's token is for.
async fn uid(app: &TestApp, person: &Person) -> i64 {
    app.me(&person.token).await.json()["uid"].as_i64().unwrap()
}

/// After the deletion: no token of any sign-in is good for the account, and nothing of it is there.
async fn assert_gone(app: &TestApp, uid: i64, sign_ins: &[Reply]) {
    for reply in sign_ins {
        // A replay of a code whose identity is gone is refused; nothing else goes wrong.
        if reply.status == 400 {
            assert_eq!(reply.json()["error"]["errcode"], 40_029, "{}", reply.text);
            continue;
        }
        let me = app.me(&reply.token()).await;
        if me.status == 200 {
            assert_eq!(me.json()["registered"], false, "{}", me.text);
        } else {
            assert_eq!(me.line(), INVALID);
        }
    }
    assert_eq!(app.rows(&format!("users WHERE uid = {uid}")).await, 0);
    assert_eq!(
        app.rows(&format!("identities WHERE user_id = {uid}")).await,
        0
    );
}

/// Registers, and deletes while signing in: with a fresh code, with one that was used just before, and in
/// the other mini program, where the account is joined by the unionid.
async fn race(app: &TestApp, n: usize) {
    let (name, number) = (format!("person {n}"), number(n));
    let person = app.user(&name, &number).await;
    let old = uid(app, &person).await;
    let used = app.code(&name);
    app.login(&used).await.token();
    let deleting = app.delete(&person.token, &person.openid);
    let there = app.sign_in_there(&name);
    let here = join(app.sign_in(&name), app.login(&used));
    // Who is asked first is another one each time.
    let (deleted, there, (fresh, replayed)) = if n.is_multiple_of(2) {
        join3(deleting, there, here).await
    } else {
        let (here, there, deleted) = join3(here, there, deleting).await;
        (deleted, there, here)
    };
    assert_eq!(deleted.status, 200, "{}", deleted.text);
    assert_gone(app, old, &[fresh, replayed, there]).await;
    if n.is_multiple_of(10) {
        let again = app.user(&name, &number).await;
        let me = app.me(&again.token).await.json();
        assert!(
            me["uid"].as_i64().unwrap() > old && me["nickname"] == "",
            "{me}"
        );
    }
}

/// Many races, ten at once.
async fn races(app: &TestApp, numbers: std::ops::Range<usize>) {
    let numbers: Vec<_> = numbers.collect();
    for ten in numbers.chunks(10) {
        join_all(ten.iter().map(|n| race(app, *n))).await;
    }
}

on_each_database! {
    /// Proves DEL-4, with its three neighbours: a thousand times.
    async fn sign_ins_against_deletion_one(app) {
        races(app, 0..250).await;
    }

    /// Proves DEL-4, with its three neighbours: a thousand times.
    async fn sign_ins_against_deletion_two(app) {
        races(app, 250..500).await;
    }

    /// Proves DEL-4, with its three neighbours: a thousand times.
    async fn sign_ins_against_deletion_three(app) {
        races(app, 500..750).await;
    }

    /// Proves DEL-4, with its three neighbours: a thousand times.
    async fn sign_ins_against_deletion_four(app) {
        races(app, 750..1_000).await;
    }

    /// A guest who registers and goes at once is either: never an account without anybody behind it.
    async fn registration_against_deletion(app) {
        let all = (0..60).map(async |n| {
            let (name, number) = (format!("person {n}"), number(n));
            let guest = app.person(&name).await;
            let body = json!({ "phone_code": app.phone_code(&name, &number) });
            let registering = app.post_as(&guest.token, REGISTER, &body);
            let deleting = app.delete(&guest.token, &guest.openid);
            let (registered, deleted) = join(registering, deleting).await;
            assert_eq!(deleted.status, 200, "{}", deleted.text);
            assert!([200, 401].contains(&registered.status.as_u16()), "{}", registered.line());
        });
        join_all(all).await;
        assert_eq!(app.rows("users").await, app.rows("identities").await);
        let alone = "users u WHERE NOT EXISTS (SELECT 1 FROM identities i WHERE i.user_id = u.uid)";
        assert_eq!(app.rows(alone).await, 0);
    }

    /// Changes that were under way make nobody anew.
    async fn changes_against_deletion(app) {
        let all = (0..60).map(async |n| {
            let name = format!("person {n}");
            let person = app.user(&name, &number(n)).await;
            let words = json!({ "nickname": "canary" });
            let code = app.phone_code(&name, &number(n + 1_000));
            let new = json!({ "phone_code": code });
            let (set, moved, deleted) = join3(
                app.post_as(&person.token, "/v1/user/setuser", &words),
                app.post_as(&person.token, "/v1/user/newphone", &new),
                app.delete(&person.token, &person.openid),
            )
            .await;
            for reply in [set, moved] {
                assert!([200, 401].contains(&reply.status.as_u16()), "{}", reply.line());
            }
            assert!([200, 401].contains(&deleted.status.as_u16()), "{}", deleted.line());
            if deleted.status == 401 {
                let token = app.sign_in(&name).await.token();
                assert_eq!(app.delete(&token, &person.openid).await.status, 200);
            }
        });
        join_all(all).await;
        assert_eq!(app.rows("users").await + app.rows("identities").await, 0);
    }
}

/// Proves DEL-4: a sign-in that is about to join an account when that is deleted fails nobody, and finds a
/// guest.
#[tokio::test]
async fn a_sign_in_that_is_overtaken_finds_a_guest() {
    let app = TestApp::postgres().await;
    let person = app.user("wang", "13800138000").await;
    let connected = tokio_postgres::connect(&app.store_url, tokio_postgres::NoTls).await;
    let (client, connection) = connected.unwrap();
    let connection = tokio::spawn(connection);
    client
        .batch_execute("BEGIN; DELETE FROM users")
        .await
        .unwrap();
    let waits = "SELECT COUNT(*) FROM pg_stat_activity
                  WHERE datname = current_database() AND wait_event_type = 'Lock'";
    let committing = async {
        while client.query_one(waits, &[]).await.unwrap().get::<_, i64>(0) == 0 {
            tokio::task::yield_now().await;
        }
        client.batch_execute("COMMIT").await.unwrap();
    };
    let (there, ()) = join(app.sign_in_there("wang"), committing).await;
    assert_eq!(there.json()["registered"], false, "{}", there.text);
    assert_eq!(app.me(&there.token()).await.status, 200);
    assert_eq!(app.me(&person.token).await.line(), INVALID);
    drop(client);
    connection.await.unwrap().unwrap();
    app.end().await;
}
