//! WeChat's side of the wire: from a request to the answer that WeChat, or a fault, gives it.

use std::time::Duration;

use axum::{
    Extension, Router,
    body::{Body, Bytes, to_bytes},
    extract::{Request, State},
    http::{Method, StatusCode, header, request::Parts},
    response::Response,
};
use serde::Serialize;
use tokio::time::timeout;

use crate::{
    Simulator,
    answer::{
        self, CHECK_SESSION, CHECK_TEXT, CODE_TO_SESSION, Family, PHONE_NUMBER, RESET_SESSION,
        STABLE_TOKEN, TOKEN,
    },
    controls,
    dice::{openid, unionid},
    errcode::Errcode,
    faults::Kind,
    fields::Fields,
    line::Line,
    tokens::Token,
};

/// The largest body that is read.
pub(crate) const BODY: usize = 64 * 1024;
/// How long a body may take to come.
const BODY_TIME: Duration = Duration::from_secs(30);
/// The longest that a request is left hanging.
const HANG: Duration = Duration::from_mins(1);

#[derive(Serialize)]
struct Exchanged {
    session_key: String,
    openid: String,
    unionid: String,
}

/// WeChat's paths and the controls.
pub(crate) fn router(simulator: &Simulator) -> Router {
    let wechat = Router::new()
        .fallback(receive)
        .with_state(simulator.clone());
    wechat.merge(simulator.controls())
}

async fn receive(
    State(simulator): State<Simulator>,
    Extension(line): Extension<Line>,
    request: Request,
) -> Response {
    let (head, body) = request.into_parts();
    let path = head.uri.path();
    if path == "/simulator" || path.starts_with("/simulator/") {
        return controls::no_such_control();
    }
    let query = Fields::of_query(&head.uri);
    let fault = simulator.world().arrive(path);
    if path == CODE_TO_SESSION
        && let Some(code) = query.find("js_code")
    {
        simulator.world().calls.count_code(code);
    }
    // Read before anything is answered: to close on unread bytes would destroy the answer.
    let Ok(body) = timeout(BODY_TIME, read(&head, body)).await else {
        line.hang_up();
        return Response::default();
    };
    if let (PHONE_NUMBER, Ok(body)) = (path, &body)
        && let Some(code) = Fields::of_json(body).0.find("code")
    {
        simulator.world().calls.count_code(code);
    }
    let asked = Asked {
        simulator: &simulator,
        head: &head,
        query,
        body,
    };
    asked.meet(fault, &line).await
}

async fn read(head: &Parts, body: Body) -> Result<Bytes, StatusCode> {
    let body = to_bytes(body, BODY).await;
    if head.method == Method::POST && !head.headers.contains_key(header::CONTENT_LENGTH) {
        return Err(StatusCode::PRECONDITION_FAILED);
    }
    body.map_err(|_| StatusCode::PAYLOAD_TOO_LARGE)
}

/// One request, read to its end.
pub(crate) struct Asked<'a> {
    pub(crate) simulator: &'a Simulator,
    pub(crate) head: &'a Parts,
    pub(crate) query: Fields,
    body: Result<Bytes, StatusCode>,
}

impl Asked<'_> {
    async fn meet(&self, fault: Option<Kind>, line: &Line) -> Response {
        let family = Family::of(self.head.uri.path());
        match fault {
            None => self.answer(),
            Some(Kind::Truncate) => answer::truncate(self.answer()).await,
            Some(Kind::Delay(time)) => {
                // WeChat works first, so a caller who gives up has spent the code.
                let answer = self.answer();
                line.wait(time).await;
                answer
            }
            Some(Kind::Errcode(errcode, Some(words))) => family.decline_saying(errcode, &words),
            Some(Kind::Errcode(errcode, None)) => family.decline(errcode, &self.trace()),
            Some(Kind::Status(status)) => answer::html(status),
            Some(Kind::Garbage) => family.answer(self.simulator.inner.dice.garbage()),
            Some(Kind::Hang) => {
                line.wait(HANG).await;
                line.hang_up();
                Response::default()
            }
            Some(Kind::Reset) => {
                line.reset();
                Response::default()
            }
        }
    }

    /// What WeChat says when nothing is wrong with it.
    fn answer(&self) -> Response {
        let body = match &self.body {
            Ok(body) => body,
            Err(status) => return answer::refuse(*status),
        };
        let path = self.head.uri.path();
        let family = Family::of(path);
        let answered = match path {
            CODE_TO_SESSION => self.code_to_session().map(|session| family.json(&session)),
            TOKEN => self.token().map(|token| family.json(&token)),
            STABLE_TOKEN => self.stable_token(body).map(|token| family.json(&token)),
            PHONE_NUMBER => self.phone_number(body).map(|phone| family.json(&phone)),
            CHECK_TEXT => self.check_text(body).map(|opinion| family.json(&opinion)),
            CHECK_SESSION => self.check_session().map(|checked| family.json(&checked)),
            RESET_SESSION => self.reset_session().map(|session| family.json(&session)),
            _ => Err(Errcode::INVALID_URL),
        };
        answered.unwrap_or_else(|errcode| {
            tracing::debug!(path, errcode = errcode.0, "declined");
            family.decline(errcode, &self.trace())
        })
    }

    fn code_to_session(&self) -> Result<Exchanged, Errcode> {
        let query = self.query_of_get()?;
        let appid = query.need("appid", Errcode::APPID_MISSING)?;
        let secret = query.need("secret", Errcode::APPSECRET_MISSING)?;
        let code = query.need("js_code", Errcode::CODE_MISSING)?;
        query.grant("authorization_code")?;
        self.simulator.inner.apps.admit(appid, secret)?;

        let mut world = self.simulator.world();
        let now = world.now();
        let person = world.codes.spend(code, appid, now)?;
        world.people.see(&person, Some(appid));
        let openid = openid(appid, &person);
        let make = || self.simulator.inner.dice.session_key();
        let session_key = world.sessions.exchange(appid, &openid, now, make);
        Ok(Exchanged {
            session_key,
            openid,
            unionid: unionid(&person),
        })
    }

    fn token(&self) -> Result<Token, Errcode> {
        let appid = self.query_of_get()?.client(self.simulator)?;
        let token = self.simulator.inner.dice.token();
        let mut world = self.simulator.world();
        let now = world.now();
        Ok(world.tokens.plain(appid, token, now))
    }

    fn stable_token(&self, body: &[u8]) -> Result<Token, Errcode> {
        if self.head.method != Method::POST {
            return Err(Errcode::REQUIRE_POST);
        }
        let (fields, force) = Fields::of_json(body);
        let appid = fields.client(self.simulator)?;
        let mut world = self.simulator.world();
        let now = world.now();
        let make = || self.simulator.inner.dice.token();
        world.tokens.stable(appid, force, now, make)
    }

    /// To WeChat, a POST where GET belongs is a request that names no app.
    fn query_of_get(&self) -> Result<&Fields, Errcode> {
        if self.head.method == Method::GET {
            Ok(&self.query)
        } else {
            Err(Errcode::APPID_MISSING)
        }
    }

    /// How WeChat's error texts name the request.
    fn trace(&self) -> String {
        let rid = self.rid();
        if self.head.uri.path() == PHONE_NUMBER {
            format!("hint: [{}] rid: {rid}", self.simulator.inner.dice.hint())
        } else {
            format!("rid: {rid}")
        }
    }

    pub(crate) fn rid(&self) -> String {
        self.simulator.inner.dice.rid(self.simulator.world().now())
    }
}
