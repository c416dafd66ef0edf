//! A stub of WeChat with no delay: `GET /sns/jscode2session` and what registration asks, for codes of
//! [`LoginCode`]. It is no simulator: it forgets everything and trusts
//! everybody, so that it costs the callers' core as little as can be.

use std::{
    convert::Infallible,
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use ::http::{HeaderValue, Request, Response, header::CONTENT_TYPE};
use anyhow::Context;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

use crate::{menjin::APPID, people::LoginCode};

/// Stops when it is dropped.
pub(crate) struct Stub {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    answered: Arc<AtomicU64>,
    _accepting: JoinSet<()>,
}

impl Stub {
    /// Listens on a free port, on the current runtime.
    pub(crate) async fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
        let listener = listener.context("the stub of WeChat finds no port")?;
        let answered = Arc::new(AtomicU64::new(0));
        let address = listener.local_addr()?;
        let mut accepting = JoinSet::new();
        accepting.spawn(accept(listener, Arc::clone(&answered)));
        Ok(Self {
            address,
            answered,
            _accepting: accepting,
        })
    }

    /// How many codes it has exchanged.
    pub(crate) fn answered(&self) -> u64 {
        self.answered.load(Ordering::Relaxed)
    }
}

async fn accept(listener: TcpListener, answered: Arc<AtomicU64>) {
    let mut connections = JoinSet::new();
    // An accept that fails ends the stub; the sign-ins that then fail are reported.
    while let Ok((stream, _)) = listener.accept().await {
        connections.spawn(converse(stream, Arc::clone(&answered)));
        while connections.try_join_next().is_some() {}
    }
}

async fn converse(stream: TcpStream, answered: Arc<AtomicU64>) {
    let service = service_fn(move |request: Request<Incoming>| {
        let answered = Arc::clone(&answered);
        async move { Ok::<_, Infallible>(answer(request, &answered).await) }
    });
    // Answers are small and whole. How a connection ends is the server's affair.
    let _ = stream.set_nodelay(true);
    let _ = http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

async fn answer(request: Request<Incoming>, answered: &AtomicU64) -> Response<Full<Bytes>> {
    let body = match request.uri().path() {
        "/sns/jscode2session" => request.uri().query().and_then(code_in).map(|code| {
            answered.fetch_add(1, Ordering::Relaxed);
            session(code)
        }),
        "/cgi-bin/stable_token" => Some(r#"{"access_token":"stub","expires_in":7200}"#.to_owned()),
        "/wxa/business/getuserphonenumber" => {
            let body = request.into_body().collect().await;
            body.ok().and_then(|body| phone(&body.to_bytes()))
        }
        _ => None,
    };
    let refused = || {
        r#"{"errcode":40029,"errmsg":"invalid code, rid: 00000000-00000000-00000000"}"#.to_owned()
    };
    let body = body.unwrap_or_else(refused);
    let mut response = Response::new(Full::new(Bytes::from(body)));
    let text = HeaderValue::from_static("text/plain");
    response.headers_mut().insert(CONTENT_TYPE, text);
    response
}

fn code_in(query: &str) -> Option<LoginCode> {
    let mut pairs = query.split('&');
    pairs
        .find_map(|pair| pair.strip_prefix("js_code="))
        .and_then(LoginCode::parse)
}

/// The number of whoever the code stands for.
fn phone(body: &[u8]) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Asked {
        code: String,
    }
    let asked: Asked = serde_json::from_slice(body).ok()?;
    let number = LoginCode::parse(&asked.code)?.phone();
    Some(format!(
        r#"{{"errcode":0,"errmsg":"ok","phone_info":{{"phoneNumber":"{number}","purePhoneNumber":"{number}","countryCode":"86","watermark":{{"timestamp":1,"appid":"{APPID}"}}}}}}"#
    ))
}

fn session(code: LoginCode) -> String {
    let (key, openid, unionid) = (code.session_key(), code.openid(), code.unionid());
    format!(r#"{{"session_key":"{key}","openid":"{openid}","unionid":"{unionid}"}}"#)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{http::Connection, people::People};

    async fn ask(connection: &mut Connection, target: &str) -> (u16, String) {
        let request = format!("GET {target} HTTP/1.1\r\nhost: wechat\r\n\r\n");
        let reply = connection.exchange(request.as_bytes()).await.unwrap();
        (
            reply.status,
            String::from_utf8(reply.body.to_vec()).unwrap(),
        )
    }

    #[tokio::test]
    async fn a_code_becomes_its_person_and_nothing_else_does() {
        let stub = Stub::start().await.unwrap();
        let mut connection = Connection::open(stub.address).await.unwrap();
        let code = People::new(0).newcomer();
        let target = format!(
            "/sns/jscode2session?appid=wx1&secret=s&js_code={code}&grant_type=authorization_code"
        );
        let (status, body) = ask(&mut connection, &target).await;
        let session: serde_json::Value = serde_json::from_str(&body).unwrap();
        assert_eq!(status, 200);
        assert_eq!(session["openid"], code.openid());
        assert_eq!(session["unionid"], code.unionid());
        assert_eq!(session["session_key"], code.session_key());
        assert_eq!(stub.answered(), 1);
        for target in [
            "/sns/jscode2session?js_code=other",
            "/sns/jscode2session",
            "/other",
        ] {
            let (status, body) = ask(&mut connection, target).await;
            assert_eq!(status, 200);
            assert!(body.starts_with(r#"{"errcode":40029"#), "{body}");
        }
        assert_eq!(stub.answered(), 1);
    }
}
