//! Menjin over HTTP: its metadata, its keys, and the feed of what counts no more.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::STANDARD};
use form_urlencoded::byte_serialize;
use http::{
    HeaderMap, HeaderValue, StatusCode,
    header::{AGE, AUTHORIZATION, CACHE_CONTROL},
};
use menjin_core::Secret;
use reqwest::{Certificate, Client, RequestBuilder, redirect::Policy};
use serde::Deserialize;

use crate::{
    error::{Fault, Trouble},
    feed::Page,
    keys::Keys,
};

/// Time for a whole request; of one that waits for news, besides that wait.
const TIMEOUT: Duration = Duration::from_secs(5);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// Bytes of metadata, or of a key set. A real one has some hundred.
const DOCUMENT_LIMIT: usize = 64 * 1024;
/// Bytes of a page of the feed: a thousand entries of some hundred and fifty.
const PAGE_LIMIT: usize = 1024 * 1024;
/// How long a key set is kept that does not say so itself.
const USUAL_LIFETIME: Duration = Duration::from_mins(5);

/// Where Menjin is and how to ask it.
pub(crate) struct Source {
    client: Client,
    issuer: String,
    /// Without a slash at its end.
    base: String,
    /// Menjin is reached at another address than the one it has for the world.
    elsewhere: bool,
    credentials: Option<HeaderValue>,
}

#[derive(Deserialize)]
struct Metadata {
    issuer: String,
    jwks_uri: String,
}

impl Source {
    pub(crate) fn new(client: Client, issuer: &str, url: Option<&str>) -> Self {
        Self {
            client,
            issuer: issuer.to_owned(),
            base: url.unwrap_or(issuer).trim_end_matches('/').to_owned(),
            elsewhere: url.is_some(),
            credentials: None,
        }
    }

    /// `None` if no header can carry them, which never happens.
    pub(crate) fn authenticate(mut self, id: &str, secret: &Secret) -> Option<Self> {
        let coded = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
        // RFC 6749 §2.3.1: both are form-encoded first, so that a colon in the id divides nothing.
        let pair = Secret::new(&format!("{}:{}", coded(id), coded(secret.expose())));
        let basic = Secret::new(&format!("Basic {}", STANDARD.encode(pair.expose())));
        let mut header = HeaderValue::from_str(basic.expose()).ok()?;
        header.set_sensitive(true);
        self.credentials = Some(header);
        Some(self)
    }

    /// Where the key set is, as the metadata says.
    pub(crate) async fn jwks_uri(&self) -> Result<String, Trouble> {
        let url = format!("{}/.well-known/oauth-authorization-server", self.base);
        let request = self.client.get(&url).timeout(TIMEOUT);
        let (_, body) = read(request, DOCUMENT_LIMIT)
            .await
            .map_err(|fault| fault.at(&url))?;
        let metadata: Metadata = serde_json::from_slice(&body)
            .map_err(|_| Fault::Malformed("the metadata of RFC 8414").at(&url))?;
        // RFC 8414 §3.3: or another issuer's keys would check our tokens.
        if metadata.issuer != self.issuer {
            return Err(Fault::OtherIssuer(metadata.issuer).at(&url));
        }
        if self.elsewhere {
            // The address in the metadata is the one for the world, which may not lead there from here.
            return Ok(format!("{}/.well-known/jwks.json", self.base));
        }
        if self.base.starts_with("https:") && !metadata.jwks_uri.starts_with("https:") {
            return Err(Fault::Downgrade(metadata.jwks_uri).at(&url));
        }
        Ok(metadata.jwks_uri)
    }

    /// The keys, and how long they may be kept.
    pub(crate) async fn keys(&self, url: &str) -> Result<(Keys, Duration), Trouble> {
        let request = self.client.get(url).timeout(TIMEOUT);
        let (headers, body) = read(request, DOCUMENT_LIMIT)
            .await
            .map_err(|fault| fault.at(url))?;
        let keys = Keys::parse(&body).ok_or_else(|| Fault::Malformed("a key set").at(url))?;
        Ok((keys, lifetime(&headers)))
    }

