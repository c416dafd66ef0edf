//! A WeChat library that somebody else wrote, in another language, with the simulator for WeChat.

use std::{env, process::Command};

use serde_json::{Value, json};

use crate::harness::{APPID, SECRET, Wechat};

const SCRIPT: &str = include_str!("foreign_wechatpy.py");

#[tokio::test]
async fn wechatpy_signs_in_and_sees_the_second_use() {
    let wechat = Wechat::configured().await;
    let code = wechat.code("小王");
    let python = env::var_os("MENJIN_TEST_PYTHON").unwrap_or_else(|| "python3".into());
    let mut command = Command::new(&python);
    command.args([
        "-c",
        SCRIPT,
        &format!("http://{}", wechat.address),
        APPID,
        SECRET,
        &code,
    ]);
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

    let seen: Value = serde_json::from_str(&said).unwrap();
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
