//! Another mail address for an account: a link, a page, and a button.

mod page;

use std::{sync::Arc, time::Duration};

use axum::{body::Body, http::Request};
use futures_util::future::join_all;
use menjin_messages::{BoxFuture, Mail, MailSender, Receipt, RefusedKind, SendError};
use serde_json::{Value, json};

use crate::harness::{Person, Reply, TestApp, on_each_database};

const NEW_EMAIL: &str = "/v1/user/newemail";
const CONFIRM: &str = "/v1/user/email/confirm";
const PHONE: &str = "13800138000";
const EMAIL: &str = "wang@example.com";

impl TestApp {
    /// Asks for a link to an address.
    async fn want_email(&self, person: &Person, email: &str) -> Reply {
        self.post_as(&person.token, NEW_EMAIL, &json!({ "email": email }))
            .await
    }

    /// The token of the link in the last mail.
    async fn mailed(&self) -> String {
        let mails = self.mails().await;
        let link = mails.last().expect("a mail came")["link"].as_str().unwrap();
        let token = link.strip_prefix("https://door.test/v1/user/email/confirm?token=");
        token.expect("the link leads here").to_owned()
    }

    /// Opens a link.
    async fn open(&self, token: &str) -> Reply {
        self.get(&format!("{CONFIRM}?token={token}")).await
    }

    /// Presses the button of the page behind a link.
    async fn press(&self, token: &str) -> Reply {
        self.submit(
            "application/x-www-form-urlencoded",
            format!("token={token}"),
        )
        .await
    }

    async fn submit(&self, kind: &str, body: String) -> Reply {
        let request = Request::post(CONFIRM).header("content-type", kind);
        self.send(request.body(Body::from(body)).unwrap()).await
    }

    /// The address of somebody's account.
    async fn email_of(&self, person: &Person) -> Value {
        self.me(&person.token).await.json()["email"].clone()
    }
}

fn answer(reply: &Reply) -> (u16, Value) {
    (reply.status.as_u16(), reply.json()["status"].clone())
}

/// Refuses every mail.
struct Refusing(RefusedKind);

impl MailSender for Refusing {
    fn send<'a>(&'a self, _: &'a Mail) -> BoxFuture<'a, Result<Receipt, SendError>> {
        let (code, kind) = ("550".to_owned(), self.0);
        Box::pin(async move { Err(SendError::Refused { code, kind }) })
    }

    fn try_out(&self) -> BoxFuture<'_, Result<(), SendError>> {
        Box::pin(async { Ok(()) })
    }
}

