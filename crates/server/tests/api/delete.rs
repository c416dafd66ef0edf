//! Deletion: of oneself, of somebody else, and what is left.

mod purge;
mod races;
mod traces;

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::harness::{OTHER, Person, Reply, TestApp, on_each_database};

pub(super) const DELETE: &str = "/v1/user/delete";
pub(super) const INVALID: &str = r#"401 {"error":"invalid_token"}"#;
const DONE: &str = r#"200 {"success":true,"message":"用户删除成功"}"#;
const FORBIDDEN: &str = r#"403 {"success":false,"error":"forbidden","message":"not allowed"}"#;
const NUMBERS: [&str; 3] = ["13800138000", "13800138001", "13800138002"];

impl TestApp {
    /// Asks for a deletion.
    pub(crate) async fn delete(&self, token: &str, openid: &str) -> Reply {
        self.post_as(token, DELETE, &json!({ "openid": openid }))
            .await
    }

    /// Somebody who has registered and is an administrator.
    pub(crate) async fn admin(&self, name: &str, number: &str) -> Person {
        let person = self.user(name, number).await;
        self.sql(&format!(
            "UPDATE users SET role = 'admin' WHERE phone = '+86{number}'"
        ))
        .await;
        Person {
            token: self.sign_in(name).await.token(),
            ..person
        }
    }

    /// Signs somebody in to the other mini program.
    pub(crate) async fn sign_in_there(&self, name: &str) -> Reply {
        let code = self.simulator.login(name, Some(OTHER)).unwrap();
        let body = json!({ "code": code, "appid": OTHER });
        self.post("/v1/user/login", &body).await
    }
}

fn openid(reply: &Reply) -> String {
    reply.json()["openid"].as_str().unwrap().to_owned()
}

