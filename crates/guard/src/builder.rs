//! The options of a guard, and its start.

use std::{sync::Arc, time::Duration};

use menjin_core::Secret;
use tokio::runtime::Handle;

use crate::{
    error::StartError,
    feed::Follower,
    guard::Guard,
    keys::Keeper,
    memory::{Memory, Rules, WhenStale},
    source::{self, Source},
    time::{MachineTime, Time},
};

/// The least that [`Builder::stale_after`] may be.
const LEAST_STALE_AFTER: Duration = Duration::from_secs(6);

/// A guard that is being set up; begun by [`Guard::new`].
#[must_use = "a guard is there once it was started"]
pub struct Builder {
    issuer: String,
    url: Option<String>,
    audience: Option<String>,
    service: Option<(String, Secret)>,
    stale_after: Duration,
    when_stale: WhenStale,
    guests: bool,
    client: Option<reqwest::Client>,
    time: Arc<dyn Time>,
}

impl Builder {
    pub(crate) fn new(issuer: String) -> Self {
        Self {
            issuer,
            url: None,
            audience: None,
            service: None,
            stale_after: Duration::from_secs(30),
            when_stale: WhenStale::default(),
            guests: false,
            client: None,
            time: Arc::new(MachineTime::new()),
        }
    }

    /// Where Menjin is reached from here, if not at its issuer's address: inside a cluster, past the
    /// proxy. Metadata, keys and feed are asked for there.
    pub fn url(mut self, url: impl Into<String>) -> Self {
        self.url = Some(url.into());
        self
    }

    /// The name of this service, which a token's `aud` must hold: one of `token.audience` in Menjin's
    /// configuration. There is no default, and the issuer's own name is refused: it is in every token,
    /// also in those that are for Menjin alone.
    pub fn audience(mut self, name: impl Into<String>) -> Self {
        self.audience = Some(name.into());
        self
    }

    /// Follows the feed of what was revoked, as this service with this secret (`menjin service add`
    /// makes both; the permission is `follow`).
    ///
    /// Without it only the keys are followed. Then a ban, a sign-out or another role is noticed when the
    /// token is over, after an hour at most, and a key that was removed in an emergency when the
    /// key set is fetched again.
    pub fn service(mut self, id: impl Into<String>, secret: impl AsRef<str>) -> Self {
        self.service = Some((id.into(), Secret::new(secret.as_ref())));
        self
    }

    /// How old what is known of revocations may be before good tokens are refused; 30 s unless set,
    /// 6 s at least.
    ///
    /// The age is counted from the moment at which the newest request that was answered had been
    /// sent, so it never flatters. One request waits for news for a sixth of this (1 to 30 s), then
    /// comes the next: while all is well the age stays below a third of it, and Menjin may be away for the
    /// rest (20 s of 30), which is enough for it to start anew. A revocation that happens while the
    /// connection is up arrives at once and does not wait for any of this.
    pub fn stale_after(mut self, age: Duration) -> Self {
        self.stale_after = age;
        self
    }

    /// What to do with good tokens then: [`WhenStale::Refuse`] unless set.
    pub fn when_stale(mut self, what: WhenStale) -> Self {
        self.when_stale = what;
        self
    }

    /// Takes guests as well: people who signed in and have not registered. Their tokens name Menjin
    /// alone as their audience, so this service need not be in them. Otherwise they get 401.
    ///
    /// A guest's token names no account: that of somebody who registers is a guest's here until it is
    /// over, and what happens to the account meanwhile does not end it.
    pub fn accept_guests(mut self) -> Self {
        self.guests = true;
        self
    }

    /// Asks with this client, for a proxy or for roots of one's own. It should follow no redirects
    /// and have a time limit for connecting; the limits for whole requests and for the size of the
    /// answers are the guard's own.
    ///
    /// The guard's own client uses no proxy and trusts the roots of the system and those that Mozilla
    /// trusts, which are built in.
    pub fn client(mut self, client: reqwest::Client) -> Self {
        self.client = Some(client);
        self
    }

