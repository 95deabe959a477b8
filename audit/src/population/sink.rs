//! Where the lines of an import go: binary COPY on PostgreSQL, multi-row inserts on SQLite, each batch in a short
//! transaction of its own. Rows of an import that did not complete are removed again.

use chrono::NaiveDate;
use entity::{BezirksstelleId, Cents, ImportId, ItemId, PopulationId, case_number, population_item};
use sea_orm::sea_query::OnConflict;
use sea_orm::{ConnectionTrait, DatabaseBackend, EntityTrait, Set, Statement};
use sqlx::postgres::PgPoolCopyExt;
use uuid::Uuid;

use crate::copy::CopyWriter;
use crate::{Db, Error, Result};

/// Rows of one SQLite insert: 20 columns each, below the limit of 32,766 parameters.
const SQLITE_ROWS: usize = 1_000;
/// Rows removed in one transaction.
const REMOVED_AT_ONCE: u64 = 20_000;

const COLUMNS: [&str; 20] = [
    "id",
    "population_id",
    "import_id",
    "line",
    "item_key",
    "case_key",
    "bezirksstelle_id",
    "amount_cents",
    "bund_cents",
    "kommune_cents",
    "land_cents",
    "eu_cents",
    "product",
    "period",
    "decision_date",
    "kind",
    "own_staff",
    "attributes",
    "reference",
    "salt",
];

/// One line, ready to be written.
#[derive(Debug)]
pub(super) struct Row<'a> {
    pub(super) id: Uuid,
    pub(super) line: i64,
    pub(super) item_key: [u8; 16],
    pub(super) case_key: Option<[u8; 16]>,
    pub(super) bezirksstelle: Uuid,
    pub(super) amount: i64,
    pub(super) funds: [i64; 4],
    pub(super) product: &'a str,
    pub(super) period: Option<NaiveDate>,
    pub(super) decision_date: Option<NaiveDate>,
    pub(super) kind: &'a str,
    pub(super) own_staff: bool,
    pub(super) attributes: &'a str,
    pub(super) reference: &'a str,
    pub(super) salt: [u8; 32],
}

/// Rows on their way into the database.
#[derive(Debug)]
pub(super) enum Batch {
    /// Encoded for COPY.
    Copy(CopyWriter),
    /// For inserts.
    Rows(Vec<population_item::ActiveModel>),
}

impl Batch {
    /// An empty batch for this database.
    pub(super) fn new(postgres: bool) -> Self {
        if postgres {
            Self::Copy(CopyWriter::new(20, BATCH_BYTES + 4_096))
        } else {
            Self::Rows(Vec::with_capacity(SQLITE_ROWS))
        }
    }

    /// Takes a row in; true when the batch should be written now.
    pub(super) fn push(&mut self, population: PopulationId, import: ImportId, row: &Row<'_>) -> bool {
        match self {
            Self::Copy(copy) => {
                encode(copy, population, import, row);
                copy.len() >= BATCH_BYTES
            }
            Self::Rows(rows) => {
                rows.push(model(population, import, row));
                rows.len() >= SQLITE_ROWS
            }
        }
    }
}

/// A COPY of about this size is one short transaction, and memory stays small whatever the file's size.
const BATCH_BYTES: usize = 4 << 20;

fn encode(copy: &mut CopyWriter, population: PopulationId, import: ImportId, row: &Row<'_>) {
    copy.row();
    copy.uuid(row.id);
    copy.uuid(population.0);
    copy.uuid(import.0);
    copy.bigint(row.line);
    copy.bytes(&row.item_key);
    match &row.case_key {
        Some(key) => copy.bytes(key),
        None => copy.null(),
    }
    copy.uuid(row.bezirksstelle);
    copy.bigint(row.amount);
    for cents in row.funds {
        copy.bigint(cents);
    }
    copy.bytes(row.product.as_bytes());
    copy.date(row.period);
    copy.date(row.decision_date);
    copy.bytes(row.kind.as_bytes());
    copy.boolean(row.own_staff);
    copy.bytes(row.attributes.as_bytes());
    copy.bytes(row.reference.as_bytes());
    copy.bytes(&row.salt);
}

