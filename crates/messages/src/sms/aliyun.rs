//! Alibaba Cloud's `SendSms` of 2017-05-25: <https://help.aliyun.com/document_detail/55284.html>
//! (seen 2026-11-22). It is not idempotent.

use std::sync::Arc;

use jiff::Timestamp;
use menjin_core::{Clock, Secret, identity::random_bytes};
use reqwest::{StatusCode, Url};
use serde::Deserialize;
use serde_json::json;

use crate::{
    BoxFuture, Reach, Receipt,
    error::{RefusedKind, SendError, SetupError},
    http::{Http, headers, origin, words_of},
    sign::{
        acs3::{Call, query},
        hex,
    },
    sms::{Sms, SmsKind, SmsSender, SmsTemplates, header_safe},
};

const VERSION: &str = "2017-05-25";
/// Longest `OutId`, in bytes.
const OUT_ID: usize = 255;

/// What Alibaba Cloud wants to know.
#[derive(Clone, Debug)]
pub struct AliyunOptions {
    /// The key's name.
    pub access_key_id: String,
    /// The key.
    pub access_key_secret: Secret,
    /// The approved signature, without brackets.
    pub sign_name: String,
    /// The codes of the approved templates, such as `SMS_12345678`: the code is `${code}`, the
    /// minutes are `${minutes}`.
    pub templates: SmsTemplates,
    /// Scheme and host, perhaps a port.
    pub base_url: String,
    /// How it is reached.
    pub reach: Reach,
}

impl Default for AliyunOptions {
    fn default() -> Self {
        Self {
            access_key_id: String::new(),
            access_key_secret: Secret::new(""),
            sign_name: String::new(),
            templates: SmsTemplates::default(),
            base_url: "https://dysmsapi.aliyuncs.com".to_owned(),
            reach: Reach::default(),
        }
    }
}

/// Sends through Alibaba Cloud.
pub struct AliyunSms {
    options: AliyunOptions,
    url: Url,
    host: String,
    http: Http,
    clock: Arc<dyn Clock>,
}

impl AliyunSms {
    /// A sender with no connection.
    ///
    /// # Errors
    ///
    /// [`SetupError::Url`], [`SetupError::Unfit`], [`SetupError::CaFile`]; [`SetupError::Tls`]
    /// never in practice.
    pub fn new(options: AliyunOptions, clock: Arc<dyn Clock>) -> Result<Self, SetupError> {
        let (url, host) = origin(&options.base_url)?;
        header_safe("access_key_id", &options.access_key_id)?;
        header_safe("access_key_secret", options.access_key_secret.expose())?;
        let http = Http::new(&options.reach)?;
        Ok(Self {
            options,
            url,
            host,
            http,
            clock,
        })
    }

    async fn call(&self, action: &str, parameters: &[(&str, &str)]) -> Result<Answer, SendError> {
        let query = query(parameters);
        let now = Timestamp::from_millisecond(self.clock.now()).unwrap_or_default();
        let call = Call {
            host: &self.host,
            action,
            version: VERSION,
            date: &now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            nonce: &hex(&random_bytes::<16>()),
            query: &query,
        };
        let secret = self.options.access_key_secret.expose();
        let mut pairs = call.headers(&self.options.access_key_id, secret);
        pairs.push(("accept", "application/json".to_owned()));
        // Nobody says so of a body that is empty unless told to, and gateways want to know.
        pairs.push(("content-length", "0".to_owned()));
        let mut url = self.url.clone();
        url.set_query(Some(&query));
        let reply = self.http.post(url, headers(pairs)?, Vec::new()).await?;
        let answer = serde_json::from_slice::<Answer>(&reply.body);
        match (reply.status, answer) {
            (StatusCode::OK, Ok(answer)) => Ok(answer),
            (StatusCode::OK, Err(_)) => Err(SendError::Garbled("not the documented JSON")),
            // The gateway refuses with a status, the product behind it with 200.
            (_, Ok(answer)) if answer.code.as_deref().is_some_and(|code| code != "OK") => {
                Ok(answer)
            }
            (status, _) => Err(SendError::Garbled(words_of(status))),
        }
    }

