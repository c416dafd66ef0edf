//! What each failure looks like from outside, before and after it has the shape of its route.

use std::{borrow::Cow, time::Duration};

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use menjin_core::{Input, Refusal, verification::Purpose};
use menjin_messages::{RefusedKind, SendError};
use menjin_wechat::{self as wechat, Rejection};

use super::{
    Failure, Shape,
    bodies::{
        AccountFailure, GeneralFailure, OAuthFailure, PictureFailure, SearchFailure, SignInError,
        SignInFailure,
    },
};
use crate::{api::email::page::Page, errcodes::SYSTEM_ERROR};

/// What a failure looks like, before it has a shape.
#[derive(Debug)]
pub(super) struct Outward {
    pub(super) status: StatusCode,
    /// The stable word.
    pub(super) word: Cow<'static, str>,
    /// The number of the sign-in shape.
    pub(super) errcode: i64,
    pub(super) errmsg: String,
    pub(super) rid: Option<String>,
    pub(super) retry_after: Option<Duration>,
    /// Number and words are WeChat's own.
    pub(super) by_wechat: bool,
}

pub(super) fn ours(status: StatusCode, word: &'static str, errcode: i64) -> Outward {
    let errmsg = "system error".to_owned();
    Outward {
        status,
        word: word.into(),
        errcode,
        errmsg,
        rid: None,
        retry_after: None,
        by_wechat: false,
    }
}

const NO_GRANT: &str = "unsupported_grant_type";

