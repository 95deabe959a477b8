//! Connections for queries that change nothing.
//!
//! On PostgreSQL they are kept by a pool of their own. The driver's pool asks the server after every statement whether the connection
//! still answers, which makes two round trips of each query: a page took a third longer. Here a connection that was idle for long is
//! asked before it is used, and one whose query did not come to its end, or that broke, is not used again. A query that met a broken
//! connection is asked anew over another one: it changes nothing.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use deadpool::Runtime;
use deadpool::managed::{self, Metrics, Object, Pool, PoolError, RecycleError, RecycleResult};
use sea_orm::{
    ConnectionTrait, DatabaseBackend, DatabaseConnection, DbErr, ExecResult, QueryResult, RuntimeErr,
    Statement, StreamTrait,
};
use sea_query_sqlx::SqlxValues;
use sqlx::postgres::{PgConnectOptions, PgRow, Postgres};
use sqlx::{ConnectOptions as _, Connection as _, PgConnection};

/// A connection is used no longer than this.
const AGE: Duration = Duration::from_mins(30);
/// The server ends a query after this, also where nobody waits for it any more.
const LONGEST: Duration = Duration::from_mins(5);

/// Is called back with the SQL of a statement.
type Told = Arc<dyn Fn(&str) + Send + Sync>;

/// Reads; what is no query goes to the usual pool.
#[derive(Clone)]
pub struct Reader {
    usual: DatabaseConnection,
    kept: Option<Pool<Kept>>,
    told: Option<Told>,
}

impl fmt::Debug for Reader {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Reader")
            .field("usual", &self.usual)
            .finish_non_exhaustive()
    }
}

impl Reader {
    /// Reads as everything else does.
    pub(super) const fn usual(connection: DatabaseConnection) -> Self {
        Self {
            usual: connection,
            kept: None,
            told: None,
        }
    }

    /// Reads over connections of its own, at most so many. Whoever waits longer than `patience` for one is told so.
    pub(super) fn kept(
        connection: DatabaseConnection,
        url: &str,
        most: u32,
        patience: Duration,
    ) -> Result<Self, DbErr> {
        let options: PgConnectOptions = url.parse().map_err(of_driver)?;
        let pool = Pool::builder(Kept(options.disable_statement_logging()))
            .max_size(usize::try_from(most).unwrap_or(usize::MAX))
            .wait_timeout(Some(patience))
            .create_timeout(Some(patience))
            .recycle_timeout(Some(patience))
            .runtime(Runtime::Tokio1)
            .build()
            .map_err(|error| DbErr::Custom(error.to_string()))?;
        Ok(Self {
            kept: Some(pool),
            ..Self::usual(connection)
        })
    }

    /// Calls back with the SQL of every statement.
    pub(super) fn on_statement(&mut self, told: impl Fn(&str) + Clone + Send + Sync + 'static) {
        let usual = told.clone();
        self.usual
            .set_metric_callback(move |info| usual(&info.statement.sql));
        self.told = Some(Arc::new(told));
    }

    /// The pool of what is no query.
    pub(super) const fn connection(&self) -> &DatabaseConnection {
        &self.usual
    }

    /// The database answers.
    pub(super) async fn ping(&self) -> Result<(), DbErr> {
        if self.kept.is_some() {
            self.query_all_raw(Statement::from_string(DatabaseBackend::Postgres, "SELECT 1"))
                .await?;
        }
        self.usual.ping().await
    }
}

/// How connections are kept.
struct Kept(PgConnectOptions);

/// A kept connection.
struct Line {
    connection: PgConnection,
    /// A query is on its way, or was when nobody waited for it any more, or the connection broke.
    busy: bool,
}

impl managed::Manager for Kept {
    type Type = Line;
    type Error = sqlx::Error;

    async fn create(&self) -> Result<Line, sqlx::Error> {
        let mut connection = PgConnection::connect_with(&self.0).await?;
        super::keep_plans(&mut connection).await?;
        let limit = format!("SET statement_timeout = {}", LONGEST.as_millis());
        sqlx::query(sqlx::AssertSqlSafe(limit))
            .execute(&mut connection)
            .await?;
        Ok(Line {
            connection,
            busy: false,
        })
    }

