//! The file itself: that it is there, is text, is TOML, and where its paths lead.

use std::fs;

use super::{super::Config, Folder, KEY, LEAST, least_and, load, problems};

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let folder = Folder::new();
    let told = |name: &str| {
        let problems = Config::load(Some(&folder.0.join(name)), []).unwrap_err();
        folder.shorten(&problems)
    };
    let missing = told("menjin.toml");
    assert!(
        missing.starts_with("menjin.toml: there is no such file (`menjin init`"),
        "{missing}"
    );
    fs::create_dir(folder.0.join("folder")).unwrap();
    assert!(
        told("folder").starts_with("folder: cannot be read: "),
        "{}",
        told("folder")
    );
    folder.write("latin1.toml", b"# \xe9\n");
    assert_eq!(told("latin1.toml"), "latin1.toml: is not UTF-8 text");
    folder.write("large.toml", "#".repeat(1024 * 1024 + 1));
    assert!(told("large.toml").starts_with("large.toml: cannot be read: "));
    assert_eq!(
        missing.lines().count(),
        1,
        "nothing is called missing in a missing file"
    );
}

#[test]
fn without_a_file_the_configuration_is_to_blame() {
    let problems = Config::load(None, []).unwrap_err().to_string();
    let starts = [
        "configuration: secrets.master_keys: is missing",
        "configuration: store.url: is missing",
        "configuration: wechat.apps: is missing",
    ];
    assert_eq!(problems.lines().count(), starts.len(), "{problems}");
    for (line, start) in problems.lines().zip(starts) {
        assert!(line.starts_with(start), "{line}");
    }
}

#[test]
fn what_is_not_toml_is_told_by_line_alone() {
    for (text, line) in [
        ("\n\n[server\n", 3),
        ("[server]\nlisten = 127.0.0.1:8080\n", 2),
        ("[server]\nlisten = '1'\nlisten = '2'\n", 3),
        ("[token]\nttl = 1\n[token]\nttl = 2\n", 3),
        ("\r\n\r\n[store]\r\nurl = \"sqlite", 4),
    ] {
        let told = problems(text);
        let start = format!("menjin.toml:{line}: is not TOML here: ");
        assert!(told.starts_with(&start), "{text:?}: {told}");
        assert!(!told.contains("is missing"), "{told}");
        let twice = text.matches("listen").count() > 1 || text.matches("[token]").count() > 1;
        assert_eq!(told.contains("further up already"), twice, "{told}");
    }
}

#[test]
fn a_byte_order_mark_and_windows_line_ends_are_no_matter() {
    let text = format!("\u{feff}{}", LEAST.replace('\n', "\r\n"));
    assert!(load(&text).is_ok());
}

#[test]
fn paths_start_at_the_folder_of_the_file() {
    let folder = Folder::new();
    folder.write("master.keys", KEY);
    folder.write("ca.pem", "any");
    let text = "store.url = 'sqlite:///menjin.db'
        secrets.master_keys_file = 'master.keys'
        wechat.ca_file = 'ca.pem'
        wechat.apps = [{ appid = 'wx1', secret = '3f9a0c5be17d42868b0d5a3c9e7f1246' }]";
    let file = folder.write("menjin.toml", text);
    let config = Config::load(Some(&file), []).unwrap();
    assert_eq!(config.wechat.ca_file, Some(folder.0.join("ca.pem")));
    fs::remove_file(folder.0.join("ca.pem")).unwrap();
    let told = Config::load(Some(&file), []).unwrap_err();
    let told = folder.shorten(&told);
    assert_eq!(
        told,
        "menjin.toml:3: wechat.ca_file: there is no file ca.pem"
    );
    let absolute = format!(
        "wechat.ca_file = '{}'",
        folder.write("b.pem", "any").display()
    );
    assert!(load(&least_and(&absolute)).is_ok());
}

#[test]
fn a_command_brings_its_own_defaults() {
    let defaults: toml::Table = least_and("limits.sign_in_per_address = 0\ntoken.ttl = 60")
        .parse()
        .unwrap();
    let config = Config::load_over(&defaults, []).unwrap();
    assert_eq!(config.limits.sign_in_per_address, None);
    assert_eq!(config.token.ttl.as_secs(), 60);
    let over = super::variables(&[("MENJIN_TOKEN__TTL", "90"), ("PATH", "/bin")]);
    assert_eq!(
        Config::load_over(&defaults, over)
            .unwrap()
            .token
            .ttl
            .as_secs(),
        90
    );
    let wrong: toml::Table = least_and("token.ttl = 1").parse().unwrap();
    let told = Config::load_over(&wrong, []).unwrap_err().to_string();
    assert_eq!(
        told,
        "defaults of this command: token.ttl: has to be between 60 and 86400"
    );
}
