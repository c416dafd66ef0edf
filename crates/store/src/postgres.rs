//! PostgreSQL: a pool, and a task of its own for every story that writes.

mod tls;

use std::{
    future::poll_fn,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use deadpool_postgres::{Client, Hook, HookError, Manager, ManagerConfig, Pool, RecyclingMethod};
use menjin_core::clock::millis;
use tokio::{
    sync::watch,
    time::{Instant, timeout, timeout_at},
};
use tokio_postgres::{AsyncMessage, Config, Socket, tls::MakeTlsConnect};
use tokio_postgres_rustls::MakeRustlsConnect;
use tokio_util::task::TaskTracker;

use crate::{
    Options, Telling, Waits,
    error::{Error, Said},
    migrations,
    revocations::Bell,
    tx::{Connection, Tx},
};

/// How long [`crate::Store::check`] waits.
const CHECK: Duration = Duration::from_millis(800);
/// How long a story may hold a connection, long after its caller has gone.
const STORY: Duration = Duration::from_secs(10);
/// What the server is to end by itself, since it does not notice that nobody waits any more: a
/// statement that waits for a lock longer than its caller, one that takes long, and a transaction whose
/// program hangs and keeps a lock.
const LIMITS: &str = "SET lock_timeout = 2000; SET statement_timeout = 5000; \
     SET idle_in_transaction_session_timeout = 15000";
/// How long what was sent may stay unacknowledged before the connection counts as dead.
const UNACKNOWLEDGED: Duration = Duration::from_secs(5);
/// How long other replicas' being told may take.
const NOTICE: Duration = Duration::from_millis(500);
const NOTIFY: &str = "NOTIFY menjin_revocations";
const LISTEN: &str = "LISTEN menjin_revocations";
/// Any number will do, as long as no other program locks it in this database.
const MIGRATING: i64 = 0x6d65_6e6a_696e;

/// A pool of connections to one server.
#[derive(Clone, Debug)]
pub struct Database {
    pool: Pool,
    config: Arc<Config>,
    /// The file of authorities, if not the public ones.
    root: Option<Arc<Path>>,
    tasks: TaskTracker,
    wait: Duration,
    refused: Arc<AtomicU64>,
    bell: Bell,
    tokens_last: i64,
}

impl Database {
    pub(crate) fn open(options: &Options) -> Result<Self, Error> {
        let (url, root) = tls::split(&options.url);
        let config = configure(&url, options.wait)?;
        let tls = tls::connector(config.get_ssl_mode(), root.as_deref())?;
        let recycling = ManagerConfig {
            recycling_method: RecyclingMethod::Fast,
        };
        let manager = Manager::from_config(config.clone(), tls, recycling);
        let pool = Pool::builder(manager)
            .max_size(options.connections.max(1))
            .post_create(Hook::async_fn(|client, _| {
                Box::pin(async {
                    client
                        .batch_execute(LIMITS)
                        .await
                        .map_err(HookError::Backend)
                })
            }))
            .build()
            .map_err(|error| Error::Url(error.to_string()))?;
        Ok(Self {
            pool,
            config: Arc::new(config),
            root: root.map(Arc::from),
            tasks: TaskTracker::new(),
            wait: options.wait,
            refused: Arc::default(),
            bell: Bell::new(),
            tokens_last: millis(options.tokens_last),
        })
    }

    pub(crate) async fn migrate(&self) -> Result<Vec<String>, Error> {
        let mut client = self.alone().await?;
        client
            .query_one("SELECT pg_advisory_lock($1)", &[&MIGRATING])
            .await?;
        let applied = applied(&client).await?;
        migrations::pending(migrations::POSTGRES, applied)?;
        let runner = migrations::runner(migrations::POSTGRES)?;
        let report = runner.run_async(&mut client).await?;
        Ok(migrations::names(&report))
    }

    pub(crate) async fn pending(&self) -> Result<Vec<String>, Error> {
        let deadline = Instant::now() + self.wait;
        let client = self.client(deadline).await?;
        let applied = timeout_at(deadline, applied(&client))
            .await
            .map_err(|_| Error::Late)?;
        migrations::pending(migrations::POSTGRES, applied?)
    }

    pub(crate) async fn check(&self) -> Result<(), Error> {
        let deadline = Instant::now() + CHECK;
        let client = self.client(deadline).await?;
        if let Ok(answer) = timeout_at(deadline, client.simple_query("SELECT 1")).await {
            return Ok(answer.map(drop)?);
        }
        discard(client);
        Err(Error::Late)
    }

    pub(crate) fn waits(&self) -> Waits {
        let status = self.pool.status();
        Waits {
            queued: status.waiting,
            connections: status.size,
            refused: self.refused.load(Ordering::Relaxed),
        }
    }

    pub(crate) async fn close(&self) {
        self.pool.close();
        self.tasks.close();
        let _ = timeout(self.wait, self.tasks.wait()).await;
    }

    pub(crate) async fn write<T, E, F>(&self, story: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
        F: for<'t> FnOnce(&'t mut Tx) -> Telling<'t, T, E> + Send + 'static,
    {
        let deadline = Instant::now() + self.wait;
        let database = self.clone();
        // A task of its own: when a client hangs up, its handler is dropped, and a story dropped
        // half-way is a story half told.
        let telling = self.tasks.spawn(async move {
            let client = database.client(deadline).await?;
            let mut tx = Tx::new(Connection::Postgres(client));
            tx.tokens_last = database.tokens_last;
            let mut open = Open(Some(tx), database.bell);
            timeout(STORY, open.tell(story))
                .await
                .map_err(|_| Error::Late)?
        });
        match timeout_at(deadline + GRACE, telling).await {
            Ok(told) => told.map_err(|_| Error::Broken)?,
            Err(_) => Err(Error::Late.into()),
        }
    }

    pub(crate) async fn read<T, E, F>(&self, story: F) -> Result<T, E>
    where
        E: From<Error>,
        F: for<'t> FnOnce(&'t mut Tx) -> Telling<'t, T, E>,
    {
        let deadline = Instant::now() + self.wait;
        let mut tx = Tx::new(Connection::Postgres(self.client(deadline).await?));
        let told = timeout_at(deadline, story(&mut tx)).await;
        // In time or not, who takes the connection next would wait for an answer that is still to
        // come, or hear of the same failure.
        if told.is_err() || tx.unfit {
            tx.discard();
        }
        told.unwrap_or_else(|_| Err(Error::Late.into()))
    }

    pub(crate) fn revocation_bell(&self) -> watch::Receiver<u64> {
        self.bell.hear()
    }

    pub(crate) async fn listen(&self) -> Result<(), Error> {
        let (client, mut connection) = self.connect().await?;
        let listening = async {
            client.batch_execute(LISTEN).await?;
            // What was said before this connection listened was not heard.
            self.bell.ring();
            std::future::pending::<Result<(), Error>>().await
        };
        let hearing = async {
            while let Some(message) = poll_fn(|cx| connection.poll_message(cx)).await {
                if let AsyncMessage::Notification(_) = message? {
                    self.bell.ring();
                }
            }
            Ok(())
        };
        tokio::select! {
            ended = listening => ended,
            ended = hearing => ended,
        }
    }

    /// A connection from the pool, [`Error::Busy`] if none is free in time.
    async fn client(&self, deadline: Instant) -> Result<Client, Error> {
        let client = timeout_at(deadline, self.pool.get()).await;
        let client = client.map_or(Err(Error::Busy), |client| client.map_err(Error::from));
        if client.is_err() {
            self.refused.fetch_add(1, Ordering::Relaxed);
        }
        client
    }

    /// A connection outside the pool, for work that takes its time.
    async fn alone(&self) -> Result<tokio_postgres::Client, Error> {
        let (client, connection) = self.connect().await?;
        self.tasks.spawn(connection);
        Ok(client)
    }

    async fn connect(&self) -> Result<(tokio_postgres::Client, Wire), Error> {
        let tls = tls::connector(self.config.get_ssl_mode(), self.root.as_deref())?;
        let connecting = timeout(self.wait, self.config.connect(tls)).await;
        connecting
            .map_err(|_| Error::Busy)?
            .map_err(|error| Error::Pool(Said::from(&error)))
    }
}

