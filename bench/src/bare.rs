//! The bare web framework: axum, and a constant JSON answer from memory. What it costs is what any
//! service on it costs before it has done anything.

use anyhow::Context;
use axum::{Router, http::header::CONTENT_TYPE, response::IntoResponse, routing::get};
use bytes::Bytes;

use crate::{
    arguments::Bare,
    own::{self, OwnServer},
};

/// Starts it on `core`. The answer at `/0` has the first of `sizes`, and so on.
pub(crate) fn start(core: usize, sizes: &[usize]) -> anyhow::Result<OwnServer> {
    let sizes: Vec<_> = sizes.iter().map(usize::to_string).collect();
    OwnServer::start(core, &["bare", "--sizes", &sizes.join(",")]).context("the bare framework")
}

/// Serves until the process is ended.
pub(crate) fn serve(bare: &Bare) -> anyhow::Result<()> {
    own::serve(async { Ok(router(&bare.sizes)) })
}

fn router(sizes: &[usize]) -> Router {
    sizes
        .iter()
        .enumerate()
        .fold(Router::new(), |router, (index, size)| {
            let body = Bytes::from(json(*size));
            router.route(&format!("/{index}"), get(async move || constant(body)))
        })
}

/// An answer that was there before it was asked for.
pub(crate) fn constant(body: Bytes) -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/json")], body)
}

/// A JSON object of exactly `size` bytes, if there is one of that size; of none for none.
pub(crate) fn json(size: usize) -> String {
    let frame = r#"{"success":true,"constant":""}"#.len();
    let filling = "x".repeat(size.saturating_sub(frame));
    match size {
        0 => String::new(),
        _ if size >= frame => format!(r#"{{"success":true,"constant":"{filling}"}}"#),
        _ => format!("{{{}}}", " ".repeat(size.saturating_sub(2))),
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;
    use crate::http::Connection;

    #[tokio::test]
    async fn answers_are_json_of_the_size_that_was_asked() {
        let sizes = [0, 2, 17, 30, 700];
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut serving = tokio::task::JoinSet::new();
        serving.spawn(axum::serve(listener, router(&sizes)).into_future());
        let mut connection = Connection::open(address).await.unwrap();
        for (index, size) in sizes.iter().enumerate() {
            let request = format!("GET /{index} HTTP/1.1\r\nhost: bare\r\n\r\n");
            let reply = connection.exchange(request.as_bytes()).await.unwrap();
            assert_eq!((reply.status, reply.body.len()), (200, *size));
            let json = serde_json::from_slice::<serde_json::Value>(reply.body);
            assert!(*size == 0 || json.unwrap().is_object());
        }
    }
}
