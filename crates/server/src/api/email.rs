//! `POST /v1/user/newemail`, and the page that the link of its mail leads to

use axum::{
    Json,
    extract::{RawQuery, State},
};
use menjin_core::{Email, Refusal, verification::Purpose};
use serde::Serialize;

use self::page::Page;
use super::register::{invalid, text};
use crate::{
    app::App,
    bearer::Caller,
    failure::{
        Failure,
        bodies::{AccountFailure, GeneralFailure, TokenFailure},
    },
    flows::{
        change_email::{self, Link},
        send_code::Asked,
    },
    http::{address::ClientAddress, body::JsonObject, form::Form},
};

pub(crate) mod page;

/// The new mail address.
#[derive(utoipa::ToSchema)]
#[expect(
    dead_code,
    reason = "the body is read by hand, since each field has its own word"
)]
pub(crate) struct NewEmailRequest {
    /// A link is sent there.
    email: String,
}

/// What the page's button sends.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "the form is read by hand")]
pub(crate) struct ConfirmForm {
    /// The token of the link.
    token: String,
}

/// How far the change of the address is.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct EmailChangeReply {
    success: bool,
    /// Always `verification_email_sent`.
    status: &'static str,
}

/// Change the mail address
///
/// A mail with a link goes to the new address. It counts for a day, and the button of the page behind it
/// changes the address; the former one hears of it.
#[utoipa::path(
    post,
    path = "/v1/user/newemail",
    operation_id = "newemail",
    tag = "Mini program",
    security(("bearer" = [])),
    request_body = NewEmailRequest,
    responses(
        (status = 200, description = "`verification_email_sent`", body = EmailChangeReply),
        (status = 400, description = "`same_email`, or `invalid_email`", body = AccountFailure),
        (status = 401, description = "The token is missing or not good", body = TokenFailure),
        (status = 403, description = "The caller is a guest", body = GeneralFailure),
        (status = 413, description = "The body is over 64 KiB", body = AccountFailure),
        (status = 415, description = "The body is not declared as JSON", body = AccountFailure),
        (status = 429, description = "Too often; see Retry-After", body = AccountFailure),
        (status = 502, description = "The mail could not be sent; nothing was changed", body = AccountFailure),
        (status = 503, description = "The store cannot be asked now; see Retry-After", body = AccountFailure),
    )
)]
pub(crate) async fn new(
    State(app): State<App>,
    caller: Caller,
    ClientAddress(address): ClientAddress,
    body: Result<JsonObject, Failure>,
) -> Result<Json<EmailChangeReply>, Failure> {
    let user = caller.user()?;
    let body = body?.0;
    let email = text(&body, "email")?.ok_or_else(|| invalid("email"))?;
    let email = Email::parse(email).map_err(|_| invalid("email"))?;
    let asked = Asked {
        asker: caller.name(),
        former: caller.former(&app),
        address,
        purpose: Purpose::NewEmail,
        consent: None,
    };
    change_email::ask(&app, &asked, user, &email).await?;
    Ok(Json(EmailChangeReply {
        success: true,
        status: "verification_email_sent",
    }))
}

/// The page behind the link of a mail
///
/// For a person in a browser, and in HTML whatever happens. It has a button, and changes nothing by
/// itself: programs that look into mails open links too.
#[utoipa::path(
    get,
    path = "/v1/user/email/confirm",
    operation_id = "email_confirm_page",
    tag = "Mini program",
    params(("token" = String, Query, description = "As it stands in the link")),
    responses(
        (status = 200, description = "A page with a button", body = String, content_type = "text/html"),
        (status = 400, description = "The link was used, is too old, or is none", body = String, content_type = "text/html"),
        (status = 503, description = "The store cannot be asked now; see Retry-After", body = String, content_type = "text/html"),
    )
)]
pub(crate) async fn look(
    State(app): State<App>,
    RawQuery(query): RawQuery,
) -> Result<Page, Failure> {
    let form = Form::parse(query.unwrap_or_default().as_bytes());
    let link = link(&form)?;
    let email = change_email::look(&app, &link).await?;
    Ok(Page::ask(&email, &link))
}

/// Confirm a mail address
///
/// What the button of the page sends. The link is used up, and the address is changed.
#[utoipa::path(
    post,
    path = "/v1/user/email/confirm",
    operation_id = "email_confirm",
    tag = "Mini program",
    request_body(content = ConfirmForm, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, description = "A page that says that it is done", body = String, content_type = "text/html"),
        (status = 400, description = "The link was used, is too old, or is none", body = String, content_type = "text/html"),
        (status = 403, description = "The account is disabled", body = String, content_type = "text/html"),
        (status = 413, description = "The body is over 64 KiB", body = String, content_type = "text/html"),
        (status = 415, description = "The body is not declared as a form", body = String, content_type = "text/html"),
        (status = 503, description = "The store cannot be asked now; see Retry-After", body = String, content_type = "text/html"),
    )
)]
pub(crate) async fn confirm(State(app): State<App>, form: Form) -> Result<Page, Failure> {
    let email = change_email::confirm(&app, &link(&form)?).await?;
    app.must_scrub.raise();
    Ok(Page::done(&email))
}

fn link(form: &Form) -> Result<Link, Refusal> {
    let token = form.field("token").unwrap_or_default();
    Link::parse(token).ok_or(Refusal::WrongCode(Purpose::NewEmail))
}
