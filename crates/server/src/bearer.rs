//! Who is calling, told by the access token alone (RFC 6750).

use std::sync::Arc;

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, header::AUTHORIZATION, request::Parts},
};
use menjin_core::{
    Identity, Refusal, Uid, User,
    token::{Claims, Subject},
};

use crate::{app::App, failure::Failure, metrics::TokenOutcome};

/// Somebody whose access token is good: the identity and the account as the store knows them now.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    /// The person in the mini program that the token was made for; `None` for an account that was
    /// never seen there.
    pub(crate) identity: Option<Identity>,
    /// The account, once the person has registered.
    pub(crate) user: Option<User>,
}

impl FromRequestParts<App> for Caller {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Failure> {
        let claims = check(app, &parts.headers)?;
        match claims.subject {
            Subject::Guest(_) => guest(app, &claims).await,
            Subject::User { uid, epoch, .. } => user(app, &claims, uid, epoch).await,
        }
    }
}

/// Checks the token that the headers carry: one header, the scheme `Bearer`, one token.
fn check(app: &App, headers: &HeaderMap) -> Result<Arc<Claims>, Refusal> {
    let checked = token_of(headers).and_then(|token| app.tokens.check(token));
    app.metrics.token_checked(match &checked {
        Ok(_) => TokenOutcome::Good,
        Err(Refusal::NoAuthorization | Refusal::NoBearer) => TokenOutcome::Missing,
        Err(Refusal::TokenExpired) => TokenOutcome::Expired,
        Err(_) => TokenOutcome::Invalid,
    });
    checked
}

fn token_of(headers: &HeaderMap) -> Result<&str, Refusal> {
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
async fn guest(app: &App, claims: &Claims) -> Result<Caller, Failure> {
    let Subject::Guest(id) = claims.subject else {
        return Err(Refusal::TokenInvalid.into());
    };
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
    })
}

async fn user(app: &App, claims: &Claims, uid: Uid, epoch: i64) -> Result<Caller, Failure> {
    let appid = claims.client_id.clone();
    let found = app.store.read(move |tx| {
        Box::pin(async move {
            match tx.identity_find_of_user(&appid, uid).await? {
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
    })
}