fn model(population: PopulationId, import: ImportId, row: &Row<'_>) -> population_item::ActiveModel {
    let [bund, kommune, land, eu] = row.funds;
    population_item::ActiveModel {
        id: Set(ItemId(row.id)),
        population_id: Set(population),
        import_id: Set(import),
        line: Set(row.line),
        item_key: Set(row.item_key.to_vec()),
        case_key: Set(row.case_key.map(|key| key.to_vec())),
        bezirksstelle_id: Set(BezirksstelleId(row.bezirksstelle)),
        amount_cents: Set(Cents(row.amount)),
        bund_cents: Set(Cents(bund)),
        kommune_cents: Set(Cents(kommune)),
        land_cents: Set(Cents(land)),
        eu_cents: Set(Cents(eu)),
        product: Set(row.product.to_owned()),
        period: Set(row.period),
        decision_date: Set(row.decision_date),
        kind: Set(row.kind.to_owned()),
        own_staff: Set(row.own_staff),
        attributes: Set(row.attributes.to_owned()),
        reference: Set(row.reference.to_owned()),
        salt: Set(row.salt.to_vec()),
    }
}

/// Writes a batch.
pub(super) async fn write(db: &Db, batch: Batch) -> Result<()> {
    match batch {
        Batch::Copy(copy) => {
            let pool = db
                .postgres()
                .ok_or_else(|| Error::internal("COPY needs PostgreSQL"))?;
            let sql = format!(
                "COPY population_item ({}) FROM STDIN (FORMAT binary)",
                COLUMNS.join(", ")
            );
            let mut stream = pool.copy_in_raw(&sql).await?;
            stream.send(copy.finish()).await?;
            stream.finish().await?;
        }
        Batch::Rows(rows) if rows.is_empty() => {}
        Batch::Rows(rows) => {
            let tx = db.begin_write().await?;
            population_item::Entity::insert_many(rows)
                .exec_without_returning(&tx)
                .await?;
            tx.commit().await?;
        }
    }
    Ok(())
}

/// A case number under its pseudonym, sealed.
pub(super) type SealedCase = ([u8; 16], Vec<u8>);

/// Writes case numbers; those already there stay.
pub(super) async fn write_cases(db: &Db, import: ImportId, cases: Vec<SealedCase>) -> Result<()> {
    if cases.is_empty() {
        return Ok(());
    }
    if let Some(pool) = db.postgres() {
        let (keys, sealed): (Vec<Vec<u8>>, Vec<Vec<u8>>) = cases
            .into_iter()
            .map(|(key, sealed)| (key.to_vec(), sealed))
            .unzip();
        sqlx::query(
            "INSERT INTO case_number (import_id, case_key, sealed)
             SELECT $1, key, sealed FROM unnest($2::bytea[], $3::bytea[]) AS given (key, sealed)
             ON CONFLICT DO NOTHING",
        )
        .bind(import.0)
        .bind(keys)
        .bind(sealed)
        .execute(pool)
        .await?;
        return Ok(());
    }
    let tx = db.begin_write().await?;
    for chunk in cases.chunks(SQLITE_ROWS) {
        let rows = chunk.iter().map(|(key, sealed)| case_number::ActiveModel {
            import_id: Set(import),
            case_key: Set(key.to_vec()),
            sealed: Set(sealed.clone()),
        });
        case_number::Entity::insert_many(rows)
            .on_conflict(
                OnConflict::columns([case_number::Column::ImportId, case_number::Column::CaseKey])
                    .do_nothing()
                    .to_owned(),
            )
            .exec_without_returning(&tx)
            .await?;
    }
    tx.commit().await?;
    Ok(())
}

/// Removes what an import wrote, in short transactions.
pub(super) async fn remove(db: &Db, population: PopulationId, import: ImportId) -> Result<()> {
    let backend = if db.is_postgres() {
        DatabaseBackend::Postgres
    } else {
        DatabaseBackend::Sqlite
    };
    let items = Statement::from_sql_and_values(
        backend,
        format!(
            "DELETE FROM population_item WHERE id IN (
                SELECT id FROM population_item WHERE population_id = $1 AND import_id = $2 LIMIT {REMOVED_AT_ONCE})"
        ),
        [population.0.into(), import.0.into()],
    );
    let cases = Statement::from_sql_and_values(
        backend,
        "DELETE FROM case_number WHERE import_id = $1".to_owned(),
        [import.0.into()],
    );
    loop {
        let tx = db.begin_write().await?;
        let removed = tx.execute_raw(items.clone()).await?.rows_affected();
        tx.commit().await?;
        if removed < REMOVED_AT_ONCE {
            break;
        }
    }
    let tx = db.begin_write().await?;
    tx.execute_raw(cases).await?;
    tx.commit().await?;
    Ok(())
}
