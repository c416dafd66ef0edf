//! What every request may reach, and the work that goes on between requests.

use std::{
    error::Error,
    ops::Deref,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use menjin_core::{Appid, Clock, Uid};
use menjin_messages::{MailSender, SmsSender};
use menjin_store::Store;
use menjin_wechat::Client;
use tokio::sync::Mutex;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    avatars::{Pictures, Workshop},
    failure::Failure,
    flows::{delete::MustScrub, errands, follow, housekeeping, keys},
    limit::{AddressLimit, Limit},
    metrics::Metrics,
    options::{Options, Outside, SetupError},
    queue::Queue,
    replay::Replay,
    revocations::Revocations,
    tokens::Tokens,
};

/// How often somebody may change their profile at one server.
const PROFILES_PER_MINUTE: u32 = 300;

/// The server's state. Cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Inner>);

/// See [`App`], which hands it out.
pub struct Inner {
    pub(crate) options: Options,
    pub(crate) store: Store,
    pub(crate) wechat: Client,
    pub(crate) sms: Option<Arc<dyn SmsSender>>,
    pub(crate) mail: Option<Arc<dyn MailSender>>,
    pub(crate) pictures: Option<Pictures>,
    pub(crate) workshop: Workshop,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) tokens: Tokens,
    pub(crate) revocations: Revocations,
    pub(crate) replay: Replay,
    pub(crate) sign_in_limit: AddressLimit,
    /// Of codes that are sent back, which needs no token.
    pub(crate) code_limit: AddressLimit,
    /// Of changes to a profile: each leaves a line in the audit log, which stays.
    pub(crate) profile_limit: Limit<Uid>,
    /// Of stories that take turns which many want.
    pub(crate) queue: Queue,
    /// Of stories that revoke, each of which waits for the numbers of revocations.
    pub(crate) revoking: Queue,
    pub(crate) metrics: Metrics,
    /// Whoever does errands holds this.
    pub(crate) errands: Mutex<()>,
    /// Whether something was deleted that may still be readable.
    pub(crate) must_scrub: MustScrub,
    /// Work that must end before the process does.
    pub(crate) tracker: TaskTracker,
    started: AtomicBool,
    draining: AtomicBool,
}

