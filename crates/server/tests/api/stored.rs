//! What a database holds, byte by byte.

use std::{path::Path, pin::pin};

use futures_util::TryStreamExt;

use crate::harness::TestApp;

impl TestApp {
    /// Every byte of the database: files on SQLite, rows on PostgreSQL.
    pub(crate) async fn stored(&self) -> Vec<u8> {
        match self.store_url.strip_prefix("sqlite://") {
            Some(path) => files(Path::new(path).parent().unwrap()),
            None => rows(&self.store_url).await,
        }
    }
}

/// What lies in a folder and in those within it, such as that of pictures.
fn files(folder: &Path) -> Vec<u8> {
    let bytes = std::fs::read_dir(folder).unwrap().map(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path)
        } else {
            std::fs::read(path).unwrap()
        }
    });
    bytes.collect::<Vec<_>>().concat()
}

/// In the form of a binary copy, where text and bytes stand as they are.
async fn rows(url: &str) -> Vec<u8> {
    let connected = tokio_postgres::connect(url, tokio_postgres::NoTls).await;
    let (client, connection) = connected.unwrap();
    let connection = tokio::spawn(connection);
    let tables = "SELECT table_name::text FROM information_schema.tables
                   WHERE table_schema = 'public'";
    let tables = client.query(tables, &[]).await.unwrap();
    let mut bytes = Vec::new();
    for table in tables {
        let table: String = table.get(0);
        let copy = format!("COPY {table} TO STDOUT (FORMAT binary)");
        let mut rows = pin!(client.copy_out(&copy).await.unwrap());
        while let Some(row) = rows.try_next().await.unwrap() {
            bytes.extend_from_slice(&row);
        }
    }
    drop(client);
    connection.await.unwrap().unwrap();
    bytes
}
