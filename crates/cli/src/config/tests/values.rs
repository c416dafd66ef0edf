//! Defaults, kinds, bounds, unknown keys, and the rules between mini programs.

use std::{collections::BTreeSet, net::SocketAddr, num::NonZeroU32, time::Duration};

use super::{
    super::{
        Algorithm, Limits, Log, LogFormat, Server, SignIn, Telemetry, Token,
        keys::{KEYS, Kind, LISTS},
    },
    least_and, load, problems,
};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn the_least_gives_all_defaults() {
    let config = load(super::LEAST).unwrap();
    let server = Server {
        listen: "127.0.0.1:8080".parse().unwrap(),
        public_url: None,
        trusted_proxies: Vec::new(),
        management_listen: Some("127.0.0.1:9464".parse::<SocketAddr>().unwrap()),
    };
    assert_eq!(config.server, server);
    let token = Token {
        issuer: None,
        audience: Vec::new(),
        ttl: 3600 * SECOND,
        algorithm: Algorithm::Es256,
        rotation: Some(30 * 24 * 3600 * SECOND),
        jwks_max_age: 300 * SECOND,
    };
    assert_eq!(config.token, token);
    let replay_window = 30 * SECOND;
    assert_eq!(config.sign_in, SignIn { replay_window });
    let sign_in_per_address = NonZeroU32::new(600);
    let limits = Limits {
        sign_in_per_address,
    };
    assert_eq!(config.limits, limits);
    let (format, level) = (LogFormat::Auto, "info".to_owned());
    assert_eq!(config.log, Log { format, level });
    let otlp_endpoint = None;
    assert_eq!(config.telemetry, Telemetry { otlp_endpoint });
    assert_eq!(
        config.store.url.expose(),
        "sqlite:///var/lib/menjin/menjin.db"
    );
    assert_eq!((config.store.connections, config.store.migrate), (16, true));
    let wechat = config.wechat;
    assert_eq!(wechat.base_url, "https://api.weixin.qq.com");
    assert_eq!(
        (wechat.connect_timeout, wechat.timeout),
        (2 * SECOND, 5 * SECOND)
    );
    assert_eq!(
        (wechat.ca_file, wechat.default_appid.as_str()),
        (None, "wx1")
    );
}

#[test]
fn every_key_takes_what_it_should() {
    let config = load(&least_and(
        "server.listen = '[::]:80'
         server.management_listen = ''
         server.trusted_proxies = ['10.0.0.0/8', '192.0.2.1', '2001:db8::/32']
         store.connections = 4
         store.migrate = false
         token.audience = ['https://api.example.com', 'billing']
         token.ttl = 60
         token.algorithm = 'EdDSA'
         token.rotation = 0
         token.jwks_max_age = 0
         sign_in.replay_window = 0
         limits.sign_in_per_address = 0
         log.format = 'terminal'
         log.level = 'warn,menjin_server=debug'
         telemetry.otlp_endpoint = 'http://127.0.0.1:4318/'",
    ))
    .unwrap();
    assert_eq!(config.server.listen.to_string(), "[::]:80");
    assert_eq!(config.server.management_listen, None);
    let proxies: Vec<_> = config
        .server
        .trusted_proxies
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(proxies, ["10.0.0.0/8", "192.0.2.1/32", "2001:db8::/32"]);
    assert_eq!((config.store.connections, config.store.migrate), (4, false));
    assert_eq!(
        config.token.audience,
        ["https://api.example.com", "billing"]
    );
    assert_eq!(
        (config.token.ttl, config.token.algorithm),
        (60 * SECOND, Algorithm::EdDsa)
    );
    assert_eq!(
        (config.token.rotation, config.token.jwks_max_age),
        (None, Duration::ZERO)
    );
    assert_eq!(config.sign_in.replay_window, Duration::ZERO);
    assert_eq!(config.limits.sign_in_per_address, None);
    assert_eq!(config.log.format, LogFormat::Terminal);
    assert_eq!(config.log.level, "warn,menjin_server=debug");
    assert_eq!(
        config.telemetry.otlp_endpoint.as_deref(),
        Some("http://127.0.0.1:4318")
    );
    let fractions = "wechat.timeout = 0x10\nwechat.connect_timeout = 0.25";
    let wechat = load(&least_and(fractions)).unwrap().wechat;
    assert_eq!(
        (wechat.connect_timeout, wechat.timeout),
        (SECOND / 4, 16 * SECOND)
    );
    let json = load(&least_and("log.format = 'json'")).unwrap();
    assert_eq!(json.log.format, LogFormat::Json);
}

