//! Text messages, mails and pictures, as an operator sets them up.

use std::{fs, net::TcpListener};

use serde_json::json;

use crate::harness::{
    Folder, Server, Simulator, configure, eventually, menjin, request, run, serve, try_ask,
};

#[test]
fn the_log_gets_messages_only_where_it_was_asked_to() {
    let (folder, simulator) = (Folder::new(), Simulator::start());
    configure(&folder, &simulator.url());
    let server = Server::ready(serve(
        &folder,
        &[("sms.provider", "log"), ("log.format", "json")],
    ));
    let token = crate::harness::login(server.public, &simulator.code("小王")).token();
    let bearer = format!("Bearer {token}");
    let body = json!({ "phone": "13800138000" }).to_string();
    let asked = request(
        "POST /v1/user/register",
        &[("Authorization", &bearer)],
        &body,
    );
    let reply = try_ask(server.public, &asked).unwrap();
    assert_eq!(reply.status, 200, "{reply:?}");
    eventually("the message is in the log", || {
        let said = server.program.said();
        said.contains("a text message that nobody else gets")
            .then_some(())
    });
    let ran = server.program.stop();
    assert!(ran.out.contains("This is for development alone"), "{ran:?}");
    assert!(ran.out.contains("\"to\":\"+8613800138000\""), "{ran:?}");
}

#[test]
fn without_a_provider_nobody_registers_by_message() {
    let (folder, simulator) = (Folder::new(), Simulator::start());
    configure(&folder, &simulator.url());
    let server = Server::ready(serve(&folder, &[]));
    let token = crate::harness::login(server.public, &simulator.code("小王")).token();
    let bearer = format!("Bearer {token}");
    let body = json!({ "phone": "13800138000" }).to_string();
    let asked = request(
        "POST /v1/user/register",
        &[("Authorization", &bearer)],
        &body,
    );
    let reply = try_ask(server.public, &asked).unwrap();
    assert!(reply.status >= 400, "{reply:?}");
    let ran = server.program.stop();
    assert!(!ran.out.contains("13800138000"), "{ran:?}");
}

#[test]
fn the_doctor_tries_who_carries_messages_and_pictures() {
    let (folder, simulator) = (Folder::new(), Simulator::start());
    configure(&folder, &simulator.url());
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let nobody = taken.local_addr().unwrap();
    drop(taken);
    let look = |settings: &[(&str, &str)]| {
        let mut command = menjin(&folder);
        command.arg("doctor");
        for (name, value) in settings {
            command.env(format!("MENJIN_{name}"), value);
        }
        run(&mut command)
    };
    let well = look(&[]);
    assert_eq!(well.code, Some(0), "{well:?}");
    assert!(
        well.out
            .contains("ok       pictures: written, read and erased"),
        "{well:?}"
    );
    let left = fs::read_dir(folder.file("avatars")).unwrap().count();
    assert_eq!(left, 0, "the probe is gone");

    let url = format!("http://{nobody}/send?key=c4n4ry");
    let port = nobody.port().to_string();
    let broken = look(&[
        ("SMS__PROVIDER", "webhook"),
        ("SMS__WEBHOOK__URL", &url),
        ("SMS__WEBHOOK__SECRET", "c4n4ry-c4n4ry-c4n4ry-c4n4ry-c4n4ry"),
        ("MAIL__HOST", "127.0.0.1"),
        ("MAIL__PORT", &port),
        ("MAIL__SECURITY", "none"),
        ("MAIL__FROM", "no-reply@example.com"),
    ]);
    assert_eq!(broken.code, Some(1), "{broken:?}");
    for subject in ["text messages", "mail"] {
        let line = format!("FAILED   {subject}: ");
        assert!(broken.out.contains(&line), "{line}: {broken:?}");
    }
    assert!(
        broken.out.contains("Can this machine reach the provider?"),
        "{broken:?}"
    );
    assert!(!broken.out.contains("c4n4ry"), "{broken:?}");
    let nowhere = look(&[("AVATARS__LOCATION", "file:///proc/nowhere/avatars")]);
    assert_eq!(nowhere.code, Some(1), "{nowhere:?}");
    assert!(
        nowhere.out.contains("FAILED   pictures: avatars.location"),
        "{nowhere:?}"
    );
}
