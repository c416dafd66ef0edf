//! `menjin dev`, as a newcomer meets it.

use std::{fs, net::SocketAddr};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::harness::{
    Folder, Program, command, get, me, menjin, mode, post, request, run, try_ask,
};

/// `menjin dev` under way, and what it told the newcomer.
pub(crate) struct Dev {
    program: Program,
    pub(crate) address: SocketAddr,
    simulator: SocketAddr,
    welcome: String,
}

impl Dev {
    pub(crate) fn start(folder: &Folder, environment: &[(&str, &str)]) -> Self {
        let mut command = menjin(folder);
        command.args(["dev", "--listen", "127.0.0.1:0"]);
        command.args(["--simulator-listen", "127.0.0.1:0"]);
        command.envs(environment.iter().copied());
        let mut program = Program::start(&mut command);
        let welcome = program.hear("the welcome", |said| {
            said.contains("Ctrl-C stops it").then(|| said.to_owned())
        });
        let address = |label: &str| {
            let (_, after) = welcome.split_once(label).expect(&welcome);
            let (_, after) = after.split_once("http://").unwrap();
            after.split_once('/').unwrap().0.parse().unwrap()
        };
        Self {
            address: address("Try it in the browser"),
            simulator: address("The simulator "),
            program,
            welcome,
        }
    }

    /// Signs a person in, as the phone page does.
    fn sign_in(&self, person: &str) -> Value {
        let login = json!({ "person": person });
        let code = post(self.simulator, "/simulator/login", &login).json();
        let body = json!({ "code": code["code"] });
        let reply = post(self.address, "/v1/user/login", &body);
        assert_eq!(reply.status, 200, "{reply:?}");
        reply.json()
    }
}

