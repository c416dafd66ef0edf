//! Pictures that nobody shows any more.

use futures_util::future::join_all;
use serde_json::json;

use super::picture;
use crate::harness::{TestApp, on_each_database};

const SET: &str = "/v1/user/setuser";

on_each_database! {
    async fn a_former_picture_is_erased(app) {
        let wang = app.user("wang", "13800138000").await;
        let first = app.uploaded(&wang, 1).await;
        let second = app.uploaded(&wang, 2).await;
        assert_ne!(first, second);
        app.app.do_errands().await;
        assert_eq!(app.look(&first, &[]).await.status, 404);
        assert_eq!(app.look(&second, &[]).await.status, 200);
        let reply = app.post_as(&wang.token, SET, &json!({ "avatar": "" })).await;
        assert_eq!(reply.line(), r#"200 {"success":true,"changedFields":{"avatar":""}}"#);
        app.app.do_errands().await;
        assert_eq!(app.look(&second, &[]).await.status, 404);
        assert_eq!((app.files().len(), app.rows("errands").await), (0, 0));
        assert_eq!(app.me(&wang.token).await.json()["avatar"], "");
    }

    async fn a_picture_that_somebody_else_shows_stays(app) {
        let (wang, li) = (app.user("wang", "13800138000").await, app.user("li", "13800138001").await);
        let url = app.uploaded(&wang, 1).await;
        assert_eq!(app.uploaded(&li, 1).await, url);
        app.uploaded(&wang, 2).await;
        app.app.do_errands().await;
        assert_eq!(app.look(&url, &[]).await.status, 200);
        app.uploaded(&li, 2).await;
        app.app.do_errands().await;
        assert_eq!(app.look(&url, &[]).await.status, 404);
        assert_eq!(app.files().len(), 1);
    }

    /// Whoever takes up again what is being erased still has their picture.
    async fn a_picture_comes_back(app) {
        let wang = app.user("wang", "13800138000").await;
        for _ in 0..3 {
            let url = app.uploaded(&wang, 1).await;
            app.uploaded(&wang, 2).await;
            assert_eq!(app.uploaded(&wang, 1).await, url);
            app.app.do_errands().await;
            assert_eq!(app.look(&url, &[]).await.status, 200);
            assert_eq!(app.files().len(), 1);
        }
    }

    /// Fifty uploads by two people, four at a time, with errands between: each shows a picture that is
    /// there, and no other is left.
    async fn uploads_at_once_leave_one_picture_each(app) {
        let people = [app.user("wang", "13800138000").await, app.user("li", "13800138001").await];
        for wave in 0..12_u8 {
            let four = (0..2_u8).flat_map(|n| people.iter().map(move |person| (wave + n, person)));
            let uploads = four.map(|(n, person)| async move {
                let reply = app.upload(person, &picture(n % 3)).await;
                app.app.do_errands().await;
                reply.status.as_u16()
            });
            assert_eq!(join_all(uploads).await, [200; 4]);
        }
        while app.rows("errands").await > 0 {
            app.app.do_errands().await;
        }
        let mut shown = Vec::new();
        for person in &people {
            let url = app.me(&person.token).await.json()["avatar"].as_str().unwrap().to_owned();
            assert_eq!(app.look(&url, &[]).await.status, 200);
            shown.push(url.rsplit_once('/').unwrap().1.to_owned());
        }
        shown.sort_unstable();
        shown.dedup();
        assert_eq!(app.files(), shown);
    }
}
