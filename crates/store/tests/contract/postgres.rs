//! What holds of a server: it goes away, hangs, comes back, and is sometimes not there yet.

use std::{sync::Arc, time::Duration};

use menjin_store::{Error, Options, Store};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
    time::{Instant, timeout},
};

use crate::harness::{
    Db, account, appid, ask, connect, newcomer, on_empty_postgres, on_postgres, openid, server,
    tell,
};

/// What the way to the server does with what passes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Passes,
    Hangs,
    Cut,
}

/// A way to the server that can be cut.
struct Way {
    url: String,
    mode: watch::Sender<Mode>,
    _task: JoinSet<()>,
}

impl Way {
    /// A way to the database that `url` names.
    async fn to(url: &str) -> Self {
        let host = server().rsplit('@').next().unwrap().to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let here = listener.local_addr().unwrap().to_string();
        let (mode, now) = watch::channel(Mode::Passes);
        let mut task = JoinSet::new();
        let url = url.replace(&host, &here);
        task.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                connections.spawn(pass(client, host.clone(), now.clone()));
            }
        });
        Self {
            url,
            mode,
            _task: task,
        }
    }
}

async fn pass(mut client: TcpStream, host: String, mut mode: watch::Receiver<Mode>) {
    if *mode.borrow_and_update() == Mode::Cut {
        return;
    }
    let mut server = TcpStream::connect(host).await.unwrap();
    loop {
        let now = *mode.borrow_and_update();
        match now {
            Mode::Cut => return,
            Mode::Hangs => mode.changed().await.unwrap(),
            Mode::Passes => tokio::select! {
                _ = copy_bidirectional(&mut client, &mut server) => return,
                changed = mode.changed() => changed.unwrap(),
            },
        }
    }
}

