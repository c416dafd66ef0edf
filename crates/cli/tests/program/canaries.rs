//! Secrets that are easy to find, and a search for them everywhere.

use std::{collections::BTreeMap, fs, io, net::SocketAddr};

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};
use menjin_core::MasterKeys;
use serde_json::json;

use crate::harness::{
    Folder, MASTER_KEY, Play, Server, Stub, configure, get, login, me, post, request, serve,
    try_ask,
};

/// In WeChat's form: sixteen bytes in base64.
const SESSION_KEY: &str = "q83vEjRWeJq83v7cuph2VA==";
const APP_SECRET: &str = "cafe5ec4e7cafe5ec4e7cafe5ec4e7ca";
/// What every code of this test begins with; what follows tells the stub what to do.
const CODE: &str = "c0deCanary5ca1ab1e";

/// What WeChat does, by the end of the code.
fn play(code: &str) -> Play {
    let secrets = format!("{SESSION_KEY} {APP_SECRET} {code}");
    match code.rsplit('-').next().unwrap_or_default() {
        "hang" => Play::Hang,
        "status" => Play::Say(500, secrets),
        "garbage" => Play::Say(200, secrets),
        "type" => Play::Say(
            200,
            json!({ "openid": 7, "session_key": SESSION_KEY, "js_code": code }).to_string(),
        ),
        "truncated" => Play::Raw(
            format!("HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n{{\"session_key\":\"{SESSION_KEY}\"").into(),
        ),
        "nonsense" => Play::Raw(format!("{secrets}\r\n\r\n").into()),
        "nothing" => Play::Raw(Vec::new()),
        "refused" => Play::Say(
            200,
            json!({ "errcode": 40125, "errmsg": format!("invalid appsecret {APP_SECRET}, rid: 0-1-2") }).to_string(),
        ),
        "used" => Play::Say(
            200,
            json!({ "errcode": 40163, "errmsg": "code been used", "session_key": SESSION_KEY }).to_string(),
        ),
        "both" => Play::Say(
            200,
            json!({ "errcode": 40029, "openid": "o", "session_key": SESSION_KEY }).to_string(),
        ),
        person => Play::session(&format!("oCanary-{person}"), SESSION_KEY),
    }
}

/// Every form in which a secret could leak.
fn forms(secret: &[u8]) -> Vec<Vec<u8>> {
    let hex = |upper: bool| {
        let digits = secret.iter().map(|byte| {
            if upper {
                format!("{byte:02X}")
            } else {
                format!("{byte:02x}")
            }
        });
        digits.collect::<String>().into_bytes()
    };
    let percent: String = secret
        .iter()
        .map(|byte| match byte {
            b'=' | b'+' | b'/' => format!("%{byte:02X}"),
            byte => char::from(*byte).to_string(),
        })
        .collect();
    // Without the last characters, which depend on the padding and on what follows.
    let trimmed =
        |text: String| text.trim_end_matches('=').as_bytes()[..text.len() / 3 * 2].to_vec();
    vec![
        secret.to_vec(),
        trimmed(STANDARD_NO_PAD.encode(secret)),
        trimmed(URL_SAFE_NO_PAD.encode(secret)),
        hex(true),
        hex(false),
        percent.into_bytes(),
    ]
}

/// The private scalar of each signing key, as the master key opens it.
fn private_keys(folder: &Folder) -> Vec<Vec<u8>> {
    let url = format!("sqlite://{}/menjin.db", folder.path().display());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let rows = runtime.block_on(async {
        let store = menjin_store::Store::open(&menjin_store::Options::new(url))
            .await
            .unwrap();
        let rows = menjin_server::keys::all(&store).await.unwrap();
        store.close().await;
        rows
    });
    let master = MasterKeys::parse([MASTER_KEY]).unwrap();
    let scalar = |row: &menjin_store::KeyRow| {
        let place = format!("signing_keys/private_key/{}", row.kid);
        let pkcs8 = master.open(&place, &row.private_key).unwrap();
        // RFC 5915: version 1, then the scalar as an octet string of 32 bytes.
        let before = [2, 1, 1, 4, 32];
        let at = pkcs8.windows(5).position(|part| part == before).unwrap() + 5;
        pkcs8[at..at + 32].to_vec()
    };
    rows.iter().map(scalar).collect()
}

/// What is searched, by its name.
#[derive(Default)]
struct Places(BTreeMap<String, Vec<u8>>);

impl Places {
    fn add(&mut self, name: &str, bytes: impl AsRef<[u8]>) {
        let place = self.0.entry(name.to_owned()).or_default();
        place.extend(bytes.as_ref());
        place.push(b'\n');
    }

    /// Fails if one of the forms stands in a place whose name begins with one of `prefixes`.
    fn hold_no(&self, what: &str, forms: &[Vec<u8>], prefixes: &[&str]) {
        let searched = self
            .0
            .iter()
            .filter(|(name, _)| prefixes.iter().any(|prefix| name.starts_with(prefix)));
        for (name, bytes) in searched {
            for form in forms {
                let found = bytes.windows(form.len()).position(|part| part == &form[..]);
                let found = found.map(|at| {
                    let (from, to) = (at.saturating_sub(300), (at + 200).min(bytes.len()));
                    String::from_utf8_lossy(&bytes[from..to]).into_owned()
                });
                assert!(found.is_none(), "{what} in {name}: {found:?}");
            }
        }
    }
}