impl Deref for App {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl App {
    /// Puts the parts together. Nothing is asked of the store yet: see [`App::tend`].
    ///
    /// # Errors
    ///
    /// [`SetupError`] if the options contradict themselves.
    pub fn new(
        options: Options,
        store: Store,
        outside: Outside,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, SetupError> {
        options.check()?;
        Ok(Self(Arc::new(Inner {
            tokens: Tokens::new(options.issuer(), clock.clone(), options.rotation.cache),
            revocations: Revocations::new(options.services.clone(), store.revocation_bell()),
            replay: Replay::new(options.replay_window),
            sign_in_limit: AddressLimit::new(options.sign_in_per_address),
            code_limit: AddressLimit::new(options.sign_in_per_address),
            profile_limit: Limit::new(PROFILES_PER_MINUTE),
            queue: Queue::new(),
            revoking: Queue::new(),
            metrics: Metrics::new(),
            errands: Mutex::new(()),
            must_scrub: MustScrub::default(),
            tracker: TaskTracker::new(),
            started: AtomicBool::new(false),
            draining: AtomicBool::new(false),
            options,
            store,
            wechat: outside.wechat,
            sms: outside.sms,
            mail: outside.mail,
            pictures: outside.pictures,
            workshop: Workshop::new(),
            clock,
        })))
    }

    /// Does what must be done between requests until `stop`: starts the store, however long it is
    /// out of reach, and then looks after keys and old rows every second and follows what was revoked.
    ///
    /// # Errors
    ///
    /// What waiting will not mend: a schema of a newer version, a signing key that cannot be opened.
    pub async fn tend(&self, stop: CancellationToken) -> Result<(), Failure> {
        if !self.is_started() && !self.start_in_time(&stop).await? {
            return Ok(());
        }
        tracing::info!("ready");
        tokio::join!(
            self.every_second(&stop),
            follow::follow(self, &stop),
            follow::listen(self, &stop),
        );
        Ok(())
    }

    async fn every_second(&self, stop: &CancellationToken) {
        let (mut tick, mut is_left) = (0_u32, false);
        while !pause(stop, Duration::from_secs(1)).await {
            tick = tick.wrapping_add(1);
            self.look_after(tick).await;
            if is_left || tick.is_multiple_of(60) {
                is_left = self.purge().await;
            }
        }
    }

    /// Starts as soon as the store can be reached; `false` if `stop` came first.
    async fn start_in_time(&self, stop: &CancellationToken) -> Result<bool, Failure> {
        let mut wait = Duration::from_millis(100);
        loop {
            match self.start().await {
                Ok(()) => return Ok(true),
                Err(Failure::Unavailable(cause)) => {
                    let error = &*cause as &(dyn Error + 'static);
                    tracing::warn!(error, "the store is out of reach; will try again");
                }
                Err(failure) => return Err(failure),
            }
            if pause(stop, wait).await {
                return Ok(false);
            }
            wait = (wait * 2).min(Duration::from_secs(1));
        }
    }

    /// Brings the schema up to date and loads the keys, once.
    ///
    /// # Errors
    ///
    /// The store's.
    pub async fn start(&self) -> Result<(), Failure> {
        if self.options.migrate {
            for name in self.store.migrate().await? {
                tracing::info!(name, "migrated");
            }
        }
        keys::refresh(self).await?;
        follow::poll(self).await?;
        self.started.store(true, Ordering::Release);
        Ok(())
    }

    async fn look_after(&self, tick: u32) {
        // The clock is looked at even when nobody calls, so that a jump back is noticed.
        self.tokens.look(self.clock.now());
        if let Err(failure) = keys::refresh(self).await {
            tracing::warn!(%failure, "the keys could not be looked after");
        }
        self.replay.forget(self.clock.uptime());
        // Beside the rest, so that a provider who says nothing holds nothing up.
        let app = self.clone();
        self.tracker.spawn(async move { app.do_errands().await });
        self.scrub().await;
        if tick.is_multiple_of(60) {
            self.revocations.purge(self.clock.now());
            self.rewrite().await;
        }
    }

    /// Makes what was deleted unreadable in the database's files, if there is any. [`App::tend`] calls
    /// this every second.
    pub async fn scrub(&self) {
        if let Err(failure) = self.must_scrub.attend(self).await {
            tracing::warn!(%failure, "what was deleted could not be scrubbed");
        }
    }

    /// Writes the database's file anew if it is the quietest hour of the week and anything was deleted
    /// since the last time. [`App::tend`] calls this every minute.
    pub async fn rewrite(&self) {
        if let Err(failure) = self.must_scrub.rewrite(self).await {
            tracing::warn!(%failure, "the database's file could not be written anew");
        }
    }

    /// Deletes what is over, or a part of it; whether some may be left. [`App::tend`] calls this every
    /// minute, and every second for as long as some is.
    pub async fn purge(&self) -> bool {
        housekeeping::purge(self).await.unwrap_or_else(|failure| {
            tracing::warn!(%failure, "what is over could not be purged");
            false
        })
    }

    /// Does the errands that are due, a bounded number of them, unless that is being done already: it
    /// sends notices and erases pictures. [`App::tend`] calls this every second.
    pub async fn do_errands(&self) {
        if let Err(failure) = errands::work(self).await {
            tracing::warn!(%failure, "errands could not be looked after");
        }
    }

    /// Says from now on that no new requests should come here.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Release);
        self.revocations.wake();
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Acquire)
    }

    /// Whether the store was reached once and the keys are loaded.
    pub(crate) fn is_started(&self) -> bool {
        self.started.load(Ordering::Acquire)
    }

    /// Waits for stories and flights that have begun, then closes the store.
    pub async fn close(&self) {
        self.tracker.close();
        self.tracker.wait().await;
        self.store.close().await;
    }

    /// The mini program of that name, if it is served here.
    pub(crate) fn served(&self, appid: &str) -> Option<&Appid> {
        let mut apps = self.options.apps.iter().map(|app| &app.appid);
        apps.find(|served| served.as_str() == appid)
    }

    /// The mini program of a request that names none.
    pub(crate) fn default_app(&self) -> Option<&Appid> {
        self.options.apps.first().map(|app| &app.appid)
    }
}

/// Waits; `true` if `stop` came meanwhile.
pub(crate) async fn pause(stop: &CancellationToken, wait: Duration) -> bool {
    tokio::time::timeout(wait, stop.cancelled()).await.is_ok()
}
