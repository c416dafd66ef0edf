//! The table of `errcode`s that a sign-in can answer with: one table, shown by the reference.

use std::fmt::Write;

/// WeChat's number for "system error", which also stands for whatever is not the caller's doing.
pub(crate) const SYSTEM_ERROR: i64 = -1;

/// One row: the number, the HTTP status, whose number it is, what happened, what to do.
pub(crate) struct Errcode {
    pub(crate) number: &'static str,
    pub(crate) status: &'static str,
    pub(crate) what: &'static str,
    pub(crate) action: &'static str,
}

const fn row(
    number: &'static str,
    status: &'static str,
    what: &'static str,
    action: &'static str,
) -> Errcode {
    Errcode {
        number,
        status,
        what,
        action,
    }
}

/// Every `errcode` that has a meaning of its own.
pub(crate) const TABLE: &[Errcode] = &[
    row(
        "40029",
        "400",
        "WeChat does not know the code, or it cannot be one",
        "Call wx.login() and sign in with the new code.",
    ),
    row(
        "40163",
        "400",
        "The code was used before",
        "Call wx.login() and sign in with the new code.",
    ),
    row(
        "41008",
        "400",
        "No code was sent",
        "Send {\"code\": \"...\"} with what wx.login() gave.",
    ),
    row(
        "47001",
        "400",
        "The body is not JSON, or code is not text",
        "Send a JSON object; wx.request does so by default.",
    ),
    row(
        "40013",
        "400 or 502",
        "400: the deployment does not serve this appid. 502: WeChat does not know the appid",
        "Check the appid in the request, or wechat.apps in the configuration.",
    ),
    row(
        "40226",
        "403",
        "WeChat blocks this person as high-risk",
        "Nothing helps but WeChat's own customer service.",
    ),
    row(
        "7700001",
        "403",
        "An administrator has disabled the account",
        "Ask an administrator.",
    ),
    row("43002", "405", "Sign-in is a POST", "Use POST."),
    row(
        "7700003",
        "408",
        "The body took longer than 30 seconds to arrive",
        "Send again.",
    ),
    row(
        "45002",
        "413",
        "The body is larger than 64 KiB",
        "Send the code alone.",
    ),
    row(
        "7700002",
        "415",
        "The body is not declared as JSON",
        "Send Content-Type: application/json.",
    ),
    row(
        "45011",
        "429",
        "Too many sign-ins, here or at WeChat",
        "Wait as long as Retry-After says.",
    ),
    row(
        "45009",
        "429",
        "The mini program's daily quota at WeChat is used up",
        "Wait; look at the quota in WeChat's console.",
    ),
    row(
        "40125",
        "502",
        "WeChat refuses the AppSecret",
        "Compare wechat.apps.secret with WeChat's console.",
    ),
    row(
        "41002",
        "502",
        "WeChat received no appid",
        "Check wechat.base_url and what stands between.",
    ),
    row(
        "41004",
        "502",
        "WeChat received no AppSecret",
        "Check wechat.apps.secret.",
    ),
    row(
        "40243",
        "502",
        "The AppSecret is frozen",
        "Unfreeze it in WeChat's console; it takes about ten minutes.",
    ),
    row(
        "40164",
        "502",
        "WeChat's IP allow-list does not hold this server",
        "Add the server's address in WeChat's console.",
    ),
    row(
        "-1",
        "500, 502, 503 or 504",
        "WeChat is busy or cannot be reached, or something of ours failed",
        "Try again with a new code, after Retry-After if it is given.",
    ),
];

/// The codes of the general failure shape, `{"success": false, "error": "<code>", "message"}`.
pub(crate) const WORDS: &[(&str, &str, &str)] = &[
    ("not_found", "404", "There is nothing at this path."),
    (
        "method_not_allowed",
        "405",
        "The path does not know this method; Allow names those it does.",
    ),
    (
        "forbidden",
        "403",
        "The access token is good, but not for this.",
    ),
    (
        "not_signed",
        "403",
        "A pushed event was not signed by WeChat, or not just now.",
    ),
    (
        "unavailable",
        "503",
        "Something cannot be asked now; try again after Retry-After.",
    ),
    (
        "internal",
        "500",
        "A fault of ours; the log has it under the X-Request-Id.",
    ),
];