    /// What came after `after`; waits up to `wait`, whole seconds, for something to come.
    pub(crate) async fn page(&self, after: i64, wait: Duration) -> Result<Page, Trouble> {
        let url = format!(
            "{}/auth/revocations?after={after}&wait={}",
            self.base,
            wait.as_secs()
        );
        let mut request = self.client.get(&url).timeout(TIMEOUT + wait);
        if let Some(credentials) = &self.credentials {
            request = request.header(AUTHORIZATION, credentials.clone());
        }
        let page = read(request, PAGE_LIMIT).await.and_then(|(_, body)| {
            Page::parse(&body, after).ok_or(Fault::Malformed("a page of the revocation feed"))
        });
        page.map_err(|fault| match fault {
            Fault::Status(StatusCode::UNAUTHORIZED) => Fault::UnknownService.at(&url),
            Fault::Status(StatusCode::FORBIDDEN) => Fault::MayNotFollow.at(&url),
            fault => fault.at(&url),
        })
    }
}

/// Trusts the system's roots, and bundled ones where there are none.
pub(crate) fn client() -> Result<Client, reqwest::Error> {
    let roots = webpki_root_certs::TLS_SERVER_ROOT_CERTS
        .iter()
        .map(|root| Certificate::from_der(root))
        .collect::<Result<Vec<_>, _>>()?;
    Client::builder()
        .tls_certs_merge(roots)
        .no_proxy()
        .redirect(Policy::none())
        .referer(false)
        .connect_timeout(CONNECT_TIMEOUT)
        .user_agent(concat!("menjin-guard/", env!("CARGO_PKG_VERSION")))
        .build()
}

/// Sends it and reads the answer, if it is a 200 and no longer than `limit`.
async fn read(request: RequestBuilder, limit: usize) -> Result<(HeaderMap, Vec<u8>), Fault> {
    let unreachable = |error: reqwest::Error| Fault::Unreachable(error.without_url());
    let mut response = request.send().await.map_err(unreachable)?;
    if response.status() != StatusCode::OK {
        return Err(Fault::Status(response.status()));
    }
    let headers = std::mem::take(response.headers_mut());
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
        if body.len() + chunk.len() > limit {
            return Err(Fault::TooLong(limit));
        }
        body.extend_from_slice(&chunk);
    }
    Ok((headers, body))
}

/// How long the answer may be kept (RFC 9111 §4.2): `max-age` less what a cache on the way has had of
/// it. At least ten seconds, so that nobody's header makes us ask without end; at most an hour.
fn lifetime(headers: &HeaderMap) -> Duration {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let seconds = |text: &str| text.trim().trim_matches('"').parse().ok();
    let max_age = text(CACHE_CONTROL).map(|text| {
        let max_age = text.split(',').find_map(|directive| {
            let (name, value) = directive.split_once('=')?;
            name.trim().eq_ignore_ascii_case("max-age").then_some(value)
        });
        max_age.and_then(seconds).unwrap_or(0)
    });
    let age = text(AGE).and_then(seconds).unwrap_or(0);
    max_age
        .map_or(USUAL_LIFETIME, |most: u64| {
            Duration::from_secs(most.saturating_sub(age))
        })
        .clamp(Duration::from_secs(10), Duration::from_hours(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_set_is_kept_as_long_as_its_headers_say() {
        for (cache_control, age, seconds) in [
            (None, None, 300),
            (Some("public, max-age=300"), None, 300),
            (Some("Max-Age=\"600\", public"), Some("100"), 500),
            (Some("max-age=60"), Some("600"), 10),
            (Some("max-age=86400"), None, 3_600),
            (Some("no-store"), None, 10),
            (Some("max-age=often"), None, 10),
        ] {
            let mut headers = HeaderMap::new();
            for (name, value) in [(CACHE_CONTROL, cache_control), (AGE, age)] {
                if let Some(value) = value {
                    headers.insert(name, HeaderValue::from_static(value));
                }
            }
            let expected = Duration::from_secs(seconds);
            assert_eq!(lifetime(&headers), expected, "{cache_control:?} {age:?}");
        }
    }

    #[test]
    fn an_id_and_a_secret_of_any_characters_make_one_header() {
        let source = Source::new(Client::new(), "https://door.example", None)
            .authenticate("re:pairs", &Secret::new("s e/cret:ä"))
            .unwrap();
        let header = source.credentials.unwrap();
        let encoded = header.to_str().unwrap().strip_prefix("Basic ").unwrap();
        let pair = String::from_utf8(STANDARD.decode(encoded).unwrap()).unwrap();
        assert_eq!(pair, "re%3Apairs:s+e%2Fcret%3A%C3%A4");
        assert!(!format!("{header:?}").contains(encoded));
    }
}
