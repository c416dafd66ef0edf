//! Menjin's public keys: read, kept, and asked for again before they are too old or when a token
//! names one that is not among them.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use menjin_core::{json, jwk::VerifyingKey};
use serde_json::Value;
use tokio::sync::{Notify, watch};

use crate::{
    error::{Log, Trouble},
    memory::Memory,
    source::Source,
    time::{BackOff, Time, part_of},
};

/// How long nobody's unknown key makes us ask again.
const REFETCH_EVERY: Duration = Duration::from_secs(10);

/// Requests that wait for keys at once; whoever comes then is answered without.
const WAITING: usize = 1_024;

/// A key set, by name.
#[derive(Debug, Default)]
pub(crate) struct Keys {
    by_kid: HashMap<String, VerifyingKey>,
    /// As it came: whether two sets are the same.
    text: Vec<u8>,
}

impl Keys {
    /// Takes from a key set what Menjin signs with: a key that names itself and one of the two
    /// algorithms. `None` if it is no key set or holds none of them.
    pub(crate) fn parse(text: &[u8]) -> Option<Self> {
        let set = json::parse_object(text).ok()?;
        let by_kid: HashMap<_, _> = set
            .get("keys")?
            .as_array()?
            .iter()
            .filter_map(usable)
            .collect();
        let text = text.to_vec();
        (!by_kid.is_empty()).then_some(Self { by_kid, text })
    }

    pub(crate) fn get(&self, kid: &str) -> Option<&VerifyingKey> {
        self.by_kid.get(kid)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.by_kid.is_empty()
    }

    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

/// A key whose algorithm is fixed by itself. A shared secret would be one that everybody can read.
fn usable(jwk: &Value) -> Option<(String, VerifyingKey)> {
    let jwk = jwk.as_object()?;
    let algorithm = jwk.get("alg")?.as_str()?;
    if !["ES256", "EdDSA"].contains(&algorithm) {
        return None;
    }
    let key = VerifyingKey::from_jwk(jwk).ok()?;
    Some((key.kid()?.to_owned(), key))
}

/// Lets requests wait for the one background task that fetches keys.
pub(crate) struct Fetches {
    asking: Mutex<Asking>,
    wanted: Notify,
    finished: watch::Sender<Finished>,
}

#[derive(Default)]
struct Asking {
    /// When an unknown key last made us ask, in time since the start.
    last: Option<Duration>,
    under_way: bool,
}

#[derive(Clone, Copy, Default)]
struct Finished {
    worked: bool,
}

impl Fetches {
    pub(crate) fn new() -> Self {
        Self {
            asking: Mutex::default(),
            wanted: Notify::new(),
            finished: watch::Sender::default(),
        }
    }

    /// Has the keys fetched, unless that was tried in the last ten seconds; all who come meanwhile
    /// wait for the same fetch. Returns whether the newest fetch worked.
    pub(crate) async fn refetch(&self, time: &dyn Time) -> bool {
        // Subscribed before it is decided, so that a fetch that ends in between is not missed.
        let mut finished = self.finished.subscribe();
        let is_full = self.finished.receiver_count() > WAITING;
        if !is_full && self.ask(time.uptime()) && finished.changed().await.is_err() {
            return false;
        }
        finished.borrow().worked
    }

    /// Whether there is a fetch to wait for.
    fn ask(&self, uptime: Duration) -> bool {
        let mut asking = self.asking.lock().unwrap_or_else(PoisonError::into_inner);
        if asking.under_way {
            return true;
        }
        if asking
            .last
            .is_some_and(|last| uptime < last + REFETCH_EVERY)
        {
            return false;
        }
        asking.last = Some(uptime);
        asking.under_way = true;
        self.wanted.notify_one();
        true
    }

    fn begin(&self) {
        let mut asking = self.asking.lock().unwrap_or_else(PoisonError::into_inner);
        asking.under_way = true;
    }

    fn finish(&self, worked: bool) {
        let mut asking = self.asking.lock().unwrap_or_else(PoisonError::into_inner);
        asking.under_way = false;
        drop(asking);
        self.finished.send_replace(Finished { worked });
    }
}

/// The background task that keeps the keys.
pub(crate) struct Keeper {
    pub(crate) memory: Arc<Memory>,
    pub(crate) source: Arc<Source>,
    pub(crate) log: Log,
    pub(crate) jwks_uri: Option<String>,
}

impl Keeper {
    pub(crate) fn new(memory: Arc<Memory>, source: Arc<Source>) -> Self {
        Self {
            memory,
            source,
            log: Log::new("the key set"),
            jwks_uri: None,
        }
    }

    /// Fetches the keys, after the metadata if they are not known or something failed since.
    /// Returns when they should be fetched again, in time since the start.
    pub(crate) async fn fetch(&mut self) -> Result<Duration, Trouble> {
        let asked = self.memory.time.uptime();
        let url = match self.jwks_uri.take() {
            Some(url) => url,
            None => self.source.jwks_uri().await?,
        };
        let (keys, lifetime) = self.source.keys(&url).await?;
        self.memory.replace_keys(keys);
        self.jwks_uri = Some(url);
        Ok(asked + before_end(lifetime))
    }

    /// Fetches for ever: when it is due, and when somebody wants it.
    pub(crate) async fn keep(mut self, mut due: Duration) {
        let mut back_off = BackOff::default();
        loop {
            let wait = due.saturating_sub(self.memory.time.uptime());
            tokio::select! {
                () = self.memory.time.sleep(wait) => {}
                () = self.memory.fetches.wanted.notified() => {}
            }
            self.memory.fetches.begin();
            let fetched = self.fetch().await;
            self.memory.fetches.finish(fetched.is_ok());
            due = match fetched {
                Ok(due) => {
                    self.log.worked();
                    back_off.reset();
                    due
                }
                Err(trouble) => {
                    self.log.failed(&trouble);
                    self.memory.time.uptime() + back_off.next()
                }
            };
        }
    }
}

/// When to fetch again what may be kept for `lifetime`: after seven to eight tenths of it.
fn before_end(lifetime: Duration) -> Duration {
    lifetime.mul_f64(0.7) + part_of(lifetime / 10)
}
