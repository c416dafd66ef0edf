//! Secrets that could keep no door shut, and files that others can read.

use std::time::{Duration, Instant};

use crate::harness::{
    APP_SECRET, Folder, MASTER_KEY, Program, Server, configure, menjin, run, serve, set_mode,
};

/// Starts a server that must refuse, and gives what it said.
fn refuses(folder: &Folder, settings: &[(&str, &str)]) -> String {
    let began = Instant::now();
    let ran = Program::start(&mut serve(folder, settings)).end(Duration::from_secs(2));
    let took = began.elapsed();
    assert_eq!(ran.code, Some(1), "{settings:?}: {ran:?}");
    assert!(!ran.out.contains("listens"), "{settings:?}: {ran:?}");
    assert!(took < Duration::from_secs(2), "{settings:?}: {took:?}");
    ran.err
}

/// Proves LOG-4: empty, example and short secrets keep the server from starting, within 2 s.
#[test]
fn weak_secrets_are_refused() {
    let folder = Folder::new();
    configure(&folder, "http://127.0.0.1:1");
    let short = &MASTER_KEY[..MASTER_KEY.len() - 4];
    let weak = [
        ("secrets.master_keys", ""),
        ("secrets.master_keys", "BASE64"),
        (
            "secrets.master_keys",
            "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
        ),
        (
            "secrets.master_keys",
            "change-me-change-me-change-me-change-me",
        ),
        ("secrets.master_keys", short),
        ("secrets.master_keys", &format!("{MASTER_KEY},{short}")),
        ("wechat.apps.0.secret", ""),
        ("wechat.apps.0.secret", "your-app-secret"),
        ("wechat.apps.0.secret", "changeme"),
        ("wechat.apps.0.secret", "********************************"),
    ];
    for (key, value) in weak {
        let said = refuses(&folder, &[(key, value)]);
        let named = key.replace("apps.0.", "apps[0].");
        assert!(said.contains(&named), "{key} = {value}: {said}");
        assert!(value.len() < 20 || !said.contains(value), "{said}");
    }
}

/// Proves LOG-4 for services: digests of secrets that anybody would guess keep the server from
/// starting, within 2 s, `dev-secret` of `menjin dev` among them.
#[test]
fn digests_of_weak_secrets_are_refused() {
    let folder = Folder::new();
    configure(&folder, "http://127.0.0.1:1");
    let of_nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    let of_dev_secret = "298754db2dbab6ec62605ceb0379eb7ee376580359449efe0caa3aa06cd56736";
    for digest in ["", "your-secret-digest", of_nothing, of_dev_secret] {
        let settings = [
            ("services.0.id", "repairs"),
            ("services.0.secret_digest", digest),
            ("services.0.may", "introspect"),
        ];
        let said = refuses(&folder, &settings);
        assert!(said.contains("services[0].secret_digest"), "{said}");
        assert!(said.contains("menjin service add"), "{said}");
    }
}

/// Proves LOG-4 for what `menjin config example` prints: it starts nothing.
#[test]
fn the_example_is_no_configuration() {
    let folder = Folder::new();
    let example = run(menjin(&folder).args(["config", "example"])).out;
    let uncommented = example
        .replace("# url =", "url =")
        .replace("# master_keys =", "master_keys =")
        .replace("# appid =", "appid =")
        .replace("# secret =", "secret =");
    folder.write("menjin.toml", &uncommented);
    let said = refuses(&folder, &[]);
    assert!(said.contains("secrets.master_keys"), "{said}");
    assert!(said.contains("wechat.apps[0].secret"), "{said}");
}

/// Proves KEY-5: key files that others can read keep the server from starting.
#[test]
fn files_that_others_can_read_are_refused() {
    let folder = Folder::new();
    configure(&folder, "http://127.0.0.1:1");
    let text = folder
        .read("menjin.toml")
        .replace(
            &format!("master_keys = [\"{MASTER_KEY}\"]"),
            "master_keys_file = \"master.keys\"",
        )
        .replace(
            &format!("secret = \"{APP_SECRET}\""),
            "secret_file = \"app.secret\"",
        );
    folder.write("menjin.toml", &text);
    let files = [
        folder.write("master.keys", &format!("# a comment\n{MASTER_KEY}\n")),
        folder.write("app.secret", APP_SECRET),
    ];
    for file in &files {
        for open in [0o644, 0o602, 0o604] {
            set_mode(file, open);
            let said = refuses(&folder, &[]);
            let name = file.file_name().unwrap().to_str().unwrap();
            assert!(
                said.contains("chmod o-rwx") && said.contains(name),
                "{said}"
            );
        }
        set_mode(file, 0o600);
    }
    Server::ready(serve(&folder, &[]));
}

/// Proves KEY-5: in the database and what lies beside it is neither PEM nor a private member.
#[test]
fn private_keys_are_sealed_at_rest() {
    let folder = Folder::new();
    configure(&folder, "http://127.0.0.1:1");
    let server = Server::ready(serve(&folder, &[]));
    let mut seen = 0;
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if !name.starts_with("menjin.db") {
            continue;
        }
        seen += 1;
        let bytes = std::fs::read(&path).unwrap();
        for plain in ["-----BEGIN", "PRIVATE KEY", "\"d\":", "\"k\":"] {
            let found = bytes
                .windows(plain.len())
                .any(|part| part == plain.as_bytes());
            assert!(!found, "{plain} in {name}");
        }
    }
    assert!(seen >= 2, "the database and its log");
    drop(server);
}
