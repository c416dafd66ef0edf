use serde_json::Value;

use super::*;
use crate::errcodes;

/// What is read at no route of that shape, or has words for people where others have a word.
const NOWHERE: [&str; 7] = [
    // A sign-in alone has these, by their numbers.
    "code_missing",
    "code_malformed",
    "app_unknown",
    // The routes of accounts make `delivery_failed` of them, and no other asks WeChat.
    "wechat_failed",
    "wechat_refused",
    // Uploads answer with words for people.
    "picture_refused",
    "picture_too_large",
];

/// Every number and every word that a body can hold is explained, under its status.
#[tokio::test]
async fn the_reference_is_complete() {
    let refusals = refusals().into_iter().map(Failure::from);
    let others = others().into_iter().map(|(_, failure)| failure);
    for failure in refusals.chain(others) {
        for shape in SHAPES {
            if shape == Shape::SignIn && is_elsewhere(&failure) {
                continue;
            }
            if shape == Shape::OAuth && !is_for_services(&failure) {
                continue;
            }
            let response = failure.render(shape);
            let status = response.status();
            let body: Value = serde_json::from_str(&body(response).await).unwrap();
            for word in words(&body) {
                explained(&word, status.as_str(), shape);
            }
        }
    }
}

/// Whether no sign-in is refused for this: it takes no token, and is no route of accounts.
fn is_elsewhere(failure: &Failure) -> bool {
    let Failure::Refused(refusal) = failure else {
        return matches!(failure, Failure::Delivery(_));
    };
    let elsewhere = [
        Refusal::NotFound,
        Refusal::NoAuthorization,
        Refusal::NoBearer,
        Refusal::TokenExpired,
        Refusal::TokenInvalid,
        Refusal::Forbidden,
        Refusal::NotSigned,
        Refusal::ClientUnknown,
        Refusal::ClientForbidden,
        Refusal::RequestMalformed("token is missing"),
    ];
    elsewhere.contains(refusal) || is_of_accounts(*refusal) || is_of_services(*refusal)
}

/// Whether a service can be refused for this: nothing of a sign-in or an account is its business.
fn is_for_services(failure: &Failure) -> bool {
    match failure {
        Failure::Refused(Refusal::NotFound) => false,
        Failure::Refused(refusal) => !is_of_accounts(*refusal),
        _ => true,
    }
}

/// What a program switches on: the words in `status` and `error`, and WeChat's number.
fn words(body: &Value) -> Vec<String> {
    let word = |name: &str| body[name].as_str().map(str::to_owned);
    let number = |name: &str| body[name]["errcode"].as_i64();
    let number = number("error").or_else(|| number("wechat"));
    let number = number.map(|number| number.to_string());
    [word("status"), word("error"), number]
        .into_iter()
        .flatten()
        .collect()
}

fn explained(word: &str, status: &str, shape: Shape) {
    let field = word == "invalid_phone" || word == "invalid_phone_code";
    let name = if field { "invalid_<field>" } else { word };
    let known = errcodes::statuses(name);
    let unknown_to_wechat = word == "99999";
    let excused = NOWHERE.contains(&word) || unknown_to_wechat;
    let listed = known.iter().any(|known| known.contains(status));
    // Elsewhere WeChat's numbers come with the status of the word beside them.
    let by_wechat = shape != Shape::SignIn && word.parse().is_ok_and(errcodes::knows);
    assert!(listed || excused || by_wechat, "{word} {status}: {known:?}");
}
