//! Menjin's release build, as an operator would start it: a folder with a configuration and a
//! SQLite database, and `menjin serve`.

use std::{
    ffi::OsString,
    fs::{self, File},
    io::Read,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context, ensure};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::{
    http::Connection,
    process::{Output, Process, glances},
    service,
};

/// The mini program.
pub(crate) const APPID: &str = "wx0123456789abcdef";
/// How long a start may take before it counts as failed.
const PATIENCE: Duration = Duration::from_mins(1);
/// How much of a log is shown when a start fails.
const TAIL: usize = 2000;

/// A folder from which Menjin is started, time and again.
pub(crate) struct Installation {
    program: PathBuf,
    folder: PathBuf,
    core: usize,
}

/// Where a server runs and whom it asks.
#[derive(Debug, Clone)]
pub(crate) struct Surroundings {
    /// The program `menjin`.
    pub(crate) program: PathBuf,
    /// The core that is the server's alone.
    pub(crate) core: usize,
    /// The stub of WeChat.
    pub(crate) wechat: SocketAddr,
    /// `log.level`, if it is not to be the default.
    pub(crate) log: Option<String>,
}

/// A server that was ready once.
pub(crate) struct Menjin {
    /// What to read its costs from.
    pub(crate) process: Process,
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// From its start to the first 200 of `/readyz`.
    pub(crate) ready_after: Duration,
}

impl Installation {
    /// Writes the configuration into `folder`, where the database will be too.
    pub(crate) fn new(folder: &Path, surroundings: &Surroundings) -> anyhow::Result<Self> {
        fs::create_dir(folder).with_context(|| format!("cannot create {}", folder.display()))?;
        let text = toml::to_string(&configuration(folder, surroundings)?)?;
        fs::write(folder.join("menjin.toml"), text)?;
        Ok(Self {
            program: surroundings.program.clone(),
            folder: folder.to_owned(),
            core: surroundings.core,
        })
    }

    /// Starts the server and waits until it is ready.
    pub(crate) async fn start(&self) -> anyhow::Result<Menjin> {
        let log = self.folder.join("menjin.log");
        let command: [OsString; 4] = [
            self.program.clone().into_os_string(),
            "serve".into(),
            "--config".into(),
            self.folder.join("menjin.toml").into_os_string(),
        ];
        let begun = Instant::now();
        let mut process = Process::start(self.core, &command, Output::File(log.clone()))?;
        let waiting = async {
            let address = listens_at(&mut process, &log).await?;
            ready(&mut process, address).await?;
            anyhow::Ok(address)
        };
        match tokio::time::timeout(PATIENCE, waiting).await {
            Ok(Ok(address)) => {
                let ready_after = begun.elapsed();
                Ok(Menjin {
                    process,
                    address,
                    ready_after,
                })
            }
            Ok(Err(error)) => Err(error.context(tail(&log))),
            Err(_) => anyhow::bail!("not ready within {} s\n{}", PATIENCE.as_secs(), tail(&log)),
        }
    }
}

impl Menjin {
    /// Ends it as a service manager would.
    pub(crate) async fn stop(self) -> anyhow::Result<()> {
        let status = self.process.stop().await?;
        ensure!(
            status.success(),
            "menjin ended with {status} when it was asked to stop"
        );
        Ok(())
    }
}

