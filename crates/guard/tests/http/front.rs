//! The layer and the extractors: what a client sees.

use std::convert::Infallible;

use axum::{Router, routing::get};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use menjin_core::{Role, Uid, token::Subject};
use menjin_guard::{Admin, Caller, Guest, Refused, User};
use tower::{Layer, ServiceExt, service_fn};

use crate::{
    EXPIRED, FORBIDDEN, INVALID, NO_AUTHORIZATION, NO_BEARER, door::Door, guest, hello, keys_alone,
    run, text, user,
};

fn admin() -> Subject {
    Subject::User {
        uid: Uid::new(100_002).unwrap(),
        role: Role::Admin,
        epoch: 0,
    }
}

#[tokio::test]
async fn failures_look_as_menjins_own_do() {
    let door = Door::open().await;
    let client = hello(&keys_alone(&door).start().await.unwrap()).await;
    let good = format!("Bearer {}", door.token(&user(1)));
    let old = format!("Bearer {}", door.token(&user(2)));
    door.clock.advance(std::time::Duration::from_secs(3_601));
    let fresh = format!("Bearer {}", door.token(&user(1)));
    let realm = r#"Bearer realm="menjin""#;
    let expired = r#"Bearer realm="menjin", error="invalid_token", error_description="the access token expired""#;
    let invalid = r#"Bearer realm="menjin", error="invalid_token""#;
    let nothing: &[&str] = &[];
    for (sent, body, challenge) in [
        (nothing, NO_AUTHORIZATION, realm),
        (&["Basic ZGV2OmRldg=="], NO_BEARER, realm),
        (&["Bearer-ish x"], NO_BEARER, realm),
        (&["Bearer"], INVALID, invalid),
        (&["Bearer "], INVALID, invalid),
        (&["Bearer x y"], INVALID, invalid),
        (&[&old], EXPIRED, expired),
        (&[&fresh, &fresh], INVALID, invalid),
        (&[&good], EXPIRED, expired),
    ] {
        let response = client.send("/hello", sent).await;
        let headers = response.headers();
        assert_eq!(headers["www-authenticate"], challenge, "{sent:?}");
        assert_eq!(headers["content-type"], "application/json");
        assert_eq!(headers["cache-control"], "no-store");
        assert_eq!(text(response).await, body, "{sent:?}");
    }
    for scheme in ["Bearer", "bearer", "BEARER", "Bearer  "] {
        let sent = fresh.replacen("Bearer", scheme, 1);
        assert_eq!(
            text(client.send("/hello", &[&sent]).await).await,
            "200 hello 1"
        );
    }
}

fn roles() -> Router {
    let user = |user: User| async move { format!("user {} {}", user.uid(), user.is_admin()) };
    let admin =
        |admin: Admin| async move { format!("admin {} {}", admin.uid(), admin.user().uid()) };
    let guest = |guest: Guest| async move { format!("guest {}", guest.id().len()) };
    let caller = |caller: Caller| async move { caller.scope() };
    let perhaps = |user: Option<User>| async move { format!("{:?}", user.map(|user| user.uid())) };
    Router::new()
        .route("/user", get(user))
        .route("/admin", get(admin))
        .route("/guest", get(guest))
        .route("/caller", get(caller))
        .route("/perhaps", get(perhaps))
}

#[tokio::test]
async fn a_handler_says_whom_it_is_for() {
    let door = Door::open().await;
    let guard = keys_alone(&door).accept_guests().start().await.unwrap();
    let client = run(roles().layer(guard.layer())).await;
    let callers = [user(100_001), admin(), guest()];
    for (path, answers) in [
        (
            "/user",
            ["200 user 100001 false", "200 user 100002 true", FORBIDDEN],
        ),
        ("/admin", [FORBIDDEN, "200 admin 100002 100002", FORBIDDEN]),
        ("/guest", [FORBIDDEN, FORBIDDEN, "200 guest 23"]),
        ("/caller", ["200 user", "200 user admin", "200 guest"]),
        (
            "/perhaps",
            ["200 Some(100001)", "200 Some(100002)", "200 None"],
        ),
    ] {
        for (subject, answer) in callers.iter().zip(answers) {
            let token = format!("Bearer {}", door.token(subject));
            let response = client.send(path, &[&token]).await;
            if answer == FORBIDDEN {
                let challenge = r#"Bearer realm="menjin", error="insufficient_scope""#;
                assert_eq!(response.headers()["www-authenticate"], challenge);
            }
            assert_eq!(text(response).await, answer, "{path} {subject:?}");
        }
    }
}

#[tokio::test]
async fn an_optional_layer_lets_nobody_in_and_no_bad_token() {
    let door = Door::open().await;
    let guard = keys_alone(&door).start().await.unwrap();
    let client = run(roles().layer(guard.layer().optional())).await;
    let ask = async |path, sent: &[&str]| text(client.send(path, sent).await).await;
    assert_eq!(ask("/perhaps", &[]).await, "200 None");
    assert_eq!(ask("/user", &[]).await, NO_AUTHORIZATION);
    assert_eq!(ask("/caller", &[]).await, NO_AUTHORIZATION);
    assert_eq!(ask("/perhaps", &["Basic x"]).await, NO_BEARER);
    assert_eq!(ask("/perhaps", &["Bearer x"]).await, INVALID);
    let token = format!("Bearer {}", door.token(&user(7)));
    assert_eq!(ask("/perhaps", &[&token]).await, "200 Some(7)");
}

#[tokio::test]
async fn a_missing_layer_is_the_services_own_fault() {
    let client = run(roles()).await;
    for path in ["/user", "/perhaps"] {
        assert_eq!(
            text(client.send(path, &["Bearer x"]).await).await,
            r#"500 {"success":false,"error":"internal","message":"system error"}"#
        );
    }
}

#[tokio::test]
async fn a_handler_may_refuse_in_the_same_words() {
    let refuse = || async { Err::<(), _>(Refused::Forbidden) };
    let client = run(Router::new().route("/", get(refuse))).await;
    assert_eq!(text(client.send("/", &[]).await).await, FORBIDDEN);
}

/// Without axum: any tower service over http's types, with a body of its own.
#[tokio::test]
async fn any_service_can_be_guarded() {
    let door = Door::open().await;
    let guard = keys_alone(&door).start().await.unwrap();
    let inner = service_fn(|request: Request<()>| async move {
        let caller = request.extensions().get::<Caller>().unwrap();
        let body = Full::<Bytes>::from(caller.subject().to_owned());
        Ok::<_, Infallible>(Response::new(body))
    });
    let service = guard.layer().layer(inner);
    for (token, status, body) in [
        (door.token(&user(5)), 200, "5"),
        ("x".to_owned(), 401, r#"{"error":"invalid_token"}"#),
    ] {
        let request = Request::get("/").header("authorization", format!("Bearer {token}"));
        let response = service
            .clone()
            .oneshot(request.body(()).unwrap())
            .await
            .unwrap();
        assert_eq!(response.status(), status);
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(bytes, body);
    }
}