#[test]
fn each_wrong_kind_is_told_with_its_key_and_line() {
    let wrong = |kind| match kind {
        Kind::Text => [("7", "is a whole number"), ("['x']", "is a list")],
        Kind::Texts => [
            ("'x'", "is text"),
            ("['x', 1]", "is a list of something else"),
        ],
        Kind::Whole => [("'60'", "is text"), ("60.5", "is a fraction")],
        Kind::Number => [("'2'", "is text"), ("true", "is true or false")],
        Kind::Switch => [("'true'", "is text"), ("1979-05-27", "is a date")],
    };
    for (key, kind) in KEYS {
        let (section, name) = key.rsplit_once('.').unwrap();
        for (value, is) in wrong(*kind) {
            let told = problems(&format!("[{section}]\n\n{name} = {value}\n"));
            let wanted = kind.wanted();
            let line = format!("menjin.toml:3: {key}: {is}, and has to be {wanted}");
            assert!(told.lines().any(|told| told == line), "{line}\n{told}");
            let missing = format!("{key}: is missing");
            assert!(!told.contains(&missing), "given, if wrongly: {told}");
        }
    }
    let of_lists = LISTS.iter().flat_map(|list| {
        let keys = list.keys.iter();
        keys.map(|(key, kind)| (list.name, *key, *kind))
    });
    for (list, key, kind) in of_lists {
        for (value, is) in wrong(kind) {
            let told = problems(&format!("[[{list}]]\n{key} = {value}\n"));
            let line = format!("menjin.toml:2: {list}[0].{key}: {is}");
            assert!(
                told.lines().any(|told| told.starts_with(&line)),
                "{line}\n{told}"
            );
        }
    }
    let huge = problems(&least_and("token.ttl = 99999999999999999999"));
    assert!(huge.contains("token.ttl: is too large a number"), "{huge}");
    for (text, told) in [
        (
            "server = 1",
            "menjin.toml:1: server: is a section: write [server]",
        ),
        (
            "[[server]]",
            "menjin.toml:1: server: is a section: write [server]",
        ),
        (
            "[wechat.apps]",
            "menjin.toml:1: wechat.apps: is a list: write [[wechat.apps]]",
        ),
        (
            "wechat.apps = ['wx1']",
            "menjin.toml:1: wechat.apps: is a list of sections",
        ),
    ] {
        assert!(problems(text).contains(told), "{text}: {}", problems(text));
    }
}

#[test]
fn an_unknown_key_is_refused_wherever_it_stands() {
    let sections = KEYS.iter().filter_map(|(key, _)| key.rsplit_once('.'));
    for section in sections
        .map(|(section, _)| section)
        .collect::<BTreeSet<_>>()
    {
        let told = problems(&format!("[{section}]\n\nnonsense = true\n"));
        let line =
            format!("menjin.toml:3: {section}.nonsense: there is no such key; here can stand");
        assert!(told.contains(&line), "{told}");
    }
    for (text, told) in [
        (
            "nonsense = 1",
            "menjin.toml:1: nonsense: there is no such key; here can stand: avatars, ",
        ),
        (
            "\n[nonsense]\nkey = 1",
            "menjin.toml:2: nonsense: there is no such key",
        ),
        (
            "listen = ''",
            "menjin.toml:1: listen: there is no such key; did you mean server.listen?",
        ),
        (
            "[[wechat.apps]]\n[[wechat.apps]]\nappsecret = 'x'",
            "menjin.toml:3: wechat.apps[1].appsecret: there is no such key; \
             did you mean wechat.apps.secret?",
        ),
        (
            "[wechat]\napps = [\n {},\n { apid = 'x' } ]",
            "menjin.toml:4: wechat.apps[1].apid: there is no such key; \
             did you mean wechat.apps.appid?",
        ),
        (
            "server.listen.port = 1",
            "menjin.toml:1: server.listen: is a section, and has to be text",
        ),
        (
            "\"a\\nb\\u001b\" = 1",
            "menjin.toml:1: a\\nb\\u{1b}: there is no such key",
        ),
    ] {
        assert!(problems(text).contains(told), "{text}: {}", problems(text));
    }
}

