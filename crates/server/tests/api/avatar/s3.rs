//! A small store with an S3 interface, as far as Menjin needs one.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::Bytes,
    extract::{Request, State},
    http::{HeaderMap, Method, StatusCode},
    response::{IntoResponse, Response},
};
use menjin_core::Secret;
use menjin_server::PicturesOptions;
use tokio::{net::TcpListener, task::JoinHandle};

pub(super) const KEY: &str = "AKIDEXAMPLE0123456789";
pub(super) const SECRET_KEY: &str = "a-secret-key-that-nobody-may-see";

/// What it was asked.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) method: Method,
    /// With the query, if there is one.
    pub(super) path: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Asked {
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }
}

/// Runs until it is dropped.
pub(super) struct S3 {
    pub(super) url: String,
    held: Arc<Held>,
    serving: JoinHandle<()>,
}

#[derive(Default)]
struct Held {
    objects: Mutex<HashMap<String, Bytes>>,
    asked: Mutex<Vec<Asked>>,
    failing: Mutex<Option<StatusCode>>,
}

impl S3 {
    pub(super) async fn start() -> Self {
        let held = Arc::new(Held::default());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(answer).with_state(held.clone());
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, held, serving }
    }

    pub(super) fn options(&self) -> PicturesOptions {
        PicturesOptions {
            location: "s3://pictures".to_owned(),
            endpoint: Some(self.url.clone()),
            region: Some("ap-shanghai".to_owned()),
            access_key: Some(KEY.to_owned()),
            secret_key: Some(Secret::new(SECRET_KEY)),
            ..PicturesOptions::default()
        }
    }

    /// Everything that it was asked since this was called last.
    pub(super) fn asked(&self) -> Vec<Asked> {
        std::mem::take(&mut *self.held.asked.lock().unwrap())
    }

    /// The paths of what lies here.
    pub(super) fn paths(&self) -> Vec<String> {
        self.held.objects.lock().unwrap().keys().cloned().collect()
    }

    /// Says this to everything from now on.
    pub(super) fn fail(&self, status: Option<StatusCode>) {
        *self.held.failing.lock().unwrap() = status;
    }
}

impl Drop for S3 {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn answer(State(held): State<Arc<Held>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 1 << 22).await.unwrap();
    let path = parts.uri.to_string();
    held.asked.lock().unwrap().push(Asked {
        method: parts.method.clone(),
        path: path.clone(),
        headers: parts.headers,
        body: body.clone(),
    });
    if let Some(status) = *held.failing.lock().unwrap() {
        let words = format!(
            "<Error><Code>SignatureDoesNotMatch</Code><AWSAccessKeyId>{KEY}</AWSAccessKeyId></Error>"
        );
        return (status, words).into_response();
    }
    let mut objects = held.objects.lock().unwrap();
    match parts.method {
        Method::PUT => {
            objects.insert(path, body);
            ([("etag", "\"x\"")], "").into_response()
        }
        Method::GET | Method::HEAD => match objects.get(&path) {
            Some(object) => {
                let headers = [
                    ("etag", "\"x\""),
                    ("last-modified", "Sun, 22 Nov 2026 02:00:00 GMT"),
                ];
                (headers, object.clone()).into_response()
            }
            None => (
                StatusCode::NOT_FOUND,
                "<Error><Code>NoSuchKey</Code></Error>",
            )
                .into_response(),
        },
        Method::DELETE => {
            objects.remove(&path);
            StatusCode::NO_CONTENT.into_response()
        }
        _ => StatusCode::METHOD_NOT_ALLOWED.into_response(),
    }
}
