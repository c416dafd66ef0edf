//! Every column of the database: in the export, or no personal data.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{EXPORT, with_a_field};
use crate::harness::{TestApp, database::ask, on_each_database};

/// What becomes of a column in the export.
#[derive(Clone, Copy)]
enum Kept {
    /// It stands there.
    At(&'static str),
    /// It stands there by another word, since it is a secret or a digest.
    Told(&'static str),
    /// It is no personal data, or cannot be told from anybody's, for this reason.
    Not(&'static str),
}
use Kept::{At, Not, Told};

const COLUMNS: &[(&str, Kept)] = &[
    ("users.uid", At("/account/uid")),
    ("users.phone", At("/account/phone")),
    ("users.phone_verified_at", At("/account/phone_verified_at")),
    ("users.email", At("/account/email")),
    ("users.nickname", At("/account/nickname")),
    ("users.avatar", At("/account/avatar")),
    ("users.campus", At("/account/campus")),
    ("users.role", At("/account/role")),
    ("users.epoch", At("/account/epoch")),
    ("users.disabled_at", At("/account/disabled_at")),
    ("users.created_at", At("/account/created_at")),
    ("users.updated_at", At("/account/updated_at")),
    ("users.profile", At("/account/profile/wants")),
    ("users.consent_version", At("/account/consent_version")),
    ("users.consent_at", At("/account/consent_at")),
    ("identities.id", At("/identities/0/id")),
    ("identities.appid", At("/identities/0/appid")),
    ("identities.openid", At("/identities/0/openid")),
    ("identities.unionid", At("/identities/0/unionid")),
    ("identities.user_id", At("/account/uid")),
    ("identities.release", At("/identities/0/release")),
    (
        "identities.first_seen_at",
        At("/identities/0/first_seen_at"),
    ),
    ("identities.last_seen_at", At("/identities/0/last_seen_at")),
    (
        "identities.session_key_digest",
        Told("/identities/0/session_key"),
    ),
    ("identities.session_key", Told("/identities/0/session_key")),
    (
        "identities.previous_session_key",
        Told("/identities/0/previous_session_key"),
    ),
    ("verifications.id", Not("random")),
    ("verifications.purpose", At("/verifications/0/purpose")),
    (
        "verifications.contact_digest",
        Told("/verifications/0/contact"),
    ),
    ("verifications.contact", At("/verifications/0/contact")),
    ("verifications.asker", At("/account/uid")),
    (
        "verifications.code_digest",
        Not("a secret for five minutes"),
    ),
    ("verifications.consent", At("/verifications/0/consent")),
    ("verifications.tries", At("/verifications/0/tries")),
    (
        "verifications.expires_at",
        At("/verifications/0/expires_at"),
    ),
    ("sends.id", Not("random")),
    ("sends.channel", At("/messages/0/channel")),
    ("sends.purpose", At("/messages/0/purpose")),
    ("sends.contact_digest", Told("/messages/0/contact")),
    ("sends.asker", At("/account/uid")),
    ("sends.address", At("/messages/0/address")),
    ("sends.at", At("/messages/0/at")),
    ("sends.provider_id", At("/messages/0/provider_id")),
    ("sends.cost", At("/messages/0/cost")),
    ("audit.seq", Not("a number of the log's")),
    ("audit.at", At("/audit/0/at")),
    ("audit.event", At("/audit/0/event")),
    ("audit.actor", Told("/audit/0/by")),
    ("audit.subject", At("/account/uid")),
    ("audit.detail", At("/audit/0/detail")),
    ("guesses.id", Not("random")),
    (
        "guesses.contact_digest",
        Not("a keyed digest, for a day; names nobody who tried"),
    ),
    ("guesses.at", Not("as above")),
    ("turns.name", Not("a keyed digest, for an hour")),
    ("turns.taken_at", Not("as above")),
    ("errands.id", Not("random")),
    (
        "errands.kind",
        Not("what is to be done, until it is, in seconds"),
    ),
    (
        "errands.content",
        Not("sealed; a copy of what stands in users, until it is done"),
    ),
    ("errands.due_at", Not("as above")),
    ("errands.tries", Not("as above")),
    ("errands.created_at", Not("as above")),
    ("revocations.seq", Not("a number of the list's")),
    ("revocations.jti", Not("random, and names no account")),
    ("revocations.until", Not("as above")),
    ("revocations.uid", At("/account/uid")),
    ("revocations.epoch", At("/account/epoch")),
    ("revocations.kid", Not("the name of a key")),
    (
        "spent_codes.digest",
        Not("a keyed digest, for half a minute"),
    ),
    ("spent_codes.claim", Not("random")),
    (
        "spent_codes.identity_id",
        Not("the identity's id, for half a minute"),
    ),
    (
        "spent_codes.refusal",
        Not("WeChat's words on a code, for half a minute"),
    ),
    ("spent_codes.claimed_at", Not("as above")),
    ("spent_codes.expires_at", Not("as above")),
];

/// Tables that hold nothing about people.
const OF_THE_SERVICE: [&str; 4] = [
    "signing_keys",
    "services",
    "revocation_numbers",
    "refinery_schema_history",
];

/// Every column that the database has, as `table.column`.
async fn columns(app: &TestApp) -> BTreeSet<String> {
    let all = if let Some(path) = app.store_url.strip_prefix("sqlite://") {
        let connection = rusqlite::Connection::open(path).unwrap();
        let text = "SELECT t.name || '.' || c.name FROM pragma_table_list t
                      JOIN pragma_table_xinfo(t.name) c
                     WHERE t.schema = 'main' AND t.type = 'table' AND t.name NOT LIKE 'sqlite_%'";
        let mut statement = connection.prepare(text).unwrap();
        let rows = statement.query_map([], |row| row.get(0)).unwrap();
        rows.collect::<Result<Vec<String>, _>>().unwrap()
    } else {
        let text = "SELECT table_name || '.' || column_name FROM information_schema.columns
                     WHERE table_schema = 'public'";
        ask(app.store_url.rsplit_once('/').unwrap().1, text).await
    };
    let is_of_people = |column: &String| {
        let (table, _) = column.split_once('.').unwrap();
        !OF_THE_SERVICE.contains(&table)
    };
    all.into_iter().filter(is_of_people).collect()
}

/// Gives everything of somebody a value, and hands out their token.
async fn somebody(app: &TestApp) -> String {
    let guest = app.person("wang").await;
    let body = json!({ "phone_code": app.phone_code("wang", "13800138000"), "consent": "2026-11" });
    let token = app
        .post_as(&guest.token, "/v1/user/register", &body)
        .await
        .token();
    let words =
        json!({ "nickname": "canary-nickname", "campus": "canary-campus", "wants": "canary-own" });
    assert_eq!(
        app.post_as(&token, "/v1/user/setuser", &words).await.status,
        200
    );
    for _ in 0..10 {
        app.sign_in("wang").await;
    }
    let new = json!({ "phone": "13800138009" });
    let asked = app.post_as(&token, "/v1/user/newphone", &new).await;
    assert_eq!(asked.status, 200, "{}", asked.text);
    app.sql(
        "UPDATE users SET email = 'canary@example.com', avatar = 'https://canary.example/a.jpg'",
    )
    .await;
    app.sql("UPDATE sends SET provider_id = 'canary-serial', cost = 7, address = '203.0.113.77'")
        .await;
    app.sql("UPDATE identities SET release = 'trial'").await;
    app.sql("UPDATE verifications SET consent = '2026-11'")
        .await;
    token
}

on_each_database! {
    /// Proves DEL-5: each column of the schema is in the export, or is said to be no personal data; a new
    /// one is neither until it stands in this list.
    async fn every_column_is_in_the_export_or_is_none(app) {
        let app = with_a_field(app).await;
        let listed: BTreeMap<_, _> = COLUMNS.iter().copied().collect();
        let known: BTreeSet<_> = listed.keys().map(|name| (*name).to_owned()).collect();
        assert_eq!(columns(&app).await, known);
        let token = somebody(&app).await;
        let reply = app.get_as(&token, EXPORT).await;
        let export = reply.json();
        for (column, kept) in listed {
            match kept {
                At("/account/disabled_at") => {
                    assert_eq!(export["account"]["disabled_at"], Value::Null, "nobody disabled asks");
                }
                At(place) | Told(place) => {
                    let value = export.pointer(place).unwrap_or(&Value::Null);
                    assert!(!value.is_null() && *value != json!(""), "{column} is not at {place}");
                }
                Not(why) => assert!(!why.is_empty(), "{column}"),
            }
        }
        for canary in [
            "canary-nickname", "canary-campus", "canary-own", "canary@example.com", "canary-serial",
            "https://canary.example/a.jpg", "203.0.113.77", "+8613800138000", "+8613800138009",
            "2026-11", "trial",
        ] {
            assert!(reply.text.contains(canary), "{canary}");
        }
        app.app.close().await;
    }
}
