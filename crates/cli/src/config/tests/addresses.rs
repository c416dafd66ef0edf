//! Addresses: what they have to look like, what stands in for those that are not given, and
//! which ones are unwise.

use super::{
    super::Config, Folder, LEAST, least_and, load, load_with, problems, set_mode, variables,
};

/// A line that is refused, and a part of what is said.
const BAD_ADDRESSES: &[(&str, &str)] = &[
    (
        "server.listen = 'localhost:8080'",
        "has to be an IP address and a port",
    ),
    (
        "server.listen = ':8080'",
        "has to be an IP address and a port",
    ),
    ("server.listen = ''", "has to be an IP address and a port"),
    (
        "server.management_listen = '9464'",
        "has to be an IP address and a port",
    ),
    (
        "server.management_listen = '127.0.0.1:8080'",
        "is the same address as server.listen",
    ),
    (
        "server.trusted_proxies = ['10.0.0.0/33']",
        "number 1 has to be an IP address or a",
    ),
    (
        "server.trusted_proxies = ['::1', 'proxy']",
        "number 2 has to be an IP address or a",
    ),
    (
        "server.public_url = 'https://a.example/'",
        "must not end in a slash",
    ),
    (
        "server.public_url = 'a.example'",
        "has to be an address such as",
    ),
    (
        "server.public_url = 'ftp://a.example'",
        "with http:// or https:// in front",
    ),
    (
        "server.public_url = 'https://a.example?b'",
        "must not hold a query or fragment",
    ),
    (
        "server.public_url = 'https://a.example#b'",
        "must not hold a query or fragment",
    ),
    (
        "server.public_url = 'https://u:p@a.example'",
        "must not hold a user name or password",
    ),
    (
        "server.public_url = ' https://a.example'",
        "without blanks and in ASCII",
    ),
    (
        "server.public_url = 'https://a.example:99999'",
        "invalid port number",
    ),
    ("token.issuer = 'menjin'", "has to be an address such as"),
    (
        "token.issuer = 'https://a.example/'",
        "must not end in a slash",
    ),
    ("wechat.base_url = ''", "has to be an address such as"),
    (
        "wechat.base_url = 'api.weixin.qq.com'",
        "has to be an address such as",
    ),
    (
        "telemetry.otlp_endpoint = '127.0.0.1:4317'",
        "has to be an address such as",
    ),
];

#[test]
fn addresses_are_checked() {
    for (line, told) in BAD_ADDRESSES {
        let told_lines = problems(&least_and(line));
        let key = line.split(' ').next().unwrap();
        let start = format!("menjin.toml:4: {key}: ");
        assert!(told_lines.starts_with(&start), "{line}: {told_lines}");
        assert!(told_lines.contains(told), "{line}: {told_lines}");
    }
    let free = "server.listen = '127.0.0.1:0'\nserver.management_listen = '127.0.0.1:0'";
    assert!(
        load(&least_and(free)).is_ok(),
        "port 0 is another port each time"
    );
}

#[test]
fn the_store_is_a_file_or_a_server() {
    for (url, good) in [
        ("sqlite:///var/lib/menjin/menjin.db", true),
        ("sqlite://menjin.db", true),
        ("postgres://menjin:word@db.example/menjin", true),
        ("postgresql:///menjin?host=/run/postgresql", true),
        ("sqlite://", false),
        ("sqlite:///", false),
        ("sqlite::memory:", false),
        ("postgres://", false),
        ("mysql://menjin@db.example/menjin", false),
        ("/var/lib/menjin/menjin.db", false),
        ("", false),
    ] {
        let loaded = load_with(LEAST, &[("MENJIN_STORE__URL", url)]);
        assert_eq!(loaded.is_ok(), good, "{url}: {:?}", loaded.err());
    }
}

