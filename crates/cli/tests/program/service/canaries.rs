//! What passes between Menjin and a service stands nowhere else.

use std::fs;

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::Value;

use super::{introspect, secret, service};
use crate::harness::{
    Folder, Server, Simulator, configure, get, get_with, login, menjin, run, serve,
};

/// Proves LOG-1: at the level TRACE neither a service's secret, nor WeChat's token that it was given, nor
/// a token that it asked about is in the log, in a metric or in the database.
#[test]
fn what_services_send_and_get_is_in_no_log() {
    let (folder, simulator) = (Folder::new(), Simulator::start());
    configure(&folder, &simulator.url());
    assert_eq!(run(menjin(&folder).arg("migrate")).code, Some(0));
    let may = "introspect,revoke,follow,wechat_token";
    let secret = secret(&service(&folder, &["add", "repairs", "--may", may]));
    let server = Server::ready(serve(&folder, &[("log.level", "trace")]));

    let token = login(server.public, &simulator.code("wang")).token();
    let credentials = ("repairs", secret.as_str());
    let told = introspect(server.public, credentials, &token);
    assert_eq!(told.json()["active"], true, "{told:?}");
    let wrong = introspect(
        server.public,
        ("repairs", "mjs_canary-of-a-wrong-secret"),
        &token,
    );
    assert_eq!(wrong.status, 401);
    let basic = format!("Basic {}", STANDARD.encode(format!("repairs:{secret}")));
    let headers = [("Authorization", basic.as_str())];
    let given = get_with(server.public, "/v1/wechat/token", &headers);
    assert_eq!(given.status, 200, "{given:?}");
    let wechats = given.json()["access_token"].clone();
    let feed = get_with(server.public, "/auth/revocations?wait=0", &headers);
    assert_eq!(feed.json()["items"], Value::Array(vec![]));

    let metrics = get(server.management, "/metrics").text;
    assert!(metrics.contains("menjin_wechat_tokens_total{"), "{metrics}");
    let ran = server.program.stop();
    assert!(
        ran.out.contains("\"TRACE\"") || ran.out.contains("\"DEBUG\""),
        "{ran:?}"
    );
    let mut places = vec![metrics, ran.out, ran.err];
    for entry in fs::read_dir(folder.path()).unwrap() {
        // Pictures have a folder of their own.
        if let Ok(bytes) = fs::read(entry.unwrap().path()) {
            places.push(String::from_utf8_lossy(&bytes).into_owned());
        }
    }
    let signature = token.rsplit('.').next().unwrap();
    let canaries = [
        secret.as_str(),
        basic.trim_start_matches("Basic "),
        wechats.as_str().unwrap(),
        "mjs_canary-of-a-wrong-secret",
        signature,
    ];
    for place in &places {
        for canary in canaries {
            assert!(!place.contains(canary), "{canary}");
        }
    }
}