/// Signs in, in every way that can go right or wrong; the tokens that came of it.
fn sign_in(server: &Server, places: &mut Places) -> Vec<String> {
    let mut tokens = Vec::new();
    let expected = [
        ("wang", 200),
        ("wang", 200),
        ("mei", 200),
        ("refused", 502),
        ("used", 400),
        ("both", 400),
        ("status", 502),
        ("garbage", 502),
        ("type", 502),
        ("truncated", 502),
        ("nonsense", 502),
        ("nothing", 502),
        ("hang", 504),
    ];
    for (count, (ending, status)) in expected.into_iter().enumerate() {
        let code = format!("{CODE}{count}-{ending}");
        for _ in 0..2 {
            let reply = login(server.public, &code);
            assert_eq!(reply.status, status, "{ending}: {reply:?}");
            places.add("reply", reply.head.as_bytes());
            places.add("reply", reply.text.as_bytes());
            if status == 200 {
                let token = reply.token();
                places.add("reply", me(server.public, &token).text);
                places.add("reply", me(server.public, &format!("{token}x")).text);
                tokens.push(token);
            }
        }
    }
    let strange = post(
        server.public,
        "/v1/user/login",
        &json!({ "code": [format!("{CODE}-array")] }),
    );
    places.add("reply", strange.text);
    let cut = request(
        "POST /v1/user/login",
        &[],
        &format!("{{\"code\": \"{CODE}-cut"),
    );
    places.add("reply", try_ask(server.public, &cut).unwrap().text);
    places.add(
        "reply",
        get(server.public, &format!("/v1/user/login?code={CODE}-query")).text,
    );
    tokens
}

/// TLS where nobody speaks it, and nobody at all.
fn unreachable(folder: &Folder, stub: SocketAddr, places: &mut Places) {
    for (name, base_url) in [
        ("tls", format!("https://{stub}")),
        ("nobody", "http://127.0.0.1:1".to_owned()),
    ] {
        let database = format!("sqlite://{}/{name}.db", folder.path().display());
        let settings = [
            ("wechat.base_url", &*base_url),
            ("store.url", &database),
            ("log.level", "trace"),
            ("wechat.apps.0.secret", APP_SECRET),
        ];
        let server = Server::ready(serve(folder, &settings));
        let reply = login(server.public, &format!("{CODE}-{name}"));
        assert_eq!(reply.status, 502, "{reply:?}");
        places.add("reply", reply.text);
        places.add(
            &format!("metrics {name}"),
            get(server.management, "/metrics").text,
        );
        let ran = server.program.stop();
        assert!(ran.out.contains("could not be asked"), "{ran:?}");
        places.add(&format!("log {name}"), ran.out);
        places.add(&format!("log {name}"), ran.err);
    }
}

fn of_process(server: &Server, places: &mut Places) -> io::Result<()> {
    places.add("metrics", get(server.management, "/metrics").text);
    let process = format!("/proc/{}", server.program.pid());
    places.add("process", fs::read(format!("{process}/cmdline"))?);
    Ok(())
}

/// Proves LGN-4, LGN-5, LOG-1 and KEY-5: at the level TRACE, and through every way in which WeChat can
/// fail, no secret stands in a log, a metric, a reply, the database or the process list.
#[test]
fn no_secret_is_found_anywhere() {
    let folder = Folder::new();
    let stub = Stub::start(|asked| play(asked.code()));
    configure(&folder, &stub.url());
    let settings = [
        ("log.level", "trace"),
        ("log.format", "json"),
        ("wechat.timeout", "0.7"),
        ("wechat.apps.0.secret", APP_SECRET),
    ];
    let server = Server::ready(serve(&folder, &settings));
    let mut places = Places::default();
    let tokens = sign_in(&server, &mut places);
    of_process(&server, &mut places).unwrap();
    let private = private_keys(&folder);
    assert_eq!(private.len(), 2);
    // The database while it is open, with what has not left its log yet, and after it was closed.
    add_database(&folder, "open", &mut places);
    let ran = server.program.stop();
    add_database(&folder, "closed", &mut places);
    places.add("log", &ran.out);
    places.add("log", &ran.err);
    unreachable(&folder, stub.address, &mut places);

    assert!(ran.out.contains("\"DEBUG\""), "little was logged: {ran:?}");
    let everywhere = ["log", "metrics", "reply", "process", "database"];
    let elsewhere = ["log", "metrics", "process", "database"];
    let decoded = STANDARD.decode(SESSION_KEY).unwrap();
    places.hold_no(
        "the session key",
        &forms(SESSION_KEY.as_bytes()),
        &everywhere,
    );
    places.hold_no("the session key's bytes", &forms(&decoded), &everywhere);
    places.hold_no("the AppSecret", &forms(APP_SECRET.as_bytes()), &everywhere);
    let master = STANDARD.decode(MASTER_KEY).unwrap();
    places.hold_no("the master key", &forms(MASTER_KEY.as_bytes()), &everywhere);
    places.hold_no("the master key's bytes", &forms(&master), &everywhere);
    for scalar in &private {
        places.hold_no("a private key", &forms(scalar), &everywhere);
    }
    places.hold_no("a login code", &forms(CODE.as_bytes()), &everywhere);
    for token in &tokens {
        let signature = token.rsplit('.').next().unwrap();
        places.hold_no(
            "an access token",
            &[signature.into(), token[..80].into()],
            &elsewhere,
        );
    }
}

fn add_database(folder: &Folder, when: &str, places: &mut Places) {
    let mut size = 0;
    for entry in fs::read_dir(folder.path()).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with("menjin.db") {
            let bytes = fs::read(entry.path()).unwrap();
            size += bytes.len();
            places.add(&format!("database {when} {name}"), bytes);
        }
    }
    assert!(size > 10_000, "the database was read");
}
