//! PostgreSQL: a database on the server of `script/test`, or a server that a test may stop.

use std::{
    fs,
    net::TcpListener,
    os::unix::fs::MetadataExt,
    path::PathBuf,
    process::{Child, Command, Stdio},
};

use super::{eventually, given, unique};

/// A database that goes away with the test.
pub(crate) struct Database {
    pub(crate) url: String,
    name: String,
}

impl Database {
    pub(crate) fn new() -> Self {
        let name = format!("menjin_program_{}", unique());
        sql(&format!("CREATE DATABASE {name}"));
        let url = format!("{}/{name}", given("MENJIN_TEST_POSTGRES"));
        Self { url, name }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        sql(&format!("DROP DATABASE {} WITH (FORCE)", self.name));
    }
}

fn program(name: &str) -> Command {
    Command::new(PathBuf::from(given("MENJIN_TEST_POSTGRES_BIN")).join(name))
}

fn sql(text: &str) {
    let server = format!("{}/postgres", given("MENJIN_TEST_POSTGRES"));
    let mut psql = program("psql");
    let ran = psql.args([&server, "-qXc", text]).output().unwrap();
    let complaint = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{text}: {complaint}");
}

/// A server of one's own, stopped at first.
pub(crate) struct Cluster {
    folder: PathBuf,
    port: u16,
    server: Option<Child>,
}

impl Cluster {
    pub(crate) fn new() -> Self {
        let folder = std::env::temp_dir().join(format!("menjin-cluster-{}", unique()));
        fs::create_dir(&folder).unwrap();
        if is_root() {
            let owned = Command::new("chown").arg("postgres:").arg(&folder).status();
            assert!(owned.unwrap().success());
        }
        let cluster = Self {
            folder,
            port: free_port(),
            server: None,
        };
        let made = cluster
            .own("initdb")
            .args(["--username", "postgres", "--auth", "trust", "--no-sync"])
            .args(["--encoding", "UTF8", "--locale", "C"])
            .output()
            .unwrap();
        let complaint = String::from_utf8_lossy(&made.stderr);
        assert!(made.status.success(), "{complaint}");
        cluster
    }

    pub(crate) fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    /// One of PostgreSQL's programs on this cluster. It refuses to run as root, so as root it runs
    /// as the user that its package made.
    fn own(&self, name: &str) -> Command {
        let program = program(name);
        let mut command = if is_root() {
            let mut command = Command::new("setpriv");
            command.args(["--reuid", "postgres", "--regid", "postgres"]);
            command.arg("--init-groups").arg(program.get_program());
            command
        } else {
            program
        };
        command.current_dir(&self.folder);
        command.arg("-D").arg(self.folder.join("data"));
        command
    }

    /// Starts it and waits until it takes connections.
    pub(crate) fn start(&mut self) {
        let mut command = self.own("postgres");
        command.args(["-p", &self.port.to_string(), "-c", "fsync=off"]);
        command.args(["-c", "listen_addresses=127.0.0.1"]);
        command.args(["-c", "unix_socket_directories="]);
        command.stdin(Stdio::null());
        command.stdout(Stdio::null()).stderr(Stdio::null());
        self.server = Some(command.spawn().unwrap());
        eventually("PostgreSQL takes connections", || {
            let mut ready = program("pg_isready");
            ready.args(["-q", "-h", "127.0.0.1", "-p", &self.port.to_string()]);
            ready.status().unwrap().success().then_some(())
        });
    }

    /// Stops it as an operator would in a hurry: who is connected is cut off.
    pub(crate) fn stop(&mut self) {
        let Some(mut server) = self.server.take() else {
            return;
        };
        let script = format!("kill -QUIT {}", server.id());
        let _ = Command::new("sh").args(["-c", &script]).status();
        let _ = server.wait();
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.stop();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn is_root() -> bool {
    fs::metadata("/proc/self").unwrap().uid() == 0
}

/// A port that is free and below those that the system hands out, so that it stays free.
fn free_port() -> u16 {
    eventually("a free port", || {
        let digits = u64::from_str_radix(&unique(), 16).unwrap();
        let port = 20_000 + u16::try_from(digits % 12_000).unwrap();
        TcpListener::bind(("127.0.0.1", port)).ok().map(|_| port)
    })
}
