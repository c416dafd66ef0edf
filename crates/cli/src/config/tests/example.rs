//! The commented configuration: complete, true to the defaults, and good to start from.

use std::collections::BTreeSet;

use menjin_core::{MasterKeys, Secret};

use super::{
    super::{
        EXAMPLE, InitAnswers,
        example::{key_of, render},
        keys::{APP_KEYS, APPS, KEYS, Kind},
    },
    APP_SECRET, KEY, LEAST, load, load_with, problems,
};

/// The example with everything in it that is commented out.
fn uncommented() -> String {
    let lines = EXAMPLE
        .lines()
        .map(|line| match (line.strip_prefix("# "), key_of(line)) {
            (Some(bare), Some(_)) => bare,
            _ => line,
        });
    lines.collect::<Vec<_>>().join("\n")
}

fn answers() -> InitAnswers {
    InitAnswers {
        appid: "wx1".to_owned(),
        app_secret: Secret::new(APP_SECRET),
        master_key: KEY.to_owned(),
        store_url: "sqlite:///var/lib/menjin/menjin.db".to_owned(),
        listen: "127.0.0.1:8080".to_owned(),
        public_url: String::new(),
    }
}

#[test]
fn the_example_has_every_key_and_no_other() {
    let table: toml::Table = uncommented().parse().unwrap();
    let mut found = BTreeSet::new();
    for (section, keys) in &table {
        for (key, value) in keys.as_table().unwrap() {
            let path = format!("{section}.{key}");
            if path == APPS {
                let app = value.as_array().unwrap()[0].as_table().unwrap();
                found.extend(app.keys().map(|key| format!("{APPS}.{key}")));
            } else {
                found.insert(path);
            }
        }
    }
    let keys = KEYS.iter().map(|(key, _)| (*key).to_owned());
    let app_keys = APP_KEYS.iter().map(|(key, _)| format!("{APPS}.{key}"));
    assert_eq!(found, keys.chain(app_keys).collect());
}

#[test]
fn every_key_of_the_example_has_a_comment() {
    let lines: Vec<_> = EXAMPLE.lines().collect();
    for pair in lines.windows(2) {
        if let Some(key) = key_of(pair[1]) {
            let comment = pair[0].starts_with("# ") && key_of(pair[0]).is_none();
            assert!(comment, "{key} stands below {:?}", pair[0]);
        }
    }
    assert!(lines.iter().all(|line| line.len() <= 100));
}

#[test]
fn the_example_lacks_only_what_an_operator_must_say() {
    let told = problems(EXAMPLE);
    let keys: Vec<_> = told
        .lines()
        .map(|line| line.split(": ").nth(1).unwrap())
        .collect();
    let missing = [
        "secrets.master_keys",
        "store.url",
        "wechat.apps[0].appid",
        "wechat.apps[0].secret",
    ];
    assert_eq!(keys, missing, "{told}");
}

#[test]
fn what_the_example_sets_is_the_default() {
    let filled = load(&render(&answers())).unwrap();
    let least = load(LEAST).unwrap();
    assert_eq!(format!("{filled:#?}"), format!("{least:#?}"));
    assert_eq!(filled.store.url.expose(), least.store.url.expose());

    // A default that is no longer in the code would be one of the example alone.
    let live: BTreeSet<_> = EXAMPLE
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(key_of)
        .collect();
    let with_default = KEYS
        .iter()
        .map(|(key, _)| key.rsplit('.').next().unwrap())
        .filter(|key| !["url", "master_keys", "master_keys_file"].contains(key));
    assert_eq!(live, with_default.collect());
}

#[test]
fn what_init_writes_loads_and_says_what_was_answered() {
    let config = load(&render(&InitAnswers {
        appid: "wx0123456789abcdef".to_owned(),
        store_url: r#"postgres://menjin:a"b\c@db.example/menjin"#.to_owned(),
        listen: "0.0.0.0:9000".to_owned(),
        public_url: "https://login.example.com".to_owned(),
        ..answers()
    }))
    .unwrap();
    assert_eq!(config.wechat.default_appid.as_str(), "wx0123456789abcdef");
    assert_eq!(config.wechat.apps[0].secret.expose(), APP_SECRET);
    assert_eq!(
        config.store.url.expose(),
        r#"postgres://menjin:a"b\c@db.example/menjin"#
    );
    assert_eq!(config.server.listen.to_string(), "0.0.0.0:9000");
    assert_eq!(
        config.server.public_url.as_deref(),
        Some("https://login.example.com")
    );
    let sealed = config.secrets.seal("place", b"plain");
    assert!(MasterKeys::parse([KEY]).unwrap().is_current(&sealed));
    assert!(config.warnings().is_empty(), "{:?}", config.warnings());
}

#[test]
fn what_init_writes_is_the_example_with_six_lines_filled_in() {
    let written = render(&InitAnswers {
        listen: "0.0.0.0:9000".to_owned(),
        public_url: "https://login.example.com".to_owned(),
        ..answers()
    });
    let changed = EXAMPLE
        .lines()
        .zip(written.lines())
        .filter(|(before, after)| before != after);
    let keys: Vec<_> = changed.filter_map(|(_, after)| key_of(after)).collect();
    let filled = [
        "listen",
        "public_url",
        "url",
        "master_keys",
        "appid",
        "secret",
    ];
    assert_eq!(keys, filled);
    assert_eq!(written.lines().count(), EXAMPLE.lines().count());
}

#[test]
fn each_kind_in_the_example_is_the_kind_of_its_key() {
    let table: toml::Table = uncommented().parse().unwrap();
    for (key, kind) in KEYS {
        let (section, name) = key.split_once('.').unwrap();
        let value = &table[section][name];
        let fits = match kind {
            Kind::Text => value.is_str(),
            Kind::Texts => value.is_array(),
            Kind::Whole | Kind::Number => value.is_integer(),
            Kind::Switch => value.is_bool(),
        };
        assert!(fits, "{key} = {value}");
    }
    // The placeholders of the example are no secrets, whoever forgets to replace them.
    let told = load_with(&uncommented(), &[]).unwrap_err();
    assert!(told.contains("keep one of the two"), "{told}");
    let told = problems(
        &uncommented()
            .replace("master_keys_file = ", "# ")
            .replace("secret_file = ", "# "),
    );
    assert!(
        told.contains("wechat.apps[0].secret: is an example"),
        "{told}"
    );
    assert!(
        told.contains("secrets.master_keys: key 1: a master key"),
        "{told}"
    );
}
