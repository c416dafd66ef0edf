//! Uploads as they arrive: who sends them, and in what.

use axum::{body::Body, http::Request};
use serde_json::json;

use super::{UPLOAD, form, multipart, picture, why};
use crate::harness::{TestApp, on_each_database};

const NOT_A_FORM: &str = "a picture is sent as multipart/form-data, in a part called file";

on_each_database! {
    async fn nobody_and_guests_upload_nothing(app) {
        let request = Request::post(UPLOAD).header("content-type", multipart());
        let reply = app.send(request.body(Body::from(form(&[]))).unwrap()).await;
        assert_eq!(reply.line(), r#"401 {"error":"Unauthorized for no Authorization"}"#);
        let guest = app.person("wang").await;
        let reply = app.upload(&guest, &picture(1)).await;
        assert_eq!(reply.line(), r#"403 {"success":false,"error":"forbidden","message":"not allowed"}"#);
        assert_eq!(app.files(), [""; 0]);
    }

    async fn a_picture_is_shown_at_once(app) {
        let wang = app.user("wang", "13800138000").await;
        let reply = app.upload(&wang, &picture(1)).await;
        let url = reply.json()["data"].as_str().unwrap().to_owned();
        assert_eq!(reply.line(), format!(r#"200 {{"success":true,"data":"{url}"}}"#));
        assert_eq!(app.me(&wang.token).await.json()["avatar"], url);
        assert_eq!(app.sign_in("wang").await.json()["avatar"], url);
        assert_eq!(app.rows("audit WHERE event = 'avatar_changed'").await, 1);
        // The same one again changes nothing.
        assert_eq!(app.uploaded(&wang, 1).await, url);
        assert_eq!(app.rows("audit WHERE event = 'avatar_changed'").await, 1);
    }
}

/// Proves REG-6: other parts of an upload have no effect.
#[tokio::test]
async fn other_parts_are_ignored() {
    let app = TestApp::sqlite().await;
    let wang = app.user("wang", "13800138000").await;
    let before = app.me(&wang.token).await.json();
    let picture = picture(1);
    let body = form(&[
        ("role", "", b"admin"),
        ("uid", "", b"100002"),
        ("phone", "", b"+8613900139000"),
        ("email", "", b"x@example.com"),
        ("nickname", "", "王".as_bytes()),
        (
            "file",
            "; filename=\"../../../etc/passwd\"\r\nContent-Type: text/html",
            &picture,
        ),
        ("status", "; filename=\"x\"", b"x"),
    ]);
    let reply = app.upload_body(&wang, &multipart(), body).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    let mut after = app.me(&wang.token).await.json();
    after["avatar"] = json!("");
    assert_eq!(after, before);
    app.end().await;
}

#[tokio::test]
async fn what_is_no_upload_is_refused() {
    let app = TestApp::sqlite().await;
    let wang = app.user("wang", "13800138000").await;
    let picture = picture(1);
    let good = form(&[("file", "", &picture)]);
    for kind in [
        "",
        "application/json",
        "image/png",
        "multipart/form-data",
        "multipart/mixed; boundary=x",
    ] {
        let reply = app.upload_body(&wang, kind, good.clone()).await;
        assert_eq!(why(&reply), (400, NOT_A_FORM.to_owned()), "{kind}");
    }
    for (body, words) in [
        (form(&[]), "the upload has no part called file"),
        (
            form(&[("picture", "", &picture)]),
            "the upload has no part called file",
        ),
        (
            form(&[("file", "", &picture), ("file", "", &picture)]),
            "the upload has two parts called file",
        ),
        (
            good[..good.len() - 40].to_vec(),
            "the upload cannot be read",
        ),
        (good[..50].to_vec(), "the upload cannot be read"),
        (b"{}".to_vec(), "the upload cannot be read"),
        (vec![], "the upload cannot be read"),
        (
            form(&[("file", "", b"")]),
            "only PNG, JPEG and WebP pictures are taken",
        ),
        (
            form(&[("file", "", b"<svg onload=alert(1)>")]),
            "only PNG, JPEG and WebP pictures are taken",
        ),
        (
            form(&[("file", "", &picture[..60])]),
            "the picture cannot be read",
        ),
    ] {
        let reply = app.upload_body(&wang, &multipart(), body).await;
        assert_eq!(why(&reply), (400, words.to_owned()));
    }
    assert_eq!(app.files(), [""; 0]);
    assert_eq!(app.me(&wang.token).await.json()["avatar"], "");
    app.end().await;
}

/// Proves PRF-6: two mebibytes are taken, and not a byte more.
#[tokio::test]
async fn a_file_has_a_bound() {
    let app = TestApp::sqlite().await;
    let wang = app.user("wang", "13800138000").await;
    let mut file = picture(1);
    // What stands behind a picture is not part of it.
    file.resize(2 * 1024 * 1024, 0);
    let reply = app.upload(&wang, &file).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    file.push(0);
    let words = "the picture is larger than 2 MiB".to_owned();
    assert_eq!(why(&app.upload(&wang, &file).await), (413, words.clone()));
    let much = vec![0; 3 * 1024 * 1024];
    assert_eq!(why(&app.upload(&wang, &much).await), (413, words.clone()));
    // Parts that are ignored count as well; the length is not told before.
    let body = form(&[("other", "", &much)]);
    let parts = body
        .chunks(10_000)
        .map(|part| Ok::<_, std::io::Error>(part.to_vec()));
    let parts: Vec<_> = parts.collect();
    let request = Request::post(UPLOAD)
        .header("authorization", format!("Bearer {}", wang.token))
        .header("content-type", multipart());
    let stream = Body::from_stream(futures_util::stream::iter(parts));
    let reply = app.send(request.body(stream).unwrap()).await;
    assert_eq!(why(&reply), (413, words));
    app.end().await;
}

#[tokio::test]
async fn a_deployment_without_a_place_takes_none() {
    let app = TestApp::sqlite().await;
    let wang = app.user("wang", "13800138000").await;
    let there = app.replica_outside(|outside| outside.pictures = None).await;
    assert_eq!(there.upload(&wang, &picture(1)).await.status, 404);
    let seen = there
        .look("/avatars/0123456789abcdef0123456789abcdef.jpg", &[])
        .await;
    assert_eq!(seen.status, 404);
    there.app.close().await;
    app.end().await;
}
