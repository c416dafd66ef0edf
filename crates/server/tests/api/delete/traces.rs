//! What is left of somebody in the files of the database.

use std::time::Duration;

use axum::{body::Body, http::Request};
use menjin_core::profile::{Field, Fields, Kind, SetBy};
use serde_json::json;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::{harness::TestApp, stub::Stub};

/// Personal data that would be noticed anywhere. The number is looked for without the calling code.
const PHONE: &str = "13912345670";
const MAIL: &str = "canary-mail@example.com";
const NICKNAME: &str = "金丝雀昵称";
const CAMPUS: &str = "金丝雀校区";
const WANTS: &str = "canary-own-field";
const OPENID: &str = "oCanaryOpenid0123456789";
const UNIONID: &str = "uCanaryUnionid0123456789";
const SESSION_KEY: &str = "Y2FuYXJ5IHNlc3Npb24hIQ==";
const ADDRESS: &str = "203.0.113.77";

fn holds(bytes: &[u8], needle: &str) -> bool {
    bytes
        .windows(needle.len())
        .any(|window| window == needle.as_bytes())
}

/// Somebody with all of it, who goes; by themselves, or by somebody else.
async fn somebody_comes_and_goes(app: TestApp) {
    let stub = Stub::start(&app.clock).await;
    let there = app
        .replica_with(&stub.url, |options| {
            let wants = Field {
                name: "wants",
                kind: Kind::Text(50),
                set_by: SetBy::User,
            };
            options.profile.fields = Fields::new(vec![wants]).unwrap();
            options.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
        })
        .await;
    let session = json!({ "openid": OPENID, "unionid": UNIONID, "session_key": SESSION_KEY });
    stub.say("1", session.to_string());
    let guest = there.login("1").await.token();
    let asked = json!({ "phone": PHONE });
    let asked = there.post_as(&guest, "/v1/user/register", &asked).await;
    assert_eq!(asked.status, 200, "{}", asked.text);
    let code = there.code_to(&format!("+86{PHONE}")).await;
    let body = json!({ "phone": PHONE, "code": code });
    let token = there
        .post_as(&guest, "/v1/user/verify", &body)
        .await
        .token();
    let words = json!({ "nickname": NICKNAME, "campus": CAMPUS, "wants": WANTS });
    let set = there.post_as(&token, "/v1/user/setuser", &words).await;
    assert_eq!(set.status, 200, "{}", set.text);
    there
        .sql(&format!("UPDATE users SET email = '{MAIL}'"))
        .await;
    there
        .sql(&format!("UPDATE sends SET address = '{ADDRESS}'"))
        .await;
    let before = there.stored().await;
    let canaries = [
        PHONE, MAIL, NICKNAME, CAMPUS, WANTS, OPENID, UNIONID, ADDRESS,
    ];
    for canary in canaries {
        assert!(holds(&before, canary), "{canary} was to be there before");
    }
    let deleted = there.delete(&token, OPENID).await;
    assert_eq!(deleted.status, 200, "{}", deleted.text);
    there.app.scrub().await;
    let open = there.stored().await;
    there.app.close().await;
    app.app.close().await;
    let closed = app.stored().await;
    for canary in canaries.into_iter().chain([SESSION_KEY]) {
        assert!(!holds(&open, canary), "{canary} is there");
        assert!(!holds(&closed, canary), "{canary} is there after the end");
    }
    app.end().await;
}

/// Proves DEL-3: nothing of a deleted person is anywhere in the files, the log of SQLite included.
#[tokio::test]
async fn nothing_is_left_in_the_files_of_sqlite() {
    somebody_comes_and_goes(TestApp::sqlite().await).await;
}

/// Proves DEL-3 for the rows of PostgreSQL, whose files are its own.
#[tokio::test]
async fn nothing_is_left_in_the_rows_of_postgres() {
    somebody_comes_and_goes(TestApp::postgres().await).await;
}

/// Proves DEL-3: the server does that by itself, within seconds of the deletion.
#[tokio::test]
async fn the_files_are_scrubbed_soon() {
    let app = TestApp::sqlite().await;
    let wang = app.user("wang", PHONE).await;
    let stop = CancellationToken::new();
    let tending = {
        let (app, stop) = (app.app.clone(), stop.clone());
        tokio::spawn(async move { app.tend(stop).await })
    };
    assert_eq!(app.delete(&wang.token, &wang.openid).await.status, 200);
    let began = Instant::now();
    let mut look = tokio::time::interval(Duration::from_millis(50));
    while holds(&app.stored().await, PHONE) {
        assert!(began.elapsed() < Duration::from_secs(5), "still there");
        look.tick().await;
    }
    stop.cancel();
    tending.await.unwrap().unwrap();
    app.end().await;
}