fn claims(token: &str) -> Value {
    let payload = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

#[test]
fn an_empty_folder_becomes_a_signed_in_person() {
    let folder = Folder::new();
    let dev = Dev::start(&folder, &[]);
    let lines: Vec<&str> = dev
        .welcome
        .lines()
        .map(str::trim)
        .filter(|line| line.starts_with("code=$(") || line.starts_with("curl "))
        .collect();
    let [code, sign_in, introspect] = lines.as_slice() else {
        panic!("{}", dev.welcome);
    };
    let script = format!("{code}\n{sign_in}");
    let typed = run(command("sh", &folder).args(["-c", &script]));
    let reply: Value = serde_json::from_str(&typed.out).unwrap_or_else(|_| panic!("{typed:?}"));
    assert_eq!(reply["success"], true);
    assert_eq!(reply["registered"], false);
    let caller = me(dev.address, reply["access_token"].as_str().unwrap());
    assert_eq!(caller.json()["openid"], reply["openid"]);
    let introspect = introspect.replace("ACCESS_TOKEN", reply["access_token"].as_str().unwrap());
    let typed = run(command("sh", &folder).args(["-c", &introspect]));
    assert!(typed.out.starts_with(r#"{"active":true,"#), "{typed:?}");
    assert!(
        dev.welcome.contains("dev, with the secret dev-secret,"),
        "{}",
        dev.welcome
    );
    for path in ["/", "/openapi.json", "/metrics", "/readyz"] {
        assert_eq!(get(dev.address, path).status, 200, "{path}");
    }
    assert_eq!(get(dev.simulator, "/simulator/people").status, 200);
}

#[test]
fn what_dev_keeps_is_for_its_owner_alone() {
    let folder = Folder::new();
    let dev = Dev::start(&folder, &[]);
    dev.sign_in("小王");
    let kept = folder.file("menjin-dev");
    assert_eq!(mode(&kept), 0o700);
    let mut names = Vec::new();
    for entry in fs::read_dir(&kept).unwrap() {
        let path = entry.unwrap().path();
        let wanted = if path.is_dir() { 0o700 } else { 0o600 };
        assert_eq!(mode(&path), wanted, "{}", path.display());
        names.push(path.file_name().unwrap().to_string_lossy().into_owned());
    }
    for name in ["app.secret", "avatars", "master.key", "menjin.db"] {
        assert!(names.iter().any(|kept| kept == name), "{names:?}");
    }
}

#[test]
fn what_would_be_sent_is_shown_by_the_simulator() {
    let folder = Folder::new();
    let dev = Dev::start(&folder, &[]);
    for path in ["sms", "mails"] {
        let address = format!("http://{}/simulator/{path}", dev.simulator);
        assert!(dev.welcome.contains(&address), "{}", dev.welcome);
    }
    let token = dev.sign_in("小王")["access_token"]
        .as_str()
        .unwrap()
        .to_owned();
    let bearer = format!("Bearer {token}");
    let body = json!({ "phone": "13800138000" }).to_string();
    let asked = request(
        "POST /v1/user/register",
        &[("Authorization", &bearer)],
        &body,
    );
    let reply = try_ask(dev.address, &asked).unwrap();
    assert_eq!(
        reply.json()["status"],
        "verification_code_sent",
        "{reply:?}"
    );
    let messages = get(dev.simulator, "/simulator/sms").json();
    let message = &messages["messages"][0];
    assert_eq!(message["to"], "+8613800138000", "{messages}");
    assert_eq!(
        message["code"].as_str().map(str::len),
        Some(6),
        "{messages}"
    );
    assert!(!dev.program.said().contains("13800138000"));
}

#[test]
fn a_restart_keeps_keys_and_people() {
    let folder = Folder::new();
    let environment = [("MENJIN_SERVER__PUBLIC_URL", "http://dev.test")];
    let before = Dev::start(&folder, &environment);
    let (wang, mei) = (before.sign_in("小王"), before.sign_in("Mei"));
    let stopped = before.program.stop();
    assert_eq!(stopped.code, Some(0), "{stopped:?}");

    let after = Dev::start(&folder, &environment);
    for person in [&wang, &mei] {
        let caller = me(after.address, person["access_token"].as_str().unwrap());
        assert_eq!(caller.status, 200, "{caller:?}");
        assert_eq!(caller.json()["openid"], person["openid"]);
    }
    let again = after.sign_in("小王");
    assert_eq!(again["openid"], wang["openid"]);
    let subject = |reply: &Value| claims(reply["access_token"].as_str().unwrap())["sub"].clone();
    assert_eq!(subject(&again), subject(&wang));
    assert_ne!(subject(&again), subject(&mei));
}

#[test]
fn the_environment_is_honoured() {
    let folder = Folder::new();
    let dev = Dev::start(&folder, &[("MENJIN_TOKEN__TTL", "120")]);
    let claims = claims(dev.sign_in("小王")["access_token"].as_str().unwrap());
    let (from, until) = (claims["iat"].as_i64(), claims["exp"].as_i64());
    assert_eq!(until.unwrap() - from.unwrap(), 120);
    assert_eq!(claims["iss"], format!("http://{}", dev.address));

    let wrong = run(menjin(&folder)
        .args(["dev", "--listen", "127.0.0.1:0"])
        .args(["--simulator-listen", "127.0.0.1:0"])
        .env("MENJIN_TOKEN__TTL", "soon"));
    assert_eq!(wrong.code, Some(1));
    assert!(wrong.err.contains("MENJIN_TOKEN__TTL"), "{wrong:?}");
}

#[test]
fn one_folder_is_for_one_dev() {
    let folder = Folder::new();
    let _first = Dev::start(&folder, &[]);
    let second = run(menjin(&folder)
        .args(["dev", "--listen", "127.0.0.1:0"])
        .args(["--simulator-listen", "127.0.0.1:0"]));
    assert_eq!(second.code, Some(1), "{second:?}");
    assert!(second.err.contains("menjin-dev/menjin.db"), "{second:?}");
    assert!(second.err.contains("in use"), "{second:?}");
    assert!(!second.out.contains("is up"), "{second:?}");
}

#[test]
fn a_port_in_use_says_what_to_do() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let folder = Folder::new();
    for (flag, other) in [
        ("--listen", "--simulator-listen"),
        ("--simulator-listen", "--listen"),
    ] {
        let ran = run(menjin(&folder)
            .args(["dev", flag, &address])
            .args([other, "127.0.0.1:0"]));
        assert_eq!(ran.code, Some(1), "{ran:?}");
        assert!(ran.err.contains(&address), "{ran:?}");
        assert!(ran.err.contains(&format!("another {flag}")), "{ran:?}");
    }
    assert!(!folder.file("menjin-dev").exists(), "nothing was made yet");
}
