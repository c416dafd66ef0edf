//! What each example takes, and what it refuses.

use std::time::Duration;

use serde_json::{Value, json};

use super::{
    deployment::{Deployment, Others},
    telling::{Kind, Service},
};
use crate::harness::{Reply, eventually, menjin, run, within};

/// Until a service has heard of whatever was taken back.
const HEARSAY: Duration = Duration::from_secs(5);
/// No rotation takes as long as this: twelve seconds are its due.
const ROTATION: Duration = Duration::from_secs(25);

fn is_refused(reply: &Reply, error: &str) {
    assert_eq!(reply.status, 401, "{reply:?}");
    assert_eq!(reply.json(), json!({ "error": error }));
    let challenges = reply.head.to_lowercase();
    let challenges = challenges.matches("www-authenticate: bearer").count();
    assert_eq!(challenges, 1, "{reply:?}");
}

fn is_hello(reply: &Reply, account: &Value) {
    assert_eq!(reply.status, 200, "{reply:?}");
    let hello = json!({ "hello": account["uid"], "role": account["role"] });
    assert_eq!(reply.json(), hello);
}

fn ends(service: &Service, token: &str) {
    within(HEARSAY, "the token ends", || {
        let reply = service.hello(token);
        (reply.status != 200).then(|| is_refused(&reply, "invalid_token"))
    });
}

/// Tokens of every kind, and none.
fn at_the_door(service: &Service, deployment: &Deployment, others: &Others) {
    let token = deployment.user();
    is_hello(&service.hello(&token), &deployment.account(&token));
    // Clocks are never quite the same, and a fresh token must not have to wait.
    is_hello(&service.hello(&others.early), &deployment.account(&token));
    for scheme in ["bearer", "BEARER"] {
        let header = format!("{scheme} {token}");
        let reply = service.ask("GET /hello", &[("Authorization", &header)]);
        assert_eq!(reply.status, 200, "{reply:?}");
    }
    is_refused(&service.hello(&others.expired), "token_expired");
    is_refused(&service.hello(&others.foreign), "invalid_token");
    is_refused(&service.hello(&deployment.guest()), "invalid_token");
    is_refused(&service.hello(&others.elsewhere), "invalid_token");
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let unsigned = format!("{signed}.");
    let turned: String = signature.chars().rev().collect();
    for forged in [&unsigned, &format!("{signed}.{turned}"), "", "x", "a.b.c"] {
        is_refused(&service.hello(forged), "invalid_token");
    }
    let none = service.ask("GET /hello", &[]);
    is_refused(&none, "Unauthorized for no Authorization");
    let basic = service.ask("GET /hello", &[("Authorization", "Basic eDp5")]);
    is_refused(&basic, "Unauthorized for no Bearer");
}

/// What is taken back early: a token, all of an account, all of a key.
fn taken_back(service: &Service, deployment: &Deployment) {
    let (token, other) = (deployment.user(), deployment.user());
    assert_eq!(service.hello(&token).status, 200);
    deployment.ask(&token, "/v1/user/logout");
    ends(service, &token);
    assert_eq!(service.hello(&other).status, 200);

    let fresh = deployment.ask(&other, "/v1/user/logout_all").token();
    ends(service, &other);
    assert_eq!(service.hello(&fresh).status, 200);

    let kid = crate::keys::kid(&deployment.folder, "signs");
    let removed = run(menjin(&deployment.folder).args(["key", "remove", &kid]));
    assert_eq!(removed.code, Some(0), "{removed:?}");
    // Menjin itself has five seconds for this, and the service hears it then.
    within(2 * HEARSAY, "the key's tokens end", || {
        (service.hello(&fresh).status == 401).then_some(())
    });
    is_refused(&service.hello(&fresh), "invalid_token");
}

fn story(kind: Kind) {
    let (deployment, others) = Deployment::with_a_past();
    let service = Service::start(kind, &deployment, &[]);
    at_the_door(&service, &deployment, &others);
    taken_back(&service, &deployment);
}

/// The example in Rust lets users in, and nobody else, and hears what was taken back.
#[test]
fn in_rust() {
    story(Kind::Rust);
}

/// The example on Node lets users in, and nobody else, and hears what was taken back.
#[test]
fn on_node() {
    story(Kind::Node);
}

/// The example in Python lets users in, and nobody else, and asks whether they still count.
#[test]
fn in_python() {
    story(Kind::Python);
}

