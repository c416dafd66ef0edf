//! What the page is made of, and what it says to whatever else is sent.

use axum::{body::Body, http::Request};
use serde_json::json;

use super::{CONFIRM, EMAIL, PHONE};
use crate::harness::{Reply, TestApp, on_each_database};

const FORM: &str = "application/x-www-form-urlencoded";

/// A page in both languages that loads nothing, runs nothing and tells nobody its address.
fn assert_closed(reply: &Reply) {
    assert_eq!(reply.header("content-type"), "text/html; charset=utf-8");
    assert_eq!(reply.header("cache-control"), "no-store");
    assert_eq!(reply.header("referrer-policy"), "no-referrer");
    assert_eq!(reply.header("x-content-type-options"), "nosniff");
    let policy = reply.header("content-security-policy");
    assert!(policy.starts_with("default-src 'none'; "), "{policy}");
    for rest in [
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    ] {
        assert!(policy.contains(rest), "{policy}");
    }
    assert!(
        !policy.contains("unsafe") && !policy.contains("script"),
        "{policy}"
    );
    let text = reply.text.to_lowercase();
    for no in [
        "<script",
        "javascript:",
        "src=",
        "http:",
        "https:",
        "onclick",
        "<a ",
    ] {
        assert!(!text.contains(no), "{no}: {text}");
    }
    assert!(text.contains("<html lang=\"zh-cn\">") && text.contains("<div lang=\"en\">"));
}

/// As it says to a link that is none.
fn assert_no_link(reply: &Reply) {
    assert_eq!(reply.status, 400, "{}", reply.text);
    assert_closed(reply);
    assert!(reply.text.contains("链接已失效") && reply.text.contains("replaced by a newer mail"));
}

on_each_database! {
    /// Proves PRF-4: the page has one button, which sends the token on, and needs no script.
    async fn the_page_is_a_form(app) {
        let wang = app.user("wang", PHONE).await;
        app.want_email(&wang, EMAIL).await;
        let token = app.mailed().await;
        let page = app.open(&token).await;
        assert_closed(&page);
        assert!(page.text.contains("<form method=\"post\" action=\"confirm\">"));
        assert!(page.text.contains(&format!("<input type=\"hidden\" name=\"token\" value=\"{token}\">")));
        assert!(page.text.contains("<button type=\"submit\">"));
        assert!(!page.text.contains(EMAIL), "who else opens it sees no address");
        assert_closed(&app.press(&token).await);
    }

    async fn a_link_that_was_made_up(app) {
        let wang = app.user("wang", PHONE).await;
        app.want_email(&wang, EMAIL).await;
        let token = app.mailed().await;
        let (id, secret) = token.split_once('.').unwrap();
        let zeros = "0".repeat(64);
        for odd in [
            String::new(),
            "x".to_owned(),
            id.to_owned(),
            format!("{id}."),
            format!(".{secret}"),
            format!("{id}.{zeros}"),
            format!("{}.{secret}", "0".repeat(32)),
            format!("{id}.{}", &secret[1..]),
            format!("{token}0"),
            token.to_uppercase() + "A",
            format!("{token}&token={token}"),
            "%3Cscript%3Ealert(1)%3C/script%3E".to_owned(),
            "%00%ff".to_owned(),
        ] {
            assert_no_link(&app.open(&odd).await);
            assert_no_link(&app.press(&odd).await);
        }
        assert_no_link(&app.get(CONFIRM).await);
        assert_no_link(&app.get(&format!("{CONFIRM}?Token={token}")).await);
        // A token in the address is no token in the form.
        let request = Request::post(format!("{CONFIRM}?token={token}")).header("content-type", FORM);
        assert_no_link(&app.send(request.body(Body::empty()).unwrap()).await);
        assert_eq!(app.email_of(&wang).await, "");
        assert_eq!(app.press(&token).await.status, 200, "it is as good as it was");
    }

    async fn what_else_is_sent_gets_a_page_too(app) {
        let wang = app.user("wang", PHONE).await;
        app.want_email(&wang, EMAIL).await;
        let token = app.mailed().await;
        let json = json!({ "token": token }).to_string();
        let padded = format!("token={token}&x={}", "x".repeat(64 * 1024));
        for (kind, body, status) in [
            ("application/json", json, 415),
            ("", format!("token={token}"), 415),
            ("multipart/form-data; boundary=x", format!("token={token}"), 415),
            (FORM, padded, 413),
            (FORM, "[".repeat(200), 400),
        ] {
            let reply = app.submit(kind, body).await;
            assert_eq!(reply.status, status, "{kind}");
            assert_closed(&reply);
            assert!(reply.text.contains("无法完成"), "{}", reply.text);
        }
        let reply = app.submit("Application/X-WWW-Form-Urlencoded; charset=UTF-8", format!("token={token}&x=1")).await;
        assert_eq!(reply.status, 200);
    }

    async fn a_store_that_is_away(app) {
        let wang = app.user("wang", PHONE).await;
        app.want_email(&wang, EMAIL).await;
        let token = app.mailed().await;
        app.store.close().await;
        for reply in [app.open(&token).await, app.press(&token).await] {
            assert_eq!((reply.status.as_u16(), reply.header("retry-after")), (503, "1"));
            assert_closed(&reply);
            assert!(reply.text.contains("请稍后再试"), "{}", reply.text);
        }
    }
}

/// A deployment below another path: the link leads there, and the page's form stays there.
#[tokio::test]
async fn below_another_path() {
    let app = TestApp::sqlite_with(|options| {
        options.public_url = "https://school.test/door".to_owned();
    })
    .await;
    let wang = app.user("wang", PHONE).await;
    app.want_email(&wang, EMAIL).await;
    let mail = app.mails().await.remove(0);
    let link = mail["link"].as_str().unwrap();
    let token = link.strip_prefix("https://school.test/door/v1/user/email/confirm?token=");
    assert!(
        mail["subject"]
            .as_str()
            .unwrap()
            .starts_with("【school.test】")
    );
    // A relative address, which the browser resolves against that of the page.
    assert!(
        app.open(token.unwrap())
            .await
            .text
            .contains("action=\"confirm\"")
    );
    app.end().await;
}
