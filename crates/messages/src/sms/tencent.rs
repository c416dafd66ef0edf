//! Tencent Cloud's `SendSms` of 2021-01-11: <https://cloud.tencent.com/document/api/382/55981>
//! (seen 2026-11-22).

use std::sync::Arc;

use menjin_core::{Clock, Secret};
use reqwest::{StatusCode, Url};
use serde::Deserialize;
use serde_json::json;

use crate::{
    BoxFuture, Reach, Receipt,
    error::{RefusedKind, SendError, SetupError},
    http::{Http, headers, origin, words_of},
    sign::tc3::{CONTENT_TYPE, Call},
    sms::{Sms, SmsKind, SmsSender, SmsTemplates, header_safe},
};

const VERSION: &str = "2021-01-11";
/// Longest `SessionContext`, in bytes.
const CONTEXT: usize = 511;

/// What Tencent Cloud wants to know.
#[derive(Clone, Debug)]
pub struct TencentOptions {
    /// The key's name.
    pub secret_id: String,
    /// The key.
    pub secret_key: Secret,
    /// The region of the SMS service, such as `ap-guangzhou`.
    pub region: String,
    /// The SMS application, a number of ten digits.
    pub sdk_app_id: String,
    /// The approved signature, without brackets.
    pub sign_name: String,
    /// The numbers of the approved templates: the code is `{1}`, the minutes are `{2}`.
    pub templates: SmsTemplates,
    /// Scheme and host, perhaps a port.
    pub base_url: String,
    /// How it is reached.
    pub reach: Reach,
}

impl Default for TencentOptions {
    fn default() -> Self {
        Self {
            secret_id: String::new(),
            secret_key: Secret::new(""),
            region: "ap-guangzhou".to_owned(),
            sdk_app_id: String::new(),
            sign_name: String::new(),
            templates: SmsTemplates {
                with_minutes: true,
                ..SmsTemplates::default()
            },
            base_url: "https://sms.tencentcloudapi.com".to_owned(),
            reach: Reach::default(),
        }
    }
}

/// Sends through Tencent Cloud.
pub struct TencentSms {
    options: TencentOptions,
    url: Url,
    host: String,
    http: Http,
    clock: Arc<dyn Clock>,
}

impl TencentSms {
    /// A sender with no connection.
    ///
    /// # Errors
    ///
    /// [`SetupError::Url`], [`SetupError::Unfit`], [`SetupError::CaFile`]; [`SetupError::Tls`]
    /// never in practice.
    pub fn new(options: TencentOptions, clock: Arc<dyn Clock>) -> Result<Self, SetupError> {
        let (url, host) = origin(&options.base_url)?;
        header_safe("secret_id", &options.secret_id)?;
        header_safe("secret_key", options.secret_key.expose())?;
        header_safe("region", &options.region)?;
        let http = Http::new(&options.reach)?;
        Ok(Self {
            options,
            url,
            host,
            http,
            clock,
        })
    }

    async fn call(&self, action: &str, body: &serde_json::Value) -> Result<Answer, SendError> {
        let payload = body.to_string().into_bytes();
        let timestamp = self.clock.now().div_euclid(1000);
        let call = Call {
            service: "sms",
            host: &self.host,
            action,
            payload: &payload,
            timestamp,
        };
        let secret = self.options.secret_key.expose();
        let headers = headers(vec![
            ("content-type", CONTENT_TYPE.to_owned()),
            ("x-tc-action", action.to_owned()),
            ("x-tc-version", VERSION.to_owned()),
            ("x-tc-region", self.options.region.clone()),
            ("x-tc-timestamp", timestamp.to_string()),
            (
                "authorization",
                call.authorization(&self.options.secret_id, secret),
            ),
        ])?;
        let reply = self.http.post(self.url.clone(), headers, payload).await?;
        // What Tencent has to say it says with 200, refusals too.
        if reply.status != StatusCode::OK {
            return Err(SendError::Garbled(words_of(reply.status)));
        }
        serde_json::from_slice::<Document>(&reply.body)
            .map(|document| document.response)
            .map_err(|_| SendError::Garbled("not the documented JSON"))
    }

