//! Who is calling, told by the access token alone (RFC 6750).

use std::sync::Arc;

use axum::{
    extract::{FromRequestParts, OptionalFromRequestParts},
    http::{HeaderMap, header::AUTHORIZATION, request::Parts},
};
use menjin_core::{Identity, IdentityId, Refusal, Uid, User, token::Subject};

use crate::{
    app::App,
    failure::Failure,
    flows::{contacts, follow},
    metrics::TokenOutcome,
    tokens::Known,
};

/// Somebody whose access token is good: the identity and the account as the store knows them now.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    /// The person in the mini program that the token was made for; `None` for an account that was
    /// never seen there.
    pub(crate) identity: Option<Identity>,
    /// The account, once the person has registered.
    pub(crate) user: Option<User>,
    /// What the token says.
    pub(crate) claims: Arc<Known>,
}

impl Caller {
    /// The account; a guest has no business where there has to be one.
    pub(crate) fn user(&self) -> Result<&User, Refusal> {
        self.user.as_ref().ok_or(Refusal::Forbidden)
    }

    /// The person in the mini program that the token was made for.
    pub(crate) fn identity(&self) -> Result<&Identity, Refusal> {
        self.identity.as_ref().ok_or(Refusal::Forbidden)
    }

    /// Who this is where something is counted or kept for later: the uid, or a guest's own id.
    pub(crate) fn name(&self) -> String {
        match (&self.user, &self.identity) {
            (Some(user), _) => user.uid.to_string(),
            (None, Some(identity)) => identity.id.to_string(),
            (None, None) => String::new(),
        }
    }

    /// Under what this person's messages are counted if they deleted themselves lately.
    pub(crate) fn former(&self, app: &App) -> Option<String> {
        let identity = self.identity.as_ref()?;
        Some(contacts::former(&app.options.master_keys, identity))
    }

    /// A fresh token for the same mini program: of the account as it is now, or of the guest.
    pub(crate) fn fresh_token(&self, app: &App, user: Option<&User>) -> Result<String, Failure> {
        let subject = match (user, &self.identity) {
            (Some(user), _) => Subject::of(user),
            (None, Some(identity)) => Subject::Guest(identity.id),
            (None, None) => return Err(Refusal::TokenInvalid.into()),
        };
        app.tokens.mint(&subject, &self.claims.client_id)
    }
}

/// Two routes answer strangers as well, and say more to whoever is known.
impl OptionalFromRequestParts<App> for Caller {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Option<Self>, Failure> {
        if !parts.headers.contains_key(AUTHORIZATION) {
            return Ok(None);
        }
        let caller = <Self as FromRequestParts<App>>::from_request_parts(parts, app).await?;
        Ok(Some(caller))
    }
}

impl FromRequestParts<App> for Caller {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Failure> {
        let claims = check(app, &parts.headers)?;
        caller(app, claims).await
    }
}

/// Whoever a token is of, if it counts.
pub(crate) async fn caller(app: &App, claims: Arc<Known>) -> Result<Caller, Failure> {
    follow::refuse_revoked(app, &claims).await?;
    match claims.subject {
        Subject::Guest(id) => guest(app, claims, id).await,
        Subject::User { uid, epoch, .. } => user(app, claims, uid, epoch).await,
    }
}

/// Checks the token that the headers carry: one header, the scheme `Bearer`, one token.
pub(crate) fn check(app: &App, headers: &HeaderMap) -> Result<Arc<Known>, Refusal> {
    check_counted(app, token_of(headers))
}

/// Checks a token, and counts how that ended.
pub(crate) fn check_counted(
    app: &App,
    token: Result<&str, Refusal>,
) -> Result<Arc<Known>, Refusal> {
    let checked = token.and_then(|token| app.tokens.check(token));
    app.metrics.token_checked(match &checked {
        Ok(_) => TokenOutcome::Good,
        Err(Refusal::NoAuthorization | Refusal::NoBearer) => TokenOutcome::Missing,
        Err(Refusal::TokenExpired) => TokenOutcome::Expired,
        Err(_) => TokenOutcome::Invalid,
    });
    checked
}

pub(crate) fn token_of(headers: &HeaderMap) -> Result<&str, Refusal> {
    let mut all = headers.get_all(AUTHORIZATION).iter();
    let first = all.next().ok_or(Refusal::NoAuthorization)?;
    // Two headers could mean one thing to a proxy and another to us.
    if all.next().is_some() {
        return Err(Refusal::TokenInvalid);
    }
    let bytes = first.as_bytes();
    let (scheme, token) = match bytes.iter().position(|byte| *byte == b' ') {
        Some(space) => bytes.split_at(space),
        None => (bytes, &[][..]),
    };
    if !scheme.eq_ignore_ascii_case(b"Bearer") {
        return Err(Refusal::NoBearer);
    }
    let token = std::str::from_utf8(token).map_err(|_| Refusal::TokenInvalid)?;
    Ok(token.trim_matches(' '))
}

/// A guest is looked up anew: whoever has registered since acts as the new user here.
async fn guest(app: &App, claims: Arc<Known>, id: IdentityId) -> Result<Caller, Failure> {
    let found = app.store.read(move |tx| {
        Box::pin(async move { Ok::<_, Failure>(tx.identity_find_by_id(&id).await?) })
    });
    let mut identity = found.await?.ok_or(Refusal::TokenInvalid)?;
    let user = identity.user.take().filter(User::is_registered);
    if let Some(user) = &user {
        // A guest's token carries no epoch, so any raised epoch ends it: the person signs in again.
        if user.admit().is_err() || user.epoch > 0 {
            return Err(Refusal::TokenInvalid.into());
        }
    }
    Ok(Caller {
        identity: Some(identity),
        user,
        claims,
    })
}

async fn user(app: &App, claims: Arc<Known>, uid: Uid, epoch: i64) -> Result<Caller, Failure> {
    let told = claims.clone();
    let found = app.store.read(move |tx| {
        Box::pin(async move {
            match tx.identity_find_of_user(&told.client_id, uid).await? {
                Some(mut identity) => {
                    let user = identity.user.take();
                    Ok((Some(identity), user))
                }
                None => Ok::<_, Failure>((None, tx.user_find(uid).await?)),
            }
        })
    });
    let (identity, user) = found.await?;
    let user = user
        .filter(|user| user.uid == uid)
        .ok_or(Refusal::TokenInvalid)?;
    if user.admit().is_err() || user.epoch > epoch {
        return Err(Refusal::TokenInvalid.into());
    }
    Ok(Caller {
        identity,
        user: Some(user),
        claims,
    })
}
