//! Both databases hold the same, and every statement fits both.

use std::collections::BTreeSet;

use crate::harness::{Db, on_each_database, on_postgres, on_sqlite, tell};

const COLUMNS_SQLITE: &str = "
    SELECT t.name || '.' || c.name || ' '
           || CASE c.type WHEN 'INTEGER' THEN 'BIGINT' WHEN 'BLOB' THEN 'BYTEA' ELSE c.type END
           || CASE WHEN c.\"notnull\" THEN ' NOT NULL' ELSE '' END
           || COALESCE(' DEFAULT ' || c.dflt_value, '')
      FROM pragma_table_list t JOIN pragma_table_xinfo(t.name) c
     WHERE t.schema = 'main' AND t.type = 'table' AND t.strict";
const COLUMNS_POSTGRES: &str = "
    SELECT table_name || '.' || column_name || ' '
           || CASE data_type WHEN 'bigint' THEN 'BIGINT' WHEN 'bytea' THEN 'BYTEA'
                             WHEN 'text' THEN 'TEXT' ELSE data_type END
           || CASE is_nullable WHEN 'NO' THEN ' NOT NULL' ELSE '' END
           || COALESCE(' DEFAULT ' || replace(column_default, '::text', ''), '')
      FROM information_schema.columns
     WHERE table_schema = 'public' AND table_name <> 'refinery_schema_history'";

/// Every index with its columns in order, whether it is unique, and whether it is partial. SQLite
/// has no index where the primary key is the row's own number.
const INDEXES_SQLITE: &str = "
    SELECT t.name || ' (' || (SELECT group_concat(name, ', ')
                                FROM (SELECT name FROM pragma_index_info(i.name) ORDER BY seqno))
           || ')' || CASE WHEN i.\"unique\" THEN ' UNIQUE' ELSE '' END
           || CASE WHEN i.partial THEN ' PARTIAL' ELSE '' END
      FROM pragma_table_list t JOIN pragma_index_list(t.name) i
     WHERE t.schema = 'main' AND t.strict
     UNION
    SELECT t.name || ' (' || c.name || ') UNIQUE'
      FROM pragma_table_list t JOIN pragma_table_xinfo(t.name) c
     WHERE t.schema = 'main' AND t.strict AND c.pk = 1 AND c.type = 'INTEGER'";
const INDEXES_POSTGRES: &str = "
    SELECT t.relname || ' ('
           || (SELECT string_agg(a.attname, ', ' ORDER BY k.place)
                 FROM unnest(i.indkey::int[]) WITH ORDINALITY AS k (number, place)
                 JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = k.number)
           || ')' || CASE WHEN i.indisunique THEN ' UNIQUE' ELSE '' END
           || CASE WHEN i.indpred IS NOT NULL THEN ' PARTIAL' ELSE '' END
      FROM pg_index i JOIN pg_class t ON t.oid = i.indrelid
     WHERE t.relnamespace = 'public'::regnamespace AND t.relname <> 'refinery_schema_history'";

const REFERENCES_SQLITE: &str = "
    SELECT t.name || '.' || f.\"from\" || ' -> ' || f.\"table\" || '.' || f.\"to\"
           || ' ON DELETE ' || f.on_delete
      FROM pragma_table_list t JOIN pragma_foreign_key_list(t.name) f WHERE t.schema = 'main'";
const REFERENCES_POSTGRES: &str = "
    SELECT c.conrelid::regclass || '.' || f.attname || ' -> ' || c.confrelid::regclass || '.'
           || p.attname || ' ON DELETE '
           || CASE c.confdeltype WHEN 'c' THEN 'CASCADE' ELSE c.confdeltype::text END
      FROM pg_constraint c
      JOIN pg_attribute f ON f.attrelid = c.conrelid AND f.attnum = c.conkey[1]
      JOIN pg_attribute p ON p.attrelid = c.confrelid AND p.attnum = c.confkey[1]
     WHERE c.contype = 'f'";

/// Text that is looked up or sorted by must sort by bytes.
const KEYS_BY_LANGUAGE: &str = "
    SELECT a.attrelid::regclass || '.' || a.attname
      FROM pg_index i
      JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey::int[])
      JOIN pg_class t ON t.oid = i.indrelid
     WHERE t.relnamespace = 'public'::regnamespace AND t.relname <> 'refinery_schema_history'
       AND a.attcollation NOT IN (0, 'pg_catalog.\"C\"'::regcollation)";

async fn on_both(sqlite: &'static str, postgres: &'static str) -> [BTreeSet<String>; 2] {
    let (sender, answers) = std::sync::mpsc::channel();
    let ask = async move |db: Db, sql: &str| -> BTreeSet<String> {
        db.raw(sql).await.unwrap().into_iter().collect()
    };
    let out = sender.clone();
    crate::harness::on_empty_postgres(async move |url| {
        let db = Db::open(&url).await;
        out.send(ask(db, postgres).await).unwrap();
    })
    .await;
    let folder = crate::harness::Folder::new();
    let db = Db::open(&folder.url()).await;
    sender.send(ask(db, sqlite).await).unwrap();
    let there = answers.recv().unwrap();
    [answers.recv().unwrap(), there]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_columns_agree() {
    let [sqlite, postgres] = on_both(COLUMNS_SQLITE, COLUMNS_POSTGRES).await;
    assert_eq!(sqlite, postgres);
    assert!(
        sqlite.contains("users.phone TEXT") && sqlite.len() > 40,
        "{sqlite:#?}"
    );
}

/// Proves REG-3: both have the same keys, and `UNIQUE (phone)` and `UNIQUE (appid, openid)` are among
/// them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_keys_agree() {
    let [sqlite, postgres] = on_both(INDEXES_SQLITE, INDEXES_POSTGRES).await;
    assert_eq!(sqlite, postgres);
    for key in ["users (phone) UNIQUE", "identities (appid, openid) UNIQUE"] {
        assert!(sqlite.contains(key), "{key} is not in {sqlite:#?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_references_agree_and_cascade() {
    let [sqlite, postgres] = on_both(REFERENCES_SQLITE, REFERENCES_POSTGRES).await;
    assert_eq!(sqlite, postgres);
    let cascades = ["identities.user_id -> users.uid ON DELETE CASCADE".to_owned()];
    assert_eq!(sqlite, cascades.into());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_sort_by_bytes_on_postgres_too() {
    on_postgres(async |db| {
        assert_eq!(
            db.raw(KEYS_BY_LANGUAGE).await.unwrap(),
            Vec::<String>::new()
        );
    })
    .await;
}

on_each_database! {
    async fn every_statement_prepares(db) {
        let mut statements = 0;
        for sql in menjin_store::statements() {
            let prepared = tell!(db, |tx| tx.prepare(sql).await);
            assert!(prepared.is_ok(), "{sql:?}\n{prepared:?}");
            statements += 1;
        }
        assert!(statements >= 29, "{statements}");
    }
}
