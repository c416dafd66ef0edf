//! From settings to a configuration: defaults, bounds, and what must agree with what.

use std::{net::SocketAddr, num::NonZeroU32, time::Duration};

use menjin_core::{Appid, Secret};
use menjin_wechat::{PushKeys, PushKeysError};

use super::{
    Algorithm, App, Config, Limits, Log, LogFormat, Server, SignIn, Store, Telemetry, Token,
    Wechat, avatars,
    keys::APPS,
    mail,
    problem::{Place, Problems},
    profile,
    reader::Reader,
    secrets::{self, Wanted},
    services,
    settings::Layer,
    sms, text,
};

const HOUR: u32 = 3600;
const DAY: u32 = 24 * HOUR;

/// Checks everything, or says all that is wrong.
pub(super) fn config(settings: &Layer, mut problems: Problems) -> Result<Config, Problems> {
    let mut reader = Reader::new(&settings.root, &mut problems);
    let server = server(&mut reader);
    let store = store(&mut reader);
    let secrets = secrets::master_keys(&mut reader);
    let token = token(&mut reader);
    let sign_in = SignIn {
        replay_window: reader.seconds("sign_in.replay_window", 30, 0..=240),
    };
    let limits = Limits {
        sign_in_per_address: NonZeroU32::new(reader.whole(
            "limits.sign_in_per_address",
            600,
            0..=1_000_000,
        )),
    };
    let log = log(&mut reader);
    let telemetry = Telemetry {
        otlp_endpoint: reader.unless_empty("telemetry.otlp_endpoint", text::called_url),
    };
    let mut notes = Vec::new();
    let registration = profile::registration(&mut reader);
    let sms = sms::read(&mut reader, &mut notes);
    let mail = mail::read(&mut reader, &mut notes);
    let avatars = avatars::read(&mut reader, store.as_ref().map(|store| &store.url));
    let profile = profile::profile(settings, &mut problems);
    let services = services::read(settings, &mut problems);
    let wechat = wechat(settings, &mut problems);
    match (store, secrets, wechat) {
        (Some(store), Some(secrets), Some(wechat)) if problems.is_empty() => Ok(Config {
            server,
            store,
            secrets,
            wechat,
            token,
            sign_in,
            limits,
            registration,
            sms,
            mail,
            profile,
            avatars,
            services,
            log,
            telemetry,
            notes,
            open_file: settings.open_file.clone(),
        }),
        _ => Err(problems),
    }
}

fn server(reader: &mut Reader<'_>) -> Server {
    let listen = reader.parsed(
        "server.listen",
        SocketAddr::from(([127, 0, 0, 1], 8080)),
        text::listen,
    );
    let management_listen = reader.parsed(
        "server.management_listen",
        Some(SocketAddr::from(([127, 0, 0, 1], 9464))),
        |given| match given {
            "" => Ok(None),
            given => text::listen(given).map(Some),
        },
    );
    if listen.port() != 0 && management_listen == Some(listen) {
        let wrong = "is the same address as server.listen: give it a port of its own";
        reader.refuse("server.management_listen", wrong);
    }
    Server {
        listen,
        public_url: reader.unless_empty("server.public_url", text::public_url),
        trusted_proxies: reader.list("server.trusted_proxies", text::network),
        management_listen,
    }
}

fn store(reader: &mut Reader<'_>) -> Option<Store> {
    let example = "where to write things down, such as sqlite:///var/lib/menjin/menjin.db";
    let url = reader.required("store.url", example, text::store_url);
    let connections = reader.whole("store.connections", 16, 1..=1000);
    let migrate = reader.switch("store.migrate", true);
    Some(Store {
        url: url?,
        connections: usize::try_from(connections).unwrap_or(usize::MAX),
        migrate,
    })
}

fn token(reader: &mut Reader<'_>) -> Token {
    let algorithm = reader.parsed(
        "token.algorithm",
        Algorithm::Es256,
        text::one_of(&[("ES256", Algorithm::Es256), ("EdDSA", Algorithm::EdDsa)]),
    );
    let jwks_max_age = reader.seconds("token.jwks_max_age", 300, 0..=HOUR);
    Token {
        issuer: reader.unless_empty("token.issuer", text::public_url),
        audience: reader.list("token.audience", text::audience),
        ttl: reader.seconds("token.ttl", HOUR, 60..=DAY),
        algorithm,
        rotation: rotation(reader, jwks_max_age),
        jwks_max_age,
    }
}

