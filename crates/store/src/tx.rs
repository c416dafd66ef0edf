//! A transaction, and the only ways to speak to a database from inside one.

use menjin_core::Instant;

use crate::{
    error::Error,
    revocations::Pending,
    value::{self, FromValue, Value},
};

/// One SQL text in the two spellings of its parameters: `$1` and `?1`.
#[derive(Clone, Copy, Debug)]
pub struct Sql {
    pub(crate) sqlite: &'static str,
    pub(crate) postgres: &'static str,
}

/// Replaces `$` by `?`, at compile time.
#[expect(
    clippy::indexing_slicing,
    reason = "runs in the compiler, where it stops the build"
)]
pub(crate) const fn question_marks<const N: usize>(text: &[u8]) -> [u8; N] {
    let mut out = [0; N];
    let mut i = 0;
    while i < N {
        out[i] = if text[i] == b'$' { b'?' } else { text[i] };
        i += 1;
    }
    out
}

/// Declares SQL texts, and lists them so that a test can prepare every one on both databases.
macro_rules! statements {
    ($($(#[$doc:meta])* $name:ident = $sql:expr;)+) => {
        $($(#[$doc])* const $name: $crate::tx::Sql = {
            const TEXT: &str = $sql;
            const BYTES: [u8; TEXT.len()] = $crate::tx::question_marks(TEXT.as_bytes());
            match std::str::from_utf8(&BYTES) {
                Ok(sqlite) => $crate::tx::Sql { sqlite, postgres: TEXT },
                Err(_) => unreachable!(),
            }
        };)+
        pub(crate) const ALL: &[$crate::tx::Sql] = &[$($name),+];
    };
}
pub(crate) use statements;

/// An open transaction.
#[derive(Debug)]
pub struct Tx {
    pub(crate) connection: Connection,
    /// A statement failed, or was dropped half-way: nothing more is asked, and nothing is kept.
    pub(crate) failed: bool,
    /// The database could not be asked: another connection may fare better.
    pub(crate) unfit: bool,
    /// This is the writer's connection, lent to a reader.
    pub(crate) reads_only: bool,
    /// What the story revoked, to be written down when it ends.
    pub(crate) revoked: Pending,
    /// How long a token that is made now will count, in milliseconds.
    pub(crate) tokens_last: Instant,
    /// How many revocations were written down since somebody looked last.
    pub(crate) written_down: i64,
}

/// Owned, not borrowed, so that a story's future can be sent between threads.
#[derive(Debug)]
pub(crate) enum Connection {
    Sqlite(rusqlite::Connection),
    Postgres(deadpool_postgres::Client),
}

/// One row of an answer.
#[derive(Clone, Copy)]
pub(crate) enum Row<'a> {
    Sqlite(&'a rusqlite::Row<'a>),
    Postgres(&'a tokio_postgres::Row),
}

impl Row<'_> {
    /// Reads a column. [`Error::Column`] if there is none, or it is of another kind.
    pub(crate) fn get<T: FromValue>(&self, column: usize) -> Result<T, Error> {
        let value = match self {
            Self::Sqlite(row) => row.get_ref(column).ok().and_then(value::from_sqlite),
            Self::Postgres(row) => value::from_postgres(row, column),
        };
        value.and_then(T::from_value).ok_or(Error::Column(column))
    }

    /// Reads a column of text or bytes that must also make sense to `parse`.
    pub(crate) fn parse<T: FromValue, U>(
        &self,
        column: usize,
        parse: impl FnOnce(T) -> Option<U>,
    ) -> Result<U, Error> {
        parse(self.get(column)?).ok_or(Error::Column(column))
    }
}

/// How a row becomes what the caller wants.
pub(crate) type Read<T> = fn(Row<'_>) -> Result<T, Error>;

impl Tx {
    pub(crate) fn new(connection: Connection) -> Self {
        Self {
            connection,
            failed: false,
            unfit: false,
            reads_only: false,
            revoked: Pending::new(),
            tokens_last: 0,
            written_down: 0,
        }
    }

    /// Every row of the answer.
    pub(crate) async fn all<T>(
        &mut self,
        sql: Sql,
        values: &[Value<'_>],
        read: Read<T>,
    ) -> Result<Vec<T>, Error> {
        self.begin_statement()?;
        let rows = self
            .connection
            .all(self.reads_only, sql, values, read)
            .await;
        self.end_statement(rows)
    }

    /// The one row of the answer, if there is one.
    pub(crate) async fn one<T>(
        &mut self,
        sql: Sql,
        values: &[Value<'_>],
        read: Read<T>,
    ) -> Result<Option<T>, Error> {
        self.begin_statement()?;
        let row = self
            .connection
            .one(self.reads_only, sql, values, read)
            .await;
        self.end_statement(row)
    }

    /// How many rows were changed.
    pub(crate) async fn run(&mut self, sql: Sql, values: &[Value<'_>]) -> Result<u64, Error> {
        self.begin_statement()?;
        let changed = self.connection.run(self.reads_only, sql, values).await;
        self.end_statement(changed)
    }

    /// Compiles a statement without running it.
    ///
    /// # Errors
    ///
    /// [`Error::Sqlite`] or [`Error::Postgres`] if it does not fit the schema.
    pub async fn prepare(&mut self, sql: Sql) -> Result<(), Error> {
        self.begin_statement()?;
        match &mut self.connection {
            Connection::Sqlite(connection) => connection.prepare(sql.sqlite).map(drop)?,
            Connection::Postgres(client) => client.prepare(sql.postgres).await.map(drop)?,
        }
        self.failed = false;
        Ok(())
    }

    /// After an error PostgreSQL ignores what follows and turns `COMMIT` into `ROLLBACK` without
    /// complaint, and SQLite may have rolled back already, so that what follows would be committed
    /// alone. Neither may happen to a story that goes on.
    fn begin_statement(&mut self) -> Result<(), Error> {
        if std::mem::replace(&mut self.failed, true) {
            return Err(Error::Broken);
        }
        Ok(())
    }

    fn end_statement<T>(&mut self, outcome: Result<T, Error>) -> Result<T, Error> {
        self.failed = outcome.is_err();
        self.unfit |= matches!(&outcome, Err(error) if error.is_unavailable());
        outcome
    }
}

impl Connection {
    async fn all<T>(
        &mut self,
        reads_only: bool,
        sql: Sql,
        values: &[Value<'_>],
        read: Read<T>,
    ) -> Result<Vec<T>, Error> {
        match self {
            Self::Sqlite(connection) => {
                let mut statement = compiled(connection, reads_only, sql)?;
                let mut rows = statement.query(rusqlite::params_from_iter(values))?;
                let mut out = Vec::new();
                while let Some(row) = rows.next()? {
                    out.push(read(Row::Sqlite(row))?);
                }
                Ok(out)
            }
            Self::Postgres(client) => {
                let rows = Box::pin(query(client, sql, values)).await?;
                rows.iter().map(|row| read(Row::Postgres(row))).collect()
            }
        }
    }

    async fn one<T>(
        &mut self,
        reads_only: bool,
        sql: Sql,
        values: &[Value<'_>],
        read: Read<T>,
    ) -> Result<Option<T>, Error> {
        match self {
            Self::Sqlite(connection) => {
                let mut statement = compiled(connection, reads_only, sql)?;
                let mut rows = statement.query(rusqlite::params_from_iter(values))?;
                rows.next()?.map(|row| read(Row::Sqlite(row))).transpose()
            }
            Self::Postgres(client) => {
                let rows = Box::pin(query(client, sql, values)).await?;
                let row = rows.first();
                row.map(|row| read(Row::Postgres(row))).transpose()
            }
        }
    }

    async fn run(
        &mut self,
        reads_only: bool,
        sql: Sql,
        values: &[Value<'_>],
    ) -> Result<u64, Error> {
        match self {
            Self::Sqlite(connection) => {
                let mut statement = compiled(connection, reads_only, sql)?;
                let changed = statement.execute(rusqlite::params_from_iter(values))?;
                Ok(u64::try_from(changed).unwrap_or(u64::MAX))
            }
            Self::Postgres(client) => Box::pin(execute(client, sql, values)).await,
        }
    }
}

/// Whoever has the writer's connection to read from writes nothing.
fn compiled(
    connection: &rusqlite::Connection,
    reads_only: bool,
    sql: Sql,
) -> Result<rusqlite::CachedStatement<'_>, Error> {
    let statement = connection.prepare_cached(sql.sqlite)?;
    if reads_only && !statement.readonly() {
        return Err(Error::Broken);
    }
    Ok(statement)
}

// Their callers box these: unboxed, every story would be as large as the largest of them.

async fn query(
    client: &deadpool_postgres::Client,
    sql: Sql,
    values: &[Value<'_>],
) -> Result<Vec<tokio_postgres::Row>, Error> {
    let statement = client.prepare_cached(sql.postgres).await?;
    Ok(client.query(&statement, &parameters(values)).await?)
}

async fn execute(
    client: &deadpool_postgres::Client,
    sql: Sql,
    values: &[Value<'_>],
) -> Result<u64, Error> {
    let statement = client.prepare_cached(sql.postgres).await?;
    Ok(client.execute(&statement, &parameters(values)).await?)
}

fn parameters<'a>(values: &'a [Value<'_>]) -> Vec<&'a (dyn tokio_postgres::types::ToSql + Sync)> {
    values.iter().map(|value| value as _).collect()
}
