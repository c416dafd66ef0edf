//! The guard itself: what a service holds, and the background tasks that end with it.

use std::{fmt, sync::Arc, time::Duration};

use tokio::{runtime::Handle, task::AbortHandle};

use crate::{
    builder::Builder,
    caller::Caller,
    feed::Follower,
    keys::Keeper,
    layer::GuardLayer,
    memory::{Memory, Verdict},
    refused::Refused,
};

/// Checks Menjin's access tokens, from what its background tasks keep in memory.
///
/// A clone is another handle on the same guard. The tasks end when the last handle is dropped;
/// [layers](Guard::layer) and the services under them hold one each.
#[derive(Clone)]
pub struct Guard(Arc<Held>);

struct Held {
    memory: Arc<Memory>,
    tasks: Vec<AbortHandle>,
}

impl Drop for Held {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

impl Guard {
    /// Begins a guard for tokens of this issuer: the name that `iss` carries, and the address at which
    /// Menjin is reached if [`Builder::url`] names no other.
    #[expect(
        clippy::new_ret_no_self,
        reason = "a guard is not there before its options are"
    )]
    pub fn new(issuer: impl Into<String>) -> Builder {
        Builder::new(issuer.into())
    }

    /// Sets the background tasks going. The keys are fetched when the time since
    /// the start is `keys_due`.
    pub(crate) fn spawn(
        runtime: &Handle,
        keeper: Keeper,
        keys_due: Duration,
        follower: Option<Follower>,
    ) -> Self {
        let memory = keeper.memory.clone();
        let mut tasks = vec![runtime.spawn(keeper.keep(keys_due)).abort_handle()];
        if let Some(follower) = follower {
            tasks.push(runtime.spawn(follower.follow()).abort_handle());
        }
        Self(Arc::new(Held { memory, tasks }))
    }

    /// A tower layer that lets only requests with a good token through.
    ///
    /// ```no_run
    /// # async fn example() -> Result<(), menjin_guard::StartError> {
    /// # async fn hello() {}
    /// # use axum::routing::get;
    /// # let guard = menjin_guard::Guard::new("https://door.example.edu.cn").audience("repairs").start().await?;
    /// let app: axum::Router = axum::Router::new()
    ///     .route("/hello", get(hello))
    ///     .layer(guard.layer());
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn layer(&self) -> GuardLayer {
        GuardLayer::new(self.clone())
    }

    /// Checks one token, for whatever is not HTTP: gRPC's metadata, a websocket's first message.
    ///
    /// It touches memory alone, but for a token that names a key which is not known: then it waits
    /// until the keys have been fetched again, at most seconds and at most once in ten.
    ///
    /// # Errors
    ///
    /// [`Refused::Expired`], [`Refused::Invalid`], [`Refused::Unavailable`].
    pub async fn check(&self, token: &str) -> Result<Caller, Refused> {
        match self.memory().check(token) {
            Verdict::Good(caller) => return Ok(caller),
            Verdict::Refused(refused) => return Err(refused),
            Verdict::KeyUnknown => {}
        }
        let memory = self.memory();
        let keys_are_new = memory.fetches.refetch(&*memory.time).await;
        match memory.check(token) {
            Verdict::Good(caller) => Ok(caller),
            Verdict::Refused(refused) => Err(refused),
            Verdict::KeyUnknown if keys_are_new => Err(Refused::Invalid),
            Verdict::KeyUnknown => Err(Refused::Unavailable),
        }
    }

    /// Whether good tokens are taken now: the keys are known, and the feed (if it is followed) is no
    /// older than allowed. For the readiness check of the service, if it is of no use without users.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.memory().is_ready()
    }

    /// How old what is known of revocations is: the time since the newest request that the feed
    /// answered was sent. `None` before the feed was read to its end for the first time, and for ever
    /// without [`Builder::service`].
    #[must_use]
    pub fn feed_age(&self) -> Option<Duration> {
        let memory = self.memory();
        memory.feed_age(memory.time.uptime())
    }

    pub(crate) fn memory(&self) -> &Memory {
        &self.0.memory
    }
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rules = &self.memory().rules;
        f.debug_struct("Guard")
            .field("issuer", &rules.issuer)
            .field("audience", &rules.audience)
            .finish_non_exhaustive()
    }
}
