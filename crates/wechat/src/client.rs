//! The client: what all calls share, and what is kept for each app.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use http::{Uri, uri::Scheme};
use menjin_core::{Appid, Clock, Secret};

use crate::{
    circuit::{Circuit, CircuitState},
    code_to_session,
    connect::Connector,
    http::Http,
    setup::{App, Options, SetupError},
    token::TokenSlot,
};

/// Asks WeChat. Clones are handles on the same connections, limits and circuits.
#[derive(Clone)]
pub struct Client {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) http: Http,
    pub(crate) origin: Origin,
    pub(crate) timeout: Duration,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) apps: BTreeMap<Appid, AppState>,
}

/// What every request says of where WeChat is.
pub(crate) struct Origin {
    /// Host, and port if there is one.
    pub(crate) host: String,
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
        let (base_url, origin) = origin(&options.base_url)?;
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
            http: Http::new(
                Connector::new(options.connect_timeout, options.ca_file)?,
                base_url,
            ),
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

/// Takes the base URL apart: where to connect, and what requests say.
fn origin(base_url: &str) -> Result<(Uri, Origin), SetupError> {
    let uri: Uri = base_url
        .parse()
        .map_err(|_| SetupError::BaseUrl("is not a URL"))?;
    let scheme = uri
        .scheme()
        .filter(|s| **s == Scheme::HTTPS || **s == Scheme::HTTP);
    let (Some(_), Some(authority)) = (scheme, uri.authority()) else {
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
    let origin = Origin {
        host: authority.as_str().to_owned(),
        path: uri.path().trim_end_matches('/').to_owned(),
    };
    Ok((uri, origin))
}
