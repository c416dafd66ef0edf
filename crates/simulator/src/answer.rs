//! How WeChat's answers look from outside: content types, error bodies, HTTP refusals, broken ones.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};

use axum::{
    body::{Body, Bytes},
    http::{HeaderValue, StatusCode, header},
    response::Response,
};
use hyper::body::Frame;
use serde::Serialize;

use crate::errcode::Errcode;

pub(crate) const CODE_TO_SESSION: &str = "/sns/jscode2session";
pub(crate) const TOKEN: &str = "/cgi-bin/token";
pub(crate) const STABLE_TOKEN: &str = "/cgi-bin/stable_token";
pub(crate) const PHONE_NUMBER: &str = "/wxa/business/getuserphonenumber";
pub(crate) const CHECK_TEXT: &str = "/wxa/msg_sec_check";
pub(crate) const CHECK_SESSION: &str = "/wxa/checksession";
pub(crate) const RESET_SESSION: &str = "/wxa/resetusersessionkey";
/// Every path of WeChat's that the simulator plays.
pub(crate) const PATHS: [&str; 7] = [
    CODE_TO_SESSION,
    TOKEN,
    STABLE_TOKEN,
    PHONE_NUMBER,
    CHECK_TEXT,
    CHECK_SESSION,
    RESET_SESSION,
];

/// The two families of WeChat's paths, which differ in content type and in error texts.
#[derive(Clone, Copy)]
pub(crate) enum Family {
    Sns,
    /// `/cgi-bin` and `/wxa`.
    CgiBin,
}

#[derive(Serialize)]
struct Declined<'a> {
    errcode: i32,
    errmsg: &'a str,
}

impl Family {
    pub(crate) fn of(path: &str) -> Self {
        if path.starts_with("/sns/") {
            Self::Sns
        } else {
            Self::CgiBin
        }
    }

    /// A business answer: always HTTP 200.
    pub(crate) fn answer(self, body: impl Into<Body>) -> Response {
        let content_type = match self {
            Self::Sns => "text/plain",
            Self::CgiBin => "application/json; encoding=utf-8",
        };
        respond(StatusCode::OK, Some(content_type), body)
    }

    /// An answer in JSON.
    pub(crate) fn json(self, body: &impl Serialize) -> Response {
        // Our own structs always serialise; were one not to, WeChat's empty answer is right enough.
        self.answer(serde_json::to_vec(body).unwrap_or_default())
    }

    /// WeChat's no, in its usual words, which end in a trace of the request.
    pub(crate) fn decline(self, errcode: Errcode, trace: &str) -> Response {
        let separator = match self {
            Self::Sns => ", ",
            Self::CgiBin => " ",
        };
        let words = match errcode.words() {
            "" => trace.to_owned(),
            words => format!("{words}{separator}{trace}"),
        };
        self.decline_saying(errcode, &words)
    }

    /// WeChat's no, in the words given.
    pub(crate) fn decline_saying(self, errcode: Errcode, errmsg: &str) -> Response {
        self.json(&Declined {
            errcode: errcode.0,
            errmsg,
        })
    }
}

/// HTTP's own no, without a body.
pub(crate) fn refuse(status: StatusCode) -> Response {
    respond(status, None, Body::empty())
}

/// What a gateway says when what is behind it is unwell.
pub(crate) fn html(status: u16) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
    let page = format!(
        "<html>\r\n<head><title>{status}</title></head>\r\n\
         <body>\r\n<center><h1>{status}</h1></center>\r\n</body>\r\n</html>\r\n"
    );
    respond(status, Some("text/html"), page)
}

fn respond(
    status: StatusCode,
    content_type: Option<&'static str>,
    body: impl Into<Body>,
) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    if let Some(content_type) = content_type {
        let value = HeaderValue::from_static(content_type);
        response.headers_mut().insert(header::CONTENT_TYPE, value);
    }
    response
}

/// The same answer with its full length announced, of which only half comes.
pub(crate) async fn truncate(response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    let whole = axum::body::to_bytes(body, usize::MAX)
        .await
        .unwrap_or_default();
    // An empty answer has no half, so it promises what it does not have.
    let length = whole.len().max(2);
    parts
        .headers
        .insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    let half = Half {
        bytes: Some(whole.slice(..whole.len() / 2)),
        flushed: false,
    };
    Response::from_parts(parts, Body::new(half))
}

/// A body that fails once what it had has gone out.
struct Half {
    bytes: Option<Bytes>,
    flushed: bool,
}

impl hyper::body::Body for Half {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if let Some(bytes) = self.bytes.take() {
            return Poll::Ready(Some(Ok(Frame::data(bytes))));
        }
        if !self.flushed {
            // The connection flushes while a body is not ready; an error at once would lose the half.
            self.flushed = true;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(Some(Err(io::ErrorKind::ConnectionAborted.into())))
    }
}
