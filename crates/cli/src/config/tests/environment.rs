//! Variables: that they win, that each key has one, how lists and mini programs are written, and
//! what is said of those that set nothing.

use super::{
    super::{
        Config,
        keys::{KEYS, Kind, LISTS},
    },
    APP_SECRET, Folder, KEY, LEAST, OTHER_KEY, least_and, load_with, problems_of, variables,
};

#[test]
fn the_environment_wins_over_the_file_and_the_file_over_the_default() {
    let file = least_and("token.ttl = 600\nlog.format = 'json'");
    let config = load_with(&file, &[("MENJIN_TOKEN__TTL", "900")]).unwrap();
    assert_eq!(config.token.ttl.as_secs(), 900);
    assert_eq!(config.log.format, super::super::LogFormat::Json);
    assert_eq!(config.token.jwks_max_age.as_secs(), 300);
    let config = load_with(&file, &[]).unwrap();
    assert_eq!(config.token.ttl.as_secs(), 600);
}

#[test]
fn the_environment_alone_is_enough() {
    let all = [
        ("MENJIN_STORE__URL", "sqlite:///menjin.db"),
        ("MENJIN_SECRETS__MASTER_KEYS", KEY),
        ("MENJIN_WECHAT__APPS__0__APPID", "wx1"),
        (
            "MENJIN_WECHAT__APPS__0__SECRET",
            "01234567890123456789012345678901",
        ),
    ];
    let config = Config::load(None, variables(&all)).unwrap();
    let secret = config.wechat.apps[0].secret.expose();
    assert_eq!(
        secret, "01234567890123456789012345678901",
        "digits stay text"
    );
    assert!(config.warnings().is_empty());
}

#[test]
fn every_key_has_a_variable() {
    let wrong = |kind| match kind {
        Kind::Text => None,
        Kind::Texts => Some("[1]"),
        Kind::Whole => Some("many"),
        Kind::Number => Some("soon"),
        Kind::Switch => Some("perhaps"),
    };
    let of_lists = LISTS.iter().flat_map(|list| {
        let name = list.name;
        let keys = list.keys.iter();
        keys.map(move |(key, kind)| (format!("{name}.0.{key}"), format!("{name}[0].{key}"), kind))
    });
    let others = KEYS
        .iter()
        .map(|(key, kind)| ((*key).to_owned(), (*key).to_owned(), kind));
    for (path, key, kind) in others.chain(of_lists) {
        let name = format!("MENJIN_{}", path.replace('.', "__").to_uppercase());
        if let Some(value) = wrong(*kind) {
            let told = problems_of(&[(&name, value)]);
            let start = format!("{name}: {key}: has to be ");
            assert!(told.contains(&start), "{start}\n{told}");
        } else if let Err(told) = load_with(LEAST, &[(&name, "\u{1}")]) {
            assert!(told.contains(&format!("{name}: {key}: ")), "{name}\n{told}");
        } else {
            panic!("{name} was not read");
        }
    }
}