/// A line that is refused, and a part of what is said.
const OUT_OF_BOUNDS: &[(&str, &str)] = &[
    ("store.connections = 0", "has to be between 1 and 1000"),
    ("store.connections = -1", "has to be between 1 and 1000"),
    ("token.ttl = 59", "has to be between 60 and 86400"),
    ("token.ttl = 86401", "has to be between 60 and 86400"),
    (
        "token.rotation = 3599",
        "has to be at least 3600 and twice token.jwks_max_age",
    ),
    (
        "token.rotation = 7199\ntoken.jwks_max_age = 3600",
        "twice token.jwks_max_age",
    ),
    ("token.jwks_max_age = 3601", "has to be between 0 and 3600"),
    (
        "token.algorithm = 'none'",
        "has to be \"ES256\" or \"EdDSA\"",
    ),
    (
        "token.algorithm = 'es256'",
        "has to be \"ES256\" or \"EdDSA\"",
    ),
    (
        "token.audience = ['']",
        "number 1 has to be 1 to 200 characters",
    ),
    (
        "token.audience = ['a', 'b c']",
        "number 2 has to be 1 to 200 characters",
    ),
    ("sign_in.replay_window = 241", "has to be between 0 and 240"),
    (
        "limits.sign_in_per_address = 1000001",
        "has to be between 0 and 1000000",
    ),
    (
        "wechat.timeout = 0",
        "has to be between 0.01 and 60 seconds",
    ),
    (
        "wechat.timeout = inf",
        "has to be between 0.01 and 60 seconds",
    ),
    (
        "wechat.timeout = nan",
        "has to be between 0.01 and 60 seconds",
    ),
    (
        "wechat.timeout = 5000000000",
        "has to be between 0.01 and 60 seconds",
    ),
    (
        "wechat.connect_timeout = -0.5",
        "has to be between 0.01 and 60 seconds",
    ),
    (
        "log.format = 'pretty'",
        "has to be \"auto\" or \"json\" or \"terminal\"",
    ),
    (
        "log.level = ''",
        "has to be error, warn, info, debug or trace",
    ),
    (
        "log.level = 'verbose'",
        "has to be error, warn, info, debug or trace",
    ),
    (
        "log.level = 'info,menjin=loud'",
        "has to be error, warn, info, debug or trace",
    ),
];

#[test]
fn what_is_out_of_bounds_is_told() {
    for (line, told) in OUT_OF_BOUNDS {
        let key = line.split(' ').next().unwrap();
        let told_line = problems(&least_and(line));
        let start = format!("menjin.toml:4: {key}: ");
        assert!(
            told_line.starts_with(&start) && told_line.contains(told),
            "{line}: {told_line}"
        );
        assert_eq!(told_line.lines().count(), 1, "{told_line}");
    }
    assert!(
        load(&least_and(
            "token.rotation = 7200\ntoken.jwks_max_age = 3600"
        ))
        .is_ok()
    );
}

#[test]
fn mini_programs_agree_with_each_other() {
    const APPS: &str = "\
        store.url = 'sqlite:///menjin.db'
        secrets.master_keys = ['MDEyMzQ1Njc4OWFiY2RlZmdoaWprbG1ub3BxcnN0dXY=']
        ";
    let app = |appid: &str, more: &str| {
        let secret = super::APP_SECRET;
        format!("[[wechat.apps]]\nappid = '{appid}'\nsecret = '{secret}'\n{more}\n")
    };
    let (one, two) = (app("wx1", ""), app("wx2", "default = true"));
    let config = load(&[APPS, &one, &two].concat()).unwrap();
    assert_eq!(config.wechat.default_appid.as_str(), "wx2");
    let appids: Vec<_> = config
        .wechat
        .apps
        .iter()
        .map(|app| app.appid.as_str())
        .collect();
    assert_eq!(appids, ["wx1", "wx2"]);
    assert_eq!(config.wechat.apps[1].secret.expose(), super::APP_SECRET);

    for (apps, told) in [
        (
            String::new(),
            "menjin.toml: wechat.apps: is missing: write [[wechat.apps]]",
        ),
        (
            [&*one, &*one].concat(),
            "menjin.toml:8: wechat.apps[1].appid: was given before, at menjin.toml:4: remove one",
        ),
        (
            [&*two, &*app("wx3", "default = true")].concat(),
            "menjin.toml:10: wechat.apps[1].default: is true a second time, after menjin.toml:6",
        ),
        (
            "[[wechat.apps]]\n".to_owned(),
            "menjin.toml:3: wechat.apps[0].appid: is missing",
        ),
        (
            app("wx 1", ""),
            "menjin.toml:4: wechat.apps[0].appid: an appid has 1 to 64 characters",
        ),
    ] {
        let told_lines = problems(&[APPS, &apps].concat());
        assert!(told_lines.contains(told), "{told}\n{told_lines}");
    }
}

#[test]
fn all_problems_are_told_at_once_in_order() {
    let told = problems(
        "[server]\nlisten = 'localhost'\nprot = 1\n[token]\nttl = 1\nalgorithm = 'none'\n\
         [[wechat.apps]]\nappid = 'wx1'\nsecret = ''\n",
    );
    let starts = [
        "menjin.toml: secrets.master_keys: is missing",
        "menjin.toml: store.url: is missing",
        "menjin.toml:2: server.listen: has to be an IP address and a port",
        "menjin.toml:3: server.prot: there is no such key",
        "menjin.toml:5: token.ttl: has to be between",
        "menjin.toml:6: token.algorithm: has to be",
        "menjin.toml:9: wechat.apps[0].secret: is empty",
    ];
    assert_eq!(told.lines().count(), starts.len(), "{told}");
    for (line, start) in told.lines().zip(starts) {
        assert!(line.starts_with(start), "{start}\n{line}");
    }
}
