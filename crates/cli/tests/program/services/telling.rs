//! The examples as processes: how each is started, and what it says to `GET /hello`.

use std::{
    fs,
    io::{Read, Write},
    net::SocketAddr,
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    process::Command,
};

use super::deployment::{AUDIENCE, Deployment, ID, ISSUER, SECRET};
use crate::harness::{Program, Reply, command, eventually, given, request, try_ask};

/// Which example.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Rust,
    Node,
    Python,
    Nginx,
}

/// An example under way.
pub(super) struct Service {
    pub(super) kind: Kind,
    place: Place,
    _programs: Vec<Program>,
}

/// Where it listens. nginx takes no port 0, so it gets a socket in the folder.
enum Place {
    Port(SocketAddr),
    Socket(PathBuf),
}

/// Where the examples are.
fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/services")
}

impl Service {
    /// Starts it and waits until it can tell good from bad.
    pub(super) fn start(kind: Kind, deployment: &Deployment, settings: &[(&str, &str)]) -> Self {
        let service = match kind {
            Kind::Nginx => Self::behind_nginx(deployment),
            _ => Self::alone(kind, deployment, settings),
        };
        let token = deployment.user();
        eventually("the service takes a good token", || {
            (service.hello(&token).status == 200).then_some(())
        });
        service
    }

    fn alone(kind: Kind, deployment: &Deployment, settings: &[(&str, &str)]) -> Self {
        let mut command = kind.command(deployment);
        command
            .env("MENJIN_URL", deployment.url())
            .env("MENJIN_ISSUER", ISSUER)
            .env("MENJIN_AUDIENCE", AUDIENCE)
            .env("MENJIN_SERVICE_ID", ID)
            .env("MENJIN_SERVICE_SECRET", SECRET)
            .envs(settings.iter().copied());
        let (program, address) = listening(command);
        Self {
            kind,
            place: Place::Port(address),
            _programs: vec![program],
        }
    }

    fn behind_nginx(deployment: &Deployment) -> Self {
        let (service, address) = listening(Kind::Nginx.command(deployment));
        let folder = &deployment.folder;
        let socket = folder.file("nginx.sock");
        let text = fs::read_to_string(examples().join("nginx/nginx.conf")).unwrap();
        let mut changes = vec![
            ("127.0.0.1:8080", deployment.server.public.to_string()),
            ("127.0.0.1:8090", format!("unix:{}", socket.display())),
            ("127.0.0.1:8091", address.to_string()),
        ];
        // What a packaged nginx keeps in a folder of root's.
        let kept = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
        let kept = kept.map(|name| format!("{name}_temp_path kept_{name};"));
        changes.push(("http {", format!("http {{ {}", kept.join(" "))));
        let text = changes.iter().fold(text, |text, (from, to)| {
            assert_eq!(text.matches(from).count(), 1, "{from}");
            text.replace(from, to)
        });
        folder.write("nginx.conf", &text);
        let mut nginx = command(nginx(), folder);
        nginx
            .arg("-p")
            .arg(folder.path())
            .args(["-c", "nginx.conf"]);
        // One process, so that nothing is left of it when that one is gone.
        nginx.args(["-e", "stderr", "-g", "daemon off; master_process off;"]);
        let mut nginx = Program::start(&mut nginx);
        eventually("nginx listens", || {
            assert!(nginx.lives(), "{}", nginx.said());
            UnixStream::connect(&socket).ok()
        });
        Self {
            kind: Kind::Nginx,
            place: Place::Socket(socket),
            _programs: vec![nginx, service],
        }
    }

    /// What it says to the bearer of a token.
    pub(super) fn hello(&self, token: &str) -> Reply {
        let bearer = format!("Bearer {token}");
        self.ask("GET /hello", &[("Authorization", &bearer)])
    }

    /// What it answers to a request in full.
    pub(super) fn ask(&self, line: &str, headers: &[(&str, &str)]) -> Reply {
        let mut headers = headers.to_vec();
        headers.push(("Connection", "close"));
        let bytes = request(line, &headers, "");
        match &self.place {
            Place::Port(address) => try_ask(*address, &bytes).unwrap(),
            Place::Socket(path) => ask_socket(path, &bytes),
        }
    }
}

impl Kind {
    /// The program that says hello.
    fn command(self, deployment: &Deployment) -> Command {
        let python = given("MENJIN_TEST_PYTHON");
        let (program, script) = match self {
            Self::Rust => return command(&rust(), &deployment.folder),
            Self::Node => ("node", "node/service.mjs"),
            Self::Python => (&*python, "python/service.py"),
            Self::Nginx => (&*python, "nginx/service.py"),
        };
        let mut command = command(program, &deployment.folder);
        command.arg(examples().join(script)).env("PORT", "0");
        command
    }
}

/// Debian puts it where only root looks.
fn nginx() -> &'static str {
    let place = "/usr/sbin/nginx";
    if Path::new(place).exists() {
        place
    } else {
        "nginx"
    }
}

/// The example in Rust, which is built beside the program.
fn rust() -> String {
    let built = Path::new(env!("CARGO_BIN_EXE_menjin")).with_file_name("examples");
    built.join("service").to_str().unwrap().to_owned()
}

fn listening(mut command: Command) -> (Program, SocketAddr) {
    let mut program = Program::start(&mut command);
    let address = program.hear("the service's address", |said| {
        let (line, _) = said.split_once("listens on http://")?.1.split_once('\n')?;
        line.parse().ok()
    });
    (program, address)
}

/// Asks on a connection that ends with the reply.
fn ask_socket(path: &Path, bytes: &[u8]) -> Reply {
    let mut stream = UnixStream::connect(path).unwrap();
    stream.write_all(bytes).unwrap();
    let mut reply = String::new();
    stream.read_to_string(&mut reply).unwrap();
    let (head, text) = reply.split_once("\r\n\r\n").expect(&reply);
    Reply {
        status: head.split(' ').nth(1).unwrap().parse().unwrap(),
        head: format!("{head}\r\n"),
        text: text.to_owned(),
    }
}
