//! The database: SQLite with one writer, or PostgreSQL. The one place where a connection or a transaction starts.

use std::path::{Path, PathBuf};
use std::time::Duration;

use sea_orm::sea_query::postgres_array::NotU8;
use sea_orm::sea_query::{Expr, Value};
use sea_orm::{
    ColumnTrait, ConnectOptions, ConnectionTrait, Database, DatabaseBackend, DatabaseConnection,
    DatabaseTransaction, DbErr, SqliteTransactionMode, TransactionOptions, TransactionTrait,
};

use sqlx::Connection as _;

use crate::{Error, Result};

mod reader;

pub use self::reader::Reader;

/// Connections for reading and for writing, each in a pool of its own. Read records have connections of their
/// own, and on SQLite a file of their own: neither an import nor a page holds them up.
#[derive(Clone, Debug)]
pub struct Db {
    read: Reader,
    write: DatabaseConnection,
    reads: Reads,
}

/// The store of read records.
#[derive(Clone, Debug)]
struct Reads {
    read: DatabaseConnection,
    write: DatabaseConnection,
}

/// Connections for read records on PostgreSQL, beside the pool: one writes, one deletes what is too old.
const READ_CONNECTIONS: u32 = 2;

/// A connection that was idle for longer is asked whether it still answers before it is used.
pub(crate) const IDLE: Duration = Duration::from_secs(30);

/// How long a statement on read records may take. Whoever waits for one waits a little longer.
const READ_STATEMENT: Duration = Duration::from_secs(4);

impl Db {
    /// Connects. A SQLite file is created where it is missing; schema changes are the caller's to apply.
    ///
    /// SQLite: write-ahead log, `synchronous=FULL`, foreign keys on, one writing connection and several that can only
    /// read. PostgreSQL: a pool of `max_connections`.
    pub async fn connect(url: &str, max_connections: u32) -> Result<Self> {
        Self::connect_within(url, max_connections, Duration::from_secs(30)).await
    }

    /// The same; whoever waits longer than `patience` for a connection, now or later, is told so.
    pub async fn connect_within(url: &str, max_connections: u32, patience: Duration) -> Result<Self> {
        if url.starts_with("sqlite:") {
            Self::connect_sqlite(url, max_connections, patience).await
        } else {
            Self::connect_postgres(url, max_connections, patience).await
        }
    }

    /// Connects in order to look: a SQLite file is neither made nor written to, nor is anything made beside it. None where
    /// it is missing.
    pub async fn look(url: &str, patience: Duration) -> Result<Option<Self>> {
        if !url.starts_with("sqlite:") {
            return Ok(Some(Self::connect_postgres(url, 2, patience).await?));
        }
        let file = url
            .parse::<sqlx::sqlite::SqliteConnectOptions>()?
            .get_filename()
            .to_owned();
        if !file.exists() {
            return Ok(None);
        }
        let beside = reads_file(&file);
        let reads = if beside.exists() {
            look_at(&reads_url(url)?, &beside, patience).await?
        } else {
            // Nothing is in it, and nothing is made.
            Database::connect(quiet("sqlite::memory:")).await?
        };
        let read = look_at(url, &file, patience).await?;
        Ok(Some(Self {
            write: read.clone(),
            read: Reader::usual(read),
            reads: Reads {
                write: reads.clone(),
                read: reads,
            },
        }))
    }

    async fn connect_postgres(url: &str, max_connections: u32, patience: Duration) -> Result<Self> {
        let mut options = quiet(url);
        options
            .max_connections((max_connections / 2).max(2))
            .acquire_timeout(patience)
            // What changes something cannot be asked anew: it starts on a connection that answers.
            .test_before_acquire(true);
        options.map_sqlx_postgres_pool_opts(|pool| {
            pool.after_connect(|connection, _| Box::pin(keep_plans(connection)))
        });
        let pool = Database::connect(options).await?;
        let mut options = quiet(url);
        options
            .max_connections(READ_CONNECTIONS)
            .min_connections(1)
            .acquire_timeout(READ_STATEMENT)
            .test_before_acquire_if_idle_for(IDLE);
        options.map_sqlx_postgres_pool_opts(|pool| {
            pool.after_connect(|connection, _| {
                Box::pin(async move {
                    // What is committed is on the disk, whatever the server's usual setting is.
                    let durable = "SELECT set_config('synchronous_commit', 'on', false)
                        WHERE current_setting('synchronous_commit') = 'off'";
                    sqlx::query(durable).execute(&mut *connection).await?;
                    let limit = format!("SET statement_timeout = {}", READ_STATEMENT.as_millis());
                    sqlx::query(sqlx::AssertSqlSafe(limit))
                        .execute(connection)
                        .await?;
                    Ok(())
                })
            })
        });
        Ok(Self {
            read: Reader::kept(pool.clone(), url, max_connections.max(2), patience)?,
            write: pool.clone(),
            reads: Reads {
                read: pool,
                write: Database::connect(options).await?,
            },
        })
    }

