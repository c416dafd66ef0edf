//! `GET /v1/status/getUser`

use axum::{
    Json,
    extract::{RawQuery, State},
};
use menjin_core::{
    Input, Openid, Phone, Refusal, Role, Uid,
    profile::{Field, Kind},
};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::{
    app::App,
    bearer::Caller,
    failure::{
        Failure,
        bodies::{SearchFailure, TokenFailure},
    },
    flows::search::{self, Found, LIMIT, Own, Search},
};

/// What can be asked for, beside the deployment's own fields.
const NAMES: [&str; 7] = ["uid", "openid", "phone", "email", "campus", "role", "page"];
/// The one field of a deployment's own that clients ask for by itself, declared or not.
const AVAILABLE: &str = "available";
const PAGES: std::ops::RangeInclusive<i64> = 1..=100_000;

/// Accounts that were found.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct SearchReply {
    success: bool,
    /// What was asked for, joined by commas; `self` if nothing was.
    request_type: String,
    data: Vec<Row>,
    page: i64,
    /// Accounts on one page.
    limit: i64,
}

/// One account, with the deployment's own fields beside these.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Row {
    uid: i64,
    /// WeChat's id of the person in the default mini program, or nothing.
    openid: String,
    nickname: String,
    avatar: String,
    campus: String,
    /// `user` or `admin`.
    role: &'static str,
    phone: String,
    email: String,
    registered: bool,
    #[serde(flatten)]
    #[schema(ignore)]
    fields: Map<String, Value>,
}

/// Look accounts up
///
/// An administrator asks for anybody, ten a page; a person for their own account, by nothing or by names
/// of their own. The deployment's own fields can be asked for as well, one at a time.
#[utoipa::path(
    get,
    path = "/v1/status/getUser",
    operation_id = "getUser",
    tag = "Mini program",
    security(("bearer" = [])),
    params(
        ("uid" = Option<i64>, Query, description = "The account's number"),
        ("openid" = Option<String>, Query, description = "WeChat's id of the person in any mini program"),
        ("phone" = Option<String>, Query, description = "The phone number in any spelling"),
        ("email" = Option<String>, Query, description = "The mail address"),
        ("campus" = Option<String>, Query, description = "The campus"),
        ("role" = Option<String>, Query, description = "`user` or `admin`"),
        ("available" = Option<bool>, Query, description = "A field of the deployment's own, where it is declared"),
        ("page" = Option<i64>, Query, description = "From 1 to 100000"),
    ),
    responses(
        (status = 200, description = "Ten accounts at most", body = SearchReply),
        (status = 400, description = "A parameter is not valid", body = SearchFailure),
        (status = 401, description = "The token is missing or not good", body = TokenFailure),
        (status = 403, description = "Not the caller's own", body = SearchFailure),
        (status = 503, description = "The store cannot be asked now; see Retry-After", body = SearchFailure),
    )
)]
pub(crate) async fn get(
    State(app): State<App>,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Result<Json<SearchReply>, Failure> {
    let asked = Asked::read(&app, query.as_deref().unwrap_or_default())?;
    let search = if asked.0.is_empty() {
        itself(caller.user()?.uid)
    } else if search::is_admin(caller.user()?) {
        asked.search(&app, None)?
    } else {
        let own = asked.own();
        if own.is_empty() {
            return Err(Refusal::Forbidden.into());
        }
        let uid = own.check(&app, &caller).await?;
        asked.search(&app, Some(uid))?
    };
    let page = search.page;
    let found = search::search(&app, search).await?;
    Ok(Json(SearchReply {
        success: true,
        request_type: asked.kind(),
        data: found.into_iter().map(|found| row(&app, found)).collect(),
        page,
        limit: LIMIT,
    }))
}

fn itself(uid: Uid) -> Search {
    let mut search = Search {
        page: 1,
        ..Search::default()
    };
    search.filter.uid = Some(uid);
    search
}

fn row(app: &App, Found { user, openid }: Found) -> Row {
    Row {
        uid: user.uid.get(),
        openid,
        registered: user.is_registered(),
        fields: app.options.profile.fields.shown(&user.profile),
        nickname: user.nickname,
        avatar: user.avatar,
        campus: user.campus,
        role: user.role.as_str(),
        phone: user.phone,
        email: user.email,
    }
}

/// What was asked for, each name once. Whatever nobody knows the name of is no question.
struct Asked(Vec<(&'static str, String)>);

impl Asked {
    fn read(app: &App, query: &str) -> Result<Self, Refusal> {
        let mut asked: Vec<(&'static str, String)> = Vec::new();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let Some(name) = known(app, &name) else {
                continue;
            };
            // One of the two could be looked at and the other be used.
            if asked.iter().any(|(earlier, _)| *earlier == name) {
                return Err(invalid(name));
            }
            asked.push((name, value.into_owned()));
        }
        Ok(Self(asked))
    }

    fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(asked, _)| *asked == name);
        found.map(|(_, value)| value.as_str())
    }

    fn kind(&self) -> String {
        if self.0.is_empty() {
            return "self".to_owned();
        }
        let names: Vec<_> = self.0.iter().map(|(name, _)| *name).collect();
        names.join(",")
    }

    fn own(&self) -> Own<'_> {
        Own {
            uid: self.get("uid"),
            openid: self.get("openid"),
            phone: self.get("phone"),
            email: self.get("email"),
        }
    }

    /// The search for all of it; within the account `own` if there is one, whose names were checked.
    fn search(&self, app: &App, own: Option<Uid>) -> Result<Search, Refusal> {
        let mut search = Search {
            page: 1,
            ..Search::default()
        };
        for (name, value) in &self.0 {
            let names_somebody = matches!(*name, "uid" | "openid" | "phone" | "email");
            if own.is_none() || !names_somebody {
                add(app, &mut search, name, value).ok_or_else(|| invalid(name))?;
            }
        }
        search.filter.uid = own.or(search.filter.uid);
        Ok(search)
    }
}

