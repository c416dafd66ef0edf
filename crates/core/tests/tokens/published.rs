//! Tokens that others published, each with their verdict on it: Wycheproof's and the RFCs' own.
//! Where a verdict is not ours, it stands here by its number, and why.

use menjin_core::{json, jwk::VerifyingKey};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::forge::check;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Published {
    number_of_tests: usize,
    test_groups: Vec<Group>,
}

#[derive(Deserialize)]
struct Group {
    key: Map<String, Value>,
    tests: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Case {
    tc_id: u64,
    result: Verdict,
    jws: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Verdict {
    Valid,
    Invalid,
}

fn verdict(key: &Map<String, Value>, token: &str) -> Verdict {
    match VerifyingKey::from_jwk(key).and_then(|key| check(&key, token)) {
        Ok(()) => Verdict::Valid,
        Err(_) => Verdict::Invalid,
    }
}

/// The tests whose verdict is not ours, by number, with theirs; and how many tests there were.
fn disputed(file: &[u8]) -> (Vec<(u64, Verdict)>, usize) {
    let file = Value::Object(json::parse_object(file).unwrap());
    let published: Published = serde_json::from_value(file).unwrap();
    let cases = |group: &Group| group.tests.len();
    let count = published.test_groups.iter().map(cases).sum();
    assert_eq!(count, published.number_of_tests);
    let mut disputed = Vec::new();
    for group in &published.test_groups {
        for case in &group.tests {
            if verdict(&group.key, &case.jws) != case.result {
                disputed.push((case.tc_id, case.result));
            }
        }
    }
    (disputed, count)
}

/// Proves TOK-1: of Wycheproof's 401 tokens none that is invalid is accepted, and none that is
/// valid is refused, save for six that contradict the standard or the file itself.
#[test]
fn wycheproof_and_we_agree_about_tokens() {
    let (disputed, count) = disputed(include_bytes!("../vectors/wycheproof_jws.json"));
    assert_eq!(count, 401);
    assert_eq!(
        disputed,
        [
            // PS384 under a key that says PS256. A key has the one algorithm that it names (RFC
            // 8725 §3.1), as tests 332 to 340 of the same file ask for PS512.
            (346, Verdict::Valid),
            (350, Verdict::Valid),
            // Called a padding where there is none: letter by letter the valid token of test 357.
            (367, Verdict::Invalid),
            (370, Verdict::Invalid),
            // A question mark within the header or the payload. Not base64url (RFC 7515 §2), and
            // the MAC is that of the text without it.
            (372, Verdict::Valid),
            (373, Verdict::Valid),
        ]
    );
}

/// Proves TOK-1: keys that are too short, for another purpose or algorithm, or no point of their
/// curve check nothing.
#[test]
fn wycheproof_and_we_agree_about_keys() {
    let (disputed, count) = disputed(include_bytes!("../vectors/wycheproof_jwk.json"));
    assert_eq!(count, 22);
    // An RSA modulus of the kind that can be factored (ROCA). Nothing of Menjin's is checked with
    // RSA: such keys are read for vectors alone, so how they were made is not looked into.
    assert_eq!(disputed, [(7, Verdict::Invalid)]);
}

/// Proves TOK-1: the examples of RFC 7515, 7520 and 8037 are accepted but for the unsigned one,
/// and those of RFC 7797 where the payload is not encoded are refused.
#[test]
fn the_rfcs_and_we_agree() {
    let (disputed, count) = disputed(include_bytes!("../vectors/rfc.json"));
    assert_eq!(count, 15);
    assert_eq!(disputed, []);
}