/// What `menjin --version` says.
pub(crate) fn version(program: &Path) -> anyhow::Result<String> {
    let cannot = || {
        format!(
            "cannot run {} (cargo build --release -p menjin)",
            program.display()
        )
    };
    let output = Command::new(program)
        .arg("--version")
        .output()
        .with_context(cannot)?;
    ensure!(output.status.success(), cannot());
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

async fn listens_at(process: &mut Process, log: &Path) -> anyhow::Result<SocketAddr> {
    let mut glances = glances();
    loop {
        glances.tick().await;
        if let Some(address) = public_address(&fs::read_to_string(log)?) {
            return Ok(address);
        }
        ensure_runs(process)?;
    }
}

async fn ready(process: &mut Process, address: SocketAddr) -> anyhow::Result<()> {
    let request = b"GET /readyz HTTP/1.1\r\nhost: localhost\r\n\r\n";
    let mut glances = glances();
    loop {
        glances.tick().await;
        if let Ok(mut connection) = Connection::open(address).await
            && connection
                .exchange(request)
                .await
                .is_ok_and(|reply| reply.status == 200)
        {
            return Ok(());
        }
        ensure_runs(process)?;
    }
}

fn ensure_runs(process: &mut Process) -> anyhow::Result<()> {
    match process.ended()? {
        None => Ok(()),
        Some(status) => anyhow::bail!("menjin ended with {status} before it was ready"),
    }
}

/// The line that says where the public API listens is written at this level.
const ANNOUNCEMENT: &str = "menjin::commands::serve=info";

/// The address in the log line that says where the public API listens.
fn public_address(log: &str) -> Option<SocketAddr> {
    #[derive(Deserialize)]
    struct Line {
        message: String,
        address: SocketAddr,
    }
    let lines = log
        .lines()
        .filter_map(|line| serde_json::from_str::<Line>(line).ok());
    lines
        .filter(|line| line.message == "listens")
        .map(|line| line.address)
        .next()
}

fn tail(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let start = text.char_indices().rev().nth(TAIL).map_or(0, |(at, _)| at);
    format!(
        "its log ends so:\n{}",
        text.get(start..).unwrap_or_default()
    )
}

/// A `menjin.toml`, as far as it says something.
#[derive(Serialize)]
struct Configuration {
    server: Server,
    store: Store,
    secrets: Secrets,
    limits: Limits,
    log: Option<Log>,
    wechat: Wechat,
    token: Token,
    services: [Service; 1],
}

#[derive(Serialize)]
struct Server {
    listen: &'static str,
    management_listen: &'static str,
}

#[derive(Serialize)]
struct Store {
    url: String,
}

#[derive(Serialize)]
struct Secrets {
    master_keys: [String; 1],
}

#[derive(Serialize)]
struct Limits {
    sign_in_per_address: u32,
}

#[derive(Serialize)]
struct Log {
    level: String,
}

#[derive(Serialize)]
struct Wechat {
    base_url: String,
    apps: [App; 1],
}

#[derive(Serialize)]
struct App {
    appid: &'static str,
    secret: String,
}

#[derive(Serialize)]
struct Token {
    audience: [&'static str; 1],
}

#[derive(Serialize)]
struct Service {
    id: &'static str,
    secret_digest: &'static str,
    may: [&'static str; 2],
}

fn configuration(folder: &Path, surroundings: &Surroundings) -> anyhow::Result<Configuration> {
    let database = folder.join("menjin.db");
    let database = database
        .to_str()
        .context("the folder's name is not UTF-8")?;
    Ok(Configuration {
        server: Server {
            listen: "127.0.0.1:0",
            management_listen: "127.0.0.1:0",
        },
        store: Store {
            url: format!("sqlite://{database}"),
        },
        secrets: Secrets {
            master_keys: [STANDARD.encode(random::<32>()?)],
        },
        // All callers have one address.
        limits: Limits {
            sign_in_per_address: 0,
        },
        log: surroundings.log.as_ref().map(|level| Log {
            level: format!("{level},{ANNOUNCEMENT}"),
        }),
        wechat: Wechat {
            base_url: format!("http://{}", surroundings.wechat),
            apps: [App {
                appid: APPID,
                secret: format!("{:032x}", u128::from_be_bytes(random()?)),
            }],
        },
        token: Token {
            audience: [service::ID],
        },
        services: [Service {
            id: service::ID,
            secret_digest: service::SECRET_DIGEST,
            may: service::MAY,
        }],
    })
}

fn random<const N: usize>() -> anyhow::Result<[u8; N]> {
    let mut bytes = [0; N];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_configuration_says_what_differs_from_the_default() {
        let surroundings = Surroundings {
            program: "menjin".into(),
            core: 0,
            wechat: "127.0.0.1:9".parse().unwrap(),
            log: None,
        };
        let folder = Path::new("/a b");
        let text = toml::to_string(&configuration(folder, &surroundings).unwrap()).unwrap();
        let table: toml::Table = text.parse().unwrap();
        assert_eq!(
            table["store"]["url"].as_str(),
            Some("sqlite:///a b/menjin.db")
        );
        assert_eq!(
            table["wechat"]["base_url"].as_str(),
            Some("http://127.0.0.1:9")
        );
        assert_eq!(
            table["wechat"]["apps"][0]["secret"].as_str().map(str::len),
            Some(32)
        );
        assert_eq!(table["limits"]["sign_in_per_address"].as_integer(), Some(0));
        assert_eq!(
            table["services"][0]["secret_digest"].as_str().map(str::len),
            Some(64)
        );
        assert_eq!(table.get("log"), None);
        let louder = Surroundings {
            log: Some("warn".to_owned()),
            ..surroundings
        };
        let level = configuration(folder, &louder).unwrap().log.unwrap().level;
        assert!(level.starts_with("warn,"), "{level}");
    }

    #[test]
    fn the_public_address_is_told_from_others() {
        let log = r#"no JSON {"message":"listens","address":"127.0.0.1:1"}
            {"message":"management listens","address":"127.0.0.1:2"}
            {"message":"listens","address":"127.0.0.1:3","version":"0.1.0"}
            {"message":"listens","addr"#;
        assert_eq!(public_address(log), "127.0.0.1:3".parse().ok());
        assert_eq!(public_address(""), None);
    }
}
