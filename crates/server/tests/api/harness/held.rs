//! Somebody else who is in the middle of a transaction on PostgreSQL.

use base64::Engine;
use tokio::task::JoinHandle;
use tokio_postgres::{Client, NoTls};

use super::TestApp;

/// A transaction that has begun and keeps its rows.
pub(crate) struct Held {
    client: Client,
    connection: JoinHandle<Result<(), tokio_postgres::Error>>,
}

impl Held {
    /// Begins one with these statements.
    pub(crate) async fn begin(app: &TestApp, statements: &str) -> Self {
        let connected = tokio_postgres::connect(&app.store_url, NoTls).await;
        let (client, connection) = connected.unwrap();
        let connection = tokio::spawn(connection);
        let begin = format!("BEGIN; {statements}");
        client.batch_execute(&begin).await.unwrap();
        Self { client, connection }
    }

    /// How many wait for its rows, or for others that do.
    pub(crate) async fn waiting(&self) -> i64 {
        let waits = "SELECT COUNT(*) FROM pg_stat_activity
                      WHERE datname = current_database() AND wait_event_type = 'Lock'";
        // What a transaction has seen of the others stays as it was until this is said.
        let forget = "SELECT pg_stat_clear_snapshot()";
        self.client.batch_execute(forget).await.unwrap();
        self.client.query_one(waits, &[]).await.unwrap().get(0)
    }

    /// Ends it once so many wait.
    pub(crate) async fn end_when(self, waiting: i64) {
        while self.waiting().await < waiting {
            tokio::task::yield_now().await;
        }
        self.client.batch_execute("COMMIT").await.unwrap();
        drop(self.client);
        self.connection.await.unwrap().unwrap();
    }
}

/// What ends a token while whoever sent it is at work: the statements, of which the first keeps the account's
/// row.
pub(crate) fn ends(token: &str) -> [String; 2] {
    let claims = token.split('.').nth(1).unwrap();
    let claims = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(claims);
    let claims: serde_json::Value = serde_json::from_slice(&claims.unwrap()).unwrap();
    let jti = claims["jti"].as_str().unwrap();
    [
        "UPDATE users SET epoch = epoch + 1".to_owned(),
        format!(
            "SELECT 1 FROM users FOR UPDATE;
             INSERT INTO revocations (seq, jti, until) VALUES (999, '{jti}', 9999999999999)"
        ),
    ]
}
