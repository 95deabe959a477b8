//! Control totals from an independent source, and the differences they show: found, explained, approved.

use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::NaiveDate;
use entity::difference::{self, State};
use entity::{
    BezirksstelleId, Cents, ControlTotalId, DifferenceId, EngagementId, Fund, PopulationId, control_cell,
    control_total, population, population_import,
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, FromQueryResult,
    QueryFilter, QueryOrder, Set, Statement,
};
use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

use super::import::amount::{Decimals, Rounding, parse};
use super::reconciliation::{ALL_LINES, Cell, Cells, Tally, compare};
use super::service::{find_many, lock_population, lock_unfrozen, no_running_import};
use crate::access::{Action, FourEyes, Permit, authorize, authorize_write};
use crate::db::among;
use crate::error::must_be_version;
use crate::idempotency::{Claim, Claimed, claim};
use crate::page::{self, Page, PageArgs};
use crate::trail::{self, Subject};
use crate::{Code, Ctx, Db, Error, Refusal, Result, jobcenter};

/// Cells of one control total at the most: four funds and all lines, fifty parts, a hundred months.
const MAX_CELLS: usize = 25_000;

/// One cell as entered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CellInput {
    /// Fund; none for all lines, those without money included.
    pub fund: Option<Fund>,
    /// Number of the Bezirksstelle.
    pub bezirksstelle: String,
    /// Any day of the month; none for lines without a period.
    pub month: Option<NaiveDate>,
    /// Lines with a part in this fund, or all lines.
    pub count: i64,
    /// Sum of their parts, or of their amounts, in cents.
    pub sum: Cents,
}

/// What enters a control total.
#[derive(Clone, Debug, Serialize)]
pub struct ControlTotalInput {
    /// The population to reconcile.
    pub population_id: PopulationId,
    /// Kind of source.
    pub source: control_total::Source,
    /// Which document: number and date, up to 500 characters.
    pub document_reference: String,
    /// Cells; a cell that is missing counts as empty, cells of all lines only where there is at least one of them.
    pub cells: Vec<CellInput>,
}

/// A population beside its control total in one cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// The cell.
    pub cell: Cell,
    /// By the control total; none where there is no control total, or it does not speak of all lines.
    pub expected: Option<Tally>,
    /// In the population.
    pub actual: Tally,
}

/// Reads cells from a CSV text: `fund;bezirksstelle;month;count;sum`, fund by its code or `ALL` for all lines, month as
/// `2025-03` or empty, sum with a decimal comma. The bad line is named.
pub fn cells_from_csv(text: &str) -> Result<Vec<CellInput>> {
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(b';')
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let header = reader.headers().map_err(|_| bad_line(1, "CSV"))?;
    if header
        .iter()
        .ne(["fund", "bezirksstelle", "month", "count", "sum"])
    {
        return Err(bad_line(1, "fund;bezirksstelle;month;count;sum"));
    }
    let mut cells = Vec::new();
    for record in reader.records() {
        let record =
            record.map_err(|error| bad_line(error.position().map_or(0, csv::Position::line), "CSV"))?;
        let line = record.position().map_or(0, csv::Position::line);
        let field = |position: usize| record.get(position).unwrap_or_default();
        cells.push(CellInput {
            fund: fund(field(0), line)?,
            bezirksstelle: field(1).to_owned(),
            month: month(field(2), line)?,
            count: field(3).parse().map_err(|_| bad_line(line, "count"))?,
            sum: parse(field(4), Decimals::German, Rounding::Refuse)
                .map(Cents)
                .map_err(|_| bad_line(line, "sum"))?,
        });
    }
    Ok(cells)
}

/// All lines are asked for by name: a field left empty by mistake would be something else than was meant.
fn fund(text: &str, line: u64) -> Result<Option<Fund>> {
    if text == ALL_LINES {
        return Ok(None);
    }
    Fund::from_code(text)
        .map(Some)
        .ok_or_else(|| bad_line(line, "fund"))
}

fn month(text: &str, line: u64) -> Result<Option<NaiveDate>> {
    if text.is_empty() {
        return Ok(None);
    }
    let day = NaiveDate::parse_from_str(&format!("{text}-01"), "%Y-%m-%d");
    day.map(Some).map_err(|_| bad_line(line, "month"))
}

