//! Pictures in a bucket, over real HTTP.

use axum::http::{Method, StatusCode};
use menjin_core::Secret;
use menjin_server::{Pictures, PicturesError, PicturesOptions};

use super::{
    picture,
    s3::{KEY, S3, SECRET_KEY},
    why,
};
use crate::harness::TestApp;

async fn with(s3: &S3, change: impl FnOnce(&mut PicturesOptions)) -> (TestApp, TestApp) {
    let app = TestApp::sqlite().await;
    let mut options = s3.options();
    change(&mut options);
    let pictures = Pictures::open(options).unwrap();
    let there = app
        .replica_outside(|outside| outside.pictures = Some(pictures))
        .await;
    (app, there)
}

#[tokio::test]
async fn a_picture_goes_there_and_back() {
    let s3 = S3::start().await;
    let (app, there) = with(&s3, |_| ()).await;
    let wang = there.user("wang", "13800138000").await;
    let url = there.uploaded(&wang, 1).await;
    let name = url.strip_prefix("https://door.test/avatars/").unwrap();
    let path = format!("/pictures/{name}");
    let asked = s3.asked();
    let put = asked
        .iter()
        .find(|asked| asked.method == Method::PUT)
        .unwrap();
    assert_eq!(put.path, path);
    // Not every store knows the chunks that Amazon's own client sends.
    assert_eq!(put.header("content-length"), put.body.len().to_string());
    assert!(
        put.header("transfer-encoding").is_empty() && put.header("content-encoding").is_empty()
    );
    assert!(
        put.headers
            .keys()
            .all(|name| !name.as_str().contains("checksum"))
    );
    assert_eq!(put.header("content-type"), "image/jpeg");
    assert_eq!(
        put.header("cache-control"),
        "public, max-age=31536000, immutable"
    );
    assert_eq!(put.header("x-amz-content-sha256").len(), 64);
    for asked in &asked {
        let signed = asked.header("authorization");
        assert!(
            signed.starts_with(&format!("AWS4-HMAC-SHA256 Credential={KEY}/")),
            "{signed}"
        );
        assert!(signed.contains("/ap-shanghai/s3/aws4_request"), "{signed}");
        assert!(!format!("{asked:?}").contains(SECRET_KEY));
    }
    let seen = there.look(&url, &[]).await;
    assert_eq!((seen.status.as_u16(), seen.bytes), (200, put.body.clone()));
    there.uploaded(&wang, 2).await;
    s3.asked();
    there.app.do_errands().await;
    let erased: Vec<_> = s3
        .asked()
        .into_iter()
        .filter(|asked| asked.method == Method::DELETE)
        .collect();
    assert_eq!(
        erased.len(),
        1,
        "one by one, since not every store can delete several"
    );
    assert_eq!(erased[0].path, path);
    assert_eq!(there.look(&url, &[]).await.status, 404);
    assert_eq!(s3.paths().len(), 1);
    there.app.close().await;
    app.end().await;
}

/// A bucket in the host's name has no place in the path; a folder has.
#[tokio::test]
async fn a_bucket_may_be_in_the_host() {
    let s3 = S3::start().await;
    let (app, there) = with(&s3, |options| {
        options.location = "s3://pictures/club/".to_owned();
        options.virtual_host = true;
        options.public_url = Some("https://cdn.test/club/".to_owned());
    })
    .await;
    let wang = there.user("wang", "13800138000").await;
    let url = there.uploaded(&wang, 1).await;
    let name = url.strip_prefix("https://cdn.test/club/").unwrap();
    assert_eq!(s3.paths(), [format!("/club/{name}")]);
    // It is one's own there as well, and goes when it is replaced.
    let reply = there
        .post_as(
            &wang.token,
            "/v1/user/setuser",
            &serde_json::json!({ "avatar": url }),
        )
        .await;
    assert_eq!(reply.line(), r#"200 {"success":true,"changedFields":{}}"#);
    there.uploaded(&wang, 2).await;
    there.app.do_errands().await;
    assert_eq!(s3.paths().len(), 1);
    assert!(!s3.paths()[0].ends_with(name));
    there.app.close().await;
    app.end().await;
}

#[tokio::test]
async fn a_bucket_that_fails_changes_nothing() {
    let s3 = S3::start().await;
    let (app, there) = with(&s3, |_| ()).await;
    let wang = there.user("wang", "13800138000").await;
    let url = there.uploaded(&wang, 1).await;
    for status in [StatusCode::FORBIDDEN, StatusCode::INTERNAL_SERVER_ERROR] {
        s3.fail(Some(status));
        let reply = there.upload(&wang, &picture(2)).await;
        assert_eq!(why(&reply), (503, "system error".to_owned()));
        assert_eq!(reply.header("retry-after"), "1");
        assert_eq!(there.look(&url, &[]).await.status, 503);
        assert_eq!(there.me(&wang.token).await.json()["avatar"], url);
    }
    s3.fail(None);
    assert_eq!(there.look(&url, &[]).await.status, 200);
    there.uploaded(&wang, 2).await;
    // An errand that failed is tried again.
    s3.fail(Some(StatusCode::FORBIDDEN));
    there.app.do_errands().await;
    s3.fail(None);
    assert_eq!(s3.paths().len(), 2);
    there.clock.advance(std::time::Duration::from_mins(10));
    there.app.do_errands().await;
    assert_eq!(s3.paths().len(), 1);
    there.app.close().await;
    app.end().await;
}

#[test]
fn a_place_is_a_folder_or_a_bucket_with_keys() {
    let open = |location: &str, key: Option<&str>, secret: Option<&str>| {
        Pictures::open(PicturesOptions {
            location: location.to_owned(),
            access_key: key.map(str::to_owned),
            secret_key: secret.map(Secret::new),
            ..PicturesOptions::default()
        })
    };
    for wrong in [
        "",
        "pictures",
        "/tmp",
        "file://pictures",
        "s3://",
        "s3:///x",
        "https://x.test",
    ] {
        let opened = open(wrong, Some(KEY), Some(SECRET_KEY));
        assert!(matches!(opened, Err(PicturesError::Location(_))), "{wrong}");
    }
    for (key, secret) in [(None, None), (Some(KEY), None), (None, Some(SECRET_KEY))] {
        let opened = open("s3://pictures", key, secret);
        assert!(matches!(opened, Err(PicturesError::Keys)));
    }
    let opened = open("file:///dev/null/pictures", None, None);
    assert!(matches!(opened, Err(PicturesError::Folder { .. })));
    // Without an endpoint it is Amazon's own; nothing is asked yet.
    let opened = open("s3://pictures", Some(KEY), Some(SECRET_KEY)).unwrap();
    assert_eq!(format!("{opened:?}"), "Pictures");
    let options = PicturesOptions {
        secret_key: Some(Secret::new(SECRET_KEY)),
        ..PicturesOptions::default()
    };
    assert!(!format!("{options:?}").contains(SECRET_KEY));
}