    async fn connect_sqlite(url: &str, max_connections: u32, patience: Duration) -> Result<Self> {
        if url.contains(":memory:") {
            return Err(Error::internal(
                "SQLite in memory loses everything with its first connection: name a file",
            ));
        }
        let (read, write) = open_sqlite(url, max_connections, patience, Duration::from_secs(10)).await?;
        let (records, record) = open_sqlite(&reads_url(url)?, 2, patience, READ_STATEMENT).await?;
        Ok(Self {
            read: Reader::usual(read),
            write,
            reads: Reads {
                read: records,
                write: record,
            },
        })
    }

    /// Calls back after every statement with its SQL, so that tests can hold operations to a number of them, or come in
    /// between two; the writer of read records reports none. Before the database is shared: clones made earlier do not report.
    pub fn on_statement(&mut self, told: impl Fn(&str) + Clone + Send + Sync + 'static) {
        let writing = told.clone();
        self.read.on_statement(told);
        self.write
            .set_metric_callback(move |info| writing(&info.statement.sql));
    }

    /// For queries that change nothing.
    pub const fn reader(&self) -> &Reader {
        &self.read
    }

    /// For queries in a transaction, which read one state of everything, and for whoever asks for the pool itself.
    pub const fn snapshots(&self) -> &DatabaseConnection {
        self.read.connection()
    }

    /// For what must be the newest state, such as whether somebody's access still holds: never a copy that lags behind.
    pub const fn primary(&self) -> &Reader {
        &self.read
    }

    /// For schema changes at start.
    pub const fn owner(&self) -> &DatabaseConnection {
        &self.write
    }

    /// Starts a transaction that writes. On SQLite it takes the write lock at once (`BEGIN IMMEDIATE`): a transaction
    /// that reads first and writes later would fail under contention.
    pub async fn begin_write(&self) -> Result<DatabaseTransaction> {
        begin(&self.write).await
    }

    /// For queries over read records.
    pub const fn reads(&self) -> &DatabaseConnection {
        &self.reads.read
    }

    /// For schema changes of the store of read records.
    pub fn reads_owner(&self) -> &DatabaseConnection {
        if self.is_postgres() {
            &self.write
        } else {
            &self.reads.write
        }
    }

    /// Starts a transaction on read records. While another one is open it neither waits for that one nor holds it up,
    /// except on SQLite where both are on read records.
    pub(crate) async fn begin_reads(&self) -> Result<DatabaseTransaction> {
        begin(&self.reads.write).await
    }

    /// The driver's pool for read records, for what sea-orm has no statement for.
    pub(crate) fn postgres_reads(&self) -> Option<&sqlx::PgPool> {
        self.is_postgres()
            .then(|| self.reads.write.get_postgres_connection_pool())
    }

    /// Whether this is PostgreSQL.
    pub fn is_postgres(&self) -> bool {
        self.read.get_database_backend() == DatabaseBackend::Postgres
    }

    /// The driver's pool, for COPY.
    pub fn postgres(&self) -> Option<&sqlx::PgPool> {
        self.is_postgres()
            .then(|| self.read.connection().get_postgres_connection_pool())
    }

    /// The store of read records answers.
    pub async fn ping_reads(&self) -> Result<(), DbErr> {
        self.reads.write.ping().await
    }

    /// The database answers.
    pub async fn ping(&self) -> Result<(), DbErr> {
        self.read.ping().await
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one place where a transaction starts"
)]
async fn begin(connection: &DatabaseConnection) -> Result<DatabaseTransaction> {
    Ok(connection
        .begin_with_options(TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        })
        .await?)
}

/// One writing connection to a SQLite file, and several that can only read.
async fn open_sqlite(
    url: &str,
    max_connections: u32,
    patience: Duration,
    busy: Duration,
) -> Result<(DatabaseConnection, DatabaseConnection)> {
    let settings = |read_only: bool| {
        move |options: sqlx::sqlite::SqliteConnectOptions| {
            let options = options
                .create_if_missing(true)
                .journal_mode(sqlx::sqlite::SqliteJournalMode::Wal)
                .synchronous(sqlx::sqlite::SqliteSynchronous::Full)
                .foreign_keys(true)
                .busy_timeout(busy)
                .pragma("cache_size", "-32768");
            if read_only {
                options.pragma("query_only", "ON")
            } else {
                options
            }
        }
    };
    let mut writing = quiet(url);
    writing
        .max_connections(1)
        .min_connections(1)
        .acquire_timeout(Duration::from_mins(1));
    writing.map_sqlx_sqlite_opts(settings(false));
    // A full disk makes SQLite end a transaction by itself. The driver, whose rollback then fails, goes on counting
    // it: what comes later would be its savepoints and never be committed. Such a connection is not used again.
    writing.map_sqlx_sqlite_before_acquire(|connection, _| {
        Box::pin(async move { Ok(!connection.is_in_transaction()) })
    });
    let write = Database::connect(writing).await?;
    let mut reading = quiet(url);
    reading
        .max_connections(max_connections.max(2))
        .acquire_timeout(patience);
    reading.map_sqlx_sqlite_opts(settings(true));
    Ok((Database::connect(reading).await?, write))
}

