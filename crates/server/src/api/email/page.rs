//! The pages that a person sees who follows the link of a mail. No script, and nothing from elsewhere.

use axum::{
    http::{
        HeaderName, HeaderValue, StatusCode,
        header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE},
    },
    response::{IntoResponse, Response},
};
use menjin_core::Email;

use crate::flows::change_email::Link;

/// The one style is known by its SHA-256, so that no other is taken.
const POLICY: &str = "default-src 'none'; \
    style-src 'sha256-DKn6pdqrZuQ270xNizQKt0sRm9QG2PiMQ+xH7mahIZA='; \
    form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

const FRAME: &str = include_str!("../../../assets/confirm/frame.html");
const STYLE: &str = include_str!("../../../assets/confirm/page.css");
const ASK: &str = include_str!("../../../assets/confirm/ask.html");
const DONE: &str = include_str!("../../../assets/confirm/done.html");
const BAD_LINK: &str = include_str!("../../../assets/confirm/bad-link.html");
const REFUSED: &str = include_str!("../../../assets/confirm/refused.html");
const LATER: &str = include_str!("../../../assets/confirm/later.html");

/// A page, whole.
#[derive(Debug)]
pub(crate) struct Page(String);

impl Page {
    /// Shows the address and a button; the form carries the link's token.
    pub(crate) fn ask(email: &Email, link: &Link) -> Self {
        // The token is hexadecimal, so it cannot hold the mark of the address; the address could hold
        // any mark, so it comes last.
        let page = ASK.replace("{token}", &escape(&link.token()));
        Self::framed(&with_address(&page, email))
    }

    /// Says that the address is the account's now.
    pub(crate) fn done(email: &Email) -> Self {
        Self::framed(&with_address(DONE, email))
    }

    /// Says what to do after a failure: of a link that is `bad`, of anything else that the person sent,
    /// or of ours.
    pub(crate) fn failed(status: StatusCode, bad_link: bool) -> Self {
        Self::framed(match status {
            _ if bad_link => BAD_LINK,
            status if status.is_client_error() => REFUSED,
            _ => LATER,
        })
    }

    fn framed(body: &str) -> Self {
        let page = FRAME.replace("{style}", STYLE);
        Self(page.replace("{body}", body))
    }
}

fn with_address(page: &str, email: &Email) -> String {
    page.replace("{address}", &escape(&email.masked()))
}

impl IntoResponse for Page {
    fn into_response(self) -> Response {
        let headers = [
            (CONTENT_TYPE, "text/html; charset=utf-8"),
            (CONTENT_SECURITY_POLICY, POLICY),
            // The address of the page is a secret.
            (HeaderName::from_static("referrer-policy"), "no-referrer"),
        ];
        let headers = headers.map(|(name, value)| (name, HeaderValue::from_static(value)));
        (headers, self.0).into_response()
    }
}

/// Text as it stands in HTML, within and outside quotes.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use base64::{Engine, engine::general_purpose::STANDARD};
    use menjin_core::secret::sha256;

    use super::*;

    #[test]
    fn the_policy_knows_the_style() {
        let known = format!("'sha256-{}'", STANDARD.encode(sha256(STYLE.as_bytes())));
        assert!(POLICY.contains(&known), "{known}");
        assert!(
            Page::framed("")
                .0
                .contains(&format!("<style>{STYLE}</style>"))
        );
    }

    /// Proves PRF-4, of the page: what an address holds is text there, and no mark is left open.
    #[test]
    fn everything_is_escaped() {
        let token = format!("{}.{}", "0".repeat(32), "a".repeat(64));
        let link = Link::parse(&token).unwrap();
        let email = Email::parse("&{token}'{body}@x.example.com").unwrap();
        let page = Page::ask(&email, &link).0;
        assert!(page.contains("&amp;***@x.example.com"), "{page}");
        assert!(page.contains(&format!("value=\"{token}\"")));
        assert_eq!(
            escape(r#"<a href="x" id='y'>&"#),
            "&lt;a href=&quot;x&quot; id=&#39;y&#39;&gt;&amp;"
        );
        let failures = [
            (400, true),
            (400, false),
            (413, false),
            (500, false),
            (503, false),
        ];
        let failures = failures
            .map(|(status, bad)| Page::failed(StatusCode::from_u16(status).unwrap(), bad).0);
        for page in failures.iter().chain([&page, &Page::done(&email).0]) {
            let body = page.split_once("</style>").unwrap().1;
            assert!(!body.contains('{') && !page.contains("<script"), "{page}");
        }
    }
}
