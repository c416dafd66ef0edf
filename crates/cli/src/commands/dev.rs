//! `menjin dev`: the front door for a newcomer.

use std::{net::SocketAddr, path::Path, process::ExitCode};

use anyhow::Context;
use menjin_core::{MasterKeys, Permission, identity::random_bytes, secret::sha256};
use menjin_server::Outside;
use menjin_simulator::Simulator;
use tokio_util::sync::CancellationToken;

use crate::{
    args::DevArgs,
    config::{Config, hex},
    logging,
    output::{Failure, say},
    process,
    wiring::{self, messages},
};

/// The mini program of the simulator.
const APPID: &str = "wx1234567890abcdef";
/// The name of the service that a newcomer can ask as.
const SERVICE: &str = "dev";
/// Its secret, which is none: nowhere but here is it taken.
const SERVICE_SECRET: &str = "dev-secret";

pub(super) fn run(args: &DevArgs) -> Result<ExitCode, Failure> {
    process::runtime()?.block_on(async {
        let signals = process::Signals::watch()?;
        let (wechat, simulated) = process::listen(args.simulator_listen, "--simulator-listen")?;
        let (public, address) = process::listen(args.listen, "--listen")?;
        let config = config(&args.data_dir, simulated)?;
        let otlp = config.telemetry.otlp_endpoint.as_deref();
        let logging = logging::start(config.log.format, &config.log.level, otlp)?;
        let _lock = wiring::lock(&config)?;
        let simulator = Simulator::new(wiring::simulated(&config));
        let app = wiring::app(&config, outside(&config, &simulator)?, address).await?;
        let started = app.start().await;
        started.map_err(|failure| Failure::Broken(failure.into()))?;

        let stop = CancellationToken::new();
        let serving = simulator.serve(wechat, stop.clone().cancelled_owned());
        say(welcome(address, simulated, &args.data_dir))?;
        let routers = process::Routers {
            public: (
                public,
                menjin_server::development(&app, simulator.controls()),
            ),
            management: None,
        };
        let serving_all = async {
            let code = process::serve(app, routers, signals).await;
            stop.cancel();
            code
        };
        let (code, simulated) = tokio::join!(serving_all, serving);
        logging.finish();
        simulated.context("the simulator could not be served")?;
        code
    })
}

/// The simulator gets the messages, unless the environment names somebody who delivers them.
fn outside(config: &Config, simulator: &Simulator) -> Result<Outside, Failure> {
    let mut outside = wiring::outside(config)?;
    let sms = outside.sms.take();
    outside.sms = sms.or_else(|| Some(messages::simulated_sms(simulator)));
    let mail = outside.mail.take();
    outside.mail = mail.or_else(|| Some(messages::simulated_mail(simulator)));
    Ok(outside)
}

/// What makes a folder and a simulator enough; the environment goes over it.
fn config(folder: &Path, simulator: SocketAddr) -> Result<Config, Failure> {
    private_folder(folder)?;
    let master_key = kept(&folder.join("master.key"), MasterKeys::generate)?;
    let secret = kept(&folder.join("app.secret"), || {
        format!("{:032x}", u128::from_be_bytes(random_bytes()))
    })?;
    let folder = folder
        .canonicalize()
        .with_context(|| format!("{} cannot be used", folder.display()))?;
    let app = toml::toml! { appid = "" secret = "" };
    let mut app = app;
    app.insert("appid".to_owned(), APPID.into());
    app.insert("secret".to_owned(), secret.into());
    let defaults = [
        (
            "store",
            "url",
            format!("sqlite://{}/menjin.db", folder.display()).into(),
        ),
        ("secrets", "master_keys", vec![master_key].into()),
        ("wechat", "base_url", format!("http://{simulator}").into()),
        ("wechat", "apps", vec![app].into()),
        ("limits", "sign_in_per_address", 0.into()),
        ("registration", "sms_per_address", 0.into()),
    ];
    let mut table = toml::Table::new();
    table.insert("services".to_owned(), vec![service()].into());
    for (section, key, value) in defaults {
        let section = table
            .entry(section)
            .or_insert_with(|| toml::Table::new().into());
        if let Some(section) = section.as_table_mut() {
            section.insert(key.to_owned(), value);
        }
    }
    Ok(Config::load_over(&table, wiring::environment())?)
}

/// A service that may ask everything.
fn service() -> toml::Table {
    let digest = hex(&sha256(SERVICE_SECRET.as_bytes()));
    let may = Permission::ALL.map(Permission::as_str).to_vec();
    let entries: [(&str, toml::Value); 3] = [
        ("id", SERVICE.into()),
        ("secret_digest", digest.into()),
        ("may", may.into()),
    ];
    let entries = entries.map(|(key, value)| (key.to_owned(), value));
    entries.into_iter().collect()
}

fn private_folder(folder: &Path) -> Result<(), Failure> {
    use std::os::unix::fs::DirBuilderExt;
    let made = std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder);
    made.with_context(|| format!("{} cannot be made", folder.display()))?;
    Ok(())
}

/// A secret from its file, made the first time.
fn kept(path: &Path, make: impl FnOnce() -> String) -> Result<String, Failure> {
    let shown = path.display();
    if path.exists() {
        let text = std::fs::read_to_string(path);
        let text = text.with_context(|| format!("{shown} cannot be read"))?;
        return Ok(text.trim_end().to_owned());
    }
    let secret = make();
    wiring::write_private(path, &format!("{secret}\n"), false)?;
    Ok(secret)
}

/// What a newcomer reads first.
fn welcome(address: SocketAddr, simulator: SocketAddr, folder: &Path) -> String {
    format!(
        r#"
  Menjin 门禁 is up, and a simulator plays WeChat.

    Try it in the browser   http://{address}/
    The API                 http://{address}/openapi.json
    The simulator           http://{simulator}/simulator/people
    Text messages           http://{simulator}/simulator/sms
    Mails                   http://{simulator}/simulator/mails
    A service               {SERVICE}, with the secret {SERVICE_SECRET}, may ask everything
    What is kept            {folder} (delete it to start over)

  Sign in from here: a code from the simulator, a sign-in, and what a service is told of the token.

    code=$(curl -s http://{simulator}/simulator/login -H 'Content-Type: application/json' -d '{{"person": "小王"}}' | cut -d '"' -f 4)
    curl -s http://{address}/v1/user/login -H 'Content-Type: application/json' -d "{{\"code\": \"$code\"}}"
    curl -s http://{address}/oauth/introspect -u {SERVICE}:{SERVICE_SECRET} -d token=ACCESS_TOKEN

  Ctrl-C stops it.
"#,
        folder = folder.display(),
    )
}
