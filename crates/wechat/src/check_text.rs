//! `POST /wxa/msg_sec_check`: what WeChat thinks of a text that others will see.
//!
//! Version 2 of the interface, which answers with a suggestion; version 1, frozen since 2021,
//! declined bad text with an errcode:
//! <https://developers.weixin.qq.com/miniprogram/dev/server/API/sec-center/sec-check/api_msgseccheck>
//! (seen 2026-11-22).

use menjin_core::{Appid, Openid};
use serde_json::{Value, json};

use crate::{call::Call, client::Client, error::Error};

/// The number that WeChat has for texts in a person's profile.
const PROFILE: u8 = 1;

/// What WeChat suggests to do with a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Show it.
    Pass,
    /// Let a person look at it.
    Review,
    /// Do not show it.
    Risky,
}

impl Client {
    /// Has WeChat look at a nickname, or another text of a profile, of 1 to 2500 characters. The
    /// person must have visited the mini program within two hours.
    ///
    /// # Errors
    ///
    /// Every variant of [`Error`]; 40003 or 61010 when the last visit is too long ago, 45009 over the
    /// quota.
    pub async fn check_text(
        &self,
        appid: &Appid,
        openid: &Openid,
        text: &str,
    ) -> Result<Verdict, Error> {
        let body = json!({
            "version": 2,
            "scene": PROFILE,
            "openid": openid.as_str(),
            "content": text,
            "nickname": text,
        });
        let call = Call {
            path: "/wxa/msg_sec_check",
            query: &[],
            body: Some(body),
            secrets: &[],
        };
        self.call(appid, &call, |reply| {
            let suggest = reply
                .get("result")
                .and_then(|result| result.get("suggest"))
                .and_then(Value::as_str);
            match suggest {
                Some("pass") => Ok(Verdict::Pass),
                Some("review") => Ok(Verdict::Review),
                Some("risky") => Ok(Verdict::Risky),
                Some(_) => Err(Error::Garbled("an unknown suggestion")),
                None => Err(Error::Garbled("no suggestion")),
            }
        })
        .await
    }
}
