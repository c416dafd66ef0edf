//! The client: what all calls share, and what is kept for each app.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{
    HeaderValue, Uri,
    uri::{Authority, Scheme},
};
use http_body_util::Full;
use hyper_util::{
    client::legacy,
    rt::{TokioExecutor, TokioTimer},
};
use menjin_core::{Appid, Clock, Secret};

use crate::{
    circuit::{Circuit, CircuitState},
    code_to_session,
    connect::Connector,
    setup::{App, Options, SetupError},
    token::TokenSlot,
};

/// How long a connection waits for its next call.
const IDLE: Duration = Duration::from_secs(30);
/// Connections that may wait at once; each keeps about 20 KiB.
const IDLE_CONNECTIONS: usize = 256;
/// What hyper may buffer of one reply, headers included: room for a body at its limit.
const BUFFER: usize = 128 * 1024;

/// Asks WeChat. Clones are handles on the same connections, limits and circuits.
#[derive(Clone)]
pub struct Client {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) http: legacy::Client<Connector, Full<Bytes>>,
    pub(crate) origin: Origin,
    pub(crate) timeout: Duration,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) apps: BTreeMap<Appid, AppState>,
}

/// Where WeChat is, taken apart once so that a call only puts it together.
pub(crate) struct Origin {
    pub(crate) scheme: Scheme,
    pub(crate) authority: Authority,
    pub(crate) host: HeaderValue,
    /// What stands before WeChat's own paths: nothing, or `/` and more without a `/` at its end.
    pub(crate) path: String,
}

pub(crate) struct AppState {
    pub(crate) appid: Appid,
    pub(crate) secret: Secret,
    /// Path and query of `jscode2session` up to the code.
    pub(crate) before_code: Secret,
    pub(crate) circuit: Circuit,
    pub(crate) token: TokenSlot,
}

impl Client {
    /// A client with no connections yet; the first call opens one.
    ///
    /// # Errors
    ///
    /// [`SetupError::BaseUrl`] and [`SetupError::CaFile`]; [`SetupError::Tls`] never in practice.
    pub fn new(
        options: Options,
        apps: Vec<App>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, SetupError> {
        let origin = origin(&options.base_url)?;
        let apps = apps
            .into_iter()
            .map(|App { appid, secret }| {
                let state = AppState {
                    before_code: code_to_session::before_code(&origin.path, &appid, &secret),
                    circuit: Circuit::new(options.in_flight),
                    token: TokenSlot::default(),
                    appid: appid.clone(),
                    secret,
                };
                (appid, state)
            })
            .collect();
        let inner = Inner {
            http: http(Connector::new(options.connect_timeout, options.ca_file)?),
            origin,
            timeout: options.timeout,
            clock,
            apps,
        };
        Ok(Self {
            inner: Arc::new(inner),
        })
    }

    /// The state of each app's circuit, in the order of appids, for metrics.
    #[must_use]
    pub fn circuits(&self) -> Vec<(Appid, CircuitState)> {
        self.inner
            .apps
            .iter()
            .map(|(appid, app)| (appid.clone(), app.circuit.state()))
            .collect()
    }
}

fn http(connector: Connector) -> legacy::Client<Connector, Full<Bytes>> {
    legacy::Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(IDLE)
        .pool_max_idle_per_host(IDLE_CONNECTIONS)
        .http1_max_buf_size(BUFFER)
        // Each request has one already, made once for all of them.
        .set_host(false)
        // Takes a new connection when a kept one turns out closed before the request was given to
        // it. Only a request of which no byte was written comes back from hyper to be repeated, so
        // no code is spent twice; without it every connection that WeChat closes would fail a
        // sign-in.
        .retry_canceled_requests(true)
        .build(connector)
}

/// Takes the base URL apart: its origin, and the path before WeChat's own.
fn origin(base_url: &str) -> Result<Origin, SetupError> {
    let uri: Uri = base_url
        .parse()
        .map_err(|_| SetupError::BaseUrl("is not a URL"))?;
    let scheme = uri
        .scheme()
        .filter(|s| **s == Scheme::HTTPS || **s == Scheme::HTTP);
    let (Some(scheme), Some(authority)) = (scheme, uri.authority()) else {
        return Err(SetupError::BaseUrl("must begin with https:// or http://"));
    };
    if authority.as_str().contains('@') {
        return Err(SetupError::BaseUrl("must hold no user name or password"));
    }
    if authority.host().is_empty() {
        return Err(SetupError::BaseUrl("must name a host"));
    }
    if base_url.contains(['?', '#']) {
        return Err(SetupError::BaseUrl("must end with its host or a path"));
    }
    let host = HeaderValue::from_str(authority.as_str())
        .map_err(|_| SetupError::BaseUrl("must name a host"))?;
    Ok(Origin {
        scheme: scheme.clone(),
        authority: authority.clone(),
        host,
        path: uri.path().trim_end_matches('/').to_owned(),
    })
}
