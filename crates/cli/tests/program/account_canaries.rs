//! Somebody registers, errs, changes and leaves at a server that logs all it can, with a provider of text
//! messages over real HTTP. Nothing of that person is in what the server says.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener},
    sync::{Arc, Mutex},
    thread,
};

use serde_json::{Value, json};

use crate::harness::{
    APPID, Folder, PATIENCE, Reply, Server, Simulator, configure, eventually, get_with, login,
    post, request, serve, try_ask,
};

const SECRET: &str = "a-test-secret-for-webhooks-and-for-tests-only";
const NICKNAME: &str = "Canary-Nickname-夜莺";

/// Takes every message, and keeps it.
fn provider() -> (SocketAddr, Arc<Mutex<Vec<Value>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let taken = Arc::<Mutex<Vec<Value>>>::default();
    let keep = taken.clone();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut reader = BufReader::new(stream.unwrap());
            let mut length = 0;
            loop {
                let mut line = String::new();
                reader.read_line(&mut line).unwrap();
                if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap();
                }
                if line.trim().is_empty() {
                    break;
                }
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            keep.lock()
                .unwrap()
                .push(serde_json::from_slice(&body).unwrap());
            let answer = b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n";
            reader.get_mut().write_all(answer).unwrap();
        }
    });
    (address, taken)
}

fn post_as(server: SocketAddr, token: &str, path: &str, body: &Value) -> Reply {
    let bearer = format!("Bearer {token}");
    let headers = [("Authorization", bearer.as_str())];
    let bytes = request(&format!("POST {path}"), &headers, &body.to_string());
    try_ask(server, &bytes).unwrap()
}

/// A server that says all it can, and those around it.
struct Scene {
    server: Server,
    simulator: Simulator,
    messages: Arc<Mutex<Vec<Value>>>,
    _folder: Folder,
}

impl Scene {
    fn start() -> Self {
        let (folder, simulator) = (Folder::new(), Simulator::start());
        configure(&folder, &simulator.url());
        let (provider, messages) = provider();
        let url = format!("http://{provider}/sms");
        let server = Server::ready(serve(
            &folder,
            &[
                ("log.level", "trace"),
                ("sms.provider", "webhook"),
                ("sms.webhook.url", &url),
                ("sms.webhook.secret", SECRET),
            ],
        ));
        Self {
            server,
            simulator,
            messages,
            _folder: folder,
        }
    }

    fn ask(&self, token: &str, path: &str, body: &Value) -> Reply {
        post_as(self.server.public, token, path, body)
    }

    /// Registers with the code of a message, after a wrong one; both codes.
    fn register(&self, token: &str) -> [String; 2] {
        let phone = json!({ "phone": "138 0013 8000" });
        let asked = self.ask(token, "/v1/user/register", &phone);
        assert_eq!(asked.status, 200, "{asked:?}");
        let right = self.messages.lock().unwrap()[0]["code"]
            .as_str()
            .unwrap()
            .to_owned();
        let wrong = ["918273", "918274"].map(str::to_owned);
        let wrong = wrong.into_iter().find(|wrong| *wrong != right).unwrap();
        for sent in [&wrong, &right] {
            let body = json!({ "phone": "13800138000", "code": sent });
            let reply = self.ask(token, "/v1/user/verify", &body);
            assert_eq!(reply.status == 200, *sent == right, "{reply:?}");
        }
        [wrong, right]
    }

    /// Takes another number by the phone button; the fresh token, and what the button gave.
    fn change_number(&self, token: &str) -> [String; 2] {
        let button = json!({ "person": "夜莺", "number": "13900139000", "appid": APPID });
        let pressed = post(self.simulator.address, "/simulator/phone", &button).json();
        let code = pressed["code"].as_str().unwrap().to_owned();
        let body = json!({ "phone_code": code });
        let moved = self.ask(token, "/v1/user/newphone", &body);
        assert_eq!(moved.json()["status"], "phone_updated", "{moved:?}");
        [moved.token(), code]
    }

    /// Is refused a role, takes a name, asks for a mail, exports and deletes.
    fn go_on(&self, token: &str, openid: &Value) {
        let role = json!({ "nickname": NICKNAME, "role": "admin" });
        assert_eq!(self.ask(token, "/v1/user/setuser", &role).status, 403);
        let name = json!({ "nickname": NICKNAME });
        assert_eq!(self.ask(token, "/v1/user/setuser", &name).status, 200);
        let mail = json!({ "email": "canary-mail@example.com" });
        self.ask(token, "/v1/user/newemail", &mail);
        let bearer = format!("Bearer {token}");
        let headers = [("Authorization", bearer.as_str())];
        let export = get_with(self.server.public, "/v1/user/export", &headers);
        assert_eq!(export.status, 200, "{export:?}");
        // The notice to the former number goes out by itself.
        eventually("the notice", || {
            (self.messages.lock().unwrap().len() == 2).then_some(())
        });
        let leave = json!({ "openid": openid });
        assert_eq!(self.ask(token, "/v1/user/delete", &leave).status, 200);
    }
}

/// Proves LOG-1: at the level TRACE no number, code, mail address, nickname, token or key of a person is in
/// what the program says, however they fare; numbers appear as 138****8000.
#[test]
fn nothing_of_a_person_is_logged() {
    let scene = Scene::start();
    let code = scene.simulator.code("夜莺");
    let guest = login(scene.server.public, &code).json();
    let first = guest["access_token"].as_str().unwrap();
    let codes = scene.register(first);
    let [second, button] = scene.change_number(first);
    scene.go_on(&second, &guest["openid"]);

    scene.server.program.signal("TERM");
    let ended = scene.server.program.end(PATIENCE);
    let said = format!("{}{}", ended.out, ended.err);
    assert!(said.contains("138****8000"), "{said}");
    let openid = guest["openid"].as_str().unwrap();
    for canary in [
        "13800138000",
        "138 0013 8000",
        "13900139000",
        NICKNAME,
        "canary-mail",
        SECRET,
        &button,
        first,
        &second,
        openid,
    ] {
        assert!(
            !said.contains(canary),
            "{canary} is in what the server said"
        );
    }
    // Six digits may be part of a time or an id; as a word of their own they would be the code.
    let is_code = |word: &str| codes.iter().any(|code| code == word);
    let mut words = said.split(|c: char| !c.is_ascii_alphanumeric());
    assert!(!words.any(is_code));
}