    /// Another clock, for tests.
    #[doc(hidden)]
    pub fn time(mut self, time: Arc<dyn Time>) -> Self {
        self.time = time;
        self
    }

    /// Asks Menjin for its keys and for everything that was revoked, then sets two background tasks
    /// going in the current tokio runtime, which keep that up to date.
    ///
    /// # Errors
    ///
    /// [`StartError`], whose text says what to do. To start without Menjin there is
    /// [`Builder::start_lazily`].
    pub async fn start(self) -> Result<Guard, StartError> {
        let (runtime, mut keeper, mut follower) = self.prepare()?;
        let due = keeper.fetch().await.map_err(StartError::Menjin)?;
        if let Some(follower) = &mut follower {
            follower.catch_up().await.map_err(StartError::Menjin)?;
        }
        Ok(Guard::spawn(&runtime, keeper, due, follower))
    }

    /// Sets the background tasks going and asks nobody yet, for a service that may start before
    /// Menjin. Until the keys were had, and the feed read to its end, every token gets 503
    /// ([`Guard::is_ready`] tells).
    ///
    /// # Errors
    ///
    /// [`StartError::Options`] alone.
    pub fn start_lazily(self) -> Result<Guard, StartError> {
        let (runtime, keeper, follower) = self.prepare()?;
        Ok(Guard::spawn(&runtime, keeper, Duration::ZERO, follower))
    }

    fn prepare(self) -> Result<(Handle, Keeper, Option<Follower>), StartError> {
        let audience = self.check().map_err(StartError::Options)?.to_owned();
        let runtime = Handle::try_current().map_err(|_| {
            StartError::Options(
                "start it inside a tokio runtime, since its background tasks run there",
            )
        })?;
        let client = match self.client {
            Some(client) => client,
            None => source::client()
                .map_err(|_| StartError::Options("TLS cannot be set up; hand in a client()"))?,
        };
        let mut source = Source::new(client, &self.issuer, self.url.as_deref());
        let follows = self.service.is_some();
        if let Some((id, secret)) = &self.service {
            source = source.authenticate(id, secret).ok_or(StartError::Options(
                "no header can carry this service() id and secret",
            ))?;
        }
        let rules = Rules {
            issuer: self.issuer,
            audience,
            guests: self.guests,
            follows,
            stale_after: self.stale_after,
            when_stale: self.when_stale,
        };
        let (memory, source) = (Arc::new(Memory::new(rules, self.time)), Arc::new(source));
        let follower = follows.then(|| Follower::new(memory.clone(), source.clone()));
        Ok((runtime, Keeper::new(memory, source), follower))
    }

    /// The audience, if everything else is as it should be too.
    fn check(&self) -> Result<&str, &'static str> {
        let is_url = |url: &str| url.starts_with("https://") || url.starts_with("http://");
        if !is_url(self.url.as_ref().unwrap_or(&self.issuer)) {
            return Err(
                "the issuer is no http(s) URL: write it as `iss` has it, and name Menjin's address with url() if the issuer is no address",
            );
        }
        let Some(audience) = self.audience.as_deref().filter(|name| !name.is_empty()) else {
            return Err(
                "audience() is missing: name this service as `token.audience` in Menjin's configuration does, or tokens that are meant for others would be taken",
            );
        };
        if audience == self.issuer {
            return Err(
                "audience() is the issuer, which is in every token: name this service, and add the name to `token.audience` in Menjin's configuration",
            );
        }
        let id_is_empty = self.service.as_ref().is_some_and(|(id, _)| id.is_empty());
        if id_is_empty {
            return Err(
                "the id in service() is empty: `menjin service list` shows which there are",
            );
        }
        if self.stale_after < LEAST_STALE_AFTER {
            return Err(
                "stale_after() is less than 6 s: one slow request would shut everybody out",
            );
        }
        Ok(audience)
    }
}
