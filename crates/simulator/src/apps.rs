//! Which mini programs exist and which secrets open them.

use std::collections::HashMap;

use crate::{App, LoginError, errcode::Errcode};

/// The mini programs that the simulator knows.
pub(crate) struct Apps {
    appids: Vec<String>,
    secrets: HashMap<String, String>,
}

impl Apps {
    pub(crate) fn new(apps: Vec<App>) -> Self {
        let appids = apps.iter().map(|app| app.appid.clone()).collect();
        let secrets = apps
            .into_iter()
            .map(|app| (app.appid, app.secret))
            .collect();
        Self { appids, secrets }
    }

    /// Every configured appid; none if all well-formed ones will do.
    pub(crate) fn configured(&self) -> &[String] {
        &self.appids
    }

    /// The app that a new code belongs to; `None` if it may be any.
    pub(crate) fn for_login(&self, appid: Option<&str>) -> Result<Option<String>, LoginError> {
        let Some(appid) = appid else {
            return Ok(self.appids.first().cloned());
        };
        if self.knows(appid) {
            Ok(Some(appid.to_owned()))
        } else if self.secrets.is_empty() {
            Err(LoginError::MalformedApp(appid.to_owned()))
        } else {
            Err(LoginError::UnknownApp(
                appid.to_owned(),
                self.appids.join(", "),
            ))
        }
    }

    /// Whether a back end may act for the app. The secret is not empty.
    pub(crate) fn admit(&self, appid: &str, secret: &str) -> Result<(), Errcode> {
        if !self.knows(appid) {
            return Err(Errcode::INVALID_APPID);
        }
        match self.secrets.get(appid) {
            Some(expected) if expected != secret => Err(Errcode::INVALID_APPSECRET),
            _ => Ok(()),
        }
    }

    fn knows(&self, appid: &str) -> bool {
        if self.secrets.is_empty() {
            is_appid(appid)
        } else {
            self.secrets.contains_key(appid)
        }
    }
}

/// Looser than WeChat's own, `wx` and 16 digits of 0-9 and a-f: tests are full of made-up ones. Case
/// matters to WeChat.
fn is_appid(text: &str) -> bool {
    text.strip_prefix("wx").is_some_and(|rest| {
        (1..=62).contains(&rest.len())
            && rest
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
    })
}
