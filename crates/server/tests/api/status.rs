//! Looking accounts up: anybody for administrators, oneself for everybody else.

mod matrix;

use menjin_core::profile::{Field, Fields, Kind, SetBy};
use serde_json::{Value, json};

use crate::harness::{Reply, TestApp, on_each_database};

const NUMBERS: [&str; 3] = ["13800138000", "13800138001", "13800138002"];
const FORBIDDEN: &str = r#"403 {"success":false,"requesttype":"","data":"权限不足"}"#;

/// `GET /v1/status/getUser` with these parameters, as they stand in the address.
async fn ask(app: &TestApp, token: &str, query: &str) -> Reply {
    app.get_as(token, &format!("/v1/status/getUser{query}"))
        .await
}

/// The numbers of the accounts that were found.
fn uids(reply: &Reply) -> Vec<i64> {
    assert_eq!(reply.status, 200, "{}", reply.text);
    let found = reply.json()["data"].as_array().unwrap().clone();
    found
        .iter()
        .map(|row| row["uid"].as_i64().unwrap())
        .collect()
}

/// The same server with two fields of its own.
async fn with_fields(app: &TestApp) -> TestApp {
    let field = |name, kind| Field {
        name,
        kind,
        set_by: SetBy::User,
    };
    app.replica_with(&app.wechat, |options| {
        let fields = vec![
            field("available", Kind::Bool),
            field("year", Kind::Int(1990, 2100)),
            field("wants", Kind::Text(50)),
        ];
        options.profile.fields = Fields::new(fields).unwrap();
    })
    .await
}

