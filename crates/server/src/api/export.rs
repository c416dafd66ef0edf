//! `GET /v1/user/export`

use std::collections::BTreeSet;

use axum::{Json, extract::State};
use menjin_core::{IdentityId, Release, Uid, User, clock::Instant};
use menjin_store::Entered;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::{
    app::App,
    bearer::Caller,
    failure::{
        Failure,
        bodies::{GeneralFailure, TokenFailure},
    },
    flows::export::{self, Asked, Known, Sent},
};

/// All that is stored of the caller. Instants are RFC 3339, UTC.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct ExportReply {
    success: bool,
    exported_at: String,
    /// Nothing for a guest.
    account: Option<ExportedAccount>,
    /// Who the person is in each mini program.
    identities: Vec<ExportedIdentity>,
    /// What they were asked to prove and have not yet.
    verifications: Vec<OpenVerification>,
    /// Messages that they asked for, or that went to their number.
    messages: Vec<SentMessage>,
    /// What was done to the account, and by whom: the latest 10,000.
    audit: Vec<AuditEntry>,
    /// Whether there are older entries than those; left out if not.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schema(required = false)]
    audit_truncated: bool,
}

/// The account.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct ExportedAccount {
    uid: i64,
    phone: String,
    phone_verified_at: Option<String>,
    email: String,
    nickname: String,
    avatar: String,
    campus: String,
    role: &'static str,
    /// How often all tokens of the account were ended.
    epoch: i64,
    disabled_at: Option<String>,
    created_at: String,
    updated_at: String,
    /// The deployment's own fields.
    #[schema(value_type = Object)]
    profile: Map<String, Value>,
    consent_version: Option<String>,
    consent_at: Option<String>,
}

/// A person in one mini program.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct ExportedIdentity {
    /// Our own id, which a guest's tokens carry.
    id: String,
    appid: String,
    openid: String,
    unionid: Option<String>,
    /// Which build of the mini program was last seen.
    release: Option<&'static str>,
    first_seen_at: String,
    last_seen_at: String,
    /// Whether WeChat's key for the session is kept, sealed.
    session_key: bool,
    /// Whether the one before it is kept, too.
    previous_session_key: bool,
}

/// Something that a message asked to prove.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct OpenVerification {
    purpose: String,
    /// The number or address, where it is kept.
    contact: String,
    consent: Option<String>,
    tries: i64,
    expires_at: String,
}

/// A message that went out.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct SentMessage {
    at: String,
    /// `sms`, `mail`, or `none` for a question that counted as one.
    channel: String,
    purpose: String,
    /// The number or address, if it is the account's own; of others there is only a digest.
    contact: String,
    /// From where the person asked for it; nothing if somebody else did.
    address: String,
    /// What the provider calls it.
    provider_id: Option<String>,
    /// What it cost, in the provider's units.
    cost: Option<i64>,
}

/// Something that was done to the account.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct AuditEntry {
    at: String,
    event: String,
    /// `you`, `somebody else`, or a part of the service.
    by: String,
    #[schema(value_type = Object)]
    detail: Map<String, Value>,
}

/// All that is stored of the caller
///
/// Nothing of anybody else. Session keys are secrets and are left out; that they are kept is said.
#[utoipa::path(
    get,
    path = "/v1/user/export",
    operation_id = "export",
    tag = "Mini program",
    security(("bearer" = [])),
    responses(
        (status = 200, description = "All of it", body = ExportReply),
        (status = 401, description = "The token is missing or not good", body = TokenFailure),
        (status = 503, description = "The store cannot be asked now; see Retry-After", body = GeneralFailure),
    )
)]
pub(crate) async fn get(
    State(app): State<App>,
    caller: Caller,
) -> Result<Json<ExportReply>, Failure> {
    let export = export::export(&app, &caller).await?;
    let names = export.names;
    let audit = export.audit.into_iter();
    Ok(Json(ExportReply {
        success: true,
        exported_at: time(app.clock.now()),
        account: export.account.map(account),
        identities: export.identities.into_iter().map(identity).collect(),
        verifications: export.verifications.into_iter().map(verification).collect(),
        messages: export.sends.into_iter().map(message).collect(),
        audit: audit.map(|entry| audited(entry, &names)).collect(),
        audit_truncated: export.audit_truncated,
    }))
}

fn account((user, created_at, updated_at): (User, Instant, Instant)) -> ExportedAccount {
    let (consent_version, consent_at) = match user.consent {
        Some(consent) => (Some(consent.version), Some(time(consent.at))),
        None => (None, None),
    };
    ExportedAccount {
        uid: user.uid.get(),
        phone: user.phone,
        phone_verified_at: user.phone_verified_at.map(time),
        email: user.email,
        nickname: user.nickname,
        avatar: user.avatar,
        campus: user.campus,
        role: user.role.as_str(),
        epoch: user.epoch,
        disabled_at: user.disabled_at.map(time),
        created_at: time(created_at),
        updated_at: time(updated_at),
        profile: user.profile,
        consent_version,
        consent_at,
    }
}

fn identity(known: Known) -> ExportedIdentity {
    let identity = known.identity;
    ExportedIdentity {
        id: identity.id.to_string(),
        appid: identity.appid.to_string(),
        openid: identity.openid.to_string(),
        unionid: identity.unionid.map(|unionid| unionid.to_string()),
        release: identity.release.map(Release::as_str),
        first_seen_at: time(known.first_seen_at),
        last_seen_at: time(identity.last_seen_at),
        session_key: known.has_session_key,
        previous_session_key: known.has_previous_session_key,
    }
}

fn verification(Asked { row, contact }: Asked) -> OpenVerification {
    OpenVerification {
        purpose: row.purpose,
        contact,
        consent: row.consent,
        tries: row.tries,
        expires_at: time(row.expires_at),
    }
}

fn message(Sent { row, contact, own }: Sent) -> SentMessage {
    SentMessage {
        at: time(row.at),
        channel: row.channel,
        purpose: row.purpose,
        contact,
        address: if own { row.address } else { String::new() },
        provider_id: row.provider_id,
        cost: row.cost,
    }
}

/// An entry without the names of others in it.
fn audited(entry: Entered, names: &BTreeSet<String>) -> AuditEntry {
    let actor = entry.actor;
    let by = if names.contains(&actor) {
        "you".to_owned()
    } else if Uid::parse(&actor).is_some() || IdentityId::parse(&actor).is_ok() {
        "somebody else".to_owned()
    } else {
        actor
    };
    let mut detail: Map<_, _> = serde_json::from_str(&entry.detail).unwrap_or_default();
    detail.remove("other");
    AuditEntry {
        at: time(entry.at),
        event: entry.event,
        by,
        detail,
    }
}

/// RFC 3339, UTC.
pub(super) fn time(instant: Instant) -> String {
    let time = jiff::Timestamp::from_millisecond(instant);
    time.map(|time| time.to_string()).unwrap_or_default()
}
