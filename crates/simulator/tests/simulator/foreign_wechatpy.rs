//! A WeChat library that somebody else wrote, in another language, with the simulator for WeChat.

use std::{env, process::Command};

use serde_json::{Value, json};

use crate::harness::{APPID, SECRET, Wechat};

const SIGN_IN: &str = include_str!("foreign_wechatpy.py");
const ACCOUNT: &str = include_str!("foreign_wechatpy_account.py");

/// What a script saw that was given the simulator, an app and these further arguments.
async fn run(script: &str, wechat: &Wechat, arguments: &[&str]) -> Value {
    let python = env::var_os("MENJIN_TEST_PYTHON").unwrap_or_else(|| "python3".into());
    let mut command = Command::new(&python);
    let address = format!("http://{}", wechat.address);
    command
        .args(["-c", script, &address, APPID, SECRET])
        .args(arguments);
    let output = tokio::task::spawn_blocking(move || command.output())
        .await
        .unwrap();
    let output = output.unwrap_or_else(|error| panic!("{}: {error}", python.display()));
    let (said, complaint) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(
        !complaint.contains("ModuleNotFoundError"),
        "{} has no wechatpy; run script/test, which installs it and sets MENJIN_TEST_PYTHON",
        python.display()
    );
    assert!(output.status.success(), "{complaint}");
    serde_json::from_str(&said).unwrap()
}

#[tokio::test]
async fn wechatpy_signs_in_and_sees_the_second_use() {
    let wechat = Wechat::configured().await;
    let code = wechat.code("小王");
    let seen = run(SIGN_IN, &wechat, &[&code]).await;
    assert_eq!(seen["token_length"], 136);
    assert_eq!(seen["expires_in"], 7200);
    let people = wechat.control("GET", "people", Value::Null).await;
    assert_eq!(
        seen["session"]["openid"],
        people["people"][0]["openids"][APPID]
    );
    assert_eq!(seen["session"]["unionid"], people["people"][0]["unionid"]);
    assert_eq!(seen["refused"], "WeChatClientException");
    assert_eq!(seen["errcode"], 40163);
    assert!(
        seen["errmsg"]
            .as_str()
            .unwrap()
            .starts_with("code been used, rid: "),
        "{seen}"
    );
    let calls = wechat.control("GET", "calls", Value::Null).await;
    assert_eq!(calls["codes"], json!({ code: 2 }));
    assert_eq!(calls["paths"]["/cgi-bin/token"], 1);
}

#[tokio::test]
async fn wechatpy_reads_numbers_verdicts_ciphers_and_events() {
    let wechat = Wechat::configured().await;
    let session = wechat.exchange_code(&wechat.code("小王")).await.json();
    let simulator = &wechat.simulator;
    let code = simulator.phone_code("小王", None, None).unwrap();
    let encrypted = simulator.encrypt("小王", None, json!({ "nickName": "小王" }));
    let given = json!({ "session": session, "code": code, "encrypted": encrypted.unwrap() });
    let seen = run(ACCOUNT, &wechat, &[&given.to_string()]).await;

    let people = wechat.control("GET", "people", Value::Null).await;
    let phone = &seen["phone"]["phone_info"];
    assert_eq!(phone["phoneNumber"], people["people"][0]["phone"]);
    assert_eq!(phone["watermark"]["appid"], APPID);
    assert_eq!(seen["again"], 40029);
    assert_eq!(seen["harmless"], json!({ "errcode": 0, "errmsg": "ok" }));
    assert_eq!(seen["risky_v1"], 87014);
    assert_eq!(seen["risky_v2"]["result"]["suggest"], "risky");
    assert_eq!(seen["decrypted"]["nickName"], "小王");
    assert_eq!(seen["decrypted"]["watermark"]["appid"], APPID);
    assert_eq!(seen["event"]["OpenID"], session["openid"]);
    assert_eq!(seen["event"]["Event"], "user_authorization_revoke");
    assert_eq!(seen["event"]["RevokeInfo"], "8");
    assert_eq!(seen["said"], json!({ "status": 200, "body": "success" }));
}