    async fn deliver(&self, sms: &Sms) -> Result<Receipt, SendError> {
        let template = self.options.templates.of(&sms.kind)?;
        let variables = self.variables(&sms.kind).to_string();
        let number = if sms.to.is_mainland() {
            sms.to.national()
        } else {
            sms.to.as_str().trim_start_matches('+')
        };
        let mut parameters = vec![
            ("PhoneNumbers", number),
            ("SignName", &self.options.sign_name),
            ("TemplateCode", template),
            ("TemplateParam", &variables),
        ];
        if (1..=OUT_ID).contains(&sms.request_id.len()) {
            parameters.push(("OutId", &sms.request_id));
        }
        let answer = self.call("SendSms", &parameters).await?;
        match answer.code.as_deref() {
            Some("OK") => Ok(Receipt {
                provider_id: sms.identifier(answer.biz_id.as_deref()),
                cost: None,
            }),
            Some(code) => Err(self.refused(code)),
            None => Err(SendError::Garbled("no code")),
        }
    }

    fn variables(&self, kind: &SmsKind) -> serde_json::Value {
        match kind {
            SmsKind::Code { code, minutes, .. } if self.options.templates.with_minutes => {
                json!({ "code": code.expose(), "minutes": minutes.to_string() })
            }
            SmsKind::Code { code, .. } => json!({ "code": code.expose() }),
            SmsKind::Notice { .. } => json!({}),
        }
    }

    fn refused(&self, code: &str) -> SendError {
        let secret = self.options.access_key_secret.expose();
        SendError::refused(code, meaning(code), secret)
    }

    async fn knock(&self) -> Result<(), SendError> {
        // Reads a list:
        // <https://help.aliyun.com/en/sms/developer-reference/api-dysmsapi-2017-05-25-querysmssignlist>
        // (seen 2026-11-25). Who may send need not be allowed to read it, so only words about the
        // key and its signature count.
        let parameters = [("PageIndex", "1"), ("PageSize", "1")];
        let answer = self.call("QuerySmsSignList", &parameters).await?;
        match answer.code.as_deref() {
            Some(code) if is_about_the_key(code) => Err(self.refused(code)),
            Some(_) => Ok(()),
            None => Err(SendError::Garbled("no code")),
        }
    }
}

impl SmsSender for AliyunSms {
    fn send<'a>(&'a self, sms: &'a Sms) -> BoxFuture<'a, Result<Receipt, SendError>> {
        Box::pin(self.deliver(sms))
    }

    fn try_out(&self) -> BoxFuture<'_, Result<(), SendError>> {
        Box::pin(self.knock())
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    code: Option<String>,
    biz_id: Option<String>,
}

fn is_about_the_key(code: &str) -> bool {
    let first = code.split('.').next().unwrap_or_default();
    matches!(
        first,
        "InvalidAccessKeyId"
            | "InactiveAccessKeyId"
            | "SignatureDoesNotMatch"
            | "IncompleteSignature"
            | "InvalidTimeStamp"
            | "SignatureNonceUsed"
            | "InvalidSecurityToken"
            | "MissingSecurityToken"
    )
}

/// What a code means: <https://help.aliyun.com/document_detail/101346.html> (seen 2026-11-22).
fn meaning(code: &str) -> RefusedKind {
    match code {
        "isv.BUSINESS_LIMIT_CONTROL" | "isv.DAY_LIMIT_CONTROL" | "isv.MONTH_LIMIT_CONTROL" => {
            RefusedKind::TooOften
        }
        "isv.MOBILE_NUMBER_ILLEGAL" => RefusedKind::BadNumber,
        "isv.BLACK_KEY_CONTROL_LIMIT" | "isv.MOBILE_COUNT_OVER_LIMIT" => RefusedKind::Other,
        "isp.RAM_PERMISSION_DENY" => RefusedKind::Misconfigured,
        code if code.starts_with("Throttling") => RefusedKind::TooOften,
        code if code.starts_with("isv.") || is_about_the_key(code) => RefusedKind::Misconfigured,
        code if code.starts_with("Forbidden") || code.starts_with("NoPermission") => {
            RefusedKind::Misconfigured
        }
        _ => RefusedKind::Other,
    }
}
