//! What the program hands in: plain values, checked by it.

use std::{sync::Arc, time::Duration};

use ipnet::IpNet;
use menjin_core::{
    Appid, CallingCodes, IdentityId, MasterKeys, Role, Service, Uid,
    clock::Instant,
    key::SigningKey,
    keyring::Rotation,
    profile::Fields,
    sending::SendLimits,
    token::{Issuer, MAX_MINTED, Subject},
};

use menjin_messages::{MailSender, SmsSender};
use menjin_wechat::{Client, PushKeys};

use crate::avatars::Pictures;

/// Who is asked, beside the store.
#[derive(Clone)]
pub struct Outside {
    /// WeChat.
    pub wechat: Client,
    /// Who sends text messages; without it nobody can register by code.
    pub sms: Option<Arc<dyn SmsSender>>,
    /// Who sends mails; without it nobody can set an address.
    pub mail: Option<Arc<dyn MailSender>>,
    /// Where pictures lie; without it nobody can upload one.
    pub pictures: Option<Pictures>,
}

/// How the server behaves.
#[derive(Debug, Clone)]
pub struct Options {
    /// The mini programs that are served; the first is the default one.
    pub apps: Vec<App>,
    /// The address that clients know the server by, without a slash at its end.
    pub public_url: String,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// What everything secret in the store hangs on.
    pub master_keys: MasterKeys,
    /// `iss` of the tokens, and the audience that stands for Menjin.
    pub issuer: String,
    /// The other services that take a registered user's token.
    pub audience: Vec<String>,
    /// How keys follow one another, how long they are cached, and how long tokens last.
    pub rotation: Rotation,
    /// How long the same login code gets the same outcome; zero turns it off.
    pub replay_window: Duration,
    /// The longest that WeChat may take; another replica's call is waited for as long.
    pub wechat_timeout: Duration,
    /// Sign-ins a minute from one address; zero turns the limit off.
    pub sign_in_per_address: u32,
    /// Whether the schema is brought up to date at start.
    pub migrate: bool,
    /// How people become users.
    pub registration: Registration,
    /// What they say of themselves.
    pub profile: Profile,
    /// The team's other services that the configuration names. The store may have more.
    pub services: Vec<Service>,
}

/// How people become users.
#[derive(Debug, Clone)]
pub struct Registration {
    /// Whose phone numbers are taken.
    pub calling_codes: CallingCodes,
    /// How many messages go out.
    pub limits: SendLimits,
    /// The version of the privacy policy that people have to agree to; `None` if there is none.
    pub policy: Option<String>,
}

/// What people say of themselves.
#[derive(Debug, Clone, Default)]
pub struct Profile {
    /// The deployment's own fields.
    pub fields: Fields,
    /// The campuses that there are; empty if any may be named.
    pub campuses: Vec<String>,
    /// Whether WeChat is asked about nicknames.
    pub check_nickname: bool,
    /// Hosts whose pictures may be named by their https address.
    pub avatar_hosts: Vec<String>,
}

/// A mini program that is served.
#[derive(Debug, Clone)]
pub struct App {
    /// WeChat's name for it.
    pub appid: Appid,
    /// What WeChat signs pushed messages with; `None` if none are expected.
    pub push: Option<PushKeys>,
}

/// Options that cannot be served.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SetupError {
    /// There is no mini program to serve.
    #[error("at least one mini program is needed")]
    NoApp,
    /// Tokens would not stay under 600 bytes.
    #[error(
        "a token would be {0} bytes, and must stay under 600: shorten token.issuer or token.audience"
    )]
    TokenTooLong(usize),
    /// Signing does not work on this machine.
    #[error("a token could not be signed on this machine")]
    CannotSign,
}

impl Options {
    /// Checks what only the whole can tell.
    pub(crate) fn check(&self) -> Result<(), SetupError> {
        if self.apps.is_empty() {
            return Err(SetupError::NoApp);
        }
        let length = self.longest_token().ok_or(SetupError::CannotSign)?;
        if length >= MAX_MINTED {
            return Err(SetupError::TokenTooLong(length));
        }
        Ok(())
    }

    fn longest_token(&self) -> Option<usize> {
        let pkcs8 = SigningKey::generate(self.rotation.algorithm).ok()?;
        let key = SigningKey::from_pkcs8(self.rotation.algorithm, &pkcs8).ok()?;
        let uid = Uid::new(1 << 52)?;
        let subjects = [
            Subject::Guest(IdentityId::random()),
            Subject::User {
                uid,
                role: Role::Admin,
                epoch: 1_000_000,
            },
        ];
        let year_2100: Instant = 4_102_444_800_000;
        let lengths = self.apps.iter().flat_map(|app| {
            subjects.map(|subject| self.issuer().mint(&key, &subject, &app.appid, year_2100))
        });
        lengths
            .map(|token| token.ok().map(|token| token.len()))
            .max()?
    }

    pub(crate) fn issuer(&self) -> Issuer {
        Issuer {
            name: self.issuer.clone(),
            audience: self.audience.clone(),
            ttl_seconds: i64::try_from(self.rotation.token_ttl.as_secs()).unwrap_or(i64::MAX / 4),
        }
    }
}