fn bad_line(line: u64, what: &str) -> Error {
    Error::refused_with(
        Code::InvalidValue,
        "input.csv",
        format!("Zeile/line {line}: {what}"),
    )
}

/// Enters a control total and compares it with the population. An earlier one is superseded, with its differences.
///
/// Whoever imported an extract of this population must not enter it. The lines are counted before the write transaction,
/// so that nobody waits for it; where an extract was added meanwhile, the entry is refused.
pub async fn enter_control_total(
    ctx: &Ctx,
    db: &Db,
    idempotency_key: &str,
    input: ControlTotalInput,
) -> Result<control_total::Model> {
    let permit = authorize_write(ctx, db, Action::ControlTotalEnter).await?;
    let numbers = jobcenter::bezirksstellen(db)
        .await?
        .into_iter()
        .map(|row| (row.number, row.id))
        .collect();
    let expected = checked_cells(&input, &numbers)?;
    let version = match ready(ctx, db, idempotency_key, &input).await? {
        Entry::New(_, population) => population.version,
        Entry::Repeated(row) => return Ok(row),
    };
    let actual = count_cells(db.reader(), input.population_id).await?;
    let tx = db.begin_write().await?;
    let (claim, population) = match entry(&tx, ctx, idempotency_key, &input).await? {
        Entry::New(claim, population) => (claim, population),
        Entry::Repeated(row) => return Ok(row),
    };
    if population.version != version {
        return Err(Error::refused_with(
            Code::StaleVersion,
            "input.populationId",
            population.version,
        ));
    }
    let now = ctx.now();
    let id = ControlTotalId(ctx.new_id());
    supersede(&tx, ctx, &permit, &population, id).await?;
    let row = control_total::ActiveModel {
        id: Set(id),
        population_id: Set(population.id),
        source: Set(input.source),
        document_reference: Set(input.document_reference),
        entered_by: Set(ctx.caller.subject.clone()),
        entered_at: Set(now),
        superseded_at: Set(None),
        population_version: Set(population.version),
    }
    .insert(&tx)
    .await?;
    insert_cells(&tx, id, &expected).await?;
    let differences = insert_differences(ctx, &tx, id, population.id, &expected, &actual).await?;
    claim.remember(&tx, ctx, id.0).await?;
    let subject = Subject::new("ControlTotal", id.0, population.engagement_id).left(trail::state(ctx, &row)?);
    let detail = json!({
        "source": row.source,
        "document": row.document_reference,
        "allLines": expected.speak_of_all_lines(),
        "differences": differences,
    });
    trail::record(&tx, ctx, &permit, subject, detail).await?;
    tx.commit().await?;
    Ok(row)
}

/// The control total of a population counts no longer, now that there is a newer one.
async fn supersede(
    tx: &DatabaseTransaction,
    ctx: &Ctx,
    permit: &Permit,
    population: &population::Model,
    newer: ControlTotalId,
) -> Result<()> {
    let rows = control_total::Entity::find()
        .filter(control_total::Column::PopulationId.eq(population.id))
        .filter(control_total::Column::SupersededAt.is_null())
        .all(tx)
        .await?;
    for row in rows {
        let before = trail::state(ctx, &row)?;
        let mut change: control_total::ActiveModel = row.into();
        change.superseded_at = Set(Some(ctx.now()));
        let row = change.update(tx).await?;
        let subject = Subject::new("ControlTotal", row.id.0, population.engagement_id)
            .changed(before, trail::state(ctx, &row)?);
        trail::record(tx, ctx, permit, subject, json!({ "supersededBy": newer })).await?;
    }
    Ok(())
}

/// What an entry turned out to be.
enum Entry {
    /// New, and nothing stands in its way: the key to remember, and the population, locked.
    New(Claim, population::Model),
    /// Made before.
    Repeated(control_total::Model),
}

/// What can be said before the lines are counted.
async fn ready(ctx: &Ctx, db: &Db, idempotency_key: &str, input: &ControlTotalInput) -> Result<Entry> {
    let tx = db.begin_write().await?;
    entry(&tx, ctx, idempotency_key, input).await
}