#[tokio::test]
async fn a_program_may_start_before_its_database() {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let url = format!("postgres://postgres@127.0.0.1:{port}/menjin");
    let store = Store::open(&Options::new(url)).await.unwrap();
    assert_eq!(store.waits().connections, 0);
    assert!(store.check().await.unwrap_err().is_unavailable());
    let error = store.migrate().await.unwrap_err();
    assert!(error.is_unavailable(), "{error:?}");
    let db = Db {
        store,
        url: String::new(),
    };
    let error = ask!(db, |tx| tx.identity_find(&appid(), &openid("li")).await).unwrap_err();
    assert!(error.is_unavailable(), "{error:?}");
    let error = tell!(db, |tx| tx.identity_create(&newcomer("li")).await).unwrap_err();
    assert!(error.is_unavailable(), "{error:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_callers_who_leave_leave_no_transaction_open() {
    on_postgres(async |db| {
        for n in 0..1_000 {
            let story = db.store.write(move |tx| {
                Box::pin(async move {
                    tx.identity_create(&newcomer(&format!("n{n}"))).await?;
                    tx.identity_find(&appid(), &openid("n0")).await
                })
            });
            // Each is left at another moment.
            let _ = timeout(Duration::from_micros(n * 7 % 3_000), story).await;
        }
        // As many as there are connections, so that none of them is in a transaction any more.
        let mut every = JoinSet::new();
        for _ in 0..64 {
            let db = db.clone();
            every.spawn(async move { tell!(db, |tx| tx.user_create(&account(None)).await) });
        }
        assert!(every.join_all().await.into_iter().all(|made| made.is_ok()));
        db.store.close().await;
        let idle = db
            .raw(
                "SELECT state FROM pg_stat_activity
                  WHERE datname = current_database() AND state LIKE 'idle in transaction%'",
            )
            .await;
        assert_eq!(idle.unwrap(), Vec::<String>::new());
    })
    .await;
}

/// Asks until the answer comes, at most two seconds long.
async fn recovers(db: &Db) {
    let since = Instant::now();
    loop {
        let told = tell!(db, |tx| tx.user_create(&account(None)).await);
        match told {
            Ok(_) => return,
            Err(error) => assert!(error.is_unavailable(), "{error:?}"),
        }
        assert!(
            since.elapsed() < Duration::from_secs(2),
            "it does not recover"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_goes_and_comes_back_needs_no_restart_of_ours() {
    on_empty_postgres(async |url| {
        let way = Way::to(&url).await;
        let store = Store::open(&Options::new(&*way.url)).await.unwrap();
        store.migrate().await.unwrap();
        let db = Db { store, url };
        for _ in 0..3 {
            let mut stories = JoinSet::new();
            for n in 0..200 {
                let db = db.clone();
                stories.spawn(async move {
                    match n % 2 {
                        0 => tell!(db, |tx| tx.user_create(&account(None)).await).err(),
                        _ => ask!(db, |tx| tx.key_all().await).err(),
                    }
                });
            }
            stories.join_next().await;
            way.mode.send(Mode::Cut).unwrap();
            for error in stories.join_all().await.into_iter().flatten() {
                assert!(error.is_unavailable(), "{error:?}");
            }
            let error = tell!(db, |tx| tx.user_create(&account(None)).await).unwrap_err();
            assert!(error.is_unavailable(), "{error:?}");
            way.mode.send(Mode::Passes).unwrap();
            recovers(&db).await;
            assert!(db.store.check().await.is_ok());
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_ends_our_sessions_is_asked_again() {
    on_postgres(async |db| {
        let mut first = JoinSet::new();
        for _ in 0..32 {
            let db = db.clone();
            first.spawn(async move { tell!(db, |tx| tx.user_create(&account(None)).await) });
        }
        first.join_all().await;
        let ended = db
            .raw(
                "SELECT CAST(pg_terminate_backend(pid, 1000) AS TEXT) FROM pg_stat_activity
                  WHERE datname = current_database() AND pid <> pg_backend_pid()",
            )
            .await;
        assert!(ended.unwrap().len() > 1);
        recovers(&db).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_hangs_costs_a_caller_less_than_three_seconds() {
    on_empty_postgres(async |url| {
        let way = Way::to(&url).await;
        let store = Store::open(&Options::new(&*way.url)).await.unwrap();
        store.migrate().await.unwrap();
        let db = Db { store, url };
        recovers(&db).await;
        way.mode.send(Mode::Hangs).unwrap();
        let since = Instant::now();
        let mut callers = JoinSet::new();
        for n in 0..100 {
            let db = db.clone();
            callers.spawn(async move {
                match n % 3 {
                    0 => tell!(db, |tx| tx.user_create(&account(None)).await).map(drop),
                    1 => ask!(db, |tx| tx.key_all().await).map(drop),
                    _ => db.store.check().await,
                }
            });
        }
        for told in callers.join_all().await {
            let error = told.unwrap_err();
            assert!(error.is_unavailable(), "{error:?}");
        }
        assert!(
            since.elapsed() < Duration::from_secs(3),
            "{:?}",
            since.elapsed()
        );
        assert!(db.store.waits().connections <= 16);
        assert!(db.store.waits().refused > 0);
        way.mode.send(Mode::Passes).unwrap();
        recovers(&db).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn callers_past_the_last_connection_wait_and_are_then_refused() {
    on_empty_postgres(async |url| {
        let options = Options {
            connections: 1,
            wait: Duration::from_millis(300),
            ..Options::new(&*url)
        };
        let store = Store::open(&options).await.unwrap();
        store.migrate().await.unwrap();
        let db = Db {
            store,
            url: url.clone(),
        };
        let uid = tell!(db, |tx| tx.user_create(&account(None)).await)
            .unwrap()
            .unwrap();
        // Somebody else holds the row that the first story wants, and so its connection.
        let other = connect(&url).await;
        other
            .batch_execute("BEGIN; UPDATE users SET epoch = 9")
            .await
            .unwrap();
        let mut callers = JoinSet::new();
        for _ in 0..20 {
            let db = db.clone();
            callers.spawn(async move { tell!(db, |tx| tx.user_raise_epoch(uid, 1).await) });
        }
        let (mut late, mut busy) = (0, 0);
        for told in callers.join_all().await {
            match told.unwrap_err() {
                Error::Late => late += 1,
                Error::Busy => busy += 1,
                other => panic!("{other:?}"),
            }
        }
        assert_eq!((late, busy), (1, 19));
        other.batch_execute("COMMIT").await.unwrap();
        recovers(&db).await;
        // The story whose caller was told that it is late went on by itself.
        let user = ask!(db, |tx| tx.user_find(uid).await).unwrap().unwrap();
        assert_eq!(user.epoch, 10);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_error_does_not_show_what_a_row_holds() {
    on_postgres(async |db| {
        let first = newcomer("secretopenid");
        let second = menjin_store::NewIdentity {
            id: first.id,
            ..newcomer("other")
        };
        tell!(db, |tx| tx.identity_create(&first).await).unwrap();
        let error = tell!(db, |tx| tx.identity_create(&second).await).unwrap_err();
        let shown = format!("{error} {error:?}");
        assert!(
            shown.contains("23505") && !shown.contains("Key (id)"),
            "{shown}"
        );
        assert!(!error.is_unavailable());
        let held: Arc<dyn std::error::Error> = Arc::new(error);
        assert!(held.source().is_none());
    })
    .await;
}
