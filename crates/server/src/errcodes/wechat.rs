//! WeChat's numbers that Menjin can meet, by the call that gets them.
//!
//! Numbers, words and what they stand for are from the pages of each call and from the table of
//! return codes, <https://developers.weixin.qq.com/doc/oplatform/developers/errCode/errCode.html>
//! (seen 2026-11-22). What to do about them is ours.

use Call::{Content, Phone, Session, SignIn, Token};

mod credentials;
mod requests;

/// A call of WeChat's that Menjin makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Call {
    /// `code2Session`
    SignIn,
    /// `stable_token`, before each of the others below
    Token,
    /// `getuserphonenumber`
    Phone,
    /// `msg_sec_check`
    Content,
    /// `checksession`
    Session,
}

impl Call {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            SignIn => "code2Session",
            Token => "stable_token",
            Phone => "getuserphonenumber",
            Content => "msg_sec_check",
            Session => "checksession",
        }
    }
}

/// One of WeChat's numbers.
pub(crate) struct WeChatCode {
    pub(crate) number: i64,
    /// WeChat's own words, which may change; empty where it has none in English.
    pub(crate) errmsg: &'static str,
    /// Which calls get it.
    pub(crate) calls: &'static [Call],
    /// In English: what it means, what to do.
    pub(crate) english: [&'static str; 2],
    /// In Chinese: the same.
    pub(crate) chinese: [&'static str; 2],
}

const fn code(
    number: i64,
    errmsg: &'static str,
    calls: &'static [Call],
    english: [&'static str; 2],
    chinese: [&'static str; 2],
) -> WeChatCode {
    WeChatCode {
        number,
        errmsg,
        calls,
        english,
        chinese,
    }
}

const WITH_TOKEN: &[Call] = &[Phone, Content, Session];
const WITH_SECRET: &[Call] = &[SignIn, Token];

/// Every number that the pages of the five calls name, or that was seen there, in order.
pub(crate) fn all() -> impl Iterator<Item = &'static WeChatCode> {
    credentials::CODES.iter().chain(requests::CODES)
}
