//! One HTTP request to a provider: sent once, answered in time, read as far as it may be.

use std::{error::Error as StdError, sync::Arc, time::Duration};

use reqwest::{
    Client, Response, StatusCode, Url,
    header::{HeaderMap, HeaderName, HeaderValue},
    redirect,
};
use rustls::ClientConfig;
use tokio::time::timeout;

use crate::{
    connect::{Reach, open, roots, tls},
    error::{SendError, SetupError},
};

/// Bytes of a reply's body that are read. A real one has some hundred.
const BODY_LIMIT: usize = 64 * 1024;

/// Sends requests, each over a connection of its own: a kept one could turn out closed half-way
/// through a request, and then nobody would know whether the message went out.
pub(crate) struct Http {
    client: Client,
    tls: Arc<ClientConfig>,
    connect_timeout: Duration,
    timeout: Duration,
}

/// A whole reply.
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) body: Vec<u8>,
}

impl Http {
    /// # Errors
    ///
    /// [`SetupError::CaFile`]; [`SetupError::Tls`] never in practice.
    pub(crate) fn new(reach: &Reach) -> Result<Self, SetupError> {
        let tls = tls(roots(reach.ca_file.as_deref())?)?;
        let client = Client::builder()
            .tls_backend_preconfigured(tls.clone())
            .no_proxy()
            .redirect(redirect::Policy::none())
            .referer(false)
            .retry(reqwest::retry::never())
            .http1_only()
            .pool_max_idle_per_host(0)
            .connect_timeout(reach.connect_timeout)
            .build()
            .map_err(|error| SetupError::Tls(Box::new(error.without_url())))?;
        Ok(Self {
            client,
            tls: Arc::new(tls),
            connect_timeout: reach.connect_timeout,
            timeout: reach.timeout,
        })
    }

    /// Posts `body` once, and gives the reply whatever its status.
    ///
    /// # Errors
    ///
    /// [`SendError::TimedOut`], [`SendError::Unreachable`], [`SendError::Garbled`].
    pub(crate) async fn post(
        &self,
        url: Url,
        headers: HeaderMap,
        body: Vec<u8>,
    ) -> Result<Reply, SendError> {
        let call = async {
            let request = self.client.post(url).headers(headers).body(body);
            let response = request.send().await.map_err(broken)?;
            let status = response.status();
            match read(response).await {
                Ok(body) => Ok(Reply { status, body }),
                Err(_) if status != StatusCode::OK => Err(SendError::Garbled(words_of(status))),
                Err(error) => Err(error),
            }
        };
        timeout(self.timeout, call)
            .await
            .unwrap_or(Err(SendError::TimedOut))
    }

    /// Posts `body` once, and looks at nothing of the reply but its status.
    ///
    /// # Errors
    ///
    /// As [`Http::post`].
    pub(crate) async fn post_for_status(
        &self,
        url: Url,
        headers: HeaderMap,
        body: Vec<u8>,
    ) -> Result<StatusCode, SendError> {
        let request = self.client.post(url).headers(headers).body(body);
        let response = timeout(self.timeout, request.send())
            .await
            .map_err(|_| SendError::TimedOut)?
            .map_err(broken)?;
        Ok(response.status())
    }

    /// Connects to where `url` points, and says nothing.
    ///
    /// # Errors
    ///
    /// [`SendError::TimedOut`], [`SendError::Unreachable`].
    pub(crate) async fn touch(&self, url: &Url) -> Result<(), SendError> {
        let tls = (url.scheme() == "https").then_some(&self.tls);
        let host = url.host_str().unwrap_or_default();
        let port = url.port_or_known_default().unwrap_or_default();
        open((host, port), tls, self.connect_timeout)
            .await
            .map(drop)
    }
}

/// The status in fixed words, since a reason phrase is the sender's to choose.
pub(crate) fn words_of(status: StatusCode) -> &'static str {
    match status.as_u16() {
        300..=399 => "HTTP status 3xx",
        400..=499 => "HTTP status 4xx",
        500..=599 => "HTTP status 5xx",
        _ => "HTTP status other than 200",
    }
}

/// Headers of pairs; values that are secret or personal are marked so.
///
/// # Errors
///
/// [`SendError::Garbled`] if a value cannot be a header's, which the options rule out.
pub(crate) fn headers(pairs: Vec<(&'static str, String)>) -> Result<HeaderMap, SendError> {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        let mut value =
            HeaderValue::try_from(value).map_err(|_| SendError::Garbled("a header of ours"))?;
        value.set_sensitive(true);
        headers.insert(HeaderName::from_static(name), value);
    }
    Ok(headers)
}

/// Reads a URL of `http` or `https` that names a host, and no user.
///
/// # Errors
///
/// [`SetupError::Url`].
pub(crate) fn url(text: &str) -> Result<Url, SetupError> {
    let url = Url::parse(text).map_err(|_| SetupError::Url("is no URL"))?;
    if !matches!(url.scheme(), "https" | "http") {
        return Err(SetupError::Url("must begin with https:// or http://"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(SetupError::Url("must hold no user name or password"));
    }
    if url.fragment().is_some() {
        return Err(SetupError::Url("must hold no fragment"));
    }
    Ok(url)
}

/// Reads a URL as [`url`] does, that has no path or query of its own, and gives the `Host` header
/// that goes with it.
///
/// # Errors
///
/// [`SetupError::Url`].
pub(crate) fn origin(text: &str) -> Result<(Url, String), SetupError> {
    let url = url(text)?;
    if url.path() != "/" || url.query().is_some() {
        return Err(SetupError::Url("must end with its host"));
    }
    let host = url.host_str().unwrap_or_default();
    let host = match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    };
    Ok((url, host))
}

async fn read(mut response: Response) -> Result<Vec<u8>, SendError> {
    const TOO_LONG: SendError = SendError::Garbled("a body over 64 KiB");
    let announced = response.content_length().unwrap_or_default();
    if announced > BODY_LIMIT as u64 {
        return Err(TOO_LONG);
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(broken)? {
        if body.len() + chunk.len() > BODY_LIMIT {
            return Err(TOO_LONG);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn broken(error: reqwest::Error) -> SendError {
    if error.is_timeout() {
        return SendError::TimedOut;
    }
    // What a webhook's URL holds may be a secret, and Alibaba's holds the number and the code.
    let error = error.without_url();
    let no_http = std::iter::successors(error.source(), |&error| error.source())
        .filter_map(|error| error.downcast_ref::<hyper::Error>())
        .any(hyper::Error::is_parse);
    if no_http {
        return SendError::Garbled("not HTTP");
    }
    SendError::Unreachable(Arc::new(error))
}