#[test]
fn what_is_not_given_comes_from_the_bound_address() {
    let bound = "127.0.0.1:4321".parse().unwrap();
    let none = load(LEAST).unwrap();
    assert_eq!(none.public_url(bound), "http://127.0.0.1:4321");
    assert_eq!(none.issuer(bound), "http://127.0.0.1:4321");
    let public = load(&least_and("server.public_url = 'https://a.example/door'")).unwrap();
    assert_eq!(public.public_url(bound), "https://a.example/door");
    assert_eq!(public.issuer(bound), "https://a.example/door");
    let both = "server.public_url = 'https://a.example'\ntoken.issuer = 'https://b.example'";
    let both = load(&least_and(both)).unwrap();
    assert_eq!(both.public_url(bound), "https://a.example");
    assert_eq!(both.issuer(bound), "https://b.example");
    let called = load(&least_and("wechat.base_url = 'http://127.0.0.1:8081/'")).unwrap();
    assert_eq!(called.wechat.base_url, "http://127.0.0.1:8081");
}

#[test]
fn unwise_settings_are_warned_of() {
    assert_eq!(load(LEAST).unwrap().warnings(), Vec::<String>::new());
    for (line, start) in [
        (
            "server.public_url = 'http://a.example'",
            "server.public_url is http",
        ),
        (
            "server.public_url = 'http://192.0.2.1:8080'",
            "server.public_url is http",
        ),
        (
            "wechat.base_url = 'http://wechat.example'",
            "wechat.base_url is http",
        ),
        (
            "server.trusted_proxies = ['::1', '0.0.0.0/0']",
            "server.trusted_proxies holds every",
        ),
        (
            "server.trusted_proxies = ['::/0']",
            "server.trusted_proxies holds every",
        ),
        (
            "server.listen = '0.0.0.0:8080'",
            "server.public_url is not set",
        ),
    ] {
        let warnings = load(&least_and(line)).unwrap().warnings();
        assert_eq!(warnings.len(), 1, "{line}: {warnings:?}");
        assert!(warnings[0].starts_with(start), "{line}: {warnings:?}");
    }
    for line in [
        "server.public_url = 'https://a.example'",
        "server.public_url = 'http://localhost:8080'",
        "server.public_url = 'http://127.1.2.3'",
        "server.public_url = 'http://[::1]:8080'",
        "wechat.base_url = 'http://127.0.0.1:8081'",
        "server.trusted_proxies = ['0.0.0.0/1']",
        "server.listen = '0.0.0.0:8080'\nserver.public_url = 'https://a.example'",
    ] {
        let warnings = load(&least_and(line)).unwrap().warnings();
        assert_eq!(warnings, Vec::<String>::new(), "{line}");
    }
    let short = [("MENJIN_WECHAT__APPS__0__SECRET", "short")];
    let warnings = load_with(LEAST, &short).unwrap().warnings();
    assert!(
        warnings[0].starts_with("wechat.apps[0].secret has not the 32"),
        "{warnings:?}"
    );
}

#[test]
fn a_file_of_secrets_that_all_can_read_is_warned_of() {
    let folder = Folder::new();
    let warnings = |text: &str, mode, list: &[(&str, &str)]| {
        let file = folder.write("menjin.toml", text);
        set_mode(&file, mode);
        Config::load(Some(&file), variables(list))
            .unwrap()
            .warnings()
    };
    let told = warnings(LEAST, 0o644, &[]);
    let file = folder.0.join("menjin.toml").display().to_string();
    assert_eq!(told.len(), 1);
    assert!(told[0].starts_with(&file), "{told:?}");
    assert!(
        told[0].ends_with(&format!("chmod o-rwx {file}")),
        "{told:?}"
    );
    assert!(
        warnings(LEAST, 0o640, &[]).is_empty(),
        "the group may read it"
    );

    let elsewhere = [
        ("MENJIN_SECRETS__MASTER_KEYS", super::KEY),
        ("MENJIN_WECHAT__APPS__0__SECRET", super::APP_SECRET),
    ];
    let plain = "store.url = 'sqlite:///menjin.db'\nwechat.apps = [{ appid = 'wx1' }]";
    assert!(
        warnings(plain, 0o644, &elsewhere).is_empty(),
        "no secret stands in it"
    );
    let password = plain.replace("sqlite:///menjin.db", "postgres://menjin:word@db/menjin");
    assert_eq!(warnings(&password, 0o644, &elsewhere).len(), 1);
    assert_eq!(
        warnings(LEAST, 0o644, &elsewhere).len(),
        1,
        "not used, and still there to read"
    );
}
