//! What a caller sent by name, in a query or in JSON, with WeChat's checks in WeChat's order.

use axum::{extract::Query, http::Uri};
use serde_json::Value;

use crate::{Simulator, errcode::Errcode};

/// What a caller sent, by name.
#[derive(Default)]
pub(crate) struct Fields(Vec<(String, String)>);

impl Fields {
    pub(crate) fn of_query(uri: &Uri) -> Self {
        Query::try_from_uri(uri)
            .map(|Query(pairs)| Self(pairs))
            .unwrap_or_default()
    }

    /// The texts in a JSON object, and whether it asks for force. Anything else names nothing.
    pub(crate) fn of_json(body: &[u8]) -> (Self, bool) {
        let Ok(Value::Object(object)) = serde_json::from_slice(body) else {
            return (Self::default(), false);
        };
        let force = object.get("force_refresh") == Some(&Value::Bool(true));
        let texts = object.into_iter().filter_map(|(name, value)| match value {
            Value::String(text) => Some((name, text)),
            _ => None,
        });
        (Self(texts.collect()), force)
    }

    pub(crate) fn find(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(given, _)| given == name)
            .map(|(_, value)| value.as_str())
    }

    /// An empty value is as good as none.
    pub(crate) fn need(&self, name: &str, missing: Errcode) -> Result<&str, Errcode> {
        self.find(name)
            .filter(|value| !value.is_empty())
            .ok_or(missing)
    }

    pub(crate) fn grant(&self, expected: &str) -> Result<(), Errcode> {
        self.need("grant_type", Errcode::INVALID_GRANT_TYPE)
            .and_then(|given| {
                (given == expected)
                    .then_some(())
                    .ok_or(Errcode::INVALID_GRANT_TYPE)
            })
    }

    /// The app that asks for a token of its own.
    pub(crate) fn client(&self, simulator: &Simulator) -> Result<&str, Errcode> {
        let appid = self.need("appid", Errcode::APPID_MISSING)?;
        let secret = self.need("secret", Errcode::APPSECRET_MISSING)?;
        self.grant("client_credential")?;
        simulator.inner.apps.admit(appid, secret)?;
        Ok(appid)
    }
}
