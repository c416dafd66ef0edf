//! `POST /v1/user/setuser`

use axum::{Json, extract::State, http::Uri};
use menjin_core::{
    Refusal, Role, User,
    profile::{Kind, SetBy, is_campus, is_nickname},
};
use serde::Serialize;
use serde_json::{Map, Value};

use super::register::invalid;
use crate::{
    app::App,
    avatars,
    bearer::Caller,
    failure::{
        Failure,
        bodies::{AccountFailure, GeneralFailure, TokenFailure},
    },
    flows::set_profile::{Changes, set_profile},
    http::body::JsonObject,
};

/// Bytes of an address.
const MAX_ADDRESS: usize = 1_000;

/// Any of these, and of the deployment's own fields.
#[derive(utoipa::ToSchema)]
#[expect(
    dead_code,
    reason = "the body is read by hand, since each field has its own word"
)]
pub(crate) struct SetUserRequest {
    /// One line of 64 characters at most.
    nickname: Option<String>,
    /// An https address on a host that the deployment names, or empty to erase the picture. One of
    /// one's own is uploaded.
    avatar: Option<String>,
    /// One of the deployment's, if it names any.
    campus: Option<String>,
    /// `user` or `admin`; for administrators.
    role: Option<String>,
}

/// What changed.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SetUserReply {
    success: bool,
    /// Each field that is another one now, with its value.
    #[schema(value_type = Object)]
    changed_fields: Map<String, Value>,
    /// A fresh bearer token, if the role changed: every older one of the account is refused.
    #[serde(rename = "access_token", skip_serializing_if = "Option::is_none")]
    access_token: Option<String>,
}

/// Change one's profile
///
/// All of it or, if any field is refused, nothing.
#[utoipa::path(
    post,
    path = "/v1/user/setuser",
    operation_id = "setuser",
    tag = "Mini program",
    security(("bearer" = [])),
    request_body = SetUserRequest,
    responses(
        (status = 200, description = "What changed", body = SetUserReply),
        (status = 400, description = "`invalid_<field>`, `unknown_field`, or `content_rejected`: WeChat would not show the nickname", body = AccountFailure),
        (status = 401, description = "The token is missing or not good", body = TokenFailure),
        (status = 403, description = "The caller has not registered, or may not set such a field", body = GeneralFailure),
        (status = 413, description = "The body is over 64 KiB", body = AccountFailure),
        (status = 415, description = "The body is not declared as JSON", body = AccountFailure),
        (status = 429, description = "More than 300 changes a minute; see Retry-After", body = AccountFailure),
        (status = 503, description = "The store cannot be asked now; see Retry-After", body = AccountFailure),
    )
)]
pub(crate) async fn set(
    State(app): State<App>,
    caller: Caller,
    body: Result<JsonObject, Failure>,
) -> Result<Json<SetUserReply>, Failure> {
    let body = body?.0;
    let user = caller.user()?;
    let asked = changes(&app, user, &body)?;
    app.profile_limit.take(user.uid, app.clock.uptime())?;
    let done = set_profile(&app, &caller, asked).await?;
    let access_token = match &done.renewed {
        Some(user) => Some(caller.fresh_token(&app, Some(user))?),
        None => None,
    };
    Ok(Json(SetUserReply {
        success: true,
        changed_fields: done.fields,
        access_token,
    }))
}

/// What a body asks for. First whether there are such fields, then whether the caller may set them, then
/// what they are to hold.
fn changes(app: &App, user: &User, body: &Map<String, Value>) -> Result<Changes, Refusal> {
    let mut changes = Changes::default();
    for name in body.keys() {
        changes.needs_admin |= is_for_admins(app, name)?;
    }
    if changes.needs_admin && user.role != Role::Admin {
        return Err(Refusal::Forbidden);
    }
    for (name, value) in body {
        set_one(app, &mut changes, name, value)?;
    }
    Ok(changes)
}

fn is_for_admins(app: &App, name: &str) -> Result<bool, Refusal> {
    match name {
        "nickname" | "avatar" | "campus" => Ok(false),
        "role" => Ok(true),
        own => {
            let field = app.options.profile.fields.find(own);
            let field = field.ok_or(Refusal::UnknownField)?;
            Ok(field.set_by == SetBy::Admin)
        }
    }
}

