//! `/simulator/...`: ways to be the phone, to look inside, to break things and to move the clock.

use std::time::Instant;

use axum::{
    Json, Router,
    body::Bytes,
    extract::{DefaultBodyLimit, State, rejection::BytesRejection},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{MethodRouter, get, post},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{LoginError, Simulator, calls::Counts, faults::Order, people::Listed, wire::BODY};

mod messages;
mod phone;

/// A control was used wrongly; the text says how to use it.
struct Mistake(StatusCode, String);

#[derive(Serialize)]
struct Explained {
    error: String,
}

impl IntoResponse for Mistake {
    fn into_response(self) -> Response {
        (self.0, Json(Explained { error: self.1 })).into_response()
    }
}

impl From<String> for Mistake {
    fn from(text: String) -> Self {
        Self(StatusCode::BAD_REQUEST, text)
    }
}

impl From<LoginError> for Mistake {
    fn from(error: LoginError) -> Self {
        error.to_string().into()
    }
}

#[derive(Serialize)]
struct Everybody {
    people: Vec<Listed>,
}

#[derive(Serialize)]
struct Waiting {
    faults: Vec<Order>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Move {
    seconds: u64,
}

#[derive(Serialize)]
struct Now {
    now: i64,
}

pub(crate) fn router(simulator: Simulator) -> Router {
    Router::new()
        .route("/simulator/login", closed(post(phone::login)))
        .route("/simulator/phone", closed(post(phone::tap)))
        .route("/simulator/encrypt", closed(post(phone::encrypt)))
        .route("/simulator/events", closed(post(phone::event)))
        .route(
            "/simulator/sms",
            closed(get(messages::sms).delete(messages::clear_sms)),
        )
        .route(
            "/simulator/mails",
            closed(get(messages::mails).delete(messages::clear_mails)),
        )
        .route("/simulator/people", closed(get(people)))
        .route("/simulator/calls", closed(get(calls).delete(reset_calls)))
        .route(
            "/simulator/faults",
            closed(get(faults).post(add_fault).delete(clear_faults)),
        )
        .route("/simulator/clock", closed(post(clock)))
        .layer(DefaultBodyLimit::max(BODY))
        .with_state(simulator)
}

/// The answer to a path below `/simulator` that is none of the controls.
pub(crate) fn no_such_control() -> Response {
    let text = "there are POST /simulator/login, POST /simulator/phone, POST /simulator/encrypt, \
                POST /simulator/events, GET /simulator/people, GET and DELETE /simulator/sms, \
                GET and DELETE /simulator/mails, GET and DELETE /simulator/calls, GET, POST and \
                DELETE /simulator/faults, POST /simulator/clock";
    Mistake(StatusCode::NOT_FOUND, text.to_owned()).into_response()
}

fn closed(methods: MethodRouter<Simulator>) -> MethodRouter<Simulator> {
    methods.fallback(async || {
        let text = "this control takes another method; see the Allow header";
        Mistake(StatusCode::METHOD_NOT_ALLOWED, text.to_owned())
    })
}

/// Whatever its content type says, so that `curl -d` needs no header.
fn parse<T: DeserializeOwned>(
    body: Result<Bytes, BytesRejection>,
    example: &str,
) -> Result<T, Mistake> {
    let body = body.map_err(|error| Mistake(error.status(), error.body_text()))?;
    serde_json::from_slice(&body)
        .map_err(|error| format!("{error}; send JSON such as {example}").into())
}

async fn people(State(simulator): State<Simulator>) -> Json<Everybody> {
    let configured = simulator.inner.apps.configured();
    let world = simulator.world();
    let everybody = world.people.list();
    let people = everybody.into_iter().map(|(person, seen_in)| {
        let phone = world.phones.number(&person).full();
        Listed::new(
            person,
            phone,
            if configured.is_empty() {
                &seen_in
            } else {
                configured
            },
        )
    });
    Json(Everybody {
        people: people.collect(),
    })
}

async fn calls(State(simulator): State<Simulator>) -> Json<Counts> {
    Json(simulator.world().calls.counts())
}

async fn reset_calls(State(simulator): State<Simulator>) -> Json<Counts> {
    let mut world = simulator.world();
    world.calls.reset();
    Json(world.calls.counts())
}

async fn faults(State(simulator): State<Simulator>) -> Json<Waiting> {
    Json(Waiting {
        faults: simulator.world().faults.list(Instant::now()),
    })
}

async fn add_fault(
    State(simulator): State<Simulator>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Waiting>, Mistake> {
    let example =
        r#"{"path": "/sns/jscode2session", "kind": "errcode", "errcode": 45011, "times": 3}"#;
    let order = parse(body, example)?;
    let now = Instant::now();
    let mut world = simulator.world();
    world.faults.add(order, now)?;
    Ok(Json(Waiting {
        faults: world.faults.list(now),
    }))
}

async fn clear_faults(State(simulator): State<Simulator>) -> Json<Waiting> {
    simulator.world().faults.clear();
    Json(Waiting { faults: Vec::new() })
}

async fn clock(
    State(simulator): State<Simulator>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Now>, Mistake> {
    let Move { seconds } = parse(
        body,
        r#"{"seconds": 300}: a whole number, 0 or more, since the clock only moves forward"#,
    )?;
    let now = simulator.world().advance(seconds);
    now.map(|now| Json(Now { now })).ok_or_else(|| {
        "the clock ends with the year 2105; move it by less"
            .to_owned()
            .into()
    })
}
