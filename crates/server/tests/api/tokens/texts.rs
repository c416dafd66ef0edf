//! Tokens whose text is odd: JSON that could be read in two ways, base64url that has two spellings,
//! bytes that belong to nothing.

use std::time::{Duration, Instant};

use axum::{
    body::Body,
    http::{HeaderValue, Request},
};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD},
};

use super::{INVALID, each_algorithm, refused};
use crate::harness::{
    Reply, TestApp,
    forge::{Forge, sign_parts, text},
};

/// Proves TOK-9: each member once, in UTF-8, and nothing behind the object.
#[tokio::test]
async fn header_and_payload_are_one_object_each() {
    for (app, forge) in each_algorithm().await {
        let (header, payload) = (text(&forge.header), text(&forge.payload));
        let twice = |json: &str, member: &str| json.replacen('{', &format!("{{{member},"), 1);
        for member in [
            r#""alg":"none""#,
            r#""typ":"at+jwt""#,
            r#""a":1,"a":2"#,
            r#""\u0061lg":"ES256""#,
        ] {
            refused(&app, &forge.with_header_text(twice(&header, member))).await;
        }
        for member in [
            r#""exp":9999999999"#,
            r#""scope":"user admin""#,
            r#""x":{"a":1,"a":1}"#,
            r#""\u0065xp":9999999999"#,
        ] {
            refused(&app, &forge.with_payload_text(twice(&payload, member))).await;
        }
        for (before, after) in [
            ("", "x"),
            ("", "{}"),
            ("", "\0"),
            ("[", "]"),
            ("\u{feff}", ""),
        ] {
            let around = |json: &str| format!("{before}{json}{after}");
            refused(&app, &forge.with_header_text(around(&header))).await;
            refused(&app, &forge.with_payload_text(around(&payload))).await;
        }
        let bytes = |json: &str| [&br#"{"x":""#[..], b"\xff\",", &json.as_bytes()[1..]].concat();
        refused(&app, &forge.with_header_text(bytes(&header))).await;
        refused(&app, &forge.with_payload_text(bytes(&payload))).await;
        for odd in ["", "null", "\"\"", "[]", "{", "0"] {
            refused(&app, &forge.with_header_text(odd)).await;
            refused(&app, &forge.with_payload_text(odd)).await;
        }
        app.end().await;
    }
}

/// A good token and its three parts.
fn parts(forge: &Forge) -> (String, [String; 3]) {
    let token = forge.with_payload_text(text(&forge.payload));
    let mut parts = token.split('.').map(str::to_owned);
    let parts = [(); 3].map(|()| parts.next().unwrap());
    (token, parts)
}

/// Proves TOK-9: one token has one spelling, even where the signature covers another.
#[tokio::test]
async fn base64url_is_canonical() {
    for (app, forge) in each_algorithm().await {
        let (token, [header, payload, signature]) = parts(&forge);
        assert_eq!(app.me(&token).await.status, 200);
        for odd in ["=", "==", "+", "/", "%3D", "\t", " "] {
            refused(&app, &format!("{header}.{payload}.{signature}{odd}x")).await;
            refused(&app, &format!("{header}{odd}.{payload}.{signature}")).await;
            refused(
                &app,
                &sign_parts(&forge.key, &format!("{header}{odd}"), &payload),
            )
            .await;
            refused(
                &app,
                &sign_parts(&forge.key, &header, &format!("{payload}{odd}")),
            )
            .await;
        }
        refused(&app, &format!("{token}=")).await;
        refused(&app, &format!("{token}==")).await;
        // Sixty-four bytes leave four bits of the last character over; all of them are zero.
        let last = signature.chars().last().unwrap();
        let stray = char::from_u32(u32::from(last) + 1).unwrap();
        let stray = format!("{}{stray}", &signature[..signature.len() - 1]);
        refused(&app, &format!("{header}.{payload}.{stray}")).await;
        // The same bytes in the other alphabet, and padded.
        let mut long = text(&forge.payload).replacen('{', "{\"pad\":\"\u{fb}\u{fc}?>~\",", 1);
        while long.len().is_multiple_of(3) {
            long.push(' ');
        }
        let other = STANDARD.encode(&long);
        assert_ne!(other, URL_SAFE_NO_PAD.encode(&long));
        refused(&app, &sign_parts(&forge.key, &header, &other)).await;
        refused(
            &app,
            &sign_parts(&forge.key, &header, &URL_SAFE.encode(&long)),
        )
        .await;
        let good = sign_parts(&forge.key, &header, &URL_SAFE_NO_PAD.encode(&long));
        assert_eq!(app.me(&good).await.status, 200);
        app.end().await;
    }
}

/// Asks with these bytes behind the scheme.
async fn ask(app: &TestApp, token: &[u8]) -> Reply {
    let value = HeaderValue::from_bytes(&[b"Bearer ", token].concat()).unwrap();
    let request = Request::get("/v1/user/me").header("authorization", value);
    app.send(request.body(Body::empty()).unwrap()).await
}

/// Proves TOK-9: nothing stands before, behind or between the three parts.
#[tokio::test]
async fn a_token_is_three_parts_and_nothing_else() {
    for (app, forge) in each_algorithm().await {
        let (token, [header, payload, signature]) = parts(&forge);
        for text in [
            format!("{token}."),
            format!(".{token}"),
            format!("{token}.{signature}"),
            format!("{token} {token}"),
            format!("{token},{token}"),
            format!("{token};x=1"),
            format!("\"{token}\""),
            format!("{header}. {payload}.{signature}"),
            format!("{header} .{payload}.{signature}"),
            format!("{header}\t.{payload}.{signature}"),
            format!("{header}.{payload}"),
            format!("{header}..{signature}"),
            format!(".{payload}.{signature}"),
            format!("{header}.{payload}."),
            format!("{token}\t"),
            format!("{token}\u{a0}"),
            format!("{token}\u{3000}"),
        ] {
            assert_eq!(ask(&app, text.as_bytes()).await.line(), INVALID, "{text}");
        }
        assert_eq!(
            ask(&app, &[token.as_bytes(), b"\xff"].concat())
                .await
                .line(),
            INVALID
        );
        assert_eq!(ask(&app, b"\xff\xfe").await.line(), INVALID);
        app.end().await;
    }
}

/// Proves TOK-9: more than 8 KiB are not read, and whatever is refused is refused within 5 ms.
#[tokio::test]
async fn a_refusal_is_quick_whatever_the_token() {
    for (app, forge) in each_algorithm().await {
        let padded = |bytes: usize| {
            let pad = "x".repeat(bytes);
            forge.with_payload_text(text(&forge.payload).replacen(
                '{',
                &format!("{{\"pad\":\"{pad}\","),
                1,
            ))
        };
        let fits = padded(5_000);
        assert!(fits.len() <= 8_192 && app.me(&fits).await.status == 200);
        for odd in [
            padded(6_000),
            padded(500_000),
            "A".repeat(8_192),
            "A".repeat(1 << 20),
            ".".repeat(8_192),
            "=".repeat(8_192),
            format!("{}.e30.e30", URL_SAFE_NO_PAD.encode("[".repeat(5_000))),
            format!(
                "e30.{}.e30",
                URL_SAFE_NO_PAD.encode("{\"a\":".repeat(1_000))
            ),
            forge.with_header_text(format!("{{\"alg\":{}}}", "[".repeat(4_000))),
            forge.with_payload_text("[".repeat(5_000)),
            forge.with_claim("iss", serde_json::json!("i".repeat(5_000))),
            forge.with_header("kid", serde_json::json!("k".repeat(5_000))),
        ] {
            refused(&app, &odd).await;
            // The quickest of ten: the machine may be busy with something else.
            let mut quickest = Duration::MAX;
            for _ in 0..10 {
                let began = Instant::now();
                refused(&app, &odd).await;
                quickest = quickest.min(began.elapsed());
            }
            assert!(
                quickest < Duration::from_millis(5),
                "{quickest:?}: {}",
                odd.len()
            );
        }
        app.end().await;
    }
}