fn set_one(app: &App, changes: &mut Changes, name: &str, value: &Value) -> Result<(), Refusal> {
    let profile = &app.options.profile;
    let text = |field, good: &dyn Fn(&str) -> bool| {
        let text = value.as_str().filter(|text| good(text));
        text.map(str::to_owned).ok_or_else(|| invalid(field))
    };
    match name {
        "nickname" => changes.nickname = Some(text("nickname", &is_nickname)?),
        "campus" => {
            let one_of = |campus: &str| is_campus(campus, &profile.campuses);
            changes.campus = Some(text("campus", &one_of)?);
        }
        "avatar" => {
            let shown = |url: &str| is_shown(app, url);
            changes.avatar = Some(text("avatar", &shown)?);
        }
        "role" => {
            let role = value.as_str().and_then(Role::parse);
            changes.role = Some(role.ok_or_else(|| invalid("role"))?);
        }
        own => {
            let field = profile.fields.find(own).ok_or(Refusal::UnknownField)?;
            // What was never set and what is to be cleared are one: empty for text, null for the rest.
            let value = match (&field.kind, value) {
                (Kind::Text(_), Value::Null) => "".into(),
                (_, value) => value.clone(),
            };
            if !value.is_null() && !field.takes(&value) {
                return Err(invalid(field.name));
            }
            changes.own.push((field.clone(), value));
        }
    }
    Ok(())
}

/// Whether an address may be shown as somebody's picture: none, one of ours (the story looks whose), or
/// one on a host that the deployment names. Nobody here ever fetches it.
fn is_shown(app: &App, url: &str) -> bool {
    let hosts = &app.options.profile.avatar_hosts;
    url.is_empty() || avatars::name_in(app, url).is_some() || is_on(url, hosts)
}

/// Whether a text is an https address on one of these hosts, and reads as one to everybody.
fn is_on(url: &str, hosts: &[String]) -> bool {
    let odd = |byte: u8| !byte.is_ascii_graphic() || b"\"'<>\\^`{|}".contains(&byte);
    if url.len() > MAX_ADDRESS || url.bytes().any(odd) {
        return false;
    }
    let Ok(uri) = url.parse::<Uri>() else {
        return false;
    };
    let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
        return false;
    };
    let plain = !authority.as_str().contains('@') && matches!(uri.port_u16(), None | Some(443));
    let named = |host: &String| host.eq_ignore_ascii_case(authority.host());
    scheme.eq_ignore_ascii_case("https") && plain && hosts.iter().any(named)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves PRF-7: an address is https, on a named host, and nothing that readers read differently.
    #[test]
    fn addresses_are_on_named_hosts() {
        let hosts = ["thirdwx.qlogo.cn".to_owned()];
        for good in [
            "https://thirdwx.qlogo.cn/mmopen/vi_32/x/132",
            "HTTPS://ThirdWX.qlogo.cn/a?b=c#d",
            "https://thirdwx.qlogo.cn:443/a",
            "https://thirdwx.qlogo.cn",
        ] {
            assert!(is_on(good, &hosts), "{good}");
        }
        for bad in [
            "http://thirdwx.qlogo.cn/a",
            "//thirdwx.qlogo.cn/a",
            "/a",
            "thirdwx.qlogo.cn/a",
            "javascript:alert(1)//thirdwx.qlogo.cn",
            "data:image/png;base64,AAAA",
            "https://evil.test/a",
            "https://thirdwx.qlogo.cn.evil.test/a",
            "https://evil.test/thirdwx.qlogo.cn",
            "https://evil.test#thirdwx.qlogo.cn",
            "https://thirdwx.qlogo.cn@evil.test/a",
            "https://user:word@thirdwx.qlogo.cn/a",
            "https://evil.test\\@thirdwx.qlogo.cn/a",
            "https://thirdwx.qlogo.cn:8443/a",
            "https://thirdwx.qlogo.cn./a",
            "https://thirdwx.qlogo.cn/a b",
            "https://thirdwx.qlogo.cn/\"onerror=alert(1)",
            "https://thirdwx.qlogo.cn/\u{202e}",
            "https://127.0.0.1/a",
            "https://[::1]/a",
            "https://",
            " https://thirdwx.qlogo.cn/a",
        ] {
            assert!(!is_on(bad, &hosts), "{bad}");
        }
        assert!(!is_on("https://thirdwx.qlogo.cn/a", &[]));
        let long = format!("https://thirdwx.qlogo.cn/{}", "a".repeat(1_000));
        assert!(!is_on(&long, &hosts));
    }
}