/// What carries a connection; somebody has to poll it.
type Wire =
    tokio_postgres::Connection<Socket, <MakeRustlsConnect as MakeTlsConnect<Socket>>::Stream>;

/// How much longer than the task the caller waits, so that it hears why.
const GRACE: Duration = Duration::from_millis(100);

/// A transaction that is still open. Dropped like that (a panic, a failed commit), its connection is
/// closed: back in the pool, it would put other people's statements into this transaction.
struct Open(Option<Tx>, Bell);

impl Open {
    async fn tell<T, E, F>(&mut self, story: F) -> Result<T, E>
    where
        E: From<Error>,
        F: for<'t> FnOnce(&'t mut Tx) -> Telling<'t, T, E>,
    {
        let Some(tx) = self.0.as_mut() else {
            return Err(Error::Broken.into());
        };
        tx.batch("BEGIN").await?;
        let mut told = story(tx).await;
        let has_revoked = told.is_ok() && !tx.revoked.is_empty();
        if has_revoked && let Err(error) = tx.number_revocations().await {
            told = Err(error.into());
        }
        if tx.unfit || (tx.failed && told.is_ok()) {
            return told.and_then(|_| Err(Error::Broken.into()));
        }
        let kept = told.is_ok();
        match tx.batch(if kept { "COMMIT" } else { "ROLLBACK" }).await {
            // The connection broke before the server's word came: it may have committed.
            Err(error) if kept && error.is_unavailable() => return Err(Error::Late.into()),
            ended => ended?,
        }
        if kept && has_revoked {
            self.1.ring();
            // Whoever does not hear it asks within a second. A connection that will not carry it is
            // left to be closed.
            match timeout(NOTICE, tx.batch(NOTIFY)).await {
                Ok(Ok(())) => {}
                _ => return told,
            }
        }
        self.0 = None;
        told
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        if let Some(tx) = self.0.take() {
            tx.discard();
        }
    }
}

