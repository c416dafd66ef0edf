//! Which of the team's services is calling, told by its name and secret (RFC 6749 §2.3.1).

use std::borrow::Cow;

use axum::http::{HeaderMap, header::AUTHORIZATION};
use base64::{Engine, engine::general_purpose::STANDARD};
use menjin_core::{Permission, Refusal, Service};
use percent_encoding::percent_decode_str;

use crate::{app::App, failure::Failure, flows::follow, http::form::Form};

const TWO_WAYS: Refusal =
    Refusal::RequestMalformed("the service names itself twice, in the header and in the form");

/// The service that calls, if it proves who it is and may ask this. The secret stands in the header, or,
/// where there is a form, in that.
pub(crate) async fn client(
    app: &App,
    headers: &HeaderMap,
    form: Option<&Form>,
    permission: Permission,
) -> Result<Service, Failure> {
    let posted = form.and_then(posted);
    let in_header = headers.contains_key(AUTHORIZATION);
    // RFC 6749: one way in each request. Two could name two services.
    if in_header && posted.is_some() {
        return Err(TWO_WAYS.into());
    }
    // Whoever was removed is not to go on while that cannot be known.
    follow::catch_up(app).await?;
    let found = match posted {
        Some((id, secret)) => find(app, id, secret),
        None => basic(headers).and_then(|(id, secret)| find_spelt(app, &id, &secret)),
    };
    let service = found.ok_or(Refusal::ClientUnknown)?;
    if !service.may(permission) {
        return Err(Refusal::ClientForbidden.into());
    }
    Ok(service)
}

fn posted(form: &Form) -> Option<(&str, &str)> {
    Some((form.field("client_id")?, form.field("client_secret")?))
}

fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let mut all = headers.get_all(AUTHORIZATION).iter();
    let text = all.next()?.to_str().ok()?;
    let (scheme, coded) = text.split_once(' ')?;
    if all.next().is_some() || !scheme.eq_ignore_ascii_case("Basic") {
        return None;
    }
    let plain = String::from_utf8(STANDARD.decode(coded.trim()).ok()?).ok()?;
    let (id, secret) = plain.split_once(':')?;
    Some((id.to_owned(), secret.to_owned()))
}

/// As it stands, and as the RFC wants it encoded: most clients leave that out, which makes a difference
/// only where a secret has odd characters.
fn find_spelt(app: &App, id: &str, secret: &str) -> Option<Service> {
    let found = find(app, id, secret);
    if found.is_some() || ![id, secret].iter().any(|text| text.contains(['%', '+'])) {
        return found;
    }
    find(app, &form_decoded(id), &form_decoded(secret))
}

fn form_decoded(text: &str) -> Cow<'_, str> {
    let spaced = text.replace('+', " ");
    Cow::Owned(percent_decode_str(&spaced).decode_utf8_lossy().into_owned())
}

fn find(app: &App, id: &str, secret: &str) -> Option<Service> {
    let now = app.clock.now();
    let found = app.revocations.service(id)?;
    found.has_secret(secret, now).then_some(found)
}
