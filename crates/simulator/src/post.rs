//! One POST to a back end on this machine, by plain HTTP, with a short patience.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use axum::{
    body::{Body, to_bytes},
    http::{Request, Uri, header},
};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde::Serialize;
use tokio::{net::TcpStream, time::timeout};

use crate::push::Push;

/// What WeChat gives a back end to connect and answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// The longest answer that is read.
const ANSWER: usize = 64 * 1024;

/// Where a back end listens: on this machine and nowhere else.
pub(crate) struct Target {
    addresses: Vec<SocketAddr>,
    host: String,
    path: String,
    query: Option<String>,
}

/// What a back end said.
#[derive(Serialize)]
pub(crate) struct Said {
    status: u16,
    body: String,
}

/// Why a back end said nothing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Silence {
    #[error("the back end does not answer there: {0}")]
    Connection(#[from] std::io::Error),
    #[error("the back end broke off: {0}")]
    Http(#[from] hyper::Error),
    #[error("the back end's answer has no end, or more than 64 KiB: {0}")]
    Answer(#[from] axum::Error),
    #[error("the request cannot be written: {0}")]
    Request(#[from] axum::http::Error),
    #[error("the back end took more than five seconds")]
    Late,
}

impl Target {
    /// Understands `http://127.0.0.1:8080/path` and its like.
    pub(crate) fn parse(url: &str) -> Result<Self, String> {
        let usage = "`url` is where the back end listens on this machine, such as \
                     http://127.0.0.1:8080/wechat/events/wx0123456789abcdef";
        let uri: Uri = url.parse().map_err(|_| usage)?;
        let (Some("http"), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err(usage.to_owned());
        };
        let addresses = loopback(authority.host()).ok_or(usage)?;
        let port = authority.port_u16().unwrap_or(80);
        Ok(Self {
            addresses: addresses
                .into_iter()
                .map(|address| SocketAddr::new(address, port))
                .collect(),
            host: format!("{}:{port}", authority.host()),
            path: uri.path().to_owned(),
            query: uri.query().map(str::to_owned),
        })
    }

    /// Sends the message, and gives what comes back, redirects and all.
    pub(crate) async fn send(&self, push: Push) -> Result<Said, Silence> {
        timeout(PATIENCE, self.exchange(push))
            .await
            .unwrap_or(Err(Silence::Late))
    }

    async fn exchange(&self, push: Push) -> Result<Said, Silence> {
        let stream = TcpStream::connect(self.addresses.as_slice()).await?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        let request = self.request(push)?;
        let said = async {
            let response = sender.send_request(request).await?;
            let status = response.status().as_u16();
            let body = to_bytes(Body::new(response.into_body()), ANSWER).await?;
            let body = String::from_utf8_lossy(&body).into_owned();
            // Without it the connection would wait for another request.
            drop(sender);
            Ok(Said { status, body })
        };
        // A connection that fails fails the exchange on it too.
        let (said, _) = tokio::join!(said, connection);
        said
    }

    fn request(&self, push: Push) -> Result<Request<Body>, axum::http::Error> {
        let before = self.query.as_ref().map(|query| format!("{query}&"));
        let target = format!("{}?{}{}", self.path, before.unwrap_or_default(), push.query);
        Request::post(target)
            .header(header::HOST, &self.host)
            .header(header::CONNECTION, "close")
            .header(header::CONTENT_TYPE, push.content_type)
            .body(Body::from(push.body))
    }
}

fn loopback(host: &str) -> Option<Vec<IpAddr>> {
    if host.eq_ignore_ascii_case("localhost") {
        return Some(vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]);
    }
    let bare = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    let address: IpAddr = bare.unwrap_or(host).parse().ok()?;
    address.is_loopback().then(|| vec![address])
}

#[cfg(test)]
mod tests {
    use super::Target;

    #[test]
    fn only_this_machine_is_a_target() {
        for url in [
            "http://127.0.0.1:8080/wechat/events/wx1",
            "http://127.1.2.3",
            "http://localhost:80/?a=b",
            "http://[::1]:9/x",
        ] {
            assert!(Target::parse(url).is_ok(), "{url}");
        }
        for url in [
            "",
            "/wechat",
            "https://127.0.0.1/",
            "http://192.0.2.1/",
            "http://example.com/",
            "http://127.0.0.1.example.com/",
            "http://[::2]/",
            "http://0.0.0.0/",
            "ftp://127.0.0.1/",
        ] {
            assert!(Target::parse(url).is_err(), "{url}");
        }
    }
}