#[test]
fn texts_are_read_by_the_kind_of_their_key() {
    let config = load_with(
        LEAST,
        &[
            ("MENJIN_SERVER__TRUSTED_PROXIES", "10.0.0.1, ::1,"),
            ("MENJIN_SERVER__MANAGEMENT_LISTEN", ""),
            ("MENJIN_TOKEN__AUDIENCE", r#"["one,two", "three"]"#),
            ("MENJIN_TOKEN__TTL", " 120 "),
            ("MENJIN_WECHAT__TIMEOUT", "0.5"),
            ("MENJIN_WECHAT__CONNECT_TIMEOUT", "3"),
            ("MENJIN_STORE__MIGRATE", "Off"),
        ],
    )
    .unwrap();
    assert_eq!(config.server.trusted_proxies.len(), 2);
    assert_eq!(config.server.management_listen, None);
    assert_eq!(config.token.audience, ["one,two", "three"]);
    assert_eq!(config.token.ttl.as_secs(), 120);
    assert_eq!(config.wechat.timeout.as_millis(), 500);
    assert_eq!(config.wechat.connect_timeout.as_secs(), 3);
    assert!(!config.store.migrate);
    let emptied = least_and("token.audience = ['one']");
    let emptied = load_with(&emptied, &[("MENJIN_TOKEN__AUDIENCE", "")]).unwrap();
    assert!(emptied.token.audience.is_empty());
}

#[test]
fn a_mini_program_is_changed_replaced_or_added() {
    let apps = |list: &[(&str, &str)]| {
        load_with(LEAST, list).map(|config| {
            let apps = config.wechat.apps.into_iter();
            let pairs = apps.map(|app| format!("{}:{}", app.appid, app.secret.expose()));
            (
                pairs.collect::<Vec<_>>(),
                config.wechat.default_appid.to_string(),
            )
        })
    };
    let changed = apps(&[("MENJIN_WECHAT__APPS__0__SECRET", "changed")]).unwrap();
    assert_eq!(changed.0, ["wx1:changed"]);
    let replaced = apps(&[
        ("MENJIN_WECHAT__APPS__0__APPID", "wx9"),
        ("MENJIN_WECHAT__APPS__0__SECRET", "other"),
    ]);
    assert_eq!(replaced.unwrap().0, ["wx9:other"]);
    let added = apps(&[
        ("MENJIN_WECHAT__APPS__1__APPID", "wx9"),
        ("MENJIN_WECHAT__APPS__1__SECRET", "other"),
        ("MENJIN_WECHAT__APPS__1__DEFAULT", "true"),
    ]);
    let (pairs, default) = added.unwrap();
    assert_eq!(pairs, [format!("wx1:{APP_SECRET}"), "wx9:other".to_owned()]);
    assert_eq!(default, "wx9");
    let stranger = apps(&[("MENJIN_WECHAT__APPS__0__APPID", "wx9")]).unwrap_err();
    let start = "MENJIN_WECHAT__APPS__0__APPID: wechat.apps[0].secret: is missing";
    assert!(
        stranger.starts_with(start),
        "another app does not inherit a secret: {stranger}"
    );
}

#[test]
fn a_secret_from_the_environment_takes_the_place_of_both_ways_in_the_file() {
    let folder = Folder::new();
    let keys = folder.write("keys", OTHER_KEY).display().to_string();
    let secret = folder
        .write("secret", "from-a-file\n")
        .display()
        .to_string();
    let config = load_with(
        LEAST,
        &[
            ("MENJIN_SECRETS__MASTER_KEYS_FILE", &keys),
            ("MENJIN_WECHAT__APPS__0__SECRET_FILE", &secret),
        ],
    )
    .unwrap();
    assert_eq!(config.wechat.apps[0].secret.expose(), "from-a-file");
    let sealed = config.secrets.seal("place", b"plain");
    let other = menjin_core::MasterKeys::parse([OTHER_KEY]).unwrap();
    assert!(other.is_current(&sealed));

    let text = LEAST
        .replace(
            &format!("master_keys = ['{KEY}']"),
            &format!("master_keys_file = '{keys}'"),
        )
        .replace("secret = ", "secret_file = ")
        .replace(APP_SECRET, &secret);
    let over = [
        ("MENJIN_SECRETS__MASTER_KEYS", KEY),
        ("MENJIN_WECHAT__APPS__0__SECRET", "from-a-variable"),
    ];
    let config = load_with(&text, &over).unwrap();
    assert_eq!(config.wechat.apps[0].secret.expose(), "from-a-variable");
    assert!(!other.is_current(&config.secrets.seal("place", b"plain")));

    let both = [
        ("MENJIN_SECRETS__MASTER_KEYS", KEY),
        ("MENJIN_SECRETS__MASTER_KEYS_FILE", &keys),
    ];
    let start = "MENJIN_SECRETS__MASTER_KEYS_FILE: secrets.master_keys_file: stands beside";
    assert!(
        problems_of(&both).starts_with(start),
        "{}",
        problems_of(&both)
    );
}

#[test]
fn other_variables_are_left_alone() {
    let others = [
        ("MENJIN_CONFIG", "menjin.toml"),
        ("MENJIN_TEST_POSTGRES", "postgres://"),
        ("OTHER__NAME", "x"),
        ("menjin_token__ttl", "x"),
    ];
    assert!(load_with(LEAST, &others).is_ok());
}

#[test]
fn a_variable_that_sets_nothing_is_told_with_the_one_that_was_meant() {
    for (name, told) in [
        (
            "MENJIN_TOKEN__TLT",
            "there is no such variable; did you mean MENJIN_TOKEN__TTL?",
        ),
        (
            "MENJIN_Token__ttl",
            "there is no such variable; did you mean MENJIN_TOKEN__TTL?",
        ),
        (
            "MENJIN_WECHAT__APPS__2__APP_ID",
            "there is no such variable; did you mean MENJIN_WECHAT__APPS__2__APPID?",
        ),
        (
            "MENJIN_WECHAT__SECRET",
            "there is no such variable; did you mean MENJIN_WECHAT__APPS__0__SECRET?",
        ),
        (
            "MENJIN_WECHAT__APPS",
            "sets no key: write MENJIN_WECHAT__APPS__0__APPID, ",
        ),
        (
            "MENJIN_WECHAT__APPS__0",
            "sets no key: write MENJIN_WECHAT__APPS__0__APPID, ",
        ),
        ("MENJIN_SIGN_IN__", "sets no key: write MENJIN_SIGN_IN__KEY"),
        (
            "MENJIN_SMS__TENCENT__",
            "sets no key: write MENJIN_SMS__TENCENT__KEY",
        ),
        (
            "MENJIN_SMS__SECRET_ID",
            "there is no such variable; did you mean MENJIN_SMS__TENCENT__SECRET_ID?",
        ),
        (
            "MENJIN_PROFILE__FIELDS__1__VALUE",
            "there is no such variable; did you mean MENJIN_PROFILE__FIELDS__1__VALUES?",
        ),
        (
            "MENJIN_NO__SUCH__THING",
            "there is no such variable (`menjin config example`",
        ),
    ] {
        let told_line = problems_of(&[(name, "1")]);
        let line = format!("{name}: {told}");
        assert!(told_line.starts_with(&line), "{line}\n{told_line}");
        assert_eq!(told_line.lines().count(), 1, "{told_line}");
    }
}
