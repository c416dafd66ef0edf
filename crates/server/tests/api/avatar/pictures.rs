//! Pictures as everybody sees them.

use image::ImageFormat;

use super::picture;
use crate::harness::{TestApp, on_each_database};

on_each_database! {
    /// Proves PRF-6: a picture is ours, under a name that tells nothing, and nothing that runs.
    async fn a_picture_is_served_as_one(app) {
        let wang = app.user("wang", "13800138000").await;
        let url = app.uploaded(&wang, 1).await;
        let name = url.strip_prefix("https://door.test/avatars/").unwrap();
        let digits = name.strip_suffix(".jpg").unwrap();
        assert!(digits.len() == 32 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()), "{name}");
        assert_eq!(app.files(), [name]);
        let seen = app.look(&url, &[]).await;
        assert_eq!(seen.status, 200);
        for (header, value) in [
            ("content-type", "image/jpeg"),
            ("x-content-type-options", "nosniff"),
            ("cache-control", "public, max-age=31536000, immutable"),
            ("content-security-policy", "default-src 'none'; sandbox"),
            ("etag", &format!("\"{name}\"")),
        ] {
            assert_eq!(seen.header(header), value, "{header}");
        }
        let shown = image::load_from_memory_with_format(&seen.bytes, ImageFormat::Jpeg).unwrap();
        assert_eq!((shown.width(), shown.height()), (30, 20));
        assert_ne!(seen.bytes, picture(1));
    }
}

#[tokio::test]
async fn whoever_has_it_need_not_load_it() {
    let app = TestApp::sqlite().await;
    let wang = app.user("wang", "13800138000").await;
    let url = app.uploaded(&wang, 1).await;
    let tag = app.look(&url, &[]).await.header("etag").to_owned();
    for known in [
        tag.clone(),
        format!("W/{tag}"),
        format!("\"x\", {tag}"),
        "*".to_owned(),
    ] {
        let seen = app.look(&url, &[("if-none-match", &known)]).await;
        assert_eq!(
            (seen.status.as_u16(), seen.bytes.len()),
            (304, 0),
            "{known}"
        );
        assert_eq!(seen.header("etag"), tag);
    }
    for other in ["\"x\"", "", "x", &tag[1..]] {
        let seen = app.look(&url, &[("if-none-match", other)]).await;
        assert_eq!(seen.status, 200, "{other}");
    }
    app.end().await;
}

#[tokio::test]
async fn there_is_nothing_but_pictures() {
    let app = TestApp::sqlite().await;
    let wang = app.user("wang", "13800138000").await;
    let url = app.uploaded(&wang, 1).await;
    let folder = crate::harness::outside::folder(&app.store_url);
    std::fs::write(folder.join("notes.txt"), "x").unwrap();
    for path in [
        "/avatars/notes.txt".to_owned(),
        "/avatars/".to_owned(),
        "/avatars".to_owned(),
        "/avatars/..%2fmenjin.db".to_owned(),
        "/avatars/%2e%2e/menjin.db".to_owned(),
        "/avatars/%ff".to_owned(),
        "/avatars/0123456789abcdef0123456789abcdef.jpg".to_owned(),
        url.replace("https://door.test", "").to_uppercase(),
        url.replace("https://door.test", "").replace(".jpg", ""),
        format!("{}/", url.replace("https://door.test", "")),
    ] {
        let seen = app.look(&path, &[]).await;
        assert_eq!(seen.status, 404, "{path}");
        assert_eq!(seen.header("content-type"), "application/json", "{path}");
        assert_eq!(seen.header("cache-control"), "no-store", "{path}");
    }
    app.end().await;
}