/// The next key is published one cache lifetime before it signs, so keys must last longer.
fn rotation(reader: &mut Reader<'_>, jwks_max_age: Duration) -> Option<Duration> {
    let seconds = reader.whole("token.rotation", 30 * DAY, 0..=366 * DAY);
    let rotation = Duration::from_secs(seconds.into());
    if seconds == 0 {
        return None;
    }
    if seconds < HOUR || rotation < 2 * jwks_max_age {
        let wrong = "has to be at least 3600 and twice token.jwks_max_age, or 0 for never";
        reader.refuse("token.rotation", wrong);
    }
    Some(rotation)
}

fn log(reader: &mut Reader<'_>) -> Log {
    Log {
        format: reader.parsed(
            "log.format",
            LogFormat::Auto,
            text::one_of(&[
                ("auto", LogFormat::Auto),
                ("json", LogFormat::Json),
                ("terminal", LogFormat::Terminal),
            ]),
        ),
        level: reader.parsed("log.level", "info".to_owned(), text::log_level),
    }
}

fn wechat(settings: &Layer, problems: &mut Problems) -> Option<Wechat> {
    let apps = apps(settings, problems);
    let mut reader = Reader::new(&settings.root, problems);
    let base_url = reader.parsed(
        "wechat.base_url",
        "https://api.weixin.qq.com".to_owned(),
        text::called_url,
    );
    let connect_timeout = reader.fraction("wechat.connect_timeout", 2.0, 0.01..=60.0);
    let timeout = reader.fraction("wechat.timeout", 5.0, 0.01..=60.0);
    let ca_place = reader.place("wechat.ca_file");
    let ca_file = reader.unless_empty("wechat.ca_file", |name| {
        let path = secrets::path_of(name, ca_place);
        secrets::open(&path).map(|_| path)
    });
    let (apps, default_appid) = apps?;
    Some(Wechat {
        apps,
        default_appid,
        base_url,
        connect_timeout,
        timeout,
        ca_file,
    })
}

/// The mini programs and which one is the default; `None` has been said to be a problem.
fn apps(settings: &Layer, problems: &mut Problems) -> Option<(Vec<App>, Appid)> {
    let mut found: Vec<(App, Place)> = Vec::new();
    let mut default: Option<(Appid, Place)> = None;
    for scope in settings.list(APPS.name) {
        let mut reader = Reader::new(scope, problems);
        let appid = reader.required("appid", "set it to wx and what follows", Appid::parse);
        let secret = secrets::app_secret(&mut reader);
        let is_default = reader.switch("default", false);
        let push = push(&mut reader);
        let place = reader.place("appid").clone();
        let Some(appid) = appid else { continue };
        if let Some((_, first)) = found.iter().find(|(app, _)| app.appid == appid) {
            reader.refuse("appid", format!("was given before, at {first}: remove one"));
        }
        if is_default {
            if let Some((_, first)) = &default {
                let wrong = format!("is true a second time, after {first}: keep one");
                reader.refuse("default", wrong);
            }
            default = Some((appid.clone(), reader.place("default").clone()));
        }
        let secret = secret.unwrap_or_else(|| Secret::new(""));
        let app = App {
            appid,
            secret,
            push,
        };
        found.push((app, place));
    }
    if settings.list(APPS.name).next().is_none() {
        let wrong = "is missing: write [[wechat.apps]] with an appid and a secret";
        problems.add(&settings.root.place, APPS.name, wrong);
    }
    let apps: Vec<_> = found.into_iter().map(|(app, _)| app).collect();
    let default_appid = default
        .map(|(appid, _)| appid)
        .or_else(|| apps.first().map(|app| app.appid.clone()))?;
    Some((apps, default_appid))
}

const PUSH_TOKEN: Wanted = Wanted {
    from: "8 to 32 random letters and digits, the same as in WeChat's console",
    least: 8,
    blanks: false,
};

const PUSH_KEY: Wanted = Wanted {
    from: "the EncodingAESKey of WeChat's console, 43 characters",
    least: 43,
    blanks: false,
};

/// What messages that WeChat pushes are checked by.
fn push(reader: &mut Reader<'_>) -> Option<PushKeys> {
    let token = secrets::one(reader, "push_token", PUSH_TOKEN, false);
    let key = secrets::one(reader, "push_aes_key", PUSH_KEY, false);
    let has_token = reader
        .given("push_token")
        .or(reader.given("push_token_file"));
    if key.is_some() && has_token.is_none() {
        let wrong = "is missing: push_aes_key is of no use without it";
        reader.refuse("push_token", wrong);
    }
    let parsed = PushKeys::parse(token?.expose(), key.as_ref().map(Secret::expose));
    let wrong = parsed.map_err(|wrong| {
        let key = match wrong {
            PushKeysError::Token => "push_token",
            PushKeysError::EncodingAesKey => "push_aes_key",
        };
        reader.refuse(key, format!("cannot be used: {wrong}"));
    });
    wrong.ok()
}