/// The example behind nginx lets users in, and nobody else.
#[test]
fn behind_nginx() {
    story(Kind::Nginx);
}

/// Proves that what a client claims to be does not reach a service behind nginx, that Menjin is asked
/// about nothing but the token, and that it cannot be asked around the service.
#[test]
fn nginx_believes_menjin_alone() {
    let deployment = Deployment::named();
    let service = Service::start(Kind::Nginx, &deployment, &[]);
    let (user, guest) = (deployment.user(), deployment.guest());
    let account = deployment.account(&user);
    let bearer = |token: &str| format!("Bearer {token}");
    let claims = [("X-Menjin-Uid", "1"), ("X-Menjin-Role", "admin")];
    let with = |token: &str, line: &str| {
        let bearer = bearer(token);
        let mut headers = vec![("Authorization", &*bearer)];
        headers.extend(claims);
        service.ask(line, &headers)
    };
    is_hello(&with(&user, "GET /hello"), &account);
    is_hello(&with(&user, "GET /hello?guests=allow"), &account);
    is_refused(
        &service.ask("GET /hello", &claims),
        "Unauthorized for no Authorization",
    );
    for line in [
        "GET /hello",
        "GET /hello?guests=allow",
        "POST /hello?guests=allow",
    ] {
        is_refused(&with(&guest, line), "invalid_token");
    }
    for inside in [
        "GET /_menjin",
        "GET /_refused",
        "GET /_refused?guests=allow",
    ] {
        assert_eq!(with(&user, inside).status, 404, "{inside}");
    }
}

/// Proves KEY-2 with the caches of four implementations: keys rotate, and at no moment is a fresh token
/// refused.
#[test]
fn keys_rotate() {
    let deployment = Deployment::named();
    let kinds = [Kind::Rust, Kind::Node, Kind::Python, Kind::Nginx];
    let services = kinds.map(|kind| Service::start(kind, &deployment, &[]));
    let round = || {
        let token = deployment.user();
        for service in &services {
            let reply = service.hello(&token);
            assert_eq!(reply.status, 200, "{:?}: {reply:?}", service.kind);
        }
        token.split('.').next().unwrap().to_owned()
    };
    // The second of these keys is one that nobody knew at the start.
    for _ in 0..2 {
        let before = round();
        let rotated = run(menjin(&deployment.folder).args(["key", "rotate"]));
        assert_eq!(rotated.code, Some(0), "{rotated:?}");
        within(ROTATION, "the next key signs", || {
            (round() != before).then_some(())
        });
    }
}

/// A number of the feed may have no item: a token was taken back twice, or what it told is over. Whoever
/// follows waits there for the next one, and does not ask again and again.
#[test]
fn nobody_hurries_at_the_end_of_the_feed() {
    let deployment = Deployment::named();
    let token = deployment.user();
    for _ in 0..2 {
        deployment.take_back(&token);
    }
    for kind in [Kind::Rust, Kind::Node] {
        let before = deployment.polls();
        let service = Service::start(kind, &deployment, &[]);
        let token = deployment.user();
        for _ in 0..100 {
            assert_eq!(service.hello(&token).status, 200);
        }
        let polls = deployment.polls() - before;
        assert!((1..20).contains(&polls), "{kind:?}: {polls}");
    }
}

/// Whoever checks tokens by themselves goes on without Menjin, for as long as they have chosen to;
/// whoever asks lets nobody in.
#[test]
fn menjin_goes_away() {
    let deployment = Deployment::named();
    let token = deployment.user();
    let start = |kind, settings: &[_]| Service::start(kind, &deployment, settings);
    let patient = [Kind::Rust, Kind::Node].map(|kind| start(kind, &[]));
    let strict = start(Kind::Node, &[("MENJIN_MAX_SILENCE", "6")]);
    let asking = [Kind::Python, Kind::Nginx].map(|kind| start(kind, &[]));
    deployment.server.program.signal("KILL");
    let closes = |service: &Service| {
        let refused = eventually("nobody is let in", || {
            let reply = service.hello(&token);
            (reply.status != 200).then_some(reply)
        });
        assert_eq!(refused.status, 503, "{:?}: {refused:?}", service.kind);
        assert_eq!(refused.json()["error"], "unavailable", "{refused:?}");
    };
    asking.iter().for_each(closes);
    for service in &patient {
        assert_eq!(service.hello(&token).status, 200, "{:?}", service.kind);
    }
    closes(&strict);
}
