//! The commented configuration: complete, true to the defaults, and good to start from.

use std::collections::BTreeSet;

use menjin_core::{MasterKeys, Secret};

use super::{
    super::{
        EXAMPLE, InitAnswers,
        example::{key_of, render},
        keys::{APPS, KEYS, Kind, LISTS},
    },
    APP_SECRET, KEY, LEAST, load, load_with, problems,
};

/// The example with everything in it that is commented out.
fn uncommented() -> String {
    let lines = EXAMPLE
        .lines()
        .map(|line| match (line.strip_prefix("# "), key_of(line)) {
            (Some(bare), Some(_)) => bare,
            (Some(bare), None) if bare.starts_with("[[") => bare,
            _ => line,
        });
    lines.collect::<Vec<_>>().join("\n")
}

/// The whole names of all keys in a table.
fn walk(section: &str, table: &toml::Table, found: &mut BTreeSet<String>) {
    for (key, value) in table {
        let path = match section {
            "" => key.clone(),
            section => format!("{section}.{key}"),
        };
        let list = value.as_array().and_then(|list| list.first()?.as_table());
        match list.or(value.as_table()) {
            Some(inner) => walk(&path, inner, found),
            None => drop(found.insert(path)),
        }
    }
}

/// The value of a key by its whole name.
fn at<'t>(table: &'t toml::Table, path: &str) -> &'t toml::Value {
    let (first, rest) = path.split_once('.').unwrap_or((path, ""));
    match rest {
        "" => &table[first],
        rest => at(table[first].as_table().unwrap(), rest),
    }
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

/// Only the operator knows them.
const WITHOUT_DEFAULT: [&str; 25] = [
    "store.url",
    "secrets.master_keys",
    "secrets.master_keys_file",
    "sms.tencent.secret_id",
    "sms.tencent.secret_key",
    "sms.tencent.secret_key_file",
    "sms.tencent.sdk_app_id",
    "sms.tencent.sign_name",
    "sms.tencent.template_register",
    "sms.tencent.template_migrate",
    "sms.tencent.template_new_phone",
    "sms.aliyun.access_key_id",
    "sms.aliyun.access_key_secret",
    "sms.aliyun.access_key_secret_file",
    "sms.aliyun.sign_name",
    "sms.aliyun.template_register",
    "sms.aliyun.template_migrate",
    "sms.aliyun.template_new_phone",
    "sms.webhook.url",
    "sms.webhook.secret",
    "sms.webhook.secret_file",
    "mail.password",
    "mail.password_file",
    "avatars.secret_key",
    "avatars.secret_key_file",
];

#[test]
fn the_example_has_every_key_and_no_other() {
    let table: toml::Table = uncommented().parse().unwrap();
    let mut found = BTreeSet::new();
    walk("", &table, &mut found);
    let keys = KEYS.iter().map(|(key, _)| (*key).to_owned());
    let of_lists = LISTS.iter().flat_map(|list| {
        let keys = list.keys.iter();
        keys.map(|(key, _)| format!("{}.{key}", list.name))
    });
    assert_eq!(found, keys.chain(of_lists).collect());
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
    let mut live = BTreeSet::new();
    walk("", &EXAMPLE.parse().unwrap(), &mut live);
    let defaults = KEYS
        .iter()
        .map(|(key, _)| (*key).to_owned())
        .filter(|key| !WITHOUT_DEFAULT.contains(&key.as_str()));
    let defaults: BTreeSet<_> = defaults.collect();
    live.retain(|key| !key.starts_with(APPS.name));
    assert_eq!(live, defaults);
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
        let value = at(&table, key);
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
            .replace("\nsecret_file = ", "\n# ")
            .replace("push_token_file = ", "# "),
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
