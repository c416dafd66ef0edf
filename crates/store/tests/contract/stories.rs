//! Stories: whole or not at all, whatever happens to them and around them.

use std::sync::Arc;

use menjin_store::{Error, Writes};
use tokio::{sync::Notify, task::JoinSet};

use crate::harness::{
    Db, account, appid, ask, newcomer, on_each_database, on_postgres, on_sqlite, openid, tell,
};

async fn is_there(db: &Db, name: &'static str) -> bool {
    let found = ask!(db, |tx| tx.identity_find(&appid(), &openid(name)).await);
    found.unwrap().is_some()
}

/// Panics as a bug would, but without a word: a page of it for each would hide what matters.
#[expect(clippy::unnecessary_wraps, reason = "the end of a story")]
fn bug(strikes: bool) -> Result<(), Error> {
    if strikes {
        std::panic::resume_unwind(Box::new("a bug"));
    }
    Ok(())
}

on_each_database! {
    async fn a_story_that_fails_leaves_nothing(db) {
        let failed = tell!(db, |tx| {
            tx.identity_create(&newcomer("li")).await?;
            Err::<(), _>(Error::Column(0))
        });
        assert!(matches!(failed, Err(Error::Column(0))));
        assert!(!is_there(&db, "li").await);
    }

    async fn a_story_sees_what_it_wrote(db) {
        let seen = tell!(db, |tx| {
            tx.identity_create(&newcomer("li")).await?;
            tx.identity_find(&appid(), &openid("li")).await
        });
        assert!(seen.unwrap().is_some());
    }

    async fn a_story_whose_caller_left_still_ends(db) {
        let (first, last) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let (store, begun, over) = (db.store.clone(), first.clone(), last.clone());
        let mut caller = JoinSet::new();
        caller.spawn(async move {
            store.write(move |tx| Box::pin(async move {
                begun.notify_one();
                for name in ["one", "two", "three"] {
                    tx.identity_create(&newcomer(name)).await?;
                }
                over.notify_one();
                Ok::<_, Error>(())
            })).await
        });
        first.notified().await;
        caller.abort_all();
        last.notified().await;
        // Whatever is told next comes after it: on SQLite in the same thread, on PostgreSQL since
        // the insert waits for the other's row.
        tell!(db, |tx| tx.identity_create(&newcomer("three")).await).unwrap();
        for name in ["one", "two", "three"] {
            assert!(is_there(&db, name).await, "{name}");
        }
    }

    async fn a_story_that_panics_poisons_nothing(db) {
        for _ in 0..20 {
            let broken = tell!(db, |tx| {
                tx.identity_create(&newcomer("sun")).await?;
                bug(true)
            });
            assert!(matches!(broken, Err(Error::Broken)));
        }
        assert!(tell!(db, |tx| tx.identity_create(&newcomer("qian")).await).unwrap().is_some());
        let before = db.store.waits().connections;
        for _ in 0..20 {
            let reader = db.clone();
            let mut task = JoinSet::new();
            task.spawn(async move {
                ask!(reader, |tx| {
                    tx.identity_find(&appid(), &openid("sun")).await?;
                    bug(true)
                })
            });
            assert!(task.join_next().await.unwrap().unwrap_err().is_panic());
        }
        assert!(db.store.waits().connections <= before + 1);
        for _ in 0..20 {
            assert!(is_there(&db, "qian").await);
            assert!(!is_there(&db, "sun").await);
        }
    }

    async fn a_panic_spares_the_stories_beside_it(db) {
        let mut stories = JoinSet::new();
        for n in 0..64 {
            let db = db.clone();
            stories.spawn(async move {
                let made = tell!(db, |tx| {
                    tx.identity_create(&newcomer(&format!("n{n}"))).await?;
                    bug(n % 2 == 1)
                });
                assert_eq!(made.is_ok(), n % 2 == 0);
            });
        }
        stories.join_all().await;
        let rows = db.raw("SELECT CAST(COUNT(*) AS TEXT) FROM identities").await.unwrap();
        assert_eq!(rows, ["32"]);
    }

    async fn a_story_of_one_row_that_fails_spares_those_beside_it(db) {
        let first = newcomer("first");
        let id = first.id;
        tell!(db, |tx| tx.identity_create(&first).await).unwrap();
        let mut stories = JoinSet::new();
        for n in 0..64 {
            let db = db.clone();
            stories.spawn(async move {
                let mut new = newcomer(&format!("n{n}"));
                if n % 2 == 1 {
                    // One id for two people.
                    new.id = id;
                }
                let made = db.store.write_as(Writes::OneRow, move |tx| Box::pin(async move {
                    tx.identity_create(&new).await
                }));
                assert_eq!(made.await.is_ok(), n % 2 == 0);
            });
        }
        stories.join_all().await;
        let rows = db.raw("SELECT CAST(COUNT(*) AS TEXT) FROM identities").await.unwrap();
        assert_eq!(rows, ["33"]);
    }

    async fn a_story_that_goes_on_after_an_error_is_not_kept(db) {
        let first = newcomer("li");
        let twin = menjin_store::NewIdentity { id: first.id, ..newcomer("wang") };
        let told = tell!(db, |tx| {
            tx.identity_create(&first).await?;
            // One id for two people: no conflict that may rightly happen.
            assert!(tx.identity_create(&twin).await.is_err());
            let after = tx.identity_create(&newcomer("zhao")).await;
            assert!(matches!(after, Err(Error::Broken)), "{after:?}");
            Ok::<_, Error>(())
        });
        assert!(matches!(told, Err(Error::Broken)), "{told:?}");
        for name in ["li", "wang", "zhao"] {
            assert!(!is_there(&db, name).await, "{name}");
        }
    }

    async fn sixteen_at_once_all_happen(db) {
        let mut stories = JoinSet::new();
        for n in 0..16 {
            let db = db.clone();
            stories.spawn(async move {
                tell!(db, |tx| tx.identity_create(&newcomer(&format!("n{n}"))).await)
            });
        }
        assert!(stories.join_all().await.into_iter().all(|made| made.unwrap().is_some()));
    }

    async fn one_row_raised_by_many_loses_no_step(db) {
        let uid = tell!(db, |tx| tx.user_create(&account(None)).await).unwrap().unwrap();
        let mut stories = JoinSet::new();
        for _ in 0..100 {
            let db = db.clone();
            stories.spawn(async move {
                tell!(db, |tx| tx.user_raise_epoch(uid, 1).await).unwrap().unwrap()
            });
        }
        let mut epochs = stories.join_all().await;
        epochs.sort_unstable();
        assert_eq!(epochs, (1..=100).collect::<Vec<_>>());
    }

    async fn a_closed_store_is_busy(db) {
        let mut last = JoinSet::new();
        let before = db.clone();
        last.spawn(async move {
            tell!(before, |tx| tx.identity_create(&newcomer("li")).await)
        });
        assert!(last.join_next().await.unwrap().unwrap().unwrap().is_some());
        db.store.close().await;
        db.store.close().await;
        let late = tell!(db, |tx| tx.identity_create(&newcomer("wang")).await);
        assert!(matches!(late, Err(Error::Busy)), "{late:?}");
        let late = ask!(db, |tx| tx.identity_find(&appid(), &openid("li")).await);
        assert!(matches!(late, Err(Error::Busy)), "{late:?}");
        assert!(db.store.check().await.unwrap_err().is_unavailable());
        let rows = db.raw("SELECT openid FROM identities").await.unwrap();
        assert_eq!(rows, ["oGZUI0li"]);
    }

    async fn an_open_store_answers(db) {
        db.store.check().await.unwrap();
        let waits = db.store.waits();
        assert_eq!((waits.queued, waits.refused), (0, 0));
        assert!(waits.connections > 0);
    }
}

/// On SQLite a story that awaits anything else would hold up every other.
#[tokio::test]
async fn a_story_may_await_nothing_but_its_transaction() {
    on_sqlite(async |db| {
        let told = tell!(db, |tx| {
            tx.identity_create(&newcomer("li")).await?;
            tokio::task::yield_now().await;
            Ok::<(), Error>(())
        });
        assert!(matches!(told, Err(Error::Broken)));
        let told = ask!(db, |_tx| {
            tokio::task::yield_now().await;
            Ok::<(), Error>(())
        });
        assert!(matches!(told, Err(Error::Broken)));
        assert!(!is_there(&db, "li").await);
    })
    .await;
}
