//! From configuration to parts that work.

pub(crate) mod messages;

use std::{
    fs::File,
    io::Write,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::Context;
use menjin_core::{key::SigningAlgorithm, keyring::Rotation, token::LEEWAY_SECONDS};
use menjin_server::{App, AppOptions, Outside, Pictures};
use menjin_store::{Lock, Store};

use crate::{
    args::ConfigArgs,
    config::{self, Algorithm, Config},
    output::Failure,
    process::SystemClock,
};

/// The environment, read once.
pub(crate) fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}

/// The configuration that the arguments name: the file, or `menjin.toml` if there is one, and the
/// environment over it.
pub(crate) fn load(args: &ConfigArgs) -> Result<Config, Failure> {
    let usual = PathBuf::from("menjin.toml");
    let file = args
        .config
        .clone()
        .or_else(|| usual.exists().then_some(usual));
    let loaded = Config::load(file.as_deref(), environment());
    loaded.map_err(|problems| match file {
        Some(_) => problems.into(),
        None => Failure::refused(format!(
            "there is no menjin.toml here, and the environment alone does not do:\n{problems}\n\
             `menjin init` writes one; --config names another; `menjin dev` needs none"
        )),
    })
}

/// What is revoked is kept in mind this long at least: tokens that were made before `token.ttl` was made
/// shorter last as long as it was then.
const KEPT_AT_LEAST: Duration = Duration::from_hours(1);

/// Opens the store, without migrating it.
pub(crate) async fn store(config: &Config) -> Result<Store, Failure> {
    let mut options = menjin_store::Options::new(config.store.url.expose());
    options.connections = config.store.connections;
    // As far as the clocks of two machines may be apart.
    let leeway = Duration::from_secs(2 * LEEWAY_SECONDS.unsigned_abs());
    options.tokens_last = config.token.ttl.max(KEPT_AT_LEAST) + leeway;
    let opened = Store::open(&options).await;
    Ok(opened.context("the store cannot be opened; see store.url")?)
}

/// Keeps a second server off the same SQLite file.
pub(crate) fn lock(config: &Config) -> Result<Option<Lock>, Failure> {
    menjin_store::lock(config.store.url.expose()).map_err(|error| match error {
        menjin_store::Error::InUse(_) => Failure::refused(error.to_string()),
        error => Failure::Broken(error.into()),
    })
}

/// The client for WeChat.
pub(crate) fn wechat(config: &Config) -> Result<menjin_wechat::Client, Failure> {
    let wechat = &config.wechat;
    let options = menjin_wechat::Options {
        base_url: wechat.base_url.clone(),
        connect_timeout: wechat.connect_timeout,
        timeout: wechat.timeout,
        ca_file: wechat.ca_file.clone(),
        ..menjin_wechat::Options::default()
    };
    let apps = wechat.apps.iter().map(|app| menjin_wechat::App {
        appid: app.appid.clone(),
        secret: app.secret.clone(),
    });
    let client = menjin_wechat::Client::new(options, apps.collect(), Arc::new(SystemClock::new()));
    client.map_err(|error| Failure::refused(error.to_string()))
}

/// How the signing keys follow one another.
pub(crate) fn rotation(config: &Config) -> Rotation {
    Rotation {
        every: config.token.rotation.unwrap_or_default(),
        cache: config.token.jwks_max_age,
        token_ttl: config.token.ttl,
        algorithm: match config.token.algorithm {
            Algorithm::Es256 => SigningAlgorithm::Es256,
            Algorithm::EdDsa => SigningAlgorithm::EdDsa,
        },
    }
}

/// Everybody whom the server asks.
pub(crate) fn outside(config: &Config) -> Result<Outside, Failure> {
    Ok(Outside {
        wechat: wechat(config)?,
        sms: messages::sms(config)?,
        mail: messages::mail(config)?,
        pictures: pictures(config)?,
    })
}

/// Where pictures lie, if anywhere.
pub(crate) fn pictures(config: &Config) -> Result<Option<Pictures>, Failure> {
    let opened = config.avatars.clone().map(Pictures::open).transpose();
    opened.map_err(|error| {
        let error = anyhow::Error::from(error);
        Failure::refused(format!("avatars.location: {error:#}"))
    })
}

/// The server, bound to `address`.
pub(crate) async fn app(
    config: &Config,
    outside: Outside,
    address: SocketAddr,
) -> Result<App, Failure> {
    let wechat = &config.wechat;
    // The default app goes first.
    let is_default = |app: &&config::App| app.appid == wechat.default_appid;
    let others = wechat.apps.iter().filter(|app| !is_default(app));
    let apps = wechat
        .apps
        .iter()
        .find(is_default)
        .into_iter()
        .chain(others);
    let limit = config.limits.sign_in_per_address;
    let options = menjin_server::Options {
        apps: apps
            .map(|app| AppOptions {
                appid: app.appid.clone(),
                push: app.push.clone(),
            })
            .collect(),
        public_url: config.public_url(address),
        trusted_proxies: config.server.trusted_proxies.clone(),
        master_keys: config.secrets.clone(),
        issuer: config.issuer(address),
        audience: config.token.audience.clone(),
        rotation: rotation(config),
        replay_window: config.sign_in.replay_window,
        wechat_timeout: wechat.timeout,
        sign_in_per_address: limit.map_or(0, std::num::NonZeroU32::get),
        migrate: config.store.migrate,
        registration: config.registration.clone(),
        profile: config.profile.clone(),
        services: config.services.clone(),
    };
    let store = store(config).await?;
    let app = App::new(options, store, outside, Arc::new(SystemClock::new()));
    app.map_err(|error| Failure::refused(error.to_string()))
}

/// The simulator's apps: those that are served.
pub(crate) fn simulated(config: &Config) -> menjin_simulator::Options {
    let apps = config.wechat.apps.iter().map(|app| menjin_simulator::App {
        appid: app.appid.to_string(),
        secret: app.secret.expose().to_owned(),
    });
    menjin_simulator::Options {
        apps: apps.collect(),
    }
}

/// Writes a file that only its owner may read; refuses to write over one unless told to.
pub(crate) fn write_private(path: &Path, text: &str, over: bool) -> Result<(), Failure> {
    let written = create_private(path, over).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    written.with_context(|| format!("{} cannot be written", path.display()))?;
    Ok(())
}

/// Makes a file that only its owner may read; fails if there is one, unless told to empty it.
pub(crate) fn create_private(path: &Path, over: bool) -> std::io::Result<File> {
    use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
    let mut options = File::options();
    options.write(true).mode(0o600);
    if over {
        options.create(true).truncate(true);
    } else {
        options.create_new(true);
    }
    let file = options.open(path)?;
    file.set_permissions(std::fs::Permissions::from_mode(0o600))?;
    Ok(file)
}

/// A blocking client for what is neither WeChat nor the store, with roots of its own: a machine
/// without any CA file can use it too.
pub(crate) fn http_client(timeout: Duration) -> anyhow::Result<reqwest::blocking::Client> {
    let roots = webpki_root_certs::TLS_SERVER_ROOT_CERTS
        .iter()
        .filter_map(|root| reqwest::Certificate::from_der(root).ok());
    let client = reqwest::blocking::Client::builder()
        .tls_certs_only(roots)
        .redirect(reqwest::redirect::Policy::none())
        .timeout(timeout);
    Ok(client.build()?)
}
