//! The test server of PostgreSQL, and what a test does to a database behind Menjin's back.

use menjin_core::identity::random_bytes;
use tokio::task::JoinHandle;

use super::TestApp;

#[expect(
    clippy::disallowed_methods,
    reason = "script/test hands its PostgreSQL in this way"
)]
pub(crate) fn server() -> String {
    std::env::var("MENJIN_TEST_POSTGRES").expect("no PostgreSQL: run script/test")
}

/// Runs statements on a database of the test server.
pub(crate) async fn sql(database: &str, text: &str) {
    let (client, connection) = connect(database).await;
    client.batch_execute(text).await.unwrap();
    drop(client);
    connection.await.unwrap().unwrap();
}

/// What one statement answers: the first column of each row, as text.
pub(crate) async fn ask(database: &str, text: &str) -> Vec<String> {
    let (client, connection) = connect(database).await;
    let rows = client.query(text, &[]).await.unwrap();
    drop(client);
    connection.await.unwrap().unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

type Connection = JoinHandle<Result<(), tokio_postgres::Error>>;

async fn connect(database: &str) -> (tokio_postgres::Client, Connection) {
    let url = format!("{}/{database}", server());
    let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls)
        .await
        .unwrap();
    (client, tokio::spawn(connection))
}

/// What a query that gives one number says.
pub(crate) async fn count(store_url: &str, query: &str) -> i64 {
    if let Some(path) = store_url.strip_prefix("sqlite://") {
        let connection = rusqlite::Connection::open(path).unwrap();
        return connection.query_row(query, [], |row| row.get(0)).unwrap();
    }
    let (client, connection) = connect(store_url.rsplit_once('/').unwrap().1).await;
    let row = client.query_one(query, &[]).await.unwrap();
    drop(client);
    connection.await.unwrap().unwrap();
    row.get(0)
}

impl TestApp {
    /// Runs statements on this server's database, behind its back.
    pub(crate) async fn sql(&self, text: &str) {
        match self.store_url.strip_prefix("sqlite://") {
            Some(path) => {
                let connection = rusqlite::Connection::open(path).unwrap();
                connection.execute_batch(text).unwrap();
            }
            None => sql(self.store_url.rsplit_once('/').unwrap().1, text).await,
        }
    }
}

/// A name that no other test has, in this run or in one that was killed.
pub(crate) fn unique() -> String {
    format!("{:032x}", u128::from_be_bytes(random_bytes()))
}