/// Adds one condition; `None` if no account could ever fulfil it.
fn add(app: &App, search: &mut Search, name: &'static str, value: &str) -> Option<()> {
    let filter = &mut search.filter;
    match name {
        "uid" => filter.uid = Some(Uid::parse(value)?),
        "openid" => search.openid = Some(Openid::parse(value).ok()?),
        "phone" => {
            let phone = Phone::parse(value, &app.options.registration.calling_codes);
            filter.phone = Some(phone.ok()?.as_str().to_owned());
        }
        // Nobody is looked for by what they lack.
        "email" if !value.is_empty() => filter.email = Some(value.to_owned()),
        "campus" if !value.is_empty() => filter.campus = Some(value.to_owned()),
        "role" => filter.role = Some(Role::parse(value)?),
        "page" => search.page = page(value)?,
        _ => {
            let field = app.options.profile.fields.find(name)?;
            if filter.field.is_some() {
                return None;
            }
            filter.field = Some((name.to_owned(), value_of(field, value)?));
        }
    }
    Some(())
}

fn page(text: &str) -> Option<i64> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let page = text.parse().ok().filter(|_| digits)?;
    PAGES.contains(&page).then_some(page)
}

/// What a field would hold that was asked for by this text.
fn value_of(field: &Field, text: &str) -> Option<Value> {
    let value = match field.kind {
        Kind::Bool => match text {
            "true" | "1" => true.into(),
            "false" | "0" => false.into(),
            _ => return None,
        },
        Kind::Int(..) => text.parse::<i64>().ok()?.into(),
        Kind::Text(_) | Kind::OneOf(_) => text.into(),
    };
    field.takes(&value).then_some(value)
}

fn known(app: &App, name: &str) -> Option<&'static str> {
    let own = app.options.profile.fields.find(name);
    let mut named = NAMES.into_iter().chain([AVAILABLE]);
    own.map(|field| field.name)
        .or_else(|| named.find(|known| *known == name))
}

const fn invalid(name: &'static str) -> Refusal {
    Refusal::Invalid(Input(name))
}
