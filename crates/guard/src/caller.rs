//! Who is calling, as a checked token says.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, SystemTime},
};

use menjin_core::{
    Role,
    token::{Claims, Subject},
};

/// A token whose signature and claims were checked.
pub(crate) struct Verified {
    pub(crate) claims: Claims,
    /// Which key signed it.
    pub(crate) kid: String,
    /// `sub`: of a user the uid in decimal.
    pub(crate) subject: String,
    /// Until when, in time since the start, the signature is believed without another look.
    pub(crate) until: Duration,
}

/// Somebody whose access token is good: a user or a guest.
///
/// The layer puts one into the extensions of each request that it lets through, and
/// [`Guard::check`](crate::Guard::check) gives one. Cloning it copies a pointer.
#[derive(Clone)]
pub struct Caller(pub(crate) Arc<Verified>);

impl Caller {
    /// The user, or `None` of a guest.
    #[must_use]
    pub fn user(&self) -> Option<User> {
        self.uid().map(|uid| User {
            uid,
            caller: self.clone(),
        })
    }

    /// The number of the account, from 1 to 2^53 - 1; `None` of a guest.
    #[must_use]
    pub fn uid(&self) -> Option<i64> {
        match self.0.claims.subject {
            Subject::User { uid, .. } => Some(uid.get()),
            Subject::Guest(_) => None,
        }
    }

    /// Whether this is somebody who has not registered.
    #[must_use]
    pub fn is_guest(&self) -> bool {
        self.uid().is_none()
    }

    /// Whether this is an administrator of the deployment.
    #[must_use]
    pub fn is_admin(&self) -> bool {
        let Subject::User { role, .. } = self.0.claims.subject else {
            return false;
        };
        role == Role::Admin
    }

    /// `sub`: the uid in decimal, or a guest's own id, which is another in each mini program.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.0.subject
    }

    /// `scope`: `guest`, `user` or `user admin`.
    #[must_use]
    pub fn scope(&self) -> &'static str {
        self.0.claims.subject.scope()
    }

    /// The AppID of the mini program that the token was made for.
    #[must_use]
    pub fn appid(&self) -> &str {
        self.0.claims.client_id.as_str()
    }

    /// The token's own number, `jti`.
    #[must_use]
    pub fn jti(&self) -> &str {
        &self.0.claims.jti
    }

    /// When the token is over. Something that outlives the request (a websocket) ends then.
    #[must_use]
    pub fn expires_at(&self) -> SystemTime {
        let seconds = u64::try_from(self.0.claims.exp).unwrap_or(0);
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }
}

/// Shows who it is and nothing that would let anybody in.
impl fmt::Debug for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Caller")
            .field("subject", &self.subject())
            .field("scope", &self.scope())
            .field("appid", &self.appid())
            .finish_non_exhaustive()
    }
}

/// A registered user, administrators among them.
///
/// As an argument of an axum handler it asks for one: guests are refused with 403.
#[derive(Debug, Clone)]
pub struct User {
    uid: i64,
    caller: Caller,
}

impl User {
    /// The number of the account, from 1 to 2^53 - 1. It is never given to anybody else.
    #[must_use]
    pub const fn uid(&self) -> i64 {
        self.uid
    }

    /// Whether this is an administrator of the deployment.
    #[must_use]
    pub fn is_admin(&self) -> bool {
        self.caller.is_admin()
    }

    /// The rest of what the token says.
    #[must_use]
    pub const fn caller(&self) -> &Caller {
        &self.caller
    }
}

/// An administrator of the deployment.
///
/// As an argument of an axum handler it asks for one: everybody else is refused with 403.
#[derive(Debug, Clone)]
pub struct Admin(User);

impl Admin {
    /// The administrator among the callers; `None` of everybody else.
    #[must_use]
    pub fn of(caller: &Caller) -> Option<Self> {
        caller.user().filter(User::is_admin).map(Self)
    }

    /// The number of the account, from 1 to 2^53 - 1.
    #[must_use]
    pub const fn uid(&self) -> i64 {
        self.0.uid()
    }

    /// The administrator as a user.
    #[must_use]
    pub const fn user(&self) -> &User {
        &self.0
    }
}

/// Somebody who signed in and has not registered.
///
/// As an argument of an axum handler it asks for one: users are refused with 403. There are guests
/// only where the guard [accepts them](crate::Builder::accept_guests).
#[derive(Debug, Clone)]
pub struct Guest(Caller);

impl Guest {
    /// The guest among the callers; `None` of a user.
    #[must_use]
    pub fn of(caller: &Caller) -> Option<Self> {
        caller.is_guest().then(|| Self(caller.clone()))
    }

    /// The guest's own id in this mini program. It is not the openid.
    #[must_use]
    pub fn id(&self) -> &str {
        self.0.subject()
    }

    /// The rest of what the token says.
    #[must_use]
    pub const fn caller(&self) -> &Caller {
        &self.0
    }
}
