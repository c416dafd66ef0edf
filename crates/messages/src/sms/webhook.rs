//! Any other provider: a signed JSON document to a URL of one's own, which does the rest.

use std::sync::Arc;

use menjin_core::{Clock, Secret};
use reqwest::Url;
use serde_json::json;

use crate::{
    BoxFuture, Reach, Receipt,
    error::{RefusedKind, SendError, SetupError},
    http::{Http, headers, url, words_of},
    sign::{hex, hmac_sha256},
    sms::{Sms, SmsKind, SmsSender},
    templates,
};

/// Where the documents go.
#[derive(Clone, Debug)]
pub struct WebhookOptions {
    /// The whole URL; a secret, since it often holds one.
    pub url: Secret,
    /// What the documents are signed with.
    pub secret: Secret,
    /// How it is reached.
    pub reach: Reach,
}

/// Posts each message as `{"to", "kind", "purpose", "code", "text", "request_id"}`: `kind` is
/// `code` or `notice`, `code` is null in a notice, `to` is E.164.
///
/// `X-Menjin-Timestamp` holds the seconds since 1970, and `X-Menjin-Signature` holds `v1=` and the
/// hexadecimal HMAC-SHA-256, under the secret, of the timestamp, a dot and the body. Any 2xx takes
/// the message over.
pub struct WebhookSms {
    url: Url,
    secret: Secret,
    http: Http,
    clock: Arc<dyn Clock>,
}

impl WebhookSms {
    /// A sender with no connection.
    ///
    /// # Errors
    ///
    /// [`SetupError::Url`], [`SetupError::Unfit`], [`SetupError::CaFile`]; [`SetupError::Tls`]
    /// never in practice.
    pub fn new(options: &WebhookOptions, clock: Arc<dyn Clock>) -> Result<Self, SetupError> {
        if options.secret.expose().is_empty() {
            return Err(SetupError::Unfit("secret"));
        }
        Ok(Self {
            url: url(options.url.expose())?,
            secret: options.secret.clone(),
            http: Http::new(&options.reach)?,
            clock,
        })
    }

    async fn deliver(&self, sms: &Sms) -> Result<Receipt, SendError> {
        let body = document(sms);
        let timestamp = self.clock.now().div_euclid(1000).to_string();
        let signature = signature(&self.secret, &timestamp, &body);
        let headers = headers(vec![
            ("content-type", "application/json".to_owned()),
            ("x-menjin-timestamp", timestamp),
            ("x-menjin-signature", signature),
        ])?;
        let status = self
            .http
            .post_for_status(self.url.clone(), headers, body.into_bytes())
            .await?;
        let refused = |kind| {
            let word = format!("HTTP-{}", status.as_u16());
            Err(SendError::refused(&word, kind, ""))
        };
        match status.as_u16() {
            200..=299 => Ok(Receipt::default()),
            429 => refused(RefusedKind::TooOften),
            401 | 403 | 404 | 405 | 410 => refused(RefusedKind::Misconfigured),
            400..=499 => refused(RefusedKind::Other),
            _ => Err(SendError::Garbled(words_of(status))),
        }
    }
}

impl SmsSender for WebhookSms {
    fn send<'a>(&'a self, sms: &'a Sms) -> BoxFuture<'a, Result<Receipt, SendError>> {
        Box::pin(self.deliver(sms))
    }

    fn try_out(&self) -> BoxFuture<'_, Result<(), SendError>> {
        Box::pin(self.http.touch(&self.url))
    }
}

fn document(sms: &Sms) -> String {
    let (kind, purpose) = match &sms.kind {
        SmsKind::Code { purpose, .. } => ("code", purpose.as_str()),
        SmsKind::Notice { kind } => ("notice", kind.as_str()),
    };
    json!({
        "to": sms.to.as_str(),
        "kind": kind,
        "purpose": purpose,
        "code": sms.kind.code(),
        "text": templates::sms(&sms.kind),
        "request_id": sms.request_id,
    })
    .to_string()
}

fn signature(secret: &Secret, timestamp: &str, body: &str) -> String {
    let signed = format!("{timestamp}.{body}");
    let signature = hmac_sha256(secret.expose().as_bytes(), signed.as_bytes());
    format!("v1={}", hex(&signature))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Computed with Python: `hmac.new(b"secret", b'1700000000.{"a":1}', "sha256").hexdigest()`.
    #[test]
    fn a_signature_is_what_its_description_says() {
        assert_eq!(
            signature(&Secret::new("secret"), "1700000000", "{\"a\":1}"),
            "v1=49f24e537407743fa4a0242bb63b94b9a47ee99cbbe071ccd8a22550ae411686"
        );
    }
}
