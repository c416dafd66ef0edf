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

/// Proves LOG-1: at the level TRACE no number, code, mail address, nickname, token or key of a person is in
/// what the program says, however they fare; numbers appear as 138****8000.
#[test]
fn nothing_of_a_person_is_logged() {
    let (folder, simulator) = (Folder::new(), Simulator::start());
    configure(&folder, &simulator.url());
    let (sms, taken) = provider();
    let url = format!("http://{sms}/sms");
    let server = Server::ready(serve(
        &folder,
        &[
            ("log.level", "trace"),
            ("sms.provider", "webhook"),
            ("sms.webhook.url", &url),
            ("sms.webhook.secret", SECRET),
            ("registration.calling_codes", "86"),
        ],
    ));
    let address = server.public;
    let guest = login(address, &simulator.code("夜莺")).json();
    let token = guest["access_token"].as_str().unwrap().to_owned();
    let asked = post_as(
        address,
        &token,
        "/v1/user/register",
        &json!({ "phone": "138 0013 8000" }),
    );
    assert_eq!(asked.status, 200, "{asked:?}");
    let code = taken.lock().unwrap()[0]["code"]
        .as_str()
        .unwrap()
        .to_owned();
    let wrong = if code == "918273" { "918274" } else { "918273" };
    for sent in [wrong, code.as_str()] {
        let body = json!({ "phone": "13800138000", "code": sent });
        let reply = post_as(address, &token, "/v1/user/verify", &body);
        assert_eq!(reply.status == 200, sent == code, "{reply:?}");
    }
    let button = json!({ "person": "夜莺", "number": "13900139000", "appid": APPID });
    let button = post(simulator.address, "/simulator/phone", &button).json()["code"].clone();
    let moved = post_as(
        address,
        &token,
        "/v1/user/newphone",
        &json!({ "phone_code": button }),
    );
    assert_eq!(moved.json()["status"], "phone_updated", "{moved:?}");
    let fresh = moved.token();
    let body = json!({ "nickname": NICKNAME, "role": "admin" });
    post_as(address, &fresh, "/v1/user/setuser", &body);
    let named = post_as(
        address,
        &fresh,
        "/v1/user/setuser",
        &json!({ "nickname": NICKNAME }),
    );
    assert_eq!(named.status, 200, "{named:?}");
    let mail = json!({ "email": "canary-mail@example.com" });
    post_as(address, &fresh, "/v1/user/newemail", &mail);
    let bearer = format!("Bearer {fresh}");
    let export = get_with(address, "/v1/user/export", &[("Authorization", &bearer)]);
    assert_eq!(export.status, 200, "{export:?}");
    // The notice to the former number goes out by itself.
    eventually("the notice", || {
        (taken.lock().unwrap().len() == 2).then_some(())
    });
    let leave = json!({ "openid": guest["openid"] });
    assert_eq!(
        post_as(address, &fresh, "/v1/user/delete", &leave).status,
        200
    );

    server.program.signal("TERM");
    let ended = server.program.end(PATIENCE);
    let said = format!("{}{}", ended.out, ended.err);
    assert!(said.contains("138****8000"), "{said}");
    let button = button.as_str().unwrap();
    for canary in [
        "13800138000",
        "138 0013 8000",
        "13900139000",
        NICKNAME,
        "canary-mail",
        SECRET,
        button,
        &token,
        &fresh,
        guest["openid"].as_str().unwrap(),
    ] {
        assert!(
            !said.contains(canary),
            "{canary} is in what the server said"
        );
    }
    // Six digits may be part of a time or an id; as a word of their own they would be the code.
    let is_code = |word: &str| word == code || word == wrong;
    assert!(
        !said
            .split(|c: char| !c.is_ascii_alphanumeric())
            .any(is_code)
    );
}
