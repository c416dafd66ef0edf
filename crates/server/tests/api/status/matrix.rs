//! Two people, and every route that takes an id, an openid, a number or an address.

use serde_json::{Value, json};

use crate::harness::{Person, Reply, TestApp, on_each_database};

const NUMBERS: [&str; 2] = ["13911112222", "13933334444"];

/// All by which somebody would be noticed in a reply to somebody else.
async fn canaries(app: &TestApp, person: &Person, uid: i64, number: &str) -> Vec<String> {
    let identity = app.identity(&person.openid).await;
    vec![
        person.openid.clone(),
        identity.id.to_string(),
        identity.unionid.unwrap().to_string(),
        uid.to_string(),
        number.to_owned(),
        format!("{}-canary", person.name),
        format!("{}@canary.example", person.name),
    ]
}

/// Somebody with a nickname, a campus and an address of their own.
async fn somebody(app: &TestApp, name: &str, number: &str) -> Person {
    let person = app.user(name, number).await;
    let canary = format!("{name}-canary");
    let words = json!({ "nickname": canary, "campus": canary });
    let set = app.post_as(&person.token, "/v1/user/setuser", &words).await;
    assert_eq!(set.status, 200, "{}", set.text);
    app.sql(&format!(
        "UPDATE users SET email = '{name}@canary.example' WHERE phone = '+86{number}'"
    ))
    .await;
    person
}

/// By what a person can be named.
fn names(person: &Person, uid: i64, number: &str) -> [(&'static str, Value); 6] {
    [
        ("uid", json!(uid)),
        ("openid", json!(person.openid)),
        ("phone", json!(number)),
        ("email", json!(format!("{}@canary.example", person.name))),
        ("id", json!(uid)),
        ("user_id", json!(uid)),
    ]
}

/// Every request in which `own` and `other` can be named, alone and mixed: in the address and in a body.
fn requests(
    own: &[(&'static str, Value)],
    other: &[(&'static str, Value)],
) -> Vec<(String, Value)> {
    let text = |value: &Value| value.as_str().map_or(value.to_string(), str::to_owned);
    let mut all = Vec::new();
    for (name, value) in other {
        all.push((format!("?{name}={}", text(value)), json!({ *name: value })));
        for (mine, own) in own {
            let query = format!("?{mine}={}&{name}={}", text(own), text(value));
            let mut body = json!({ *name: value });
            body[*mine] = if mine == name {
                value.clone()
            } else {
                own.clone()
            };
            all.push((query, body.clone()));
            let query = format!("?{name}={}&{mine}={}", text(value), text(own));
            all.push((query, body));
        }
    }
    all
}

/// What a request may have said itself is no news; anything else of the other person is.
fn assert_silent(reply: &Reply, said: &str, foreign: &[String]) {
    for canary in foreign.iter().filter(|canary| !said.contains(*canary)) {
        assert!(
            !reply.text.contains(canary),
            "{said}: {canary} in {}",
            reply.text
        );
    }
    assert!(!reply.status.is_server_error(), "{said}: {}", reply.line());
}

const GETS: [&str; 3] = ["/v1/status/getUser", "/v1/user/me", "/v1/user/export"];
const POSTS: [&str; 7] = [
    "/v1/user/delete",
    "/v1/user/setuser",
    "/v1/user/newphone",
    "/v1/user/newemail",
    "/v1/user/phonechange_verify",
    "/v1/user/checksession",
    "/v1/wechat/decrypt",
];

on_each_database! {
    /// Proves REG-7: whatever a person asks for by somebody else's names, alone or beside their own, not one
    /// byte of the other comes back, and nothing happens to them.
    async fn nobody_learns_anything_of_somebody_else(app) {
        let wang = somebody(app, "wang", NUMBERS[0]).await;
        let li = somebody(app, "li", NUMBERS[1]).await;
        let foreign = canaries(app, &li, 100_002, NUMBERS[1]).await;
        let own = names(&wang, 100_001, NUMBERS[0]);
        let other = names(&li, 100_002, NUMBERS[1]);
        let before = app.me(&li.token).await.text;
        for (query, body) in requests(&own, &other) {
            for path in GETS {
                let reply = app.get_as(&wang.token, &format!("{path}{query}")).await;
                assert_silent(&reply, "", &foreign);
                if path == GETS[0] && reply.status == 200 {
                    assert_eq!(reply.json()["data"][0]["uid"], 100_001, "{query}");
                }
            }
            for path in POSTS {
                // Their own openid would be a good one: they would be gone for the next request.
                let mut body = body.clone();
                if path == POSTS[0] && body["openid"] == json!(wang.openid) {
                    body["openid"] = json!(li.openid);
                }
                let reply = app.post_as(&wang.token, &format!("{path}{query}"), &body).await;
                assert_silent(&reply, &body.to_string(), &foreign);
                let refused = path != POSTS[5] && reply.status == 200;
                assert!(!refused || path == "/v1/user/newphone" || path == "/v1/user/newemail", "{path}");
            }
        }
        assert_eq!(app.me(&li.token).await.text, before);
        assert_eq!(app.me(&wang.token).await.json()["uid"], 100_001);
        assert_eq!(app.rows("users").await, 2);
    }
}
