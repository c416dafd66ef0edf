//! What an access token says, how it is written, and which claims are believed (RFC 9068, 8725).

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::{
    app::Appid,
    clock::Instant,
    identity::{IdentityId, random_id},
    json,
    key::{BadKey, SigningKey},
    refusal::Refusal,
    user::{Role, Uid, User},
};

/// The `typ` that every access token carries, and that no other kind of JWT does.
pub const TYPE: &str = "at+jwt";

/// How far the clocks of two replicas may be apart: a token from this far ahead is still taken.
pub const LEEWAY_SECONDS: i64 = 60;

/// A token is shorter than this, so that it fits wherever a header does.
pub const MAX_MINTED: usize = 600;

/// Whom a token speaks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// Somebody who has not registered.
    Guest(IdentityId),
    /// A registered account.
    User {
        /// Its number.
        uid: Uid,
        /// What it may do.
        role: Role,
        /// Its epoch when the token was made.
        epoch: i64,
    },
}

impl Subject {
    /// The subject of an account.
    #[must_use]
    pub fn of(user: &User) -> Self {
        Self::User {
            uid: user.uid,
            role: user.role,
            epoch: user.epoch,
        }
    }

    /// What the token allows, in the words of OAuth.
    #[must_use]
    pub const fn scope(&self) -> &'static str {
        match self {
            Self::Guest(_) => "guest",
            Self::User {
                role: Role::User, ..
            } => "user",
            Self::User {
                role: Role::Admin, ..
            } => "user admin",
        }
    }
}

/// What a checked token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claims {
    /// Whom it speaks for.
    pub subject: Subject,
    /// The mini program that it was made for.
    pub client_id: Appid,
    /// Its own number.
    pub jti: String,
    /// When it was made, seconds.
    pub iat: i64,
    /// When it is over, seconds.
    pub exp: i64,
}

/// Who makes tokens, for whom, and for how long they last.
#[derive(Debug, Clone)]
pub struct Issuer {
    /// `iss`, and the audience that stands for Menjin itself.
    pub name: String,
    /// The other services that take a registered user's token.
    pub audience: Vec<String>,
    /// Seconds from `iat` to `exp`.
    pub ttl_seconds: i64,
}

#[derive(Serialize)]
struct Payload<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a [&'a str],
    exp: i64,
    iat: i64,
    jti: &'a str,
    client_id: &'a str,
    scope: &'a str,
    #[serde(flatten)]
    account: Option<Account>,
}

#[derive(Serialize)]
struct Account {
    uid: i64,
    role: &'static str,
    ep: i64,
}

impl Issuer {
    /// Writes and signs a token for `subject`, as from `now`.
    ///
    /// # Errors
    ///
    /// [`BadKey`] if signing fails.
    pub fn mint(
        &self,
        key: &SigningKey,
        subject: &Subject,
        client_id: &Appid,
        now: Instant,
    ) -> Result<String, BadKey> {
        let iat = now.div_euclid(1000);
        let jti = jti();
        let (sub, account) = match *subject {
            Subject::Guest(id) => (id.to_string(), None),
            Subject::User { uid, role, epoch } => {
                let (uid, ep) = (uid.get(), epoch);
                let role = role.as_str();
                (uid.to_string(), Some(Account { uid, role, ep }))
            }
        };
        // Other services have no business with somebody who has not registered.
        let services = self.audience.iter().filter(|_| account.is_some());
        let aud: Vec<&str> = std::iter::once(&self.name)
            .chain(services)
            .map(String::as_str)
            .collect();
        let payload = Payload {
            iss: &self.name,
            sub: &sub,
            aud: &aud,
            exp: iat.saturating_add(self.ttl_seconds),
            iat,
            jti: &jti,
            client_id: client_id.as_str(),
            scope: subject.scope(),
            account,
        };
        let mut json = Vec::with_capacity(MAX_MINTED);
        serde_json::to_writer(&mut json, &payload).map_err(|_| BadKey)?;
        let mut token = String::with_capacity(MAX_MINTED);
        token.push_str(key.token_header());
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(json, &mut token);
        let signature = key.sign(token.as_bytes())?;
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut token);
        Ok(token)
    }

    /// Reads the payload of a token as [`Expected::read`] does, for Menjin itself.
    ///
    /// # Errors
    ///
    /// As [`Expected::read`].
    pub fn read(&self, payload: &[u8], now: Instant) -> Result<Claims, Refusal> {
        let (issuer, audience) = (self.name.as_str(), self.name.as_str());
        Expected { issuer, audience }.read(payload, now)
    }
}

/// Who must have made a token, and for whom.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    /// `iss`.
    pub issuer: &'a str,
    /// What `aud` is, or holds among others.
    pub audience: &'a str,
}

impl Expected<'_> {
    /// Reads the payload of a token whose signature was checked. Everything but its end is judged
    /// before its end is, so that `token_expired` is only ever said of a token that was once good.
    ///
    /// # Errors
    ///
    /// [`Refusal::TokenInvalid`], or [`Refusal::TokenExpired`].
    pub fn read(&self, payload: &[u8], now: Instant) -> Result<Claims, Refusal> {
        let claims = json::parse_object(payload)
            .ok()
            .and_then(|payload| self.claims(&payload, now.div_euclid(1000)))
            .ok_or(Refusal::TokenInvalid)?;
        if claims.exp <= now.div_euclid(1000) {
            return Err(Refusal::TokenExpired);
        }
        Ok(claims)
    }

    /// `None` for anything that a token of ours never says.
    fn claims(&self, payload: &Map<String, Value>, now: i64) -> Option<Claims> {
        let text = |name: &str| payload.get(name).and_then(Value::as_str);
        let aud = payload.get("aud")?;
        let is_ours = aud == self.audience
            || aud
                .as_array()
                .is_some_and(|all| all.iter().any(|one| one == self.audience));
        if text("iss") != Some(self.issuer) || !is_ours {
            return None;
        }
        let iat = seconds(payload.get("iat")?)?;
        let exp = seconds(payload.get("exp")?)?;
        let not_before = match payload.get("nbf") {
            Some(nbf) => seconds(nbf)?.max(iat),
            None => iat,
        };
        if not_before > now + LEEWAY_SECONDS || exp <= iat {
            return None;
        }
        let subject = subject(payload)?;
        if text("scope") != Some(subject.scope()) {
            return None;
        }
        Some(Claims {
            subject,
            client_id: Appid::parse(text("client_id")?).ok()?,
            jti: text("jti").filter(|jti| !jti.is_empty())?.to_owned(),
            iat,
            exp,
        })
    }
}

/// A token's own number: 96 random bits.
fn jti() -> String {
    URL_SAFE_NO_PAD.encode(random_id::<12>())
}

/// A whole number of seconds between 1970 and the year 9999; no fraction, no text.
fn seconds(value: &Value) -> Option<i64> {
    value
        .as_i64()
        .filter(|seconds| (0..=253_402_300_799).contains(seconds))
}

fn subject(payload: &Map<String, Value>) -> Option<Subject> {
    let text = |name: &str| payload.get(name).and_then(Value::as_str);
    let sub = text("sub")?;
    let Some(uid) = payload.get("uid") else {
        return Some(Subject::Guest(IdentityId::parse(sub).ok()?));
    };
    let uid = Uid::new(uid.as_i64()?)?;
    let epoch = payload.get("ep")?.as_i64().filter(|epoch| *epoch >= 0)?;
    (Uid::parse(sub) == Some(uid)).then_some(())?;
    let role = Role::parse(text("role")?)?;
    Some(Subject::User { uid, role, epoch })
}

#[cfg(test)]
mod tests;