/// The words of the account's routes, `{"success": false, "status": "<word>", "message"}`.
pub(crate) const STATUSES: &[(&str, &str, &str)] = &[
    (
        "invalid_<field>",
        "400",
        "The field is missing or cannot be what it should be; `invalid_phone_code` also when WeChat refused it, with WeChat's `errcode` and `errmsg` under `error`.",
    ),
    (
        "unknown_field",
        "400",
        "There is no such field to set here.",
    ),
    (
        "verification_failed",
        "400",
        "The code to register with is wrong, used or too old, or somebody else's. Ask for a new one.",
    ),
    (
        "invalid_verification_code",
        "400",
        "The same of a code to take an imported account over with.",
    ),
    (
        "bad_code",
        "400",
        "The same of a code to change the number with.",
    ),
    ("bad_link", "400", "The same of a link in a mail."),
    ("same_phone", "400", "This is the account's number already."),
    (
        "same_email",
        "400",
        "This is the account's mail address already.",
    ),
    (
        "content_rejected",
        "400",
        "WeChat will not have others see this text.",
    ),
    (
        "consent_needed",
        "400",
        "Send `consent` with the version of the privacy policy that the person agreed to.",
    ),
    (
        "session_expired",
        "400",
        "WeChat no longer honours the session key. Sign in again, then repeat.",
    ),
    (
        "invalid_encrypted_data",
        "400",
        "It cannot be decrypted whatever the key, or is another mini program's.",
    ),
    ("already_registered", "409", "The caller is a user already."),
    (
        "phone_in_use",
        "409",
        "The number belongs to another account.",
    ),
    (
        "too_many_requests",
        "429",
        "Too often, here or at the provider. Wait as long as Retry-After says.",
    ),
    (
        "delivery_failed",
        "502",
        "A provider of messages or WeChat failed. Nothing was changed; try again.",
    ),
    (
        "unavailable",
        "503",
        "Something cannot be asked now; try again after Retry-After.",
    ),
    (
        "internal",
        "500",
        "A fault of ours; the log has it under the X-Request-Id.",
    ),
];

/// The reference of error codes, as Markdown.
#[must_use]
pub fn reference() -> String {
    let mut out = String::from(
        "# Error codes\n\nGenerated by `menjin errors`. Numbers and words are stable; messages may change.\n\n\
         ## Sign-in: `error.errcode`\n\nNumbers below 7700000 are WeChat's own. Any other number that WeChat \
         answers with is passed on with HTTP 502.\n\n| errcode | HTTP | what happened | what to do |\n| --- | --- | --- | --- |\n",
    );
    for Errcode {
        number,
        status,
        what,
        action,
    } in TABLE
    {
        let _ = writeln!(out, "| {number} | {status} | {what} | {action} |");
    }
    out.push_str(
        "\n## The access token\n\n| body | what to do |\n| --- | --- |\n\
         | `{\"error\": \"Unauthorized for no Authorization\"}` | Send `Authorization: Bearer <access_token>`. |\n\
         | `{\"error\": \"Unauthorized for no Bearer\"}` | The scheme is `Bearer`. |\n\
         | `{\"error\": \"token_expired\"}` | Sign in again. |\n\
         | `{\"error\": \"invalid_token\"}` | Sign in again; if it stays, the token is not for this server. |\n\n\
         ## The account: `status`\n\n| status | HTTP | what it means |\n| --- | --- | --- |\n",
    );
    rows(&mut out, STATUSES);
    out.push_str(
        "\n## Everything else: `error`\n\n| error | HTTP | what it means |\n| --- | --- | --- |\n",
    );
    rows(&mut out, WORDS);
    out
}

fn rows(out: &mut String, rows: &[(&str, &str, &str)]) {
    for (word, status, what) in rows {
        let _ = writeln!(out, "| {word} | {status} | {what} |");
    }
}
