//! What is stored of people is written down, column by column.

use std::collections::BTreeSet;

use crate::harness::{Db, on_each_database, on_postgres, on_sqlite};

const DOCUMENT: &str = include_str!("../../../../docs/data.md");

const COLUMNS_SQLITE: &str = "
    SELECT t.name || '.' || c.name FROM pragma_table_list t JOIN pragma_table_xinfo(t.name) c
     WHERE t.schema = 'main' AND t.type = 'table' AND t.strict";
const COLUMNS_POSTGRES: &str = "
    SELECT table_name || '.' || column_name FROM information_schema.columns
     WHERE table_schema = 'public' AND table_name <> 'refinery_schema_history'";

/// The cells of the table under a heading, without the heads of its columns.
fn table(heading: &str) -> Vec<Vec<&'static str>> {
    let (_, rest) = DOCUMENT.split_once(&format!("## {heading}\n")).unwrap();
    let section = rest.split("\n## ").next().unwrap();
    let rows = section.lines().filter(|line| line.starts_with('|')).skip(2);
    rows.map(|row| row.trim_matches('|').split('|').map(str::trim).collect())
        .collect()
}

fn word(cell: &str) -> &str {
    let word = cell
        .strip_prefix('`')
        .and_then(|word| word.strip_suffix('`'));
    word.unwrap_or_else(|| panic!("{cell} is no word of code"))
}

fn personal() -> Vec<String> {
    let rows = table("Columns with personal data");
    rows.iter().map(|row| word(row[0]).to_owned()).collect()
}

fn without() -> Vec<String> {
    let rows = table("Columns without");
    let of_table = |row: &Vec<&'static str>| {
        let table = word(row[0]);
        let columns = row[1].split(", ").map(word);
        columns
            .map(|column| format!("{table}.{column}"))
            .collect::<Vec<_>>()
    };
    rows.iter().flat_map(of_table).collect()
}

#[test]
fn every_column_has_a_purpose_and_a_time() {
    let rows = table("Columns with personal data");
    assert!(rows.len() > 30, "{rows:#?}");
    for row in rows {
        assert_eq!(row.len(), 3, "{row:?}");
        assert!(row[1].len() > 10 && row[2].len() > 4, "{row:?}");
    }
}

on_each_database! {
    /// Proves DEL-7: each column of the schema is in the list of those with personal data, or in that
    /// of those without, and in one of them only; and nothing else is.
    async fn every_column_is_written_down_once(db) {
        let sql = if db.store.is_shared() { COLUMNS_POSTGRES } else { COLUMNS_SQLITE };
        let schema: BTreeSet<_> = db.raw(sql).await.unwrap().into_iter().collect();
        let listed = [personal(), without()].concat();
        let listed_once: BTreeSet<_> = listed.iter().cloned().collect();
        assert_eq!(listed.len(), listed_once.len(), "a column stands twice");
        assert_eq!(listed_once, schema);
    }
}