    async fn recycle(&self, line: &mut Line, metrics: &Metrics) -> RecycleResult<sqlx::Error> {
        if line.busy {
            return Err(RecycleError::message("its query did not come to an end"));
        }
        if metrics.age() > AGE {
            return Err(RecycleError::message("it is old"));
        }
        if metrics.last_used() > super::IDLE {
            line.connection.ping().await?;
        }
        Ok(())
    }
}

impl Reader {
    async fn line(pool: &Pool<Kept>) -> Result<Object<Kept>, DbErr> {
        pool.get().await.map_err(|error| match error {
            PoolError::Backend(error) => DbErr::Conn(RuntimeErr::SqlxError(Arc::new(error))),
            PoolError::Timeout(_) => DbErr::ConnectionAcquire(sea_orm::ConnAcquireErr::Timeout),
            PoolError::Closed => DbErr::ConnectionAcquire(sea_orm::ConnAcquireErr::ConnectionClosed),
            other => DbErr::Custom(other.to_string()),
        })
    }

    /// Rows of a query over a kept connection.
    async fn rows(&self, pool: &Pool<Kept>, statement: &Statement) -> Result<Vec<PgRow>, DbErr> {
        if let Some(told) = &self.told {
            told(&statement.sql);
        }
        loop {
            let mut line = Self::line(pool).await?;
            let used_before = Object::metrics(&line).recycle_count > 0;
            line.busy = true;
            let rows = query(statement).fetch_all(&mut line.connection).await;
            match rows {
                Ok(rows) => {
                    line.busy = false;
                    return Ok(rows);
                }
                Err(error) if is_broken(&error) => {
                    // After the server was away, all that were kept are broken: each is met once.
                    if !used_before {
                        return Err(of_driver(error));
                    }
                }
                Err(error) => {
                    line.busy = false;
                    return Err(of_driver(error));
                }
            }
        }
    }
}

/// Whether the connection cannot be used any more: anything but an error of the statement, and what the server says when it goes
/// (class 57P of PostgreSQL's error codes).
fn is_broken(error: &sqlx::Error) -> bool {
    match error.as_database_error() {
        Some(said) => said.code().is_some_and(|code| code.starts_with("57P")),
        None => true,
    }
}

fn of_driver(error: sqlx::Error) -> DbErr {
    DbErr::Query(RuntimeErr::SqlxError(Arc::new(error)))
}

fn query(statement: &Statement) -> sqlx::query::Query<'_, Postgres, SqlxValues> {
    let values = statement
        .values
        .clone()
        .unwrap_or_else(|| sea_orm::Values(Vec::new()));
    sqlx::query_with(sqlx::AssertSqlSafe(statement.sql.as_str()), SqlxValues(values))
}

#[sea_orm::prelude::async_trait::async_trait]
impl ConnectionTrait for Reader {
    fn get_database_backend(&self) -> DatabaseBackend {
        self.usual.get_database_backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.usual.execute_raw(statement).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.usual.execute_unprepared(sql).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        let Some(pool) = &self.kept else {
            return self.usual.query_one_raw(statement).await;
        };
        let rows = self.rows(pool, &statement).await?;
        Ok(rows.into_iter().next().map(QueryResult::from))
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        let Some(pool) = &self.kept else {
            return self.usual.query_all_raw(statement).await;
        };
        let rows = self.rows(pool, &statement).await?;
        Ok(rows.into_iter().map(QueryResult::from).collect())
    }
}

impl StreamTrait for Reader {
    type Stream<'a> = <DatabaseConnection as StreamTrait>::Stream<'a>;

    fn get_database_backend(&self) -> DatabaseBackend {
        ConnectionTrait::get_database_backend(&self.usual)
    }

    fn stream_raw<'a>(
        &'a self,
        statement: Statement,
    ) -> std::pin::Pin<Box<dyn Future<Output = Result<Self::Stream<'a>, DbErr>> + 'a + Send>> {
        self.usual.stream_raw(statement)
    }
}
