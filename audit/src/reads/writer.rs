//! The writer of read records: one task, all that wait in one commit.

use std::time::{Duration, Instant};

use entity::read_record::{ActiveModel, Entity, Model};
use futures_util::future::{BoxFuture, FutureExt as _};
use sea_orm::{ActiveModelTrait as _, EntityTrait as _};
use sqlx::Postgres;
use sqlx::pool::PoolConnection;
use tokio::sync::{mpsc, oneshot};

use crate::db::IDLE;
use crate::{Db, Error, Result};

/// Answers that may wait for the writer; more wait for a place.
const QUEUE: usize = 1_024;
/// Answers whose records are written at once.
const BATCH: usize = 256;
/// Records that follow others within so long are of a busy time.
const BUSY: Duration = Duration::from_millis(5);
/// In a busy time a batch waits so long for more: one commit for several answers (as PostgreSQL's `commit_delay`).
const GATHERED: Duration = Duration::from_millis(2);
/// How long an answer waits for its record.
const PATIENCE: Duration = Duration::from_secs(5);

/// Makes records durable.
pub trait KeepsReads: Send + Sync + 'static {
    /// Returns once these records are durable, or says why they are not.
    fn keep(&self, records: Vec<Model>) -> BoxFuture<'_, Result<()>>;
}

struct Waiting {
    records: Vec<Model>,
    told: oneshot::Sender<bool>,
}

/// Writes records to the database.
#[derive(Debug)]
pub struct Writer {
    queue: mpsc::Sender<Waiting>,
}

impl Writer {
    /// Starts the task; it ends with the writer.
    pub fn start(db: &Db) -> Self {
        let (queue, waiting) = mpsc::channel(QUEUE);
        tokio::spawn(write(db.clone(), waiting));
        Self { queue }
    }
}

impl KeepsReads for Writer {
    /// Waits at the most five seconds. A record may still become durable after that: of an answer that never left.
    fn keep(&self, records: Vec<Model>) -> BoxFuture<'_, Result<()>> {
        async move {
            let (told, written) = oneshot::channel();
            let kept = async {
                self.queue.send(Waiting { records, told }).await.ok()?;
                written.await.ok()
            };
            match tokio::time::timeout(PATIENCE, kept).await {
                Ok(Some(true)) => Ok(()),
                Ok(Some(false)) => Err(Error::internal("read records could not be written")),
                Ok(None) => Err(Error::internal("the writer of read records has ended")),
                Err(_) => Err(Error::internal("read records were not written in time")),
            }
        }
        .boxed()
    }
}

/// Writes what waits, until nobody can ask any more.
async fn write(db: Db, mut waiting: mpsc::Receiver<Waiting>) {
    let mut batch = Vec::with_capacity(BATCH);
    let mut pen = Pen { db, held: None };
    let mut written: Option<Instant> = None;
    while waiting.recv_many(&mut batch, BATCH).await > 0 {
        if written.is_some_and(|written| written.elapsed() < BUSY) {
            tokio::time::sleep(GATHERED).await;
            while batch.len() < BATCH
                && let Ok(more) = waiting.try_recv()
            {
                batch.push(more);
            }
        }
        // Whoever has given up lets no answer go.
        batch.retain(|waiting| !waiting.told.is_closed());
        if batch.is_empty() {
            continue;
        }
        let records: Vec<&Model> = batch.iter().flat_map(|waiting| &waiting.records).collect();
        let outcome = pen.insert(&records).await;
        if let Err(error) = &outcome {
            tracing::error!(%error, answers = batch.len(), "read records could not be written");
        }
        for waiting in batch.drain(..) {
            // Nobody may be waiting any more.
            let _ = waiting.told.send(outcome.is_ok());
        }
        written = Some(Instant::now());
    }
}

/// Writes one batch after the other.
struct Pen {
    db: Db,
    /// PostgreSQL: the connection of the last batch, and when it was used.
    held: Option<(PoolConnection<Postgres>, Instant)>,
}

impl Pen {
    async fn insert(&mut self, records: &[&Model]) -> Result<()> {
        let Some(pool) = self.db.postgres_reads() else {
            return insert_sqlite(&self.db, records).await;
        };
        // One that was idle goes back to the pool, which asks whether it still answers.
        let held = self.held.take().filter(|(_, used)| used.elapsed() < IDLE);
        let mut connection = match held {
            Some((connection, _)) => connection,
            None => pool.acquire().await?,
        };
        match tokio::time::timeout(PATIENCE, insert_postgres(&mut connection, records)).await {
            Ok(Ok(())) => {
                self.held = Some((connection, Instant::now()));
                Ok(())
            }
            // The pool sees whether it can be used again.
            Ok(Err(error)) => Err(error),
            Err(_) => {
                // The server ends a statement sooner: this one hears nothing any more. The next batch takes another connection.
                connection.close_on_drop();
                Err(Error::internal("the database does not answer"))
            }
        }
    }
}

/// One statement and so one commit, the same text for any number of records.
const INSERT: &str = "INSERT INTO read_record (id, at, kind, request_id, actor, membership, grant_id, engagement_id, purpose,
        classes, operation_hash, query, object_kind, object_count, object_ids, object_digest)
    SELECT * FROM UNNEST($1::uuid[], $2::timestamptz[], $3::text[], $4::uuid[], $5::text[], $6::text[], $7::uuid[],
        $8::uuid[], $9::text[], $10::text[], $11::bytea[], $12::text[], $13::text[], $14::bigint[], $15::bytea[],
        $16::bytea[])";

async fn insert_postgres(connection: &mut sqlx::PgConnection, records: &[&Model]) -> Result<()> {
    macro_rules! column {
        ($record:ident => $value:expr) => {
            records.iter().map(|$record| $value).collect::<Vec<_>>()
        };
    }
    let insert = sqlx::query(INSERT)
        .bind(column!(record => record.id.0))
        .bind(column!(record => record.at))
        .bind(column!(record => record.kind.as_str()))
        .bind(column!(record => record.request_id))
        .bind(column!(record => record.actor.as_str()))
        .bind(column!(record => record.membership.as_str()))
        .bind(column!(record => record.grant_id.map(|id| id.0)))
        .bind(column!(record => record.engagement_id.map(|id| id.0)))
        .bind(column!(record => record.purpose.as_deref()))
        .bind(column!(record => record.classes.as_str()))
        .bind(column!(record => record.operation_hash.as_slice()))
        .bind(column!(record => record.query.as_deref()))
        .bind(column!(record => record.object_kind.as_str()))
        .bind(column!(record => record.object_count))
        .bind(column!(record => record.object_ids.as_slice()))
        .bind(column!(record => record.object_digest.as_deref()));
    insert.execute(connection).await?;
    Ok(())
}

async fn insert_sqlite(db: &Db, records: &[&Model]) -> Result<()> {
    let tx = db.begin_reads().await?;
    for record in records {
        Entity::insert(ActiveModel::from((*record).clone()).reset_all())
            .exec_without_returning(&tx)
            .await?;
    }
    tx.commit().await?;
    Ok(())
}