async fn entry(
    tx: &DatabaseTransaction,
    ctx: &Ctx,
    idempotency_key: &str,
    input: &ControlTotalInput,
) -> Result<Entry> {
    let locked = lock_population(tx, ctx, input.population_id, "input.populationId").await?;
    let claim = match claim(tx, ctx, idempotency_key, "recordControlTotal", input).await? {
        Claimed::New(claim) => claim,
        Claimed::Repeated(id) => {
            let row = control_total::Entity::find_by_id(ControlTotalId(id))
                .one(tx)
                .await?;
            return row
                .map(Entry::Repeated)
                .ok_or_else(|| Error::internal("a remembered control total is missing"));
        }
    };
    let population = locked.must_be_open("input.populationId")?;
    no_running_import(tx, population.id, "input.populationId").await?;
    if population.item_count == 0 {
        return Err(Error::refused(Code::PopulationEmpty, "input.populationId"));
    }
    let importers = importers(tx, population.id).await?;
    let importers = importers.iter().map(String::as_str);
    FourEyes::ControlTotal.another(ctx, importers, "input.populationId")?;
    Ok(Entry::New(claim, population))
}

fn checked_cells(input: &ControlTotalInput, numbers: &HashMap<String, BezirksstelleId>) -> Result<Cells> {
    let mut refusals: Vec<Refusal> =
        crate::refusal::text("input.documentReference", &input.document_reference, 500)
            .into_iter()
            .collect();
    if input.cells.is_empty() {
        refusals.push(Refusal::new(Code::Required, "input.cells"));
    }
    if input.cells.len() > MAX_CELLS {
        refusals.push(Refusal::new(Code::TooMany, "input.cells").with(MAX_CELLS));
    }
    let mut cells = BTreeMap::new();
    for (position, given) in input.cells.iter().enumerate().take(MAX_CELLS) {
        let path = |field: &str| format!("input.cells.{position}.{field}");
        let Some(place) = numbers.get(&given.bezirksstelle) else {
            refusals.push(
                Refusal::new(Code::BezirksstelleUnknown, &path("bezirksstelle")).with(&given.bezirksstelle),
            );
            continue;
        };
        let Ok(count) = u64::try_from(given.count) else {
            refusals.push(Refusal::new(Code::InvalidValue, &path("count")).with(given.count));
            continue;
        };
        let month = given.month.and_then(|day| chrono::Datelike::with_day(&day, 1));
        let cell = Cell {
            fund: given.fund,
            bezirksstelle_id: place.0,
            month,
        };
        if cells
            .insert(
                cell,
                Tally {
                    count,
                    sum: given.sum.0,
                },
            )
            .is_some()
        {
            let name = format!(
                "{} {} {}",
                given.fund.map_or(ALL_LINES, Fund::as_str),
                given.bezirksstelle,
                month.map_or(String::new(), |day| day.format("%Y-%m").to_string())
            );
            refusals.push(Refusal::new(Code::ControlCellDoubled, &path("fund")).with(name));
        }
    }
    if refusals.is_empty() {
        // An empty cell of all lines stays: that there are none is said of all lines.
        cells.retain(|cell, tally| cell.fund.is_none() || *tally != Tally::default());
        Ok(Cells(cells))
    } else {
        refusals.truncate(100);
        Err(Error::Refused(refusals))
    }
}

async fn importers(tx: &DatabaseTransaction, population: PopulationId) -> Result<HashSet<String>> {
    Ok(population_import::Entity::find()
        .filter(population_import::Column::PopulationId.eq(population))
        .filter(population_import::Column::State.eq(population_import::State::Completed))
        .all(tx)
        .await?
        .into_iter()
        .map(|row| row.created_by)
        .collect())
}

async fn insert_cells(tx: &DatabaseTransaction, id: ControlTotalId, cells: &Cells) -> Result<()> {
    let mut rows = Vec::with_capacity(cells.0.len());
    for (position, (cell, tally)) in cells.0.iter().enumerate() {
        rows.push(control_cell::ActiveModel {
            control_total_id: Set(id),
            ordinal: Set(i32::try_from(position + 1).unwrap_or(i32::MAX)),
            fund: Set(cell.fund),
            bezirksstelle_id: Set(BezirksstelleId(cell.bezirksstelle_id)),
            month: Set(cell.month),
            item_count: Set(stored(tally.count)),
            sum_cents: Set(Cents(tally.sum)),
        });
    }
    for chunk in rows.chunks(1_000) {
        control_cell::Entity::insert_many(chunk.to_vec())
            .exec_without_returning(tx)
            .await?;
    }
    Ok(())
}

