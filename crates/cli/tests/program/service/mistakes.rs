//! What is refused, what the configuration has, and secrets that nobody takes.

use std::{
    fs::File,
    process::{Command, Stdio},
};

use serde_json::{Value, json};

use super::{introspect, listed, migrated, refused, secret, service};
use crate::harness::{Folder, Server, configure, menjin, run, serve};

#[test]
fn mistakes_are_told_with_what_to_do() {
    let folder = Folder::new();
    configure(&folder, "http://127.0.0.1:1");
    let early = service(&folder, &["list"]);
    assert!(refused(&early).contains("menjin migrate"), "{early:?}");
    run(menjin(&folder).arg("migrate"));
    let none = service(&folder, &["list"]);
    assert!(none.out.contains("there are no services"), "{none:?}");

    secret(&service(&folder, &["add", "repairs", "--may", "follow"]));
    let again = service(&folder, &["add", "repairs", "--may", "revoke"]);
    assert!(
        refused(&again).contains("`menjin service rotate repairs`"),
        "{again:?}"
    );
    assert_eq!(listed(&folder)[0]["may"], json!(["follow"]));
    for words in [&["rotate", "shop"][..], &["remove", "shop"]] {
        let ran = service(&folder, words);
        assert!(
            refused(&ran).contains("no service shop; `menjin service list`"),
            "{ran:?}"
        );
    }
    for (words, told) in [
        (&["add", "shop"][..], "--may"),
        (&["add", "shop", "--may", ""], "--may"),
        (&["add", "shop", "--may", "introspecd"], "'introspect'"),
        (&["add", "a shop", "--may", "follow"], "1 to 64 letters"),
        (&["rotate", "repairs", "--former-for", "soon"], "24h"),
        (&["rotate", "repairs", "--former-for", "24"], "24h"),
        (&["rotate", "repairs", "--former-for", "31d"], "30d at most"),
    ] {
        let ran = service(&folder, words);
        assert_eq!((ran.code, &*ran.out), (Some(2), ""), "{words:?}: {ran:?}");
        assert!(ran.err.contains(told), "{words:?}: {ran:?}");
    }
    assert_eq!(listed(&folder).len(), 1);
    assert_eq!(listed(&folder)[0]["rotated_at"], Value::Null);
}

/// What goes to standard error is a section that can be appended as it is.
#[test]
fn a_section_for_the_configuration_is_made() {
    let folder = migrated();
    let made = service(
        &folder,
        &["add", "repairs", "--may", "introspect", "--as-config"],
    );
    let configured = secret(&made);
    assert!(listed(&folder).is_empty(), "nothing is written down");
    let text = folder.read("menjin.toml");
    folder.write("menjin.toml", &format!("{text}{}", made.err));
    let line = &listed(&folder)[0];
    assert_eq!(line["id"], "repairs", "{line}");
    assert_eq!(line["from"], "configuration");
    assert_eq!(line["created_at"], Value::Null);
    let server = Server::ready(serve(&folder, &[]));
    let reply = introspect(server.public, ("repairs", &configured), "nonsense");
    assert_eq!(
        (reply.status, &*reply.text),
        (200, r#"{"active":false}"#),
        "{reply:?}"
    );

    for (words, told) in [
        (
            &["add", "repairs", "--may", "follow"][..],
            "choose another name",
        ),
        (
            &["rotate", "repairs"],
            "`menjin service add repairs --may .. --as-config`",
        ),
        (&["remove", "repairs"], "take its [[services]] section out"),
    ] {
        let ran = service(&folder, words);
        let said = refused(&ran);
        assert!(
            said.contains("configuration") && said.contains(told),
            "{ran:?}"
        );
    }
    assert_eq!(listed(&folder).len(), 1);
    let nowhere = Folder::new();
    secret(&service(
        &nowhere,
        &["add", "shop", "--may", "revoke", "--as-config"],
    ));
}

/// Whoever puts a name into the configuration that the database has can still take it out there.
#[test]
fn a_name_in_both_can_leave_the_database() {
    let folder = migrated();
    secret(&service(&folder, &["add", "repairs", "--may", "follow"]));
    let made = service(
        &folder,
        &["add", "repairs", "--may", "follow", "--as-config"],
    );
    let text = folder.read("menjin.toml");
    folder.write("menjin.toml", &format!("{text}{}", made.err));
    let looked = run(menjin(&folder).arg("doctor")).out;
    assert!(
        looked.contains("ok       services: 1 in the configuration, 1 in the database\n"),
        "{looked}"
    );
    assert!(
        looked.contains("warning  services: repairs is in both"),
        "{looked}"
    );
    assert!(
        looked.contains("warning  services: token.audience is empty"),
        "{looked}"
    );
    let removed = service(&folder, &["remove", "repairs"]);
    assert_eq!(removed.code, Some(0), "{removed:?}");
    assert!(
        removed
            .out
            .contains("the configuration has a service of that name"),
        "{removed:?}"
    );
    let mut doctor = menjin(&folder);
    doctor
        .arg("doctor")
        .env("MENJIN_TOKEN__AUDIENCE", "repairs");
    let looked = run(&mut doctor).out;
    assert!(
        looked.contains("ok       services: 1 in the configuration, 0 in the database\n"),
        "{looked}"
    );
    assert!(!looked.contains("warning  services"), "{looked}");
}

/// A secret that nobody got is said to be lost, with the way to another.
#[test]
fn a_secret_that_nobody_takes_is_not_thought_to_be_taken() {
    let folder = migrated();
    let full = || Stdio::from(File::options().write(true).open("/dev/full").unwrap());
    let to_nobody = |words: &[&str], out: Stdio| {
        let mut command: Command = menjin(&folder);
        command.arg("service").args(words).stdout(out);
        let ran = command.output().unwrap();
        (ran.status.code(), String::from_utf8(ran.stderr).unwrap())
    };
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let (code, said) = to_nobody(&["add", "repairs", "--may", "follow"], writer.into());
    assert_eq!(code, Some(1), "{said}");
    assert!(
        said.contains("`menjin service rotate repairs --former-for 0`"),
        "{said}"
    );
    let (code, said) = to_nobody(&["rotate", "repairs"], full());
    assert_eq!(code, Some(2), "{said}");
    assert!(
        said.contains("`menjin service rotate repairs --former-for 0`"),
        "{said}"
    );
    secret(&service(
        &folder,
        &["rotate", "repairs", "--former-for", "0"],
    ));
}