    fn body(&self, sms: &Sms) -> Result<serde_json::Value, SendError> {
        let template = self.options.templates.of(&sms.kind)?;
        let parameters = match &sms.kind {
            SmsKind::Code { code, minutes, .. } if self.options.templates.with_minutes => {
                vec![code.expose().to_owned(), minutes.to_string()]
            }
            SmsKind::Code { code, .. } => vec![code.expose().to_owned()],
            SmsKind::Notice { .. } => Vec::new(),
        };
        let mut body = json!({
            "PhoneNumberSet": [sms.to.as_str()],
            "SmsSdkAppId": self.options.sdk_app_id,
            "SignName": self.options.sign_name,
            "TemplateId": template,
            "TemplateParamSet": parameters,
        });
        if sms.request_id.len() <= CONTEXT
            && let Some(members) = body.as_object_mut()
        {
            members.insert("SessionContext".to_owned(), json!(sms.request_id));
        }
        Ok(body)
    }

    fn refused(&self, code: &str) -> SendError {
        SendError::refused(code, meaning(code), self.options.secret_key.expose())
    }

    async fn deliver(&self, sms: &Sms) -> Result<Receipt, SendError> {
        let answer = self.call("SendSms", &self.body(sms)?).await?;
        if let Some(error) = answer.error {
            return Err(self.refused(&error.code));
        }
        let statuses = answer.send_status_set.unwrap_or_default();
        // One number was given, so there is one status. A failure of the number is told here alone.
        let [status] = statuses.as_slice() else {
            return Err(SendError::Garbled("not one status for one number"));
        };
        if !status.code.eq_ignore_ascii_case("ok") {
            return Err(self.refused(&status.code));
        }
        Ok(Receipt {
            provider_id: sms.identifier(status.serial_no.as_deref()),
            cost: status.fee,
        })
    }

    async fn knock(&self) -> Result<(), SendError> {
        // Lists no signatures: <https://cloud.tencent.com/document/product/382/6040> (seen
        // 2026-11-22). Who may send need not be allowed to list, so only words about the key count.
        let body = json!({ "International": 0, "SignIdSet": [] });
        match self.call("DescribeSmsSignList", &body).await?.error {
            Some(error)
                if error.code.starts_with("AuthFailure")
                    && error.code != "AuthFailure.UnauthorizedOperation" =>
            {
                Err(self.refused(&error.code))
            }
            _ => Ok(()),
        }
    }
}

impl SmsSender for TencentSms {
    fn send<'a>(&'a self, sms: &'a Sms) -> BoxFuture<'a, Result<Receipt, SendError>> {
        Box::pin(self.deliver(sms))
    }

    fn try_out(&self) -> BoxFuture<'_, Result<(), SendError>> {
        Box::pin(self.knock())
    }
}

#[derive(Deserialize)]
struct Document {
    #[serde(rename = "Response")]
    response: Answer,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    error: Option<Word>,
    send_status_set: Option<Vec<Status>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Word {
    code: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Status {
    code: String,
    serial_no: Option<String>,
    fee: Option<u32>,
}

/// What a code means: <https://cloud.tencent.com/document/api/382/55981> (seen 2026-11-22).
fn meaning(code: &str) -> RefusedKind {
    match code {
        "InvalidParameterValue.IncorrectPhoneNumber" | "FailedOperation.PhoneNumberInBlacklist" => {
            RefusedKind::BadNumber
        }
        "LimitExceeded.PhoneNumberCountLimit"
        | "FailedOperation.ContainSensitiveWord"
        | "FailedOperation.FailResolvePacket" => RefusedKind::Other,
        code => match code.split('.').next().unwrap_or_default() {
            "LimitExceeded" | "RequestLimitExceeded" => RefusedKind::TooOften,
            "AuthFailure"
            | "UnauthorizedOperation"
            | "FailedOperation"
            | "InvalidParameterValue"
            | "InvalidParameter"
            | "MissingParameter"
            | "ResourceNotFound" => RefusedKind::Misconfigured,
            _ => RefusedKind::Other,
        },
    }
}
