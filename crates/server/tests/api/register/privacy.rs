//! What is kept of codes and numbers, and what can be learnt from outside.

use std::time::{Duration, Instant};

use serde_json::json;

use super::{E164, PHONE, VERIFY, wrong};
use crate::harness::{TestApp, on_each_database};

on_each_database! {
    /// Proves OTP-2: neither the code nor the number of somebody who has not registered is in the
    /// database.
    async fn codes_and_numbers_are_not_stored(app) {
        let wang = app.person("wang").await;
        let mut codes = Vec::new();
        for n in 0..5 {
            app.ask(&wang, &format!("1370013700{n}")).await;
            codes.push(app.code_to(&format!("+861370013700{n}")).await);
        }
        let stored = app.stored().await;
        let holds = |text: &str| stored.windows(text.len()).any(|part| part == text.as_bytes());
        assert!(holds(&wang.openid), "the search finds what is there");
        assert!(!holds("1370013700"));
        // Six digits stand somewhere by chance, in a time for instance; not all of them.
        assert!(codes.iter().filter(|code| holds(code)).count() < codes.len());
    }
}

/// Who has no token learns from neither words nor time whether a number is somebody's.
///
/// Proves OTP-15.
#[tokio::test]
async fn a_stranger_learns_nothing_about_numbers() {
    let app = TestApp::sqlite().await;
    let known = |n: u32| format!("137{n:08}");
    let rows = (0..500).map(|n| format!("('+86{}', 1, 1, 1)", known(n)));
    let rows: Vec<_> = rows.collect();
    app.sql(&format!(
        "INSERT INTO users (phone, phone_verified_at, created_at, updated_at) VALUES {}",
        rows.join(",")
    ))
    .await;
    let mut times = [Vec::new(), Vec::new()];
    for n in 0..500 {
        for (which, phone) in [known(n), format!("139{n:08}")].into_iter().enumerate() {
            let body = json!({ "phone": phone, "code": "123456" });
            let begun = Instant::now();
            let reply = app.post(VERIFY, &body).await;
            times[which].push(begun.elapsed());
            assert_eq!(
                reply.line(),
                r#"400 {"success":false,"status":"verification_failed","message":"the verification code is not valid"}"#
            );
        }
    }
    let median = |times: &mut Vec<Duration>| {
        times.sort_unstable();
        times[times.len() / 2]
    };
    let [mut a, mut b] = times;
    let apart = median(&mut a).abs_diff(median(&mut b));
    assert!(apart < Duration::from_millis(5), "{apart:?}");
    app.end().await;
}

/// Proves LOG-1: a wrong code says nothing about the right one.
#[tokio::test]
async fn a_wrong_code_is_not_repeated() {
    let app = TestApp::sqlite().await;
    let wang = app.person("wang").await;
    app.ask(&wang, PHONE).await;
    let code = app.code_to(E164).await;
    let reply = app.verify(&wang, PHONE, &wrong(&code)).await;
    assert!(!reply.text.contains(&code) && !reply.text.contains(&wrong(&code)));
    assert!(!reply.text.contains("13800138000"));
    app.end().await;
}
