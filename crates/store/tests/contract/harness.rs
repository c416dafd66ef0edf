//! A database of its own for every test, gone when the test ends.

use std::{
    future::Future,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use menjin_core::{Appid, IdentityId, Openid, Uid, Unionid};
use menjin_store::{Error, NewIdentity, NewUser, Options, Store, Tx};
use tokio::task::JoinSet;
use tokio_postgres::{Client, NoTls};

/// Declares one test per database.
macro_rules! on_each_database {
    ($($(#[$about:meta])* async fn $name:ident($db:ident) $body:block)+) => {$(
        $(#[$about])*
        mod $name {
            use super::*;

            async fn story($db: Db) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                on_sqlite(story).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                on_postgres(story).await;
            }
        }
    )+};
}
pub(crate) use on_each_database;

/// An open, migrated store, and the way to it for whoever needs another.
#[derive(Clone)]
pub(crate) struct Db {
    pub(crate) store: Store,
    pub(crate) url: String,
}

impl Db {
    pub(crate) async fn open(url: &str) -> Self {
        // Patient, so that a slow machine fails nothing; tests of impatience bring their own.
        let options = Options {
            wait: Duration::from_secs(30),
            ..Options::new(url)
        };
        let store = Store::open(&options).await.unwrap();
        store.migrate().await.unwrap();
        Self {
            store,
            url: url.to_owned(),
        }
    }

    /// The file, on SQLite.
    pub(crate) fn file(&self) -> PathBuf {
        self.url.strip_prefix("sqlite://").unwrap().into()
    }

    /// Runs SQL that the store itself would not, and gives the first column of each row as text.
    pub(crate) async fn raw(&self, sql: &str) -> Result<Vec<String>, String> {
        if self.store.is_shared() {
            let client = connect(&self.url).await;
            let rows = client.query(sql, &[]).await;
            let rows = rows.map_err(|error| error.as_db_error().unwrap().message().to_owned())?;
            return Ok(rows
                .iter()
                .map(|row| row.get::<_, Option<String>>(0).unwrap())
                .collect());
        }
        let connection = rusqlite::Connection::open(self.file()).unwrap();
        let mut statement = connection.prepare(sql).map_err(|error| error.to_string())?;
        let rows = statement
            .query_map([], |row| row.get(0))
            .map_err(|error| error.to_string())?;
        rows.collect::<Result<_, _>>()
            .map_err(|error| error.to_string())
    }
}

/// A folder that goes when this does.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        let folder = std::env::temp_dir().join(unique());
        std::fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn url(&self) -> String {
        format!("sqlite://{}", self.0.join("menjin.db").display())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub(crate) async fn on_sqlite<F: Future<Output = ()>>(story: impl FnOnce(Db) -> F) {
    let folder = Folder::new();
    story(Db::open(&folder.url()).await).await;
}

pub(crate) async fn on_postgres<F>(story: impl FnOnce(Db) -> F + Send + 'static)
where
    F: Future<Output = ()> + Send + 'static,
{
    on_empty_postgres(|url| async move { story(Db::open(&url).await).await }).await;
}

/// Makes a database, hands over its address, and drops it, whatever happened.
pub(crate) async fn on_empty_postgres<F>(story: impl FnOnce(String) -> F + Send + 'static)
where
    F: Future<Output = ()> + Send + 'static,
{
    let server = server();
    let admin = connect(&format!("{server}/postgres")).await;
    let name = unique();
    admin
        .batch_execute(&format!("CREATE DATABASE {name}"))
        .await
        .unwrap();
    // A task, so that a story that fails does not keep the database from being dropped.
    let mut told = JoinSet::new();
    told.spawn(story(format!("{server}/{name}")));
    let told = told.join_next().await.unwrap();
    admin
        .batch_execute(&format!("DROP DATABASE {name} WITH (FORCE)"))
        .await
        .unwrap();
    if let Err(failure) = told {
        std::panic::resume_unwind(failure.into_panic());
    }
}

/// The address of the server, without a database.
#[expect(
    clippy::disallowed_methods,
    reason = "tests are told by their environment"
)]
pub(crate) fn server() -> String {
    std::env::var("MENJIN_TEST_POSTGRES").expect("MENJIN_TEST_POSTGRES is not set: run script/test")
}

/// A connection past the store.
pub(crate) async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    let mut task = JoinSet::new();
    task.spawn(connection);
    task.detach_all();
    client
}

fn unique() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let random = IdentityId::random()
        .as_bytes()
        .map(|byte| format!("{byte:02x}"))
        .concat();
    format!(
        "menjin_test_{}_{}",
        NEXT.fetch_add(1, Ordering::Relaxed),
        &random[..12]
    )
}

pub(crate) fn appid() -> Appid {
    Appid::parse("wx0123456789abcdef").unwrap()
}

pub(crate) fn openid(name: &str) -> Openid {
    Openid::parse(&format!("oGZUI0{name}")).unwrap()
}

pub(crate) fn unionid(name: &str) -> Unionid {
    Unionid::parse(&format!("uGZUI0{name}")).unwrap()
}

/// Somebody never seen before.
pub(crate) fn newcomer(name: &str) -> NewIdentity {
    NewIdentity {
        id: IdentityId::random(),
        appid: appid(),
        openid: openid(name),
        unionid: None,
        session_key: b"sealed".to_vec(),
        session_key_digest: [1; 32],
        release: None,
        now: 1_000,
    }
}

/// An account about to be made, with nothing but its number.
pub(crate) fn account(phone: Option<&str>) -> NewUser<'_> {
    NewUser {
        phone,
        phone_verified_at: phone.map(|_| 900),
        ..NewUser::empty(1_000)
    }
}

/// Makes an account, and an identity that is linked to it.
pub(crate) async fn user_with_identity(tx: &mut Tx, new: &NewIdentity) -> Result<Uid, Error> {
    let uid = tx.user_create(&account(None)).await?.unwrap();
    assert!(tx.identity_create(new).await?.is_some());
    assert!(tx.identity_link(&new.id, uid).await?);
    Ok(uid)
}

/// Tells a story of a few statements: `tell!(db, |tx| { .. })`, in which `?` works.
macro_rules! tell {
    ($db:expr, |$tx:ident| $body:expr) => {
        $db.store
            .write(move |$tx| Box::pin(async move { $body }))
            .await
    };
}
pub(crate) use tell;

/// As `tell!`, but only reads.
macro_rules! ask {
    ($db:expr, |$tx:ident| $body:expr) => {
        $db.store
            .read(move |$tx| Box::pin(async move { $body }))
            .await
    };
}
pub(crate) use ask;
