//! What administrators alone may set.

use serde_json::json;

use super::{bad, changed, refused, with_a_club};
use crate::harness::TestApp;

with_a_club! {
    /// Proves REG-6: nobody makes an administrator of themselves.
    async fn users_may_not(app) {
        let wang = app.user("wang", "13800138000").await;
        for body in [
            json!({ "role": "admin" }),
            json!({ "role": "user" }),
            json!({ "role": null }),
            json!({ "role": "root", "nickname": "王" }),
            json!({ "level": 9 }),
            json!({ "level": "x" }),
        ] {
            let reply = app.set(&wang, body.clone()).await;
            assert_eq!(refused(&reply), (403, "forbidden".to_owned()), "{body}");
        }
        assert_eq!(app.shown(&wang).await["role"], "user");
        assert_eq!(app.shown(&wang).await["profile"], json!({}));
    }

    async fn administrators_may(app) {
        let wang = app.user("wang", "13800138000").await;
        app.promote("+8613800138000").await;
        let reply = app.set(&wang, json!({ "level": 3, "role": "admin" })).await;
        assert_eq!(changed(&reply), json!({ "level": 3 }));
        assert_eq!(reply.json().get("access_token"), None);
        for role in [json!("root"), json!("Admin"), json!(""), json!(null), json!(1)] {
            assert_eq!(refused(&app.set(&wang, json!({ "role": role })).await), bad("invalid_role"));
        }
    }

    /// Older tokens say what the account may no longer do.
    async fn another_role_ends_older_tokens(app) {
        let wang = app.user("wang", "13800138000").await;
        app.promote("+8613800138000").await;
        let reply = app.set(&wang, json!({ "role": "user", "nickname": "王" })).await;
        assert_eq!(changed(&reply), json!({ "nickname": "王", "role": "user" }));
        let fresh = reply.token();
        assert_eq!(app.me(&wang.token).await.line(), r#"401 {"error":"invalid_token"}"#);
        let me = app.me(&fresh).await.json();
        assert_eq!((&me["role"], &me["nickname"]), (&json!("user"), &json!("王")));
        let again = app.post_as(&fresh, super::super::SET, &json!({ "role": "admin" })).await;
        assert_eq!(again.status, 403);
        assert_eq!(app.rows("audit WHERE event = 'role_changed'").await, 1);
    }
}
