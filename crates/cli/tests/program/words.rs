//! What the program says of itself: help, completions, manual pages, the API; and what becomes of
//! it when nobody listens.

use std::{
    fs::File,
    io,
    os::fd::OwnedFd,
    process::{Command, Stdio},
};

use serde_json::Value;

use crate::harness::{Folder, Server, configure, get, menjin, run, serve};

/// Every command there is, the hidden one too.
const COMMANDS: [&[&str]; 25] = [
    &[],
    &["dev"],
    &["serve"],
    &["init"],
    &["config"],
    &["config", "example"],
    &["config", "check"],
    &["doctor"],
    &["migrate"],
    &["key"],
    &["key", "list"],
    &["key", "rotate"],
    &["key", "remove"],
    &["service"],
    &["service", "add"],
    &["service", "list"],
    &["service", "rotate"],
    &["service", "remove"],
    &["import"],
    &["export"],
    &["simulator"],
    &["openapi"],
    &["errors"],
    &["completions"],
    &["man"],
];

#[test]
fn every_command_has_help_that_fits() {
    let folder = Folder::new();
    let mut all = String::new();
    for words in COMMANDS {
        let ran = run(menjin(&folder).args(words).arg("--help"));
        assert_eq!((ran.code, &*ran.err), (Some(0), ""), "{words:?}");
        let first = ran.out.lines().next().unwrap();
        assert!(
            first.len() > 15 && !first.starts_with("Usage"),
            "{words:?}: {first}"
        );
        for line in ran.out.lines() {
            assert!(line.chars().count() <= 100, "{words:?}: {line}");
        }
        let line = [&["menjin"], words, &["--help"]].concat().join(" ");
        all.extend(["$ ", &line, "\n", &ran.out, "\n"]);
    }
    insta::assert_snapshot!("help", all);
}

#[test]
fn help_names_every_command_but_the_hidden_one() {
    let folder = Folder::new();
    let help = run(menjin(&folder).arg("--help")).out;
    let (_, list) = help.split_once("Commands:\n").unwrap();
    let named: Vec<&str> = list
        .lines()
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    let mut known: Vec<&str> = COMMANDS
        .iter()
        .filter(|words| words.len() == 1)
        .map(|words| words[0])
        .collect();
    known.push("help");
    assert_eq!(named, known);
    let version = run(menjin(&folder).arg("--version")).out;
    assert_eq!(version, format!("menjin {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn shells_and_manuals_are_served() {
    let folder = Folder::new();
    for (shell, word) in [
        ("bash", "complete -F"),
        ("zsh", "#compdef menjin"),
        ("fish", "complete -c menjin"),
    ] {
        let ran = run(menjin(&folder).args(["completions", shell]));
        assert_eq!(ran.code, Some(0));
        assert!(ran.out.contains(word), "{shell}");
        assert!(!ran.out.contains("panicked"), "{shell}");
    }
    let page = run(menjin(&folder).arg("man"));
    assert!(page.out.contains(".TH menjin 1"), "{page:?}");
    let pages = run(menjin(&folder).args(["man", "pages"]));
    assert_eq!(pages.code, Some(0), "{pages:?}");
    for name in ["menjin.1", "menjin-serve.1", "menjin-key-rotate.1"] {
        assert!(folder.file("pages").join(name).exists(), "{name}");
    }
}

#[test]
fn the_printed_api_is_the_served_one() {
    let folder = Folder::new();
    configure(&folder, "http://127.0.0.1:1");
    let server = Server::ready(serve(&folder, &[]));
    let printed: Value = serde_json::from_str(&run(menjin(&folder).arg("openapi")).out).unwrap();
    assert_eq!(get(server.public, "/openapi.json").json(), printed);
    assert_eq!(
        printed["openapi"].as_str().map(|version| &version[..3]),
        Some("3.1")
    );
    let errors = run(menjin(&folder).arg("errors")).out;
    assert!(
        errors.contains("40029") && errors.contains("7700001"),
        "{errors}"
    );
}

/// A pipe whose other end is closed already, as `| head -n 1` leaves it.
fn closed() -> Stdio {
    let (reader, writer) = io::pipe().unwrap();
    drop(reader);
    OwnedFd::from(writer).into()
}

#[test]
fn nobody_reading_is_no_reason_to_panic() {
    let folder = Folder::new();
    configure(&folder, "http://127.0.0.1:1");
    run(menjin(&folder).arg("migrate"));
    let input = folder.write("input", "a\nb\n");
    let key = folder.write("key", "{}");
    let lines: [&[&str]; 12] = [
        &["--help"],
        &["openapi"],
        &["errors"],
        &["config", "example"],
        &["completions", "bash"],
        &["man"],
        &["key", "list"],
        &["service", "list"],
        &["export"],
        &["doctor"],
        &["config", "check"],
        &["jws-verify", "--jwk", key.to_str().unwrap()],
    ];
    for words in lines {
        let mut command = menjin(&folder);
        command.args(words).stdin(File::open(&input).unwrap());
        let ran = command
            .stdout(closed())
            .stderr(Stdio::piped())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&ran.stderr);
        assert!(!said.contains("panicked"), "{words:?}: {said}");
        assert!(
            matches!(ran.status.code(), Some(0 | 1)),
            "{words:?}: {said}"
        );
    }
    // Nor is it when nobody hears the complaint.
    for words in [
        &["serve", "--config", "nowhere"][..],
        &["key", "remove", "nobody"],
        &["nonsense"],
    ] {
        let mut command = menjin(&folder);
        let ran = command
            .args(words)
            .stdout(closed())
            .stderr(closed())
            .status()
            .unwrap();
        assert!(matches!(ran.code(), Some(1 | 2)), "{words:?}: {ran}");
    }
}

#[test]
fn output_may_be_cut_short() {
    let folder = Folder::new();
    let menjin = env!("CARGO_BIN_EXE_menjin");
    let mut command = Command::new("sh");
    command.args(["-c", "\"$0\" config example | head -n 1", menjin]);
    let ran = run(command.current_dir(folder.path()));
    assert_eq!(ran.err, "");
    assert_eq!(ran.out.lines().count(), 1);
}

/// A disk that is full is something else than a reader who has read enough.
#[test]
fn output_that_cannot_be_written_is_said() {
    let folder = Folder::new();
    let mut command = menjin(&folder);
    let full = File::options().write(true).open("/dev/full").unwrap();
    let ran = command.arg("openapi").stdout(full).output().unwrap();
    assert_eq!(ran.status.code(), Some(2));
    let said = String::from_utf8_lossy(&ran.stderr);
    assert!(said.contains("No space left"), "{said}");
}
