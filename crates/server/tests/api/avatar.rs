//! `POST /v1/user/avatar` and `GET /avatars/{name}`.

use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, Request, StatusCode},
};
use image::{Rgb, RgbImage};
use png::{BitDepth, ColorType, Encoder};
use tower::ServiceExt;

use crate::harness::{Person, Reply, TestApp};

mod bombs;
mod bucket;
mod files;
mod pictures;
mod replaced;
mod s3;

const UPLOAD: &str = "/v1/user/avatar";
const BOUNDARY: &str = "----menjin7MA4YWxkTrZu0gW";

/// A part of an upload: its name, what it says of itself, its content.
type Part<'p> = (&'p str, &'p str, &'p [u8]);

fn form(parts: &[Part<'_>]) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, rest, content) in parts {
        body.extend(
            format!(
                "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"{rest}\r\n\r\n"
            )
            .bytes(),
        );
        body.extend(*content);
        body.extend(b"\r\n");
    }
    body.extend(format!("--{BOUNDARY}--\r\n").bytes());
    body
}

fn multipart() -> String {
    format!("multipart/form-data; boundary={BOUNDARY}")
}

impl TestApp {
    async fn upload(&self, person: &Person, file: &[u8]) -> Reply {
        let declared = "; filename=\"wx.jpg\"\r\nContent-Type: image/jpeg";
        self.upload_body(person, &multipart(), form(&[("file", declared, file)]))
            .await
    }

    async fn upload_body(&self, person: &Person, kind: &str, body: Vec<u8>) -> Reply {
        let request = Request::post(UPLOAD)
            .header("authorization", format!("Bearer {}", person.token))
            .header("content-type", kind)
            .header("content-length", body.len());
        self.send(request.body(Body::from(body)).unwrap()).await
    }

    /// Uploads one of many pictures; its address.
    pub(crate) async fn uploaded(&self, person: &Person, which: u8) -> String {
        let reply = self.upload(person, &picture(which)).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        reply.json()["data"].as_str().unwrap().to_owned()
    }

    /// Asks for a picture by its address.
    async fn look(&self, url: &str, headers: &[(&str, &str)]) -> Seen {
        let path = url.strip_prefix("https://door.test").unwrap_or(url);
        let request = headers
            .iter()
            .fold(Request::get(path), |request, (name, value)| {
                request.header(*name, *value)
            });
        let request = request.body(Body::empty()).unwrap();
        let response = menjin_server::public(&self.app)
            .oneshot(request)
            .await
            .unwrap();
        let (parts, body) = response.into_parts();
        Seen {
            status: parts.status,
            headers: parts.headers,
            bytes: axum::body::to_bytes(body, 1 << 20).await.unwrap(),
        }
    }

    /// The files that lie in the folder of pictures.
    fn files(&self) -> Vec<String> {
        let folder = std::fs::read_dir(crate::harness::outside::folder(&self.store_url)).unwrap();
        let mut names: Vec<_> = folder
            .map(|file| file.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort_unstable();
        names
    }
}

/// What came of asking for a picture.
struct Seen {
    status: StatusCode,
    headers: HeaderMap,
    bytes: Bytes,
}

impl Seen {
    fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }
}

/// A small picture of one colour, as a PNG.
fn picture(which: u8) -> Vec<u8> {
    let picture = RgbImage::from_pixel(30, 20, Rgb([which.wrapping_mul(40), 100, 200]));
    png_of(30, 20, (ColorType::Rgb, BitDepth::Eight), &mut |_| {
        picture.as_raw()[..90].to_vec()
    })
}

/// Packs rows, one after the other.
fn png_of(
    width: u32,
    height: u32,
    (kind, depth): (ColorType, BitDepth),
    row: &mut dyn FnMut(u32) -> Vec<u8>,
) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = Encoder::new(&mut file, width, height);
    encoder.set_color(kind);
    encoder.set_depth(depth);
    let mut writer = encoder.write_header().unwrap();
    let mut rows = writer.stream_writer().unwrap();
    for line in 0..height {
        std::io::Write::write_all(&mut rows, &row(line)).unwrap();
    }
    rows.finish().unwrap();
    writer.finish().unwrap();
    file
}

/// Why a picture was not taken.
#[track_caller]
fn why(reply: &Reply) -> (u16, String) {
    let body = reply.json();
    assert_eq!(body["success"], false, "{}", reply.text);
    assert_eq!(body.as_object().unwrap().len(), 2, "{}", reply.text);
    (
        reply.status.as_u16(),
        body["data"].as_str().unwrap().to_owned(),
    )
}
