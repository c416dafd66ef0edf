//! `menjin jws-verify`: the door for test vectors.

use std::fs::File;

use serde_json::Value;

use crate::harness::{Folder, Ran, Server, Simulator, configure, get, login, menjin, run, serve};

fn verify(folder: &Folder, jwk: &str, lines: &[u8]) -> Ran {
    let input = folder.file("tokens");
    std::fs::write(&input, lines).unwrap();
    let mut command = menjin(folder);
    command.args(["jws-verify", "--jwk", jwk]);
    run(command.stdin(File::open(input).unwrap()))
}

#[test]
fn each_line_is_judged() {
    let (folder, simulator) = (Folder::new(), Simulator::start());
    configure(&folder, &simulator.url());
    let server = Server::ready(serve(&folder, &[]));
    let token = login(server.public, &simulator.code("小王")).token();
    let keys: Value = get(server.public, "/.well-known/jwks.json").json();
    folder.write("key.json", &keys["keys"][0].to_string());
    folder.write("next.json", &keys["keys"][1].to_string());

    let (head, signature) = token.rsplit_once('.').unwrap();
    let middle = signature.len() / 2;
    let other = if signature[middle..].starts_with('A') {
        "B"
    } else {
        "A"
    };
    let tampered = format!(
        "{head}.{}{other}{}",
        &signature[..middle],
        &signature[middle + 1..]
    );
    let lines = [
        token.as_bytes(),
        tampered.as_bytes(),
        b"",
        b"\xff\xfe",
        format!("{token}=").as_bytes(),
        format!("{token}.").as_bytes(),
        format!(" {token}").as_bytes(),
        format!("{token}\r").as_bytes(),
        b"a.b.c",
        token.as_bytes(),
    ]
    .join(&b'\n');
    let judged = verify(&folder, "key.json", &lines);
    assert_eq!(judged.code, Some(0), "{judged:?}");
    let words: Vec<&str> = judged.out.lines().collect();
    let (ok, no) = ("ok", "refused");
    assert_eq!(words, [ok, no, no, no, no, no, no, ok, no, ok]);
    assert_eq!(
        verify(&folder, "next.json", &lines).out,
        "refused\n".repeat(10)
    );
    assert_eq!(verify(&folder, "key.json", b"").out, "");
}

#[test]
fn without_a_key_nothing_is_good() {
    let folder = Folder::new();
    folder.write("broken.json", "{\"kty\": \"EC\"");
    let broken = verify(&folder, "broken.json", b"a.b.c\n");
    assert_eq!(broken.out, "refused\n", "{broken:?}");
    assert!(broken.err.contains("broken.json"), "{broken:?}");
    let missing = verify(&folder, "missing.json", b"a.b.c\n");
    assert_eq!(missing.code, Some(2), "{missing:?}");
    assert!(missing.err.contains("missing.json"), "{missing:?}");
}