async fn insert_differences(
    ctx: &Ctx,
    tx: &DatabaseTransaction,
    id: ControlTotalId,
    population: PopulationId,
    expected: &Cells,
    actual: &Cells,
) -> Result<usize> {
    let differences = compare(expected, actual);
    for chunk in differences.chunks(1_000) {
        let rows = chunk.iter().map(|found| difference::ActiveModel {
            id: Set(DifferenceId(ctx.new_id())),
            control_total_id: Set(id),
            population_id: Set(population),
            fund: Set(found.cell.fund),
            bezirksstelle_id: Set(BezirksstelleId(found.cell.bezirksstelle_id)),
            month: Set(found.cell.month),
            expected_count: Set(stored(found.expected.count)),
            expected_cents: Set(Cents(found.expected.sum)),
            actual_count: Set(stored(found.actual.count)),
            actual_cents: Set(Cents(found.actual.sum)),
            state: Set(State::Open),
            explanation: Set(None),
            explained_by: Set(None),
            explained_at: Set(None),
            approved_by: Set(None),
            approved_at: Set(None),
            version: Set(1),
        });
        difference::Entity::insert_many(rows)
            .exec_without_returning(tx)
            .await?;
    }
    Ok(differences.len())
}

fn stored(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

#[derive(Debug, FromQueryResult)]
struct CellRow {
    bezirksstelle_id: Uuid,
    period: Option<NaiveDate>,
    all_count: i64,
    all_sum: i64,
    bund_count: i64,
    bund_sum: i64,
    kommune_count: i64,
    kommune_sum: i64,
    land_count: i64,
    land_sum: i64,
    eu_count: i64,
    eu_sum: i64,
}

/// Counts the items in the database by cell: the sum over a bigint column is numeric on PostgreSQL, hence the casts.
async fn count_cells(db: &impl ConnectionTrait, population: PopulationId) -> Result<Cells> {
    let parts: Vec<String> = ["bund", "kommune", "land", "eu"]
        .into_iter()
        .map(|fund| {
            format!(
                "CAST(SUM(CASE WHEN {fund}_cents <> 0 THEN 1 ELSE 0 END) AS bigint) AS {fund}_count,
                 CAST(SUM({fund}_cents) AS bigint) AS {fund}_sum"
            )
        })
        .collect();
    let sql = format!(
        "SELECT bezirksstelle_id, period, COUNT(*) AS all_count, CAST(SUM(amount_cents) AS bigint) AS all_sum, {}
         FROM population_item
         WHERE population_id = $1 AND import_id IN
            (SELECT id FROM population_import WHERE population_id = $1 AND state = 'COMPLETED')
         GROUP BY bezirksstelle_id, period",
        parts.join(", ")
    );
    let statement = Statement::from_sql_and_values(db.get_database_backend(), sql, [population.0.into()]);
    let mut cells = BTreeMap::new();
    for row in CellRow::find_by_statement(statement).all(db).await? {
        for (fund, count, sum) in [
            (None, row.all_count, row.all_sum),
            (Some(Fund::Bund), row.bund_count, row.bund_sum),
            (Some(Fund::Kommune), row.kommune_count, row.kommune_sum),
            (Some(Fund::Land), row.land_count, row.land_sum),
            (Some(Fund::Eu), row.eu_count, row.eu_sum),
        ] {
            if count > 0 {
                let cell = Cell {
                    fund,
                    bezirksstelle_id: row.bezirksstelle_id,
                    month: row.period,
                };
                cells.insert(
                    cell,
                    Tally {
                        count: u64::try_from(count).unwrap_or(0),
                        sum,
                    },
                );
            }
        }
    }
    Ok(Cells(cells))
}

/// Every cell of a visible population beside its control total, in canonical order.
pub async fn population_cells(ctx: &Ctx, db: &Db, population: PopulationId) -> Result<Vec<Comparison>> {
    if find_many(ctx, db, &[population]).await?.is_empty() {
        return Ok(Vec::new());
    }
    let actual = count_cells(db.reader(), population).await?;
    let expected = match current(db.reader(), population).await? {
        Some(total) => Some(stored_cells(db.reader(), total.id).await?),
        None => None,
    };
    let mut cells: Vec<Cell> = actual
        .0
        .keys()
        .chain(expected.iter().flat_map(|cells| cells.0.keys()))
        .copied()
        .collect();
    cells.sort_unstable();
    cells.dedup();
    let tally = |cells: &Cells, cell: &Cell| cells.0.get(cell).copied().unwrap_or_default();
    let all_lines = expected.as_ref().is_some_and(Cells::speak_of_all_lines);
    Ok(cells
        .into_iter()
        .map(|cell| Comparison {
            cell,
            expected: expected
                .as_ref()
                .filter(|_| all_lines || cell.fund.is_some())
                .map(|expected| tally(expected, &cell)),
            actual: tally(&actual, &cell),
        })
        .collect())
}

async fn stored_cells(db: &impl ConnectionTrait, total: ControlTotalId) -> Result<Cells> {
    let rows = control_cell::Entity::find()
        .filter(control_cell::Column::ControlTotalId.eq(total))
        .all(db)
        .await?;
    Ok(Cells(
        rows.into_iter()
            .map(|row| {
                let cell = Cell {
                    fund: row.fund,
                    bezirksstelle_id: row.bezirksstelle_id.0,
                    month: row.month,
                };
                (
                    cell,
                    Tally {
                        count: u64::try_from(row.item_count).unwrap_or(0),
                        sum: row.sum_cents.0,
                    },
                )
            })
            .collect(),
    ))
}

/// The control total that counts.
pub(super) async fn current(
    db: &impl ConnectionTrait,
    population: PopulationId,
) -> Result<Option<control_total::Model>> {
    Ok(control_total::Entity::find()
        .filter(control_total::Column::PopulationId.eq(population))
        .filter(control_total::Column::SupersededAt.is_null())
        .one(db)
        .await?)
}

/// Control totals of visible populations, newest first.
pub async fn control_totals(
    ctx: &Ctx,
    db: &Db,
    population: PopulationId,
) -> Result<Vec<control_total::Model>> {
    if find_many(ctx, db, &[population]).await?.is_empty() {
        return Ok(Vec::new());
    }
    Ok(control_total::Entity::find()
        .filter(control_total::Column::PopulationId.eq(population))
        .order_by_desc(control_total::Column::Id)
        .all(db.reader())
        .await?)
}

/// Differences of a population from the control total that counts.
pub async fn differences(
    ctx: &Ctx,
    db: &Db,
    population: PopulationId,
    args: &PageArgs,
) -> Result<Page<difference::Model>> {
    authorize(ctx, Action::PopulationRead)?;
    let total = current(db.reader(), population)
        .await?
        .map_or(Uuid::nil(), |total| total.id.0);
    let select = difference::Entity::visible_to(&ctx.caller.scope(ctx.now()))
        .filter(difference::Column::ControlTotalId.eq(total));
    Ok(page::by_id(select, difference::Column::Id, false, args, db.reader()).await?)
}

/// Differences by id, those the caller may see.
pub async fn find_differences(ctx: &Ctx, db: &Db, ids: &[DifferenceId]) -> Result<Vec<difference::Model>> {
    authorize(ctx, Action::PopulationRead)?;
    Ok(difference::Entity::visible_to(&ctx.caller.scope(ctx.now()))
        .filter(among(db.reader(), difference::Column::Id, ids.iter().copied()))
        .all(db.reader())
        .await?)
}

/// Explains a difference; an approved one stays as it is.
pub async fn explain_difference(
    ctx: &Ctx,
    db: &Db,
    id: DifferenceId,
    expected_version: i32,
    explanation: &str,
) -> Result<difference::Model> {
    let permit = authorize_write(ctx, db, Action::DifferenceExplain).await?;
    if let Some(refusal) = crate::refusal::text("input.explanation", explanation, 4_000) {
        return Err(Error::Refused(vec![refusal]));
    }
    let tx = db.begin_write().await?;
    let (row, engagement) = lock_difference(&tx, ctx, id, expected_version).await?;
    if row.state == State::Approved {
        return Err(Error::refused(Code::DifferenceApproved, "input.id"));
    }
    let (version, before) = (row.version + 1, trail::state(ctx, &row)?);
    let mut change: difference::ActiveModel = row.into();
    change.state = Set(State::Explained);
    change.explanation = Set(Some(explanation.to_owned()));
    change.explained_by = Set(Some(ctx.caller.subject.clone()));
    change.explained_at = Set(Some(ctx.now()));
    change.version = Set(version);
    let row = change.update(&tx).await?;
    let subject = Subject::new("Difference", id.0, engagement).changed(before, trail::state(ctx, &row)?);
    trail::record(&tx, ctx, &permit, subject, json!({ "version": version })).await?;
    tx.commit().await?;
    Ok(row)
}

/// Approves an explanation; never by who wrote it.
pub async fn approve_difference(
    ctx: &Ctx,
    db: &Db,
    id: DifferenceId,
    expected_version: i32,
) -> Result<difference::Model> {
    let permit = authorize_write(ctx, db, Action::DifferenceApprove).await?;
    let tx = db.begin_write().await?;
    let (row, engagement) = lock_difference(&tx, ctx, id, expected_version).await?;
    match row.state {
        State::Open => return Err(Error::refused(Code::DifferenceNotExplained, "input.id")),
        State::Approved => return Err(Error::refused(Code::DifferenceApproved, "input.id")),
        State::Explained => {}
    }
    FourEyes::DifferenceApproval.another(ctx, row.explained_by.as_deref(), "input.id")?;
    let (version, before) = (row.version + 1, trail::state(ctx, &row)?);
    let mut change: difference::ActiveModel = row.into();
    change.state = Set(State::Approved);
    change.approved_by = Set(Some(ctx.caller.subject.clone()));
    change.approved_at = Set(Some(ctx.now()));
    change.version = Set(version);
    let row = change.update(&tx).await?;
    let subject = Subject::new("Difference", id.0, engagement).changed(before, trail::state(ctx, &row)?);
    trail::record(&tx, ctx, &permit, subject, json!({ "version": version })).await?;
    tx.commit().await?;
    Ok(row)
}

async fn lock_difference(
    tx: &DatabaseTransaction,
    ctx: &Ctx,
    id: DifferenceId,
    expected_version: i32,
) -> Result<(difference::Model, EngagementId)> {
    let missing = || Error::refused(Code::NotFound, "input.id");
    let find =
        || difference::Entity::visible_to(&ctx.caller.scope(ctx.now())).filter(difference::Column::Id.eq(id));
    let row = find().one(tx).await?.ok_or_else(missing)?;
    let population: population::Model = lock_unfrozen(tx, ctx, row.population_id, "input.id").await?;
    let row = find().one(tx).await?.ok_or_else(missing)?;
    must_be_version(row.version, expected_version)?;
    Ok((row, population.engagement_id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_read_from_csv_and_bad_lines_are_named() {
        let cells = cells_from_csv(
            "fund;bezirksstelle;month;count;sum\nBUND;03;2025-03;12;1.234,50\nKOMMUNE;04;;1;-5,00\nALL;04;;7;-5,00\n",
        )
        .unwrap();
        assert_eq!(
            cells.iter().map(|cell| cell.fund).collect::<Vec<_>>(),
            [Some(Fund::Bund), Some(Fund::Kommune), None]
        );
        assert_eq!(
            (cells[0].count, cells[0].sum, cells[0].month),
            (12, Cents(123_450), NaiveDate::from_ymd_opt(2025, 3, 1))
        );
        assert_eq!(
            (cells[1].count, cells[1].sum, cells[1].month),
            (1, Cents(-500), None)
        );
        for (text, detail) in [
            ("fund;month\n", "Zeile/line 1: fund;bezirksstelle;month;count;sum"),
            (
                "fund;bezirksstelle;month;count;sum\nBUND;03;2025-13;1;1,00\n",
                "Zeile/line 2: month",
            ),
            (
                "fund;bezirksstelle;month;count;sum\nBUND;03;2025-12;1;1,00\nX;03;;1;1,00\n",
                "Zeile/line 3: fund",
            ),
            (
                "fund;bezirksstelle;month;count;sum\n;03;2025-12;1;1,00\n",
                "Zeile/line 2: fund",
            ),
        ] {
            let Err(Error::Refused(refusals)) = cells_from_csv(text) else {
                panic!("{text} is accepted")
            };
            assert_eq!(refusals[0].detail, detail);
        }
    }
}