/// Proves DEL-3: so does a server that was started after another was killed before it could.
#[tokio::test]
async fn the_next_server_scrubs_for_one_that_was_killed() {
    let app = TestApp::sqlite().await;
    let wang = app.user("wang", PHONE).await;
    app.app.scrub().await;
    assert_eq!(app.delete(&wang.token, &wang.openid).await.status, 200);
    assert!(holds(&app.stored().await, PHONE), "it is still in the file");
    let next = app.replica().await;
    next.app.scrub().await;
    assert!(!holds(&app.stored().await, PHONE));
    next.app.close().await;
    app.end().await;
}

/// Proves DEL-3: nor is what somebody was called, or where they were reached, before they changed it.
#[tokio::test]
async fn what_was_changed_is_scrubbed() {
    let app = TestApp::sqlite().await;
    let wang = app.user("wang", PHONE).await;
    let set = async |name: &str| {
        let words = json!({ "nickname": name });
        app.post_as(&wang.token, "/v1/user/setuser", &words).await
    };
    assert_eq!(set(NICKNAME).await.status, 200);
    app.sql(&format!("UPDATE users SET email = '{MAIL}'")).await;
    app.app.scrub().await;
    assert_eq!(set("another").await.status, 200);
    app.app.scrub().await;
    assert!(!holds(&app.stored().await, NICKNAME));

    let email = json!({ "email": "wang@example.com" });
    let asked = app.post_as(&wang.token, "/v1/user/newemail", &email).await;
    assert_eq!(asked.status, 200, "{}", asked.text);
    let mails = app.mails().await;
    let link = mails[0]["link"].as_str().unwrap();
    let (_, token) = link.split_once("?token=").unwrap();
    let press = Request::post("/v1/user/email/confirm")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Body::from(format!("token={token}")));
    assert_eq!(app.send(press.unwrap()).await.status, 200);
    app.app.scrub().await;
    assert!(!holds(&app.stored().await, MAIL));

    let body = json!({ "phone_code": app.phone_code("wang", "13800138000") });
    let moved = app.post_as(&wang.token, "/v1/user/newphone", &body).await;
    assert_eq!(moved.status, 200, "{}", moved.text);
    app.app.scrub().await;
    assert!(!holds(&app.stored().await, PHONE));
    app.end().await;
}

/// Leaves room in the file, which only writing it anew takes away.
async fn leave_room(app: &TestApp) {
    app.sql("CREATE TABLE away (x); INSERT INTO away VALUES (zeroblob(100000)); DROP TABLE away")
        .await;
    assert!(has_room(app).await);
}

async fn has_room(app: &TestApp) -> bool {
    app.rows("pragma_freelist_count WHERE freelist_count > 0")
        .await
        > 0
}

/// Proves DEL-3: once a week the file is written anew, on Monday from three to four in China, if anything
/// was deleted since.
#[tokio::test]
async fn once_a_week_the_file_is_written_anew() {
    const HOUR: u64 = 3_600;
    const WEEK: u64 = 7 * 24 * HOUR;
    let app = TestApp::sqlite().await;
    leave_room(&app).await;
    let pass = |seconds| app.clock.advance(Duration::from_secs(seconds));
    // The clock begins on Wednesday at 11:06:40 UTC.
    pass((4 * 24 + 8) * HOUR - 6 * 60 - 40 - 1);
    app.app.rewrite().await;
    assert!(has_room(&app).await, "it is a second too early");
    pass(1);
    app.app.rewrite().await;
    assert!(!has_room(&app).await, "whoever began may have been killed");

    let wang = app.user("wang", PHONE).await;
    assert_eq!(app.delete(&wang.token, &wang.openid).await.status, 200);
    leave_room(&app).await;
    app.app.rewrite().await;
    assert!(has_room(&app).await, "once in an hour is enough");
    pass(WEEK + HOUR);
    app.app.rewrite().await;
    assert!(has_room(&app).await, "the hour is over");
    pass(WEEK - HOUR);
    app.app.rewrite().await;
    assert!(!has_room(&app).await);

    leave_room(&app).await;
    pass(WEEK);
    app.app.rewrite().await;
    assert!(has_room(&app).await, "nothing was deleted");
    app.end().await;
}
