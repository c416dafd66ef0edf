//! Signing keys, and replicas that make the next one together.

use menjin_store::KeyRow;
use tokio::task::JoinSet;

use crate::harness::{Db, ask, on_each_database, on_postgres, on_sqlite, tell};

fn key(number: i64, kid: &str) -> KeyRow {
    KeyRow {
        number,
        kid: kid.to_owned(),
        algorithm: "ES256".to_owned(),
        public_jwk: "{\"kty\":\"EC\"}".to_owned(),
        private_key: b"sealed".to_vec(),
        created_at: 1_000,
        signs_from: 2_000,
        removed_at: None,
    }
}

on_each_database! {
    async fn keys_come_back_in_order(db) {
        for (number, kid) in [(10, "c"), (2, "b"), (1, "a")] {
            assert!(tell!(db, |tx| tx.key_insert(&key(number, kid)).await).unwrap());
        }
        let all = ask!(db, |tx| tx.key_all().await).unwrap();
        assert_eq!(all, [key(1, "a"), key(2, "b"), key(10, "c")]);
    }

    async fn replicas_that_start_together_make_one_key(db) {
        let mut replicas = JoinSet::new();
        for replica in 0..20 {
            let db = db.clone();
            replicas.spawn(async move {
                tell!(db, |tx| tx.key_insert(&key(1, &format!("k{replica}"))).await).unwrap()
            });
        }
        let made = replicas.join_all().await.into_iter().filter(|made| *made).count();
        assert_eq!(made, 1);
        assert_eq!(ask!(db, |tx| tx.key_all().await).unwrap().len(), 1);
    }

    async fn a_kid_names_one_key(db) {
        assert!(tell!(db, |tx| tx.key_insert(&key(1, "a")).await).unwrap());
        assert!(!tell!(db, |tx| tx.key_insert(&key(2, "a")).await).unwrap());
    }

    async fn a_removed_key_loses_its_private_part_for_good(db) {
        tell!(db, |tx| tx.key_insert(&key(1, "a")).await).unwrap();
        assert!(tell!(db, |tx| tx.key_schedule(1, 5_000).await).unwrap());
        assert!(tell!(db, |tx| tx.key_reseal(1, b"sealed again").await).unwrap());
        let all = ask!(db, |tx| tx.key_all().await).unwrap();
        let private_key = b"sealed again".to_vec();
        assert_eq!(all, [KeyRow { signs_from: 5_000, private_key, ..key(1, "a") }]);

        assert!(tell!(db, |tx| tx.key_remove("a", 6_000).await).unwrap());
        assert!(!tell!(db, |tx| tx.key_remove("a", 7_000).await).unwrap());
        assert!(!tell!(db, |tx| tx.key_reseal(1, b"back").await).unwrap());
        assert!(!tell!(db, |tx| tx.key_schedule(1, 8_000).await).unwrap());
        let all = ask!(db, |tx| tx.key_all().await).unwrap();
        let removed = KeyRow {
            signs_from: 5_000, private_key: Vec::new(), removed_at: Some(6_000), ..key(1, "a")
        };
        assert_eq!(all, [removed]);

        assert!(tell!(db, |tx| tx.key_delete(1).await).unwrap());
        assert!(!tell!(db, |tx| tx.key_delete(1).await).unwrap());
        assert!(ask!(db, |tx| tx.key_all().await).unwrap().is_empty());
    }
}