/// The one table of what each refusal looks like from outside.
pub(super) fn table(refusal: Refusal) -> (StatusCode, &'static str, i64) {
    match refusal {
        Refusal::MalformedBody => (StatusCode::BAD_REQUEST, "malformed_body", 47_001),
        Refusal::UnsupportedMediaType => (
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported_media_type",
            7_700_002,
        ),
        Refusal::BodyTooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", 45_002),
        Refusal::BodyTooSlow => (StatusCode::REQUEST_TIMEOUT, "body_too_slow", 7_700_003),
        Refusal::NotFound => (StatusCode::NOT_FOUND, "not_found", 7_700_004),
        Refusal::MethodNotAllowed => (StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", 43_002),
        Refusal::CodeMissing => (StatusCode::BAD_REQUEST, "code_missing", 41_008),
        Refusal::CodeMalformed => (StatusCode::BAD_REQUEST, "code_malformed", 40_029),
        Refusal::AppUnknown => (StatusCode::BAD_REQUEST, "app_unknown", 40_013),
        Refusal::AccountDisabled => (StatusCode::FORBIDDEN, "account_disabled", 7_700_001),
        Refusal::TooManyRequests { .. } => {
            (StatusCode::TOO_MANY_REQUESTS, "too_many_requests", 45_011)
        }
        Refusal::NoAuthorization => (StatusCode::UNAUTHORIZED, "no_authorization", 7_700_006),
        Refusal::NoBearer => (StatusCode::UNAUTHORIZED, "no_bearer", 7_700_007),
        Refusal::TokenExpired => (StatusCode::UNAUTHORIZED, "token_expired", 7_700_008),
        Refusal::TokenInvalid => (StatusCode::UNAUTHORIZED, "invalid_token", 7_700_009),
        Refusal::NotSigned => (StatusCode::FORBIDDEN, "not_signed", 7_700_024),
        Refusal::Forbidden => (StatusCode::FORBIDDEN, "forbidden", 7_700_005),
        Refusal::ClientUnknown => (StatusCode::UNAUTHORIZED, "invalid_client", 7_700_025),
        Refusal::ClientForbidden => (StatusCode::FORBIDDEN, "unauthorized_client", 7_700_026),
        Refusal::RequestMalformed(_) => (StatusCode::BAD_REQUEST, "invalid_request", 7_700_027),
        Refusal::GrantUnsupported => (StatusCode::BAD_REQUEST, NO_GRANT, 7_700_028),
        of_account => table_of_accounts(of_account),
    }
}

pub(super) fn refused(refusal: Refusal) -> Outward {
    let (status, word, errcode) = table(refusal);
    let word = match refusal {
        Refusal::Invalid(input) => Cow::Owned(format!("invalid_{input}")),
        _ => Cow::Borrowed(word),
    };
    let errmsg = refusal.to_string();
    let retry_after = match refusal {
        Refusal::TooManyRequests { retry_after } => Some(retry_after),
        _ => None,
    };
    Outward {
        status,
        word,
        errcode,
        errmsg,
        rid: None,
        retry_after,
        by_wechat: false,
    }
}

/// The rest of [`table`]: what only the account and its routes refuse.
fn table_of_accounts(refusal: Refusal) -> (StatusCode, &'static str, i64) {
    let bad = StatusCode::BAD_REQUEST;
    match refusal {
        Refusal::UnknownField => (bad, "unknown_field", 7_700_011),
        Refusal::AlreadyRegistered => (StatusCode::CONFLICT, "already_registered", 7_700_012),
        Refusal::PhoneInUse => (StatusCode::CONFLICT, "phone_in_use", 7_700_013),
        Refusal::SamePhone => (bad, "same_phone", 7_700_014),
        Refusal::SameEmail => (bad, "same_email", 7_700_015),
        Refusal::WrongCode(purpose) => {
            let word = match purpose {
                Purpose::Register => "verification_failed",
                Purpose::Migrate => "invalid_verification_code",
                Purpose::NewPhone => "bad_code",
                Purpose::NewEmail => "bad_link",
            };
            (bad, word, 7_700_016)
        }
        Refusal::ContentRejected => (bad, "content_rejected", 7_700_017),
        Refusal::ConsentNeeded => (bad, "consent_needed", 7_700_018),
        Refusal::SessionExpired => (bad, "session_expired", 7_700_019),
        Refusal::InvalidEncryptedData => (bad, "invalid_encrypted_data", 7_700_020),
        Refusal::PictureRefused(_) => (bad, "picture_refused", 7_700_021),
        Refusal::PictureTooLarge => (
            StatusCode::PAYLOAD_TOO_LARGE,
            "picture_too_large",
            7_700_022,
        ),
        _ => (bad, "invalid", 7_700_010),
    }
}

/// A message that was not handed over.
pub(super) fn delivery(error: &SendError) -> Outward {
    let kind = match error {
        SendError::Refused { kind, .. } => *kind,
        _ => RefusedKind::Other,
    };
    match kind {
        RefusedKind::TooOften => refused(Refusal::TooManyRequests {
            retry_after: Duration::from_mins(1),
        }),
        RefusedKind::BadNumber => refused(Refusal::Invalid(Input("phone"))),
        RefusedKind::Misconfigured | RefusedKind::Other => delivery_failed(),
    }
}

/// Somebody whom it takes could not do their part; nothing was changed.
fn delivery_failed() -> Outward {
    Outward {
        errmsg: "a provider did not do its part; nothing was changed, try again".to_owned(),
        ..ours(StatusCode::BAD_GATEWAY, "delivery_failed", SYSTEM_ERROR)
    }
}

pub(super) fn by_wechat(error: &wechat::Error) -> Outward {
    let soon = Some(Duration::from_secs(1));
    let failed = |status, retry_after| Outward {
        retry_after,
        ..ours(status, "wechat_failed", SYSTEM_ERROR)
    };
    match error {
        wechat::Error::Answered(rejection) => answered(rejection),
        wechat::Error::TimedOut => failed(StatusCode::GATEWAY_TIMEOUT, soon),
        wechat::Error::CircuitOpen { retry_after } => {
            failed(StatusCode::SERVICE_UNAVAILABLE, Some(*retry_after))
        }
        wechat::Error::Busy => failed(StatusCode::SERVICE_UNAVAILABLE, soon),
        wechat::Error::Unreachable(_) | wechat::Error::Garbled(_) => {
            failed(StatusCode::BAD_GATEWAY, None)
        }
    }
}

/// WeChat's own number and words, under the status that contract gives them.
fn answered(rejection: &Rejection) -> Outward {
    let (status, retry_after) = match rejection.errcode {
        40_029 | 40_163 => (StatusCode::BAD_REQUEST, None),
        40_226 => (StatusCode::FORBIDDEN, None),
        // WeChat counts these by the minute,
        45_011 => (StatusCode::TOO_MANY_REQUESTS, Some(Duration::from_mins(1))),
        // and these by the day; an hour is soon enough to look again.
        45_009 => (StatusCode::TOO_MANY_REQUESTS, Some(Duration::from_hours(1))),
        _ => (StatusCode::BAD_GATEWAY, None),
    };
    Outward {
        status,
        word: "wechat_refused".into(),
        errcode: rejection.errcode,
        errmsg: rejection.errmsg.clone(),
        rid: rejection.rid.clone(),
        retry_after,
        by_wechat: true,
    }
}

impl Outward {
    /// What the routes of accounts make of a failure: WeChat is one more provider there.
    pub(super) fn of_account(self, failure: &Failure) -> Self {
        if !matches!(failure, Failure::WeChat(_)) {
            return self;
        }
        match self.status {
            // 40226 among them: WeChat will not have this person register.
            StatusCode::BAD_REQUEST | StatusCode::FORBIDDEN => Self {
                status: StatusCode::BAD_REQUEST,
                word: "invalid_phone_code".into(),
                ..self
            },
            StatusCode::TOO_MANY_REQUESTS => Self {
                word: "too_many_requests".into(),
                ..self
            },
            _ if self.by_wechat => Self {
                status: StatusCode::BAD_GATEWAY,
                word: "delivery_failed".into(),
                ..self
            },
            _ => delivery_failed(),
        }
    }

    /// The body, in the shape of a group of routes.
    pub(super) fn shaped(self, shape: Shape) -> Response {
        // A route names its own shape for it, or has the general one.
        let general = self.status == StatusCode::FORBIDDEN && !self.by_wechat;
        match shape {
            Shape::SignIn => Json(self.sign_in()).into_response(),
            Shape::Page => Page::failed(self.status, self.word == "bad_link").into_response(),
            Shape::Account | Shape::Picture if general => Json(self.general()).into_response(),
            Shape::General => Json(self.general()).into_response(),
            Shape::OAuth => Json(self.oauth()).into_response(),
            Shape::Account => Json(self.account()).into_response(),
            Shape::Picture => Json(PictureFailure {
                success: false,
                data: self.errmsg,
            })
            .into_response(),
            Shape::Search => Json(SearchFailure {
                success: false,
                requesttype: "",
                data: if general {
                    "权限不足".to_owned()
                } else {
                    self.errmsg
                },
            })
            .into_response(),
        }
    }

    fn sign_in(self) -> SignInFailure {
        SignInFailure {
            success: false,
            error: self.error(),
            registered: false,
        }
    }

    /// RFC 6749 §5.2, whose words are fewer than ours.
    fn oauth(self) -> OAuthFailure {
        let error = match self.status {
            _ if self.word == NO_GRANT => NO_GRANT,
            StatusCode::UNAUTHORIZED => "invalid_client",
            StatusCode::FORBIDDEN => "unauthorized_client",
            StatusCode::TOO_MANY_REQUESTS
            | StatusCode::BAD_GATEWAY
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT => "temporarily_unavailable",
            status if status.is_client_error() => "invalid_request",
            _ => "server_error",
        };
        let error_description = match self.status {
            StatusCode::UNSUPPORTED_MEDIA_TYPE => {
                "send a form, of the Content-Type application/x-www-form-urlencoded".to_owned()
            }
            _ => self.errmsg.clone(),
        };
        OAuthFailure {
            error,
            error_description,
            wechat: self.by_wechat.then(|| self.error()),
        }
    }

    fn error(self) -> SignInError {
        SignInError {
            errcode: self.errcode,
            errmsg: self.errmsg,
            rid: self.rid,
        }
    }

    fn general(self) -> GeneralFailure {
        GeneralFailure {
            success: false,
            error: self.word.into_owned(),
            message: self.errmsg,
        }
    }

    fn account(self) -> AccountFailure {
        AccountFailure {
            success: false,
            status: self.word.clone().into_owned(),
            message: self.errmsg.clone(),
            error: self.by_wechat.then(|| self.error()),
        }
    }
}