on_each_database! {
    /// Proves PRF-4: opening the link changes nothing, however often; the button does, once.
    async fn a_link_and_its_button(app) {
        let wang = app.user("wang", PHONE).await;
        let reply = app.want_email(&wang, " wang@EXAMPLE.com ").await;
        assert_eq!(reply.line(), r#"200 {"success":true,"status":"verification_email_sent"}"#);
        let mails = app.mails().await;
        assert_eq!((mails.len(), &mails[0]["to"]), (1, &json!(EMAIL)));
        let token = app.mailed().await;
        for _ in 0..10 {
            let page = app.open(&token).await;
            assert_eq!(page.status, 200);
            assert!(page.text.contains("w***@example.com") && page.text.contains(&token));
            let head = Request::head(format!("{CONFIRM}?token={token}"));
            assert_eq!(app.send(head.body(Body::empty()).unwrap()).await.status, 200);
        }
        assert_eq!(app.email_of(&wang).await, "");
        let done = app.press(&token).await;
        assert_eq!(done.status, 200);
        assert!(done.text.contains("邮箱已确认") && done.text.contains("w***@example.com"));
        assert_eq!(app.email_of(&wang).await, EMAIL);
        assert_eq!(app.rows("audit WHERE event = 'email_changed' AND subject = '100001'").await, 1);
        for used in [app.open(&token).await, app.press(&token).await] {
            assert_eq!(used.status, 400);
            assert!(used.text.contains("链接已失效"), "{}", used.text);
        }
        assert_eq!(app.rows("verifications").await, 0);
    }

    /// Proves PRF-3: the former address hears of the change, once; where there was none, nobody.
    async fn the_former_address_is_told(app) {
        let wang = app.user("wang", PHONE).await;
        for (email, told) in [(EMAIL, 0), ("xiao.wang@example.org", 1)] {
            app.want_email(&wang, email).await;
            assert_eq!(app.press(&app.mailed().await).await.status, 200);
            assert_eq!(app.rows("errands").await, told);
            app.app.do_errands().await;
            app.app.do_errands().await;
        }
        let mails = app.mails().await;
        assert_eq!(mails.len(), 3, "two links and a notice");
        assert_eq!(mails[2]["to"], EMAIL);
        let subject = mails[2]["subject"].as_str().unwrap();
        assert!(subject.contains("mail address was changed") && subject.contains("door.test"));
        assert_eq!(app.email_of(&wang).await, "xiao.wang@example.org");
        assert!(app.sms().await.is_empty());
    }

    async fn who_may_not_and_what_may_not_be(app) {
        let body = json!({ "email": EMAIL });
        let nobody = app.post(NEW_EMAIL, &body).await;
        assert_eq!(nobody.line(), r#"401 {"error":"Unauthorized for no Authorization"}"#);
        let guest = app.person("guest").await;
        let reply = app.want_email(&guest, EMAIL).await;
        assert_eq!(reply.line(), r#"403 {"success":false,"error":"forbidden","message":"not allowed"}"#);
        let wang = app.user("wang", PHONE).await;
        app.sql("UPDATE users SET email = 'wang@Example.com'").await;
        for (body, word) in [
            (json!({}), "invalid_email"),
            (json!({ "email": "" }), "invalid_email"),
            (json!({ "email": ["a@example.com"] }), "invalid_email"),
            (json!({ "email": "wang" }), "invalid_email"),
            (json!({ "email": "wang@example.com\r\nBcc: li@example.com" }), "invalid_email"),
            (json!({ "email": "wang@EXAMPLE.com" }), "same_email"),
        ] {
            let reply = app.post_as(&wang.token, NEW_EMAIL, &body).await;
            assert_eq!(answer(&reply), (400, json!(word)), "{body}");
        }
        assert!(app.mails().await.is_empty());
    }

    /// One box has several spellings, and gets one mail a minute.
    async fn mails_are_limited(app) {
        let wang = app.user("wang", PHONE).await;
        let li = app.user("li", "13900139000").await;
        assert_eq!(app.want_email(&wang, EMAIL).await.status, 200);
        for (person, email) in [(&wang, EMAIL), (&li, "WANG@example.com")] {
            let reply = app.want_email(person, email).await;
            assert_eq!(answer(&reply), (429, json!("too_many_requests")));
            assert!(!reply.header("retry-after").is_empty());
        }
        for n in 0..4 {
            assert_eq!(app.want_email(&wang, &format!("w{n}@example.com")).await.status, 200);
        }
        assert_eq!(app.want_email(&wang, "w4@example.com").await.status, 429, "a sixth address");
        assert_eq!(app.mails().await.len(), 5);
    }

    async fn a_mail_that_fails_counts_for_nothing(app) {
        let wang = app.user("wang", PHONE).await;
        for (kind, expected) in [
            (Some(RefusedKind::Other), (502, json!("delivery_failed"))),
            (Some(RefusedKind::BadNumber), (400, json!("invalid_email"))),
            (None, (502, json!("delivery_failed"))),
        ] {
            let failing = app.replica_outside(|outside| {
                outside.mail = kind.map(|kind| Arc::new(Refusing(kind)) as Arc<dyn MailSender>);
            });
            let failing = failing.await;
            assert_eq!(answer(&failing.want_email(&wang, EMAIL).await), expected);
            let left = app.rows("verifications").await + app.rows("sends WHERE channel = 'mail'").await;
            assert_eq!(left, 0);
            failing.app.close().await;
        }
        assert_eq!(app.want_email(&wang, EMAIL).await.status, 200);
    }

    /// Proves PRF-4: a link counts for 24 hours, and until there is a newer one.
    async fn a_link_grows_old(app) {
        let wang = app.user("wang", PHONE).await;
        app.want_email(&wang, EMAIL).await;
        let first = app.mailed().await;
        app.clock.advance(Duration::from_hours(24) - Duration::from_millis(1));
        assert_eq!(app.open(&first).await.status, 200);
        app.clock.advance(Duration::from_millis(1));
        assert_eq!(app.open(&first).await.status, 400);
        assert_eq!(app.press(&first).await.status, 400);
        let wang = app.person("wang").await;
        app.want_email(&wang, EMAIL).await;
        let second = app.mailed().await;
        app.clock.advance(Duration::from_secs(61));
        app.want_email(&wang, "other@example.com").await;
        assert_eq!(app.press(&second).await.status, 400, "there is a newer one");
        assert_eq!(app.press(&app.mailed().await).await.status, 200);
        assert_eq!(app.email_of(&wang).await, "other@example.com");
    }

    /// Proves PRF-4: a link is over with the tokens of the account, or whoever stole one would keep the
    /// account's address.
    async fn a_link_is_over_with_the_tokens(app) {
        for (n, ends) in ["signs out everywhere", "changes the number"].into_iter().enumerate() {
            let wang = app.user(ends, &format!("1380013800{n}")).await;
            app.want_email(&wang, EMAIL).await;
            let token = app.mailed().await;
            let ended = if n == 0 {
                app.post_as(&wang.token, "/v1/user/logout_all", &json!({})).await
            } else {
                app.tap_phone(&wang, "13900139000").await
            };
            assert_eq!(ended.status, 200, "{}", ended.text);
            let late = app.press(&token).await;
            assert!(late.status == 400 && late.text.contains("链接已失效"), "{ends}: {}", late.text);
            assert_eq!(app.me(&ended.token()).await.json()["email"], "");
        }
        assert_eq!(app.rows("verifications").await, 0);
    }

    /// Proves PRF-4: single use, also of fifty at once.
    async fn fifty_press_the_button(app) {
        let wang = app.user("wang", PHONE).await;
        app.sql("UPDATE users SET email = 'old@example.com'").await;
        app.want_email(&wang, EMAIL).await;
        let token = app.mailed().await;
        let all = join_all((0..50).map(|_| app.press(&token))).await;
        assert_eq!(all.iter().filter(|reply| reply.status == 200).count(), 1);
        assert_eq!(all.iter().filter(|reply| reply.status == 400).count(), 49);
        assert_eq!((app.email_of(&wang).await, app.rows("errands").await), (json!(EMAIL), 1));
    }

    /// Whoever has the address by then is told that it is done, and nobody else hears of it.
    async fn an_address_that_is_there_already(app) {
        let wang = app.user("wang", PHONE).await;
        app.want_email(&wang, EMAIL).await;
        app.sql("UPDATE users SET email = 'wang@example.com'").await;
        let done = app.press(&app.mailed().await).await;
        assert!(done.status == 200 && done.text.contains("邮箱已确认"));
        let written = app.rows("errands").await + app.rows("audit WHERE event = 'email_changed'").await;
        assert_eq!((app.email_of(&wang).await, written), (json!(EMAIL), 0));
    }

    async fn an_account_that_is_gone_or_disabled(app) {
        let wang = app.user("wang", PHONE).await;
        app.want_email(&wang, EMAIL).await;
        let token = app.mailed().await;
        app.disable(menjin_core::Uid::new(100_001).unwrap()).await;
        let reply = app.press(&token).await;
        assert!(reply.status == 403 && reply.text.contains("无法完成"), "{}", reply.text);
        app.sql("UPDATE identities SET user_id = NULL; DELETE FROM users").await;
        let reply = app.press(&token).await;
        assert!(reply.status == 400 && reply.text.contains("链接已失效"), "{}", reply.text);
    }
}

/// Proves PRF-4: what is stored of a link opens nothing, and tells no address.
#[tokio::test]
async fn the_store_holds_no_link() {
    let app = TestApp::sqlite().await;
    let wang = app.user("wang", PHONE).await;
    app.want_email(&wang, EMAIL).await;
    let token = app.mailed().await;
    let (id, secret) = token.split_once('.').unwrap();
    assert!(secret.len() * 4 >= 128, "{} bits", secret.len() * 4);
    let path = app.store_url.strip_prefix("sqlite://").unwrap();
    for file in [path.to_owned(), format!("{path}-wal")] {
        let bytes = std::fs::read(&file).unwrap();
        let text = String::from_utf8_lossy(&bytes);
        for plain in [id, secret, EMAIL, "wang@"] {
            assert!(!text.contains(plain), "{plain} in {file}");
        }
        let raw: Vec<u8> = (0..32)
            .map(|n| u8::from_str_radix(&secret[2 * n..2 * n + 2], 16).unwrap())
            .collect();
        assert!(!bytes.windows(32).any(|part| part == raw));
    }
    app.end().await;
}