impl Tx {
    async fn batch(&mut self, sql: &str) -> Result<(), Error> {
        if let Connection::Postgres(client) = &self.connection {
            client.batch_execute(sql).await?;
        }
        Ok(())
    }

    fn discard(self) {
        if let Connection::Postgres(client) = self.connection {
            discard(client);
        }
    }
}

fn discard(client: Client) {
    drop(Client::take(client));
}

fn configure(url: &str, wait: Duration) -> Result<Config, Error> {
    let known = ["postgres://", "postgresql://"]
        .iter()
        .any(|scheme| url.starts_with(scheme));
    if !known {
        return Err(Error::Url(
            "a database address begins with sqlite: or postgres://".to_owned(),
        ));
    }
    let mut config: Config = url.parse().map_err(|error: tokio_postgres::Error| {
        Error::Url(format!(
            "the PostgreSQL address cannot be used: {}",
            Said::from(&error)
        ))
    })?;
    if config.get_connect_timeout().is_none() {
        // So that there is time left for the second of two hosts when the first is gone.
        let hosts = u32::try_from(config.get_hosts().len()).unwrap_or(1).max(1);
        config.connect_timeout(wait / hosts);
    }
    if config.get_tcp_user_timeout().is_none() {
        config.tcp_user_timeout(UNACKNOWLEDGED);
    }
    if config.get_application_name().is_none() {
        config.application_name("menjin");
    }
    config.keepalives_idle(Duration::from_secs(10));
    config.keepalives_interval(Duration::from_secs(3));
    config.keepalives_retries(3);
    Ok(config)
}

/// The newest migration in the database.
async fn applied(client: &tokio_postgres::Client) -> Result<Option<i64>, Error> {
    let there = client.query_one(
        "SELECT to_regclass($1) IS NOT NULL",
        &[&migrations::HISTORY],
    );
    if !there.await?.try_get::<_, bool>(0)? {
        return Ok(None);
    }
    let sql = format!("SELECT MAX(version)::bigint FROM {}", migrations::HISTORY);
    Ok(client.query_one(&sql, &[]).await?.try_get(0)?)
}
