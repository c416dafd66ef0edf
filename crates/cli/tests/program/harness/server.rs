//! `menjin serve`, configured as `menjin init` would, on ports that the system picks.

use std::{net::SocketAddr, process::Command};

use super::{APP_SECRET, APPID, Folder, MASTER_KEY, Program, eventually, get, menjin};

/// Writes a menjin.toml into the folder, with SQLite in the folder too.
pub(crate) fn configure(folder: &Folder, wechat: &str) {
    let text = format!(
        r#"
[server]
listen = "127.0.0.1:0"
management_listen = "127.0.0.1:0"
[store]
url = "sqlite://{}/menjin.db"
[secrets]
master_keys = ["{MASTER_KEY}"]
[wechat]
base_url = "{wechat}"
[[wechat.apps]]
appid = "{APPID}"
secret = "{APP_SECRET}"
"#,
        folder.path().display()
    );
    folder.write("menjin.toml", &text);
}

/// `menjin serve` with some keys set by the environment: `("token.ttl", "60")`.
pub(crate) fn serve(folder: &Folder, settings: &[(&str, &str)]) -> Command {
    let mut command = menjin(folder);
    command.arg("serve");
    for (key, value) in settings {
        let name = format!("MENJIN_{}", key.replace('.', "__").to_uppercase());
        command.env(name, value);
    }
    command
}

/// A server under way.
pub(crate) struct Server {
    pub(crate) program: Program,
    pub(crate) public: SocketAddr,
    pub(crate) management: SocketAddr,
}

impl Server {
    /// Starts it and waits until it listens, whether it can serve or not.
    pub(crate) fn listening(mut command: Command) -> Self {
        let mut program = Program::start(&mut command);
        let (management, public) = program.hear("the addresses in the log", |said| {
            Some((
                logged(said, "management listens")?,
                logged(said, "\"listens")?,
            ))
        });
        Self {
            program,
            public,
            management,
        }
    }

    /// Starts it and waits until it can serve.
    pub(crate) fn ready(command: Command) -> Self {
        let server = Self::listening(command);
        eventually("the server is ready", || {
            (get(server.management, "/readyz").status == 200).then_some(())
        });
        server
    }
}

/// The address in a line of the log, in either format.
fn logged(said: &str, message: &str) -> Option<SocketAddr> {
    let message = |line: &&str| {
        line.contains(message)
            || line
                .split_once(" INFO ")
                .is_some_and(|(_, text)| text.starts_with(message.trim_matches('"')))
    };
    // A line that is still being written could end in half a port.
    let (whole, _) = said.rsplit_once('\n')?;
    let line = whole.lines().find(message)?;
    let (_, after) = line.split_once("address")?;
    let after = after.trim_start_matches(['"', ':', '=']);
    let end = after.find(|c: char| !c.is_ascii_digit() && !".:".contains(c));
    after[..end.unwrap_or(after.len())].parse().ok()
}