on_each_database! {
    async fn nobody_looks_anybody_up(app) {
        let reply = app.get("/v1/status/getUser?uid=100001").await;
        assert_eq!(reply.line(), r#"401 {"error":"Unauthorized for no Authorization"}"#);
        let guest = app.person("zhao").await;
        for query in ["", "?uid=100001", &format!("?openid={}", guest.openid), "?page=1"] {
            assert_eq!(ask(app, &guest.token, query).await.line(), FORBIDDEN, "{query}");
        }
    }

    async fn a_user_finds_themselves(app) {
        let wang = app.user("wang", NUMBERS[0]).await;
        app.user("li", NUMBERS[1]).await;
        app.sql("UPDATE users SET email = 'Wang@example.com', campus = 'E' WHERE uid = 100001").await;
        let there = app.sign_in_there("wang").await.json()["openid"].clone();
        let reply = ask(app, &wang.token, "").await;
        assert_eq!(reply.json(), json!({
            "success": true, "request_type": "self", "page": 1, "limit": 10,
            "data": [{
                "uid": 100_001, "openid": wang.openid, "nickname": "", "avatar": "", "campus": "E",
                "role": "user", "phone": "+8613800138000", "email": "Wang@example.com",
                "registered": true,
            }],
        }));
        for (query, kind) in [
            ("?uid=100001".to_owned(), "uid"),
            (format!("?openid={}", wang.openid), "openid"),
            (format!("?openid={}", there.as_str().unwrap()), "openid"),
            ("?phone=138-0013-8000".to_owned(), "phone"),
            ("?phone=%2B8613800138000".to_owned(), "phone"),
            ("?email=wang@EXAMPLE.com".to_owned(), "email"),
            ("?phone=13800138000&uid=100001&campus=E&page=1".to_owned(), "phone,uid,campus,page"),
            ("?nonsense=1".to_owned(), "self"),
        ] {
            let reply = ask(app, &wang.token, &query).await;
            assert_eq!(uids(&reply), [100_001], "{query}");
            assert_eq!(reply.json()["request_type"], kind);
        }
        for query in ["?uid=100001&campus=W", "?uid=100001&page=2", "?uid=100001&role=admin"] {
            assert_eq!(uids(&ask(app, &wang.token, query).await), [0; 0], "{query}");
        }
    }

    async fn a_user_finds_nobody_else(app) {
        let wang = app.user("wang", NUMBERS[0]).await;
        let li = app.user("li", NUMBERS[1]).await;
        app.sql("UPDATE users SET email = 'li@example.com' WHERE uid = 100002").await;
        let queries = [
            "?uid=100002".to_owned(), "?uid=0100001".to_owned(), "?uid=".to_owned(),
            format!("?openid={}", li.openid), "?phone=13800138001".to_owned(),
            "?email=li@example.com".to_owned(), "?email=".to_owned(), "?phone=".to_owned(),
            "?uid=100001&phone=13800138001".to_owned(), format!("?uid=100001&openid={}", li.openid),
            "?campus=E".to_owned(), "?role=user".to_owned(), "?available=true".to_owned(),
            "?page=1".to_owned(), "?page=0".to_owned(), "?role=nonsense".to_owned(),
        ];
        for query in queries {
            assert_eq!(ask(app, &wang.token, &query).await.line(), FORBIDDEN, "{query}");
        }
    }

    /// One of the two could be looked at and the other be used.
    async fn no_name_stands_twice(app) {
        let wang = app.user("wang", NUMBERS[0]).await;
        app.user("li", NUMBERS[1]).await;
        for query in ["?uid=100001&uid=100002", "?uid=100002&uid=100001", "?u%69d=100001&uid=100002"] {
            let reply = ask(app, &wang.token, query).await;
            assert_eq!(reply.status, 400, "{query}");
            assert!(!reply.text.contains("100002") && !reply.text.contains(NUMBERS[1]));
        }
    }

    async fn an_administrator_finds_anybody(app) {
        let admin = app.admin("boss", NUMBERS[0]).await;
        let wang = app.user("wang", NUMBERS[1]).await;
        app.user("li", NUMBERS[2]).await;
        let guest = app.person("zhao").await;
        app.sql("UPDATE users SET email = 'wang@example.com', campus = '东' WHERE uid = 100002").await;
        for (query, found) in [
            ("", &[100_001][..]),
            ("?uid=100002", &[100_002]),
            ("?uid=999999", &[]),
            (&format!("?openid={}", wang.openid), &[100_002]),
            (&format!("?openid={}", guest.openid), &[]),
            ("?openid=oNobody", &[]),
            (&format!("?openid={}&uid=100003", wang.openid), &[]),
            ("?phone=13800138001", &[100_002]),
            ("?email=WANG@example.com", &[100_002]),
            ("?campus=%E4%B8%9C", &[100_002]),
            ("?role=admin", &[100_001]),
            ("?role=user", &[100_002, 100_003]),
            ("?role=user&campus=%E4%B8%9C", &[100_002]),
            ("?page=1", &[100_001, 100_002, 100_003]),
            ("?page=2", &[]),
            ("?page=100000", &[]),
        ] {
            assert_eq!(uids(&ask(app, &admin.token, query).await), found, "{query}");
        }
        let row = ask(app, &admin.token, "?uid=100002").await.json()["data"][0].clone();
        assert_eq!((&row["phone"], &row["openid"]), (&json!("+8613800138001"), &json!(wang.openid)));
    }

    async fn what_cannot_be_is_said_so(app) {
        let admin = app.admin("boss", NUMBERS[0]).await;
        for query in [
            "?uid=x", "?uid=-1", "?uid=1e5", "?openid=a%20b", "?phone=12", "?role=root", "?email=",
            "?page=0", "?page=-1", "?page=100001", "?page=65536000", "?page=1.5", "?page=%2B1", "?page=",
            "?campus=", "?available=true", "?page=99999999999999999999",
        ] {
            let reply = ask(app, &admin.token, query).await;
            assert_eq!(reply.status, 400, "{query}");
            let body = reply.json();
            assert_eq!((&body["success"], &body["requesttype"]), (&json!(false), &json!("")), "{query}");
        }
    }

    async fn ten_are_a_page(app) {
        let admin = app.admin("boss", NUMBERS[0]).await;
        app.sql("INSERT INTO users (created_at, updated_at) WITH RECURSIVE n (n) AS
                    (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 24) SELECT 1, 1 FROM n").await;
        let mut all = Vec::new();
        for (page, length) in [(1, 10), (2, 10), (3, 5), (4, 0)] {
            let reply = ask(app, &admin.token, &format!("?page={page}")).await;
            assert_eq!((&reply.json()["page"], &reply.json()["limit"]), (&json!(page), &json!(10)));
            let found = uids(&reply);
            assert_eq!(found.len(), length);
            all.extend(found);
        }
        assert_eq!(all, (100_001..=100_025).collect::<Vec<_>>());
        let imported = ask(app, &admin.token, "?uid=100002").await.json()["data"][0].clone();
        assert_eq!((&imported["registered"], &imported["openid"]), (&json!(false), &json!("")));
    }

    async fn own_fields_are_asked_for_and_shown(app) {
        let app = with_fields(app).await;
        let admin = app.admin("boss", NUMBERS[0]).await;
        for (name, number, words) in [
            ("wang", NUMBERS[1], json!({ "available": true, "year": 2026, "wants": "tea" })),
            ("li", NUMBERS[2], json!({ "available": false, "year": 2025 })),
        ] {
            let person = app.user(name, number).await;
            let set = app.post_as(&person.token, "/v1/user/setuser", &words).await;
            assert_eq!(set.status, 200, "{}", set.text);
        }
        for (query, found) in [
            ("?available=true", &[100_002][..]),
            ("?available=1", &[100_002]),
            ("?available=false", &[100_003]),
            ("?year=2026", &[100_002]),
            ("?year=2027", &[]),
            ("?wants=tea", &[100_002]),
            ("?wants=te", &[]),
            ("?available=true&role=user&page=1", &[100_002]),
        ] {
            assert_eq!(uids(&ask(&app, &admin.token, query).await), found, "{query}");
        }
        for query in ["?available=yes", "?year=1", "?year=x", "?available=true&year=2026"] {
            assert_eq!(ask(&app, &admin.token, query).await.status, 400, "{query}");
        }
        let row = ask(&app, &admin.token, "?uid=100002").await.json()["data"][0].clone();
        assert_eq!((&row["available"], &row["wants"]), (&json!(true), &Value::from("tea")));
        app.app.close().await;
    }
}