on_each_database! {
    async fn nobody_deletes_anybody(app) {
        let wang = app.user("wang", NUMBERS[0]).await;
        let body = json!({ "openid": wang.openid });
        assert_eq!(
            app.post(DELETE, &body).await.line(),
            r#"401 {"error":"Unauthorized for no Authorization"}"#
        );
        assert_eq!(app.delete("a.b.c", &wang.openid).await.line(), INVALID);
        assert_eq!(app.me(&wang.token).await.status, 200);
    }

    async fn an_openid_is_needed(app) {
        let wang = app.user("wang", NUMBERS[0]).await;
        let long = "o".repeat(129);
        let bodies = [
            json!({}), json!({ "openid": null }), json!({ "openid": "" }), json!({ "openid": 5 }),
            json!({ "openid": [wang.openid] }), json!({ "openid": "o wang" }), json!({ "openid": long }),
            json!({ "openid": "admin" }), json!({ "openId": wang.openid }),
        ];
        for body in bodies {
            let reply = app.post_as(&wang.token, DELETE, &body).await;
            assert_eq!(reply.status, 400, "{body}");
            assert_eq!(reply.json()["status"], "invalid_openid", "{body}");
        }
        assert_eq!(app.me(&wang.token).await.status, 200);
    }

    /// Proves DEL-1: somebody else's is refused, in the same words as one that nobody has.
    async fn nobody_deletes_somebody_else(app) {
        let wang = app.user("wang", NUMBERS[0]).await;
        let li = app.user("li", NUMBERS[1]).await;
        let guest = app.person("zhao").await;
        for (who, whom) in [
            (&li, &wang.openid), (&guest, &wang.openid), (&wang, &guest.openid),
            (&li, &"oNobodyHasThisOne".to_owned()), (&guest, &"oNobodyHasThisOne".to_owned()),
        ] {
            assert_eq!(app.delete(&who.token, whom).await.line(), FORBIDDEN);
        }
        for person in [&wang, &li, &guest] {
            assert_eq!(app.me(&person.token).await.status, 200);
        }
        assert_eq!(app.rows("audit WHERE event = 'deleted'").await, 0);
    }

    /// Proves DEL-2: the tokens are dead at once on every server, and whoever comes back is new.
    async fn a_deleted_person_is_new(app) {
        let guest = app.person("wang").await;
        let before = app.identity(&guest.openid).await;
        let wang = app.user("wang", NUMBERS[0]).await;
        let li = app.user("li", NUMBERS[1]).await;
        let replica = app.replica().await;
        for token in [&guest.token, &wang.token] {
            assert_eq!(replica.me(token).await.status, 200);
        }
        assert_eq!(app.delete(&wang.token, &wang.openid).await.line(), DONE);
        for app in [app, &replica] {
            for token in [&guest.token, &wang.token] {
                assert_eq!(app.me(token).await.line(), INVALID);
            }
        }
        let again = app.sign_in("wang").await;
        let body = again.json();
        assert_eq!((&body["registered"], &body["openid"]), (&json!(false), &json!(wang.openid)));
        assert_ne!(app.identity(&wang.openid).await.id, before.id);
        assert_eq!(app.me(&again.token()).await.json()["registered"], false);
        assert_eq!(app.me(&guest.token).await.line(), INVALID, "not even the guest's");
        assert_eq!(app.me(&li.token).await.status, 200);
        replica.app.close().await;
    }

    /// Proves DEL-4: the same number makes another account, with nothing of the former one.
    async fn whoever_registers_again_has_nothing_of_before(app) {
        let wang = app.user("wang", NUMBERS[0]).await;
        let words = json!({ "nickname": "小王", "campus": "东" });
        assert_eq!(app.post_as(&wang.token, "/v1/user/setuser", &words).await.status, 200);
        app.sql("UPDATE users SET email = 'wang@example.com', role = 'admin'").await;
        assert_eq!(app.delete(&wang.token, &wang.openid).await.line(), DONE);
        let again = app.user("wang", NUMBERS[0]).await;
        let me = app.me(&again.token).await.json();
        assert_eq!(me["uid"], 100_002);
        for (name, value) in [("nickname", ""), ("campus", ""), ("email", ""), ("role", "user")] {
            assert_eq!(me[name], value, "{name}");
        }
        assert_eq!(app.me(&wang.token).await.line(), INVALID);
    }

    /// A guest has rights, too.
    async fn a_guest_deletes_themselves(app) {
        let guest = app.person("wang").await;
        assert_eq!(app.delete(&guest.token, &guest.openid).await.line(), DONE);
        assert_eq!(app.me(&guest.token).await.line(), INVALID);
        assert_eq!(app.rows("identities").await, 0);
    }

    /// Any openid of an account names it, and all of its identities go.
    async fn the_openid_of_another_mini_program_names_the_account(app) {
        let wang = app.user("wang", NUMBERS[0]).await;
        let there = app.sign_in_there("wang").await;
        assert_eq!(there.json()["registered"], true);
        assert_eq!(app.delete(&wang.token, &openid(&there)).await.line(), DONE);
        assert_eq!(app.rows("identities").await + app.rows("users").await, 0);
        assert_eq!(app.me(&there.token()).await.line(), INVALID);
        assert_eq!(app.sign_in_there("wang").await.json()["registered"], false);
    }

    /// Whoever was a guest in another mini program before they registered here acts as the account there,
    /// by the unionid alone. That goes as well, and nobody else does.
    async fn a_guest_of_another_mini_program_goes_with_the_account(app) {
        let there = app.sign_in_there("wang").await;
        let li = app.sign_in_there("li").await;
        let wang = app.user("wang", NUMBERS[0]).await;
        assert_eq!(app.me(&there.token()).await.json()["registered"], true);
        assert_eq!(app.delete(&wang.token, &wang.openid).await.line(), DONE);
        assert_eq!(app.me(&there.token()).await.line(), INVALID);
        assert_eq!(app.me(&li.token()).await.status, 200);
        assert_eq!(app.rows("identities").await, 1);
    }

    /// Proves DEL-1: an administrator deletes anybody, and the audit log says who did.
    async fn an_administrator_deletes_anybody(app) {
        let admin = app.admin("boss", NUMBERS[0]).await;
        let wang = app.user("wang", NUMBERS[1]).await;
        let guest = app.person("zhao").await;
        let there = app.sign_in_there("li").await;
        assert_eq!(app.delete(&admin.token, &wang.openid).await.line(), DONE);
        assert_eq!(app.delete(&admin.token, &guest.openid).await.line(), DONE);
        assert_eq!(app.delete(&admin.token, &openid(&there)).await.line(), DONE);
        for token in [&wang.token, &guest.token, &there.token()] {
            assert_eq!(app.me(token).await.line(), INVALID);
        }
        let unknown = app.delete(&admin.token, &wang.openid).await;
        assert_eq!((unknown.status.as_u16(), &unknown.json()["status"]), (404, &json!("not_found")));
        let said = "audit WHERE event = 'deleted' AND actor = '100001' AND detail = '{}'";
        assert_eq!(app.rows(said).await, 3);
        assert_eq!(app.rows(&format!("{said} AND subject = '100002'")).await, 1);
        assert_eq!(app.me(&admin.token).await.status, 200);
    }

    /// The picture is erased afterwards, and only one that was kept here.
    async fn a_picture_is_to_be_erased(app) {
        let wang = app.user("wang", NUMBERS[0]).await;
        let li = app.user("li", NUMBERS[1]).await;
        let digits = "0123456789abcdef".repeat(2);
        app.sql(&format!("UPDATE users SET avatar = 'https://door.test/avatars/{digits}.jpg'
                           WHERE uid = 100001")).await;
        app.sql("UPDATE users SET avatar = 'https://example.com/a.jpg' WHERE uid = 100002").await;
        assert_eq!(app.delete(&wang.token, &wang.openid).await.line(), DONE);
        assert_eq!(app.rows("errands WHERE kind = 'erase_picture'").await, 1);
        assert_eq!(app.delete(&li.token, &li.openid).await.line(), DONE);
        assert_eq!(app.rows("errands").await, 1);
    }

    /// Proves DEL-4: fifty times at once is once.
    async fn the_same_deletion_again_is_as_good(app) {
        let wang = app.user("wang", NUMBERS[0]).await;
        app.sign_in_there("wang").await;
        let replies = join_all((0..50).map(|_| app.delete(&wang.token, &wang.openid))).await;
        let lines: Vec<_> = replies.iter().map(Reply::line).collect();
        assert!(lines.iter().all(|line| [DONE, INVALID].contains(&line.as_str())), "{lines:?}");
        assert!(lines.iter().any(|line| line == DONE));
        assert_eq!(app.rows("users").await + app.rows("identities").await, 0);
        assert_eq!(app.rows("audit WHERE event = 'deleted'").await, 1);
    }

    /// Nothing that was under way for the person comes to an end after them.
    async fn codes_that_were_sent_are_worth_nothing(app) {
        let guest = app.person("wang").await;
        let sent = app.post_as(&guest.token, "/v1/user/register", &json!({ "phone": NUMBERS[0] })).await;
        assert_eq!(sent.status, 200, "{}", sent.text);
        let code = app.code_to("+8613800138000").await;
        assert_eq!(app.delete(&guest.token, &guest.openid).await.line(), DONE);
        assert_eq!(app.rows("verifications").await, 0);
        assert_eq!(app.rows("sends WHERE LENGTH(asker) <> 64 OR address <> ''").await, 0);
        assert_eq!(app.rows("sends").await, 1, "it still counts for the number");
        let late = app.post("/v1/user/verify", &json!({ "phone": NUMBERS[0], "code": code })).await;
        assert_eq!(late.json()["status"], Value::from("verification_failed"));
        assert_eq!(app.rows("users").await, 0);
    }
}