/// A SQLite file, to be looked at and not touched.
async fn look_at(url: &str, file: &Path, patience: Duration) -> Result<DatabaseConnection> {
    // The files beside it belong to whoever has it open. Without them nobody has, and it changes under nobody's eyes.
    let mut log = file.as_os_str().to_owned();
    log.push("-wal");
    let open = Path::new(&log).exists();
    let mut options = quiet(url);
    options.max_connections(1).acquire_timeout(patience);
    options.map_sqlx_sqlite_opts(move |options| {
        options.create_if_missing(false).read_only(true).immutable(!open)
    });
    Ok(Database::connect(options).await?)
}

/// The file of read records beside a SQLite file: `pruefpfad.sqlite` has `pruefpfad-reads.sqlite`.
fn reads_file(file: &Path) -> PathBuf {
    let mut name = file.file_stem().unwrap_or_default().to_owned();
    name.push("-reads");
    if let Some(extension) = file.extension() {
        name.push(".");
        name.push(extension);
    }
    file.with_file_name(name)
}

/// The address of that file, with the parameters of the database's own.
fn reads_url(url: &str) -> Result<String> {
    let (path, parameters) = url.split_once('?').map_or((url, ""), |(path, rest)| (path, rest));
    let start = path.rfind(['/', ':']).map_or(0, |place| place + 1);
    let file = reads_file(Path::new(&path[start..]));
    let file = file
        .to_str()
        .filter(|name| *name != "-reads")
        .ok_or_else(|| Error::internal("the SQLite address names no file"))?;
    let separator = if parameters.is_empty() { "" } else { "?" };
    Ok(format!("{}{file}{separator}{parameters}", &path[..start]))
}

/// The column holds one of these values. PostgreSQL takes them as one array: a list of any length is the same statement,
/// prepared once.
pub(crate) fn among<C, V>(db: &impl ConnectionTrait, column: C, values: impl IntoIterator<Item = V>) -> Expr
where
    C: ColumnTrait,
    V: Into<Value> + NotU8,
{
    match db.get_database_backend() {
        DatabaseBackend::Postgres => column.eq_any(values),
        _ => column.is_in(values),
    }
}

/// Statements are prepared once and planned once: a page is found by its indexes whatever is asked for, and to plan it anew each time
/// took a tenth of it.
async fn keep_plans(connection: &mut sqlx::PgConnection) -> sqlx::Result<()> {
    sqlx::query("SET plan_cache_mode = force_generic_plan")
        .execute(connection)
        .await?;
    Ok(())
}

/// Options without statements in the log: they would carry values.
fn quiet(url: &str) -> ConnectOptions {
    let mut options = ConnectOptions::new(url);
    options.sqlx_logging(false).record_stmt_in_spans(false);
    options
}

/// Lets only one transaction at a time through on PostgreSQL, until it ends; SQLite has one writer anyway.
pub(crate) async fn one_at_a_time(tx: &DatabaseTransaction, gate: i64) -> Result<()> {
    if tx.get_database_backend() == DatabaseBackend::Postgres {
        tx.execute_unprepared(&format!("SELECT pg_advisory_xact_lock({gate})"))
            .await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn read_records_lie_beside_their_database() {
        for (url, beside) in [
            (
                "sqlite://data/pruefpfad.sqlite",
                "sqlite://data/pruefpfad-reads.sqlite",
            ),
            (
                "sqlite:/srv/a.b/x.db?mode=rwc",
                "sqlite:/srv/a.b/x-reads.db?mode=rwc",
            ),
            ("sqlite:x", "sqlite:x-reads"),
            ("sqlite://../x.sqlite", "sqlite://../x-reads.sqlite"),
        ] {
            assert_eq!(reads_url(url).unwrap(), beside);
        }
        assert!(reads_url("sqlite://data/").is_err());
        assert_eq!(
            reads_file(Path::new("/srv/a/x.sqlite")),
            Path::new("/srv/a/x-reads.sqlite")
        );
    }

    #[tokio::test]
    async fn what_is_written_after_a_transaction_that_sqlite_ended_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("test.sqlite").display());
        let db = Db::connect(&url, 2).await.unwrap();
        db.owner()
            .execute_unprepared("CREATE TABLE thing (id INTEGER PRIMARY KEY)")
            .await
            .unwrap();
        let write = async |statement: &str| {
            let tx = db.begin_write().await?;
            tx.execute_unprepared(statement).await?;
            tx.commit().await?;
            Ok::<(), Error>(())
        };
        write("INSERT INTO thing VALUES (1)").await.unwrap();
        // Ends the transaction as a full disk does: behind the driver's back.
        assert!(write("INSERT OR ROLLBACK INTO thing VALUES (1)").await.is_err());
        drop(db.begin_write().await.unwrap());
        write("INSERT INTO thing VALUES (2)").await.unwrap();
        let count = db
            .reader()
            .query_one_raw(sea_orm::Statement::from_string(
                DatabaseBackend::Sqlite,
                "SELECT count(*) AS count FROM thing",
            ))
            .await
            .unwrap()
            .unwrap();
        assert_eq!(count.try_get::<i64>("", "count").unwrap(), 2);
    }
}
