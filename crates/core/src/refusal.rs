//! Everything that Menjin declines to do, for reasons known in advance.

use std::time::Duration;

use crate::verification::Purpose;

/// A reason, known in advance, for not doing what was asked. Its wording is safe to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The request's body is not what the endpoint reads.
    #[error("data format error")]
    MalformedBody,
    /// The request's body is not declared as JSON.
    #[error("the Content-Type must be application/json")]
    UnsupportedMediaType,
    /// The request's body is over the limit.
    #[error("the body is larger than 64 KiB")]
    BodyTooLarge,
    /// The request's body took too long to arrive.
    #[error("the body took too long to arrive")]
    BodyTooSlow,
    /// There is nothing at this path.
    #[error("there is nothing of that name here")]
    NotFound,
    /// The path does not know this method.
    #[error("the path does not know this method")]
    MethodNotAllowed,
    /// No login code was sent.
    #[error("missing code")]
    CodeMissing,
    /// What was sent cannot be a login code.
    #[error("invalid code")]
    CodeMalformed,
    /// The deployment does not serve this mini program.
    #[error("invalid appid")]
    AppUnknown,
    /// An administrator has switched the account off.
    #[error("the account is disabled")]
    AccountDisabled,
    /// The caller must wait.
    #[error("too many requests, try again later")]
    TooManyRequests {
        /// How long to wait.
        retry_after: Duration,
    },
    /// No `Authorization` header came.
    #[error("no Authorization header")]
    NoAuthorization,
    /// The `Authorization` header is not of the scheme `Bearer`.
    #[error("the Authorization header is not Bearer")]
    NoBearer,
    /// The access token is past its end.
    #[error("the access token has expired")]
    TokenExpired,
    /// The access token is malformed, forged, revoked, or not for us.
    #[error("the access token is not valid")]
    TokenInvalid,
    /// What says that it comes from WeChat was not signed by it, or not just now.
    #[error("not signed by WeChat, or not just now")]
    NotSigned,
    /// The access token is good, but not for this.
    #[error("not allowed")]
    Forbidden,
    /// A field of the request is missing, or cannot be what it should be.
    #[error("this field is missing or not valid: {0}")]
    Invalid(Input),
    /// The request names a field that cannot be set, or that nobody declared.
    #[error("there is no such field to set here")]
    UnknownField,
    /// The caller is a user already.
    #[error("you are registered already")]
    AlreadyRegistered,
    /// The number is another account's.
    #[error("the phone number belongs to another account")]
    PhoneInUse,
    /// The number is the caller's own.
    #[error("this is your phone number already")]
    SamePhone,
    /// The address is the caller's own.
    #[error("this is your mail address already")]
    SameEmail,
    /// The code of a message was wrong, used, or too old, or was for something or somebody else.
    #[error("the verification code is not valid")]
    WrongCode(Purpose),
    /// The text breaks WeChat's rules for what others will see.
    #[error("the text was rejected")]
    ContentRejected,
    /// The deployment has a privacy policy, and the person has not agreed to this version of it.
    #[error("consent to the current privacy policy is needed")]
    ConsentNeeded,
    /// WeChat no longer honours the session key.
    #[error("the session has expired, sign in again")]
    SessionExpired,
    /// What was sent cannot be decrypted, whatever the key.
    #[error("the encrypted data is not valid")]
    InvalidEncryptedData,
    /// A service did not prove who it is.
    #[error("no service of that name and secret is known")]
    ClientUnknown,
    /// The service is known, and not allowed this.
    #[error("this service may not do that")]
    ClientForbidden,
    /// OAuth's grants are not how one signs in here.
    #[error("there are no grants here: a mini program signs in at /v1/user/login")]
    GrantUnsupported,
    /// What a service asked cannot be read: which parameter, and what it should be.
    #[error("{0}")]
    RequestMalformed(&'static str),
    /// The picture is none that is taken here.
    #[error("{0}")]
    PictureRefused(&'static str),
    /// The picture's file is too large.
    #[error("the picture is larger than 2 MiB")]
    PictureTooLarge,
}

/// A field of a request, by the word that failures name it with: `invalid_<word>`. One of the
/// deployment's own lives as long as the program, as its declaration does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Input(pub &'static str);

impl std::fmt::Display for Input {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0)
    }
}
