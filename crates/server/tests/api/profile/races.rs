//! Many edits of one profile at once.

use futures_util::future::{join, join_all};
use menjin_core::profile::{Fields, Kind, SetBy};
use menjin_server::Options;
use serde_json::{Map, Value, json};

use super::{changed, field};
use crate::harness::{
    TestApp,
    held::{Held, ends},
};

/// A hundred things that can be set: 64 fields of the deployment's own, most of them twice.
fn edits() -> Vec<Value> {
    let names = (0..64).map(|n| (format!("f{n}"), json!(format!("v{n}"))));
    let own: Vec<_> = names.collect();
    let first = own.iter().map(|(name, value)| json!({ name: value }));
    let again = own
        .iter()
        .take(33)
        .map(|(name, value)| json!({ name: value }));
    let others = [
        json!({ "nickname": "王" }),
        json!({ "campus": "东" }),
        json!({ "avatar": "https://thirdwx.qlogo.cn/a" }),
    ];
    first.chain(again).chain(others).collect()
}

fn wide(options: &mut Options) {
    let fields = (0..64).map(|n| {
        // For the life of the program, as a configuration is.
        let name: &'static str = format!("f{n}").leak();
        field(name, Kind::Text(10), SetBy::User)
    });
    options.profile.fields = Fields::new(fields.collect()).unwrap();
    options.profile.avatar_hosts = vec![super::HOST.to_owned()];
}

async fn story(app: &TestApp) {
    let wang = app.user("wang", "13800138000").await;
    let there = app.replica().await;
    let edits = edits();
    assert_eq!(edits.len(), 100);
    let at = |n: usize| if n.is_multiple_of(2) { app } else { &there };
    let all = edits.iter().enumerate();
    let all = join_all(all.map(|(n, edit)| at(n).set(&wang, edit.clone()))).await;
    let mut told = Map::new();
    for reply in &all {
        for (name, value) in changed(reply).as_object().unwrap() {
            assert_eq!(
                told.insert(name.clone(), value.clone()),
                None,
                "{name} changed twice"
            );
        }
    }
    assert_eq!(told.len(), 67);
    let me = app.shown(&wang).await;
    for (name, value) in told {
        let shown = me["profile"].get(&name).unwrap_or(&me[&name]);
        assert_eq!(*shown, value, "{name}");
    }
    assert_eq!(app.rows("audit WHERE event = 'profile_changed'").await, 67);
    there.app.close().await;
}

/// Proves PRF-5: of a hundred edits at once, at two servers, none is lost, and each change is told once.
mod no_edit_is_lost {
    use super::*;

    #[tokio::test]
    async fn sqlite() {
        let app = TestApp::sqlite_with(wide).await;
        story(&app).await;
        app.end().await;
    }

    #[tokio::test]
    async fn postgres() {
        let app = TestApp::postgres_with(wide).await;
        story(&app).await;
        app.end().await;
    }
}

/// A token that is ended while its profile is changed changes nothing.
#[tokio::test]
async fn a_token_that_ends_meanwhile_changes_nothing() {
    let app = TestApp::postgres().await;
    app.user("wang", "13800138000").await;
    for n in 0..2 {
        let wang = app.person("wang").await;
        let held = Held::begin(&app, &ends(&wang.token)[n]).await;
        let late = app.set(&wang, json!({ "nickname": "王" }));
        let (late, ()) = join(late, held.end_when(1)).await;
        assert_eq!(late.line(), r#"401 {"error":"invalid_token"}"#, "{n}");
    }
    assert_eq!(app.rows("users WHERE nickname <> ''").await, 0);
    app.end().await;
}
